"""Every route and every kind of caller: who gets past the product's table of rights, and that nobody else does.

Whom each line is for is written out here once more, by hand: a route or a line that is new fails until it is entered.
"""

import re

import pytest

from adapters.lms.launching.endpoint import OF_CONTENT
from lrs.access import ALL, CONSENTED, KEY, NOBODY, OWN, SESSION, TOKEN, Caller
from lrs.access.keys import create_key
from lrs.access.policy.lines import PolicyLine
from lrs.access.policy.table import OF_SERVER, OF_TENANT, TABLE, admit, scopes_for
from lrs.access.rights import SCOPES, SERVICE_SCOPES, rights_of_key, rights_of_service
from lrs.kernel.errors import Refused
from lrs.matching.registry import register
from lrs.web.addresses import operations
from lrs.xapi.endpoint import METHODS
from tests.rows import each_of
from tests.served import serving

STRANGER, WRONG, STAFF = "nobody", "wrong secret", "admin's session"
KEYS = frozenset(SCOPES)
SERVICES = frozenset(f"service {scope}" for scope in SERVICE_SCOPES)
EVERYBODY = KEYS | SERVICES | {STRANGER, WRONG, STAFF}


def keys(*scopes):
    return frozenset(scopes)


READ_STATEMENTS = keys("all", "all/read", "statements/read", "statements/read/mine")
WRITE_STATEMENTS = keys("all", "statements/write")
XAPI = {
    "statements": {
        "GET": READ_STATEMENTS,
        "HEAD": READ_STATEMENTS,
        "PUT": WRITE_STATEMENTS,
        "POST": WRITE_STATEMENTS,
        "DELETE": frozenset(),
    },
    **{
        resource: {
            "GET": keys("all", "all/read", scope),
            "HEAD": keys("all", "all/read", scope),
            **dict.fromkeys(("PUT", "POST", "DELETE"), keys("all", scope)),
        }
        for resource, scope in (
            ("activities/state", "state"),
            ("activities/profile", "profile"),
        )
    },
    "agents/profile": {
        **dict.fromkeys(("GET", "HEAD"), keys("all", "all/read", "profile", "agents/profile/read")),
        **dict.fromkeys(("PUT", "POST", "DELETE"), keys("all", "profile")),
    },
    "activities": {
        **dict.fromkeys(("GET", "HEAD"), keys("all", "all/read", "statements/read", "profile", "state")),
        **dict.fromkeys(("PUT", "POST", "DELETE"), frozenset()),
    },
    "agents": {
        **dict.fromkeys(("GET", "HEAD"), keys("all", "all/read", "statements/read", "profile")),
        **dict.fromkeys(("PUT", "POST", "DELETE"), frozenset()),
    },
    "about": {**dict.fromkeys(("GET", "HEAD"), EVERYBODY), **dict.fromkeys(("PUT", "POST", "DELETE"), frozenset())},
}

OPEN = {
    # By themselves they tell nothing about anybody, or ask for what only the rightful one has: a form, a link.
    ("GET", "/health"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/developers"),
    ("GET", "/developers/{name}"),
    ("GET", "/static/{name}"),
    ("POST", "/oauth/token"),
    ("GET", "/links/{token}"),
    ("POST", "/links/{token}"),
    ("GET", "/guardian/{guardian}"),
    ("POST", "/guardian/{guardian}"),
    ("GET", "/"),
    ("GET", "/pages"),
    ("GET", "/pages/learners"),
    ("GET", "/pages/learners/{person}"),
    ("GET", "/pages/sign-in"),
    ("POST", "/pages/sign-in"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-in/code"),
    ("GET", "/sign-in/with/{provider}"),
    ("GET", "/sign-in/return"),
    ("GET", "/sign-in/learner"),
    ("POST", "/sign-in/learner"),
    ("POST", "/sign-in/learner/code"),
    ("POST", "/sign-in/learner/confirm"),
    ("GET", "/sign-in/link/{token}"),
    ("POST", "/sign-in/link/{token}"),
    ("GET", "/invitation/{token}"),
    ("POST", "/invitation/{token}"),
    ("GET", "/sign-off/{token}"),
    ("POST", "/sign-off/{token}"),
    *(("GET", f"/catalogue{end}") for end in ("", ".csv", ".json", "/{id}")),
    *(("GET", f"/roles{end}") for end in ("", ".csv", ".json", "/one", "/embed")),
    ("GET", "/calendar/{token}"),
    ("GET", "/did.json"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/issuer-registry.json"),
    ("GET", "/.well-known/jwt-vc-issuer/t/{tenant}"),
    ("GET", "/status/{name}"),
    ("GET", "/claim/{claim}"),
    ("POST", "/claim/{claim}"),
    ("GET", "/claim/{claim}/file"),
    ("GET", "/verify"),
    ("POST", "/verify"),
    ("POST", "/api/verify"),
    ("GET", "/.well-known/openid-credential-issuer/t/{tenant}"),
    ("GET", "/.well-known/oauth-authorization-server/t/{tenant}"),
    ("GET", "/.well-known/openid-credential-issuer"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/oid4vci/offers/{offer}"),
    ("POST", "/oid4vci/token"),
    ("POST", "/oid4vci/nonce"),
    ("POST", "/oid4vci/credential"),
    ("POST", "/oid4vci/notification"),
    ("GET", "/exchanges/{exchange}"),
    ("POST", "/exchanges/{exchange}"),
    ("POST", "/exchanges/{exchange}/request"),
    ("GET", "/check/{certificate}"),
    ("GET", "/shared/{share}"),
    ("GET", "/shared/{share}/badge.png"),
    ("GET", "/shared/{share}/badge.svg"),
    ("GET", "/achievements/{id}"),
    ("GET", "/achievements/{id}/image.png"),
    ("GET", "/achievements/{id}/image.svg"),
    ("GET", "/criteria/{id}"),
    ("GET", "/competencies/{id}"),
    ("GET", "/lti/jwks"),
    ("GET", "/lti/register/{invite}"),
    ("POST", "/lti/register/{invite}"),
    ("GET", "/lti/login"),
    ("POST", "/lti/login"),
    ("POST", "/lti/launch"),
    ("GET", "/lti/closed"),
    ("POST", "/cmi5/fetch/{token}"),
    ("OPTIONS", "/cmi5/fetch/{token}"),
    ("GET", "/content/{package}/{path:path}"),
    ("GET", "/scorm/{token}"),
    ("GET", "/scorm/{token}/run-time.js"),
    ("GET", "/scorm/{token}/attempt"),
    ("POST", "/scorm/{token}/attempt"),
    ("GET", "/operator/sign-in"),
    ("POST", "/operator/sign-in"),
    ("POST", "/operator/sign-in/code"),
    ("GET", "/operator/invitation/{token}"),
    ("POST", "/operator/invitation/{token}"),
    ("GET", "/operator/reached/{token}"),
    ("POST", "/lti/pick"),
}
PAST_THE_DOOR = (
    "This form did not come",
    "kept no cookie",
    "This sign-in was not begun",
    "import_failed",
    "This launch was used",
    "not the one that was shown",
    "This choice was shown",
    "asked too often from here",
)
LEARNERS_OWN = {
    *(("GET", "/me"), ("GET", "/me/roles"), ("GET", "/me/badges/{id}"), ("GET", "/me/sharing")),
    *(("GET", "/me/data"), ("GET", "/me/data.json"), ("GET", "/me/plan"), ("POST", "/me/plan")),
    *(("GET", "/me/code"), ("POST", "/me/code"), ("GET", "/me/courses"), ("POST", "/me/courses/{id}")),
    *(("GET", "/me/badges/{id}/take"), ("POST", "/me/badges/{id}/take")),
    *(("GET", "/me/occupation"), ("POST", "/me/occupation")),
    *(("GET", "/me/prior"), ("POST", "/me/prior"), ("POST", "/me/prior/remove"), ("GET", "/me/apprenticeship")),
    *(("POST", "/me/questions"), ("POST", "/me/sharing/stop")),
}
"""For a learner's session alone (``tests/pages/test_me.py``): none of these callers is one."""
LAUNCHED = {
    *(("GET", "/lti/me"), ("GET", "/lti/me/roles"), ("GET", "/lti/me/badges/{id}"), ("POST", "/lti/me/questions")),
    *(("GET", "/lti/me/badges/{id}/take"), ("POST", "/lti/me/badges/{id}/take")),
    *(("GET", "/lti/courses/{course}"), ("GET", "/lti/learn/{link}"), ("POST", "/lti/learn/{link}/{index}")),
    ("POST", "/lti/courses/{course}/try/{link}/{index}"),
    *(("GET", "/lti/me/code"), ("POST", "/lti/me/code")),
}
"""For who came by a launch alone (``tests/adapters/lms/lti``)."""
OF_PLATFORMS = {
    ("GET", "/cmi5/api/v1/ping"),
    ("GET", "/cmi5/api/v1/about"),
    ("POST", "/cmi5/api/v1/course"),
    ("GET", "/cmi5/api/v1/course/{id}"),
    ("DELETE", "/cmi5/api/v1/course/{id}"),
    ("POST", "/cmi5/api/v1/course/{id}/launch-url/{index}"),
    ("POST", "/cmi5/api/v1/registration"),
    ("GET", "/cmi5/api/v1/registration/{id}"),
    ("DELETE", "/cmi5/api/v1/registration/{id}"),
    ("POST", "/cmi5/api/v1/registration/{id}/waive-au/{index}"),
    ("GET", "/cmi5/api/v1/registration/{id}/learner-prefs"),
    ("POST", "/cmi5/api/v1/registration/{id}/learner-prefs"),
    ("DELETE", "/cmi5/api/v1/registration/{id}/learner-prefs"),
    ("GET", "/cmi5/api/v1/session/{id}"),
    ("POST", "/cmi5/api/v1/session/{id}/abandon"),
}
"""For a platform's token (``tests/adapters/lms/catapult/test_catapult.py``): none of these callers has one."""
OPERATORS = {
    ("POST", "/operator/sign-out"),
    ("GET", "/operator/account"),
    ("POST", "/operator/account/name"),
    ("POST", "/operator/account/password"),
    ("POST", "/operator/account/sessions"),
    ("GET", "/operator/account/second-factor"),
    ("POST", "/operator/account/second-factor"),
    ("POST", "/operator/account/second-factor/off"),
    ("GET", "/operator"),
    ("GET", "/operator/system"),
    ("GET", "/operator/audit"),
    ("GET", "/operator/audit.csv"),
    ("GET", "/operator/audit.json"),
    ("GET", "/operator/organisations"),
    ("GET", "/operator/organisations.csv"),
    ("GET", "/operator/organisations.json"),
    ("POST", "/operator/organisations"),
    ("GET", "/operator/organisations/{id}"),
    ("POST", "/operator/organisations/{id}/state"),
    ("POST", "/operator/organisations/{id}/administrator"),
    ("GET", "/operator/people"),
    ("POST", "/operator/people"),
    ("POST", "/operator/people/{id}/state"),
    ("POST", "/operator/keys"),
    ("POST", "/operator/keys/{key}/revoke"),
    ("GET", "/operator/begin"),
    ("POST", "/operator/begin/{step}"),
}
"""For the operator of the installation alone (``tests/pages/test_operator.py``): none of these callers is one."""
OTHERS = {
    **dict.fromkeys(OPERATORS, frozenset()),
    **dict.fromkeys(LAUNCHED, frozenset()),
    **dict.fromkeys(OF_PLATFORMS, frozenset()),
    ("POST", "/cmi5/api/v1/tenant"): keys("courses"),
    ("DELETE", "/cmi5/api/v1/tenant/{id}"): keys("courses"),
    ("POST", "/cmi5/api/v1/auth"): keys("courses"),
    **dict.fromkeys(LEARNERS_OWN, frozenset()),
    **dict.fromkeys(OPEN, EVERYBODY),
    **{
        ("GET", f"/provider{form}"): frozenset()
        for form in ("", ".csv", ".json", *(f"/apprentices{end}" for end in ("", ".csv", ".json")))
    },  # providers alone: test_roles
    **{("GET", f"/employer{form}"): frozenset() for form in ("", ".csv", ".json")},  # employers alone: test_employer
    ("POST", "/employer"): frozenset(),
    ("GET", "/metrics"): frozenset(),  # the operator of the installation alone, see test_operators
    ("GET", "/credentials/{id}"): keys("admin"),
    ("GET", "/api/imports"): KEYS,
    ("POST", "/api/imports"): keys("import", "all", "admin"),  # whom "admin" alone lets in is refused behind the door
    **dict.fromkeys(
        [("GET", "/api/imports/{id}"), ("GET", "/api/imports/{id}/report"), ("GET", "/api/imports/{id}/file")], KEYS
    ),
    ("GET", "/api/profiles"): {"service profiles:read"},
    ("GET", "/api/profiles/{subject}"): {"service profiles:read"},
    ("GET", "/api/profiles/{subject}/badges/{badge}"): {"service badges:read"},
    ("GET", "/api/profiles/{subject}/gap"): {"service gap:read"},
    ("GET", "/api/profiles/{subject}/roles"): {"service gap:read"},
    ("GET", "/api/roles"): {"service roles:read"},
    ("POST", "/api/outcomes"): {"service outcomes:write"},
    ("PUT", "/api/outcomes/{outcome}"): {"service outcomes:write"},
    ("DELETE", "/api/outcomes/{outcome}"): {"service outcomes:write"},
    ("POST", "/api/links"): SERVICES,
    **dict.fromkeys([(method, "/api/organisation") for method in ("GET", "PUT")], keys("admin")),
    **dict.fromkeys([(method, "/api/services/{service}") for method in ("GET", "PUT")], keys("admin")),
    **dict.fromkeys(
        [
            ("POST", "/sign-out"),
            ("GET", "/account"),
            ("POST", "/account/name"),
            ("POST", "/account/password"),
            ("POST", "/account/sessions"),
            ("POST", "/account/address"),
            ("POST", "/account/close"),
            ("GET", "/account/second-factor"),
            ("POST", "/account/second-factor"),
            ("POST", "/account/second-factor/off"),
            ("GET", "/staff/members"),
            ("POST", "/staff/members"),
            ("POST", "/staff/members/{id}/roles"),
            ("POST", "/staff/members/{id}/state"),
            ("POST", "/staff/members/{id}/recovery"),
            ("GET", "/staff/imports"),
            ("POST", "/staff/imports"),
            ("GET", "/staff/imports.csv"),
            ("GET", "/staff/imports.json"),
            ("GET", "/staff/imports/{id}"),
            ("GET", "/staff/imports/{id}/rows"),
            ("GET", "/staff/imports/{id}/rows.csv"),
            ("GET", "/staff/imports/{id}/rows.json"),
            ("GET", "/staff/imports/{id}/file"),
            ("GET", "/staff/imports/{id}/repairs"),
            ("POST", "/staff/imports/{id}/columns"),
            ("POST", "/staff/imports/{id}/cells"),
            ("POST", "/staff/imports/{id}/bring"),
            *(("GET", f"/staff/missing-learners{form}") for form in ("", ".csv", ".json")),
            ("GET", "/staff/columns"),
            ("POST", "/staff/columns"),
            ("GET", "/staff/columns.csv"),
            ("GET", "/staff/columns.json"),
            ("GET", "/staff/rules"),
            ("POST", "/staff/rules"),
            ("GET", "/staff/rules.csv"),
            ("GET", "/staff/rules.json"),
            ("GET", "/staff/rules/ready.csv"),
            ("POST", "/staff/rules/restore"),
            ("GET", "/staff/rules/versions/{version}/rules"),
            ("GET", "/staff/rules/versions/{version}/rules.csv"),
            ("GET", "/staff/rules/versions/{version}/rules.json"),
            ("GET", "/staff/rules/drafts/{id}/changes"),
            ("GET", "/staff/rules/drafts/{id}/changes.csv"),
            ("GET", "/staff/rules/drafts/{id}/changes.json"),
            ("POST", "/staff/rules/drafts/{id}/apply"),
            *(("GET", f"/staff/badges{form}") for form in ("", ".csv", ".json", "/{achievement}")),
            ("GET", "/staff/badges/{achievement}/image.svg"),
            *(("POST", f"/staff/badges/{{achievement}}{act}") for act in ("", "/endorse", "/image", "/image/remove")),
            ("GET", "/staff/badge-keys"),
            ("GET", "/staff/badge-keys.csv"),
            ("GET", "/staff/badge-keys.json"),
            ("POST", "/staff/badge-keys"),
            ("POST", "/staff/badge-keys/compromised"),
            ("GET", "/console"),
            ("GET", "/console/sources"),
            ("GET", "/console/sources.csv"),
            ("GET", "/console/sources.json"),
            ("GET", "/console/mails"),
            ("POST", "/console/mails"),
            ("GET", "/console/keys"),
            ("GET", "/console/keys.csv"),
            ("GET", "/console/keys.json"),
            ("GET", "/console/audit"),
            ("GET", "/console/audit.csv"),
            ("GET", "/console/audit.json"),
            ("GET", "/console/system"),
            ("GET", "/staff"),
            ("GET", "/staff/learners.csv"),
            ("GET", "/staff/learners.json"),
            ("POST", "/staff/learners/{person}/invite"),
            ("POST", "/staff/learners/{person}/ask"),
            ("POST", "/connect/sources/{source}/name"),
            ("POST", "/staff/learners/{person}/name"),
            *((method, "/staff/learners/{person}/route") for method in ("GET", "POST")),
            *((method, path) for method in ("GET", "POST") for path in ("/staff/badge/{id}", "/staff/revoke-badges")),
            ("POST", "/staff/badge/{id}/endorse"),
            *(("GET", f"/staff/event-codes{ending}") for ending in ("", ".csv", ".json")),
            *(("POST", f"/staff/event-codes{ending}") for ending in ("", "/end")),
            *(("GET", f"/staff/issuers{ending}") for ending in ("", ".csv", ".json")),
            *(("POST", f"/staff/issuers{ending}") for ending in ("", "/remove")),
            ("GET", "/staff/invitations"),
            ("POST", "/staff/invitations"),
            ("GET", "/staff/services"),
            ("GET", "/staff/services.csv"),
            ("GET", "/staff/services.json"),
            ("POST", "/staff/services"),
            ("GET", "/staff/new-service"),
            ("GET", "/staff/services/{id}"),
            ("POST", "/staff/services/{id}/test"),
            ("POST", "/staff/services/{id}/webhook"),
            ("POST", "/staff/services/{id}/rotate"),
            ("POST", "/staff/services/{id}/state"),
            ("GET", "/staff/services/{id}/deliveries"),
            ("GET", "/staff/services/{id}/deliveries.csv"),
            ("GET", "/staff/services/{id}/deliveries.json"),
            ("GET", "/staff/same-person"),
            ("GET", "/staff/same-person.csv"),
            ("GET", "/staff/same-person.json"),
            ("POST", "/staff/same-person"),
            ("GET", "/staff/same-person/{one}/{other}"),
            ("POST", "/staff/same-person/{one}/{other}"),
            ("GET", "/staff/questions"),
            ("GET", "/staff/questions.csv"),
            ("GET", "/staff/questions.json"),
            ("GET", "/staff/questions/{id}"),
            ("POST", "/staff/questions/{id}"),
            ("GET", "/staff/learners/{person}/apprenticeship"),
            ("GET", "/staff/learners/{person}/prior"),
            ("POST", "/staff/learners/{person}/prior"),
            ("POST", "/staff/learners/{person}/prior/remove"),
            ("GET", "/staff/learners/{person}/correct"),
            ("POST", "/staff/learners/{person}/correct"),
            ("GET", "/staff/consents/{receipt}"),
            ("POST", "/staff/consents/{receipt}"),
            ("GET", "/staff/learners"),
            ("POST", "/staff/learners"),
            ("GET", "/staff/learners/{person}"),
            ("POST", "/staff/learners/{person}/withdraw"),
            ("GET", "/arrivals"),
            ("POST", "/arrivals"),
            ("GET", "/arrivals.csv"),
            ("GET", "/arrivals.json"),
            ("GET", "/arrivals/statements/{id}"),
            ("GET", "/arrivals/course"),
            ("GET", "/arrivals/course.csv"),
            ("GET", "/arrivals/course.json"),
            *(("GET", f"/arrivals/quarantine{end}") for end in ("", ".csv", ".json", "/{id}")),
            *(("POST", f"/arrivals/quarantine{end}") for end in ("", "/{id}")),
            *(
                ("GET", f"/staff/sessions{end}")
                for end in ("", ".csv", ".json", "/{id}", "/{id}/close", "/{id}/change")
            ),
            *(("GET", f"/staff/sessions/{{id}}/{end}") for end in ("steps/{step}", "people/{who}")),
            *(("POST", f"/staff/sessions{end}") for end in ("", "/{id}/steps/{step}", "/{id}/people/{who}")),
            *(
                ("POST", f"/staff/sessions/{{id}}/{end}")
                for end in ("people", "attendance", "version", "close", "change")
            ),
            ("POST", "/staff/sessions/{id}/people/{who}/sign"),
            ("GET", "/staff/new-session"),
            *(("GET", f"/staff/checklists{end}") for end in ("", ".csv", ".json", "/{id}")),
            ("POST", "/staff/checklists"),
            *(("GET", f"/staff/catalogue{end}") for end in ("", ".csv", ".json", "/{id}")),
            ("POST", "/staff/catalogue"),
            *(("GET", f"/planning{end}") for end in ("", ".csv", ".json")),
            *(("POST", f"/planning{end}") for end in ("", "/files", "/regions", "/smallest")),
            *(("GET", f"/staff/courses{end}") for end in ("", ".csv", ".json", "/{id}", "/{id}/rules.csv")),
            *(("GET", f"/staff/courses/{{id}}/learners{end}") for end in ("", ".csv", ".json")),
            *(("POST", f"/staff/courses{end}") for end in ("", "/{id}/withdraw", "/{id}/catalogue", "/{id}/try")),
            *(("POST", f"/staff/courses/{{id}}/{act}") for act in ("open", "chosen", "rules")),
            ("GET", "/staff/courses/{id}/chosen"),
            ("GET", "/staff/courses/{id}/learners/{registration}"),
            *(("POST", f"/staff/courses/{{id}}/learners/{{registration}}/{act}") for act in ("launch", "waive", "end")),
            ("GET", "/staff/lms"),
            ("GET", "/staff/lms.csv"),
            ("GET", "/staff/lms.json"),
            ("POST", "/staff/lms"),
            ("GET", "/staff/lms/new"),
            ("POST", "/staff/lms/new"),
            ("GET", "/staff/lms/canvas.json"),
            ("GET", "/staff/lms/platforms/{id}"),
            ("POST", "/staff/lms/platforms/{id}/state"),
            ("POST", "/staff/lms/platforms/{id}/deployments"),
            ("POST", "/staff/lms/platforms/{id}/remove"),
            ("POST", "/staff/lms/withdraw"),
            *((method, "/staff/lms/platforms/{id}/results") for method in ("GET", "POST")),
            ("GET", "/connect"),
            ("GET", "/connect.csv"),
            ("GET", "/connect.json"),
            ("GET", "/connect/{platform}"),
            ("POST", "/connect/{platform}"),
            ("GET", "/connect/{platform}/rules.csv"),
            ("GET", "/connect/sources/{source}"),
            ("POST", "/connect/sources/{source}"),
            ("GET", "/connect/keys/{key}"),
            ("POST", "/connect/keys/{key}/revoke"),
            ("GET", "/pages/badges/{id}"),
            ("GET", "/pages/work"),
            ("POST", "/pages/work/retry"),
            ("POST", "/pages/work/resend"),
        ],
        frozenset({STAFF}),
    ),
}


class Site:
    """A server, and each kind of caller as what it sends along."""

    def __init__(self, lrs):
        self.lrs = lrs
        self.client = lrs.clients[0]
        key = {scope: create_key(lrs.tenant, f"with {scope.replace('/', ' ')}", [scope]) for scope in SCOPES}
        self.callers = {STRANGER: {}, WRONG: {"auth": (key["all"].key, "wrong")}}
        self.callers |= {scope: {"auth": (one.key, one.secret)} for scope, one in key.items()}
        self.callers |= {f"service {scope}": self._token(scope) for scope in SERVICE_SCOPES}
        self.callers[STAFF] = {"headers": {"Cookie": self._session(key["admin"])}}

    def _token(self, scope):
        made = register(
            self.lrs.tenant, f"for {scope}", webhook=None, scopes=[scope], purpose="To suggest jobs", by="test"
        )
        form = {"grant_type": "client_credentials", "client_id": made.service.id, "client_secret": made.client_secret}
        token = self.client.post(f"{self.lrs.address}/oauth/token", data=form).json()["access_token"]
        return {"headers": {"Authorization": f"Bearer {token}"}}

    def _session(self, key):
        page = self.client.get(f"{self.lrs.address}/pages/sign-in")
        token = re.search(r'name="form" value="([^"]+)"', page.text)[1]
        form = {"form": token, "key": key.key, "secret": key.secret}
        self.client.post(f"{self.lrs.address}/pages/sign-in", data=form)
        cookie = f"engraft.default={self.client.cookies['engraft.default']}"
        self.client.cookies.clear()
        return cookie

    def gets_in(self, caller, method, path, **more):
        """Whether *caller* gets past the door; what is behind it may well say 400 or 404."""
        sent = self.callers[caller]
        headers = {**sent.get("headers", {}), **more.pop("headers", {})}
        answer = self.client.request(method, self.lrs.address + path, auth=sent.get("auth"), headers=headers, **more)
        self.client.cookies.clear()
        assert answer.status_code < 500, (method, path, caller, answer.text)
        led = answer.headers.get("location", "") if answer.status_code == 303 else ""
        if re.search(r"/sign-in(/learner)?(\?(then|done=over).*)?$", led):
            return False
        # Past the door: then it was the form that was not ours, or the xAPI door behind it that asked for more scopes.
        if answer.status_code in {403, 429} and any(told in answer.text for told in PAST_THE_DOOR):
            return True
        return answer.status_code not in {401, 403, 405, 429}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("site")) as lrs:
        yield Site(lrs)


def test_every_route_has_its_line_and_every_line_its_route(tmp_path):
    with serving(tmp_path) as lrs:
        routes = set(operations(lrs.app.api.routes))
    xapi = {(method, f"/xapi/{resource}") for resource, methods in METHODS.items() for method in methods}
    content = {
        (method, f"/cmi5/xapi/{resource}") for resource, methods in OF_CONTENT.methods.items() for method in methods
    }

    assert TABLE.keys() == routes | xapi | content
    assert METHODS.keys() == XAPI.keys()
    assert {(method, path.removeprefix(OF_TENANT)) for method, path in routes} == OTHERS.keys()


def test_each_right_that_a_scope_gives_is_asked_for_somewhere():
    given = {right for table in (SCOPES, SERVICE_SCOPES) for rights in table.values() for right in rights}

    asked_by_handlers = {
        "definitions.write",
        "ledgers.read",
        "ledgers.write",
        "statements.import",
        "statements.void",
        "sessions.open",
    }
    assert given - {line.right for line in TABLE.values()} == asked_by_handlers
    assert {line.right for line in TABLE.values()} - given == {
        *("public", "source.read", "links.make"),
        *("own-bookings.change", "own-record.read", "own-questions.ask", "own-consents.change", "own-badges.share"),
        *("own-badges.bring", "own-skills.declare", "employees.read", "employees.ask"),
        *("account.use", "course.read"),
        *("account.use", "courses.launch", "launch.run"),
        *("installation.read", "installation.begin", "tenants.manage", "operators.manage"),
    }


@pytest.mark.parametrize(
    ("scopes", "reach"),
    [
        (["statements/read/mine"], OWN),
        (["statements/read"], ALL),
        (["statements/read/mine", "all/read"], ALL),
        (["all/read", "statements/read/mine"], ALL),
        (["statements/write"], None),
    ],
)
def test_a_right_reaches_as_far_as_the_widest_scope_says(scopes, reach):
    assert rights_of_key(scopes).get("statements.read") == reach


LINES = {("GET", "/things"): PolicyLine("things.read", (KEY,)), ("GET", "/open"): PolicyLine("public")}


@pytest.mark.parametrize(
    ("method", "route", "caller"),
    [
        ("GET", "/things", NOBODY),
        ("GET", "/things", Caller("key a", "a", b"", {"things.write": ALL}, "default", KEY)),
        ("GET", "/things", Caller("key a", "a", b"", {"things.read": OWN}, "default", KEY)),
        ("GET", "/things", Caller("key a", "a", b"", {"things.read": ALL}, "default", SESSION)),
        ("POST", "/things", Caller("key a", "a", b"", {"things.read": ALL}, "default", KEY)),
        ("GET", "/unknown", Caller("key a", "a", b"", {"things.read": ALL}, "default", KEY)),
    ],
    ids=["nobody", "another right", "too near", "another credential", "another method", "no line"],
)
def test_a_caller_whom_no_line_admits_is_refused(method, route, caller):
    with pytest.raises(Refused) as refused:
        admit(method, route, caller, LINES)

    assert (refused.value.status, refused.value.error) == (403, "forbidden")


def test_a_line_lets_past_who_has_its_right_and_a_public_one_everybody():
    admit("GET", "/things", Caller("key a", "a", b"", {"things.read": ALL}, "default", KEY), LINES)
    admit("GET", "/open", NOBODY, LINES)


def test_a_service_is_told_the_scope_its_token_lacks():
    caller = Caller("service a", "service a", b"", rights_of_service(["roles:read"]), "default", TOKEN)

    with pytest.raises(Refused) as refused:
        admit("GET", "/api/profiles", caller)

    assert (refused.value.status, refused.value.error) == (403, "insufficient_scope")
    assert refused.value.headers == (("WWW-Authenticate", 'Bearer error="insufficient_scope", scope="profiles:read"'),)
    assert caller.rights == {"roles.read": ALL, "links.make": ALL}
    assert rights_of_service(["gap:read"])["gap.read"] == CONSENTED


def test_a_key_is_told_the_scopes_that_would_do():
    told = [scopes_for(TABLE[line]) for line in (("GET", "/xapi/activities"), ("GET", "/xapi/agents/profile"))]

    assert told == [
        ("all", "all/read", "statements/read", "profile", "state"),
        ("all", "all/read", "profile", "agents/profile/read"),
    ]


def one_of_each(let_in):
    """Of the callers one that is *let_in* and one that is not, and who has a session, a wrong secret or nothing."""
    return {STRANGER, WRONG, STAFF, *sorted(let_in)[:1], *sorted(EVERYBODY - let_in)[:1]}


@each_of(("resource", "method"), [(resource, method) for resource, methods in XAPI.items() for method in methods])
def test_xapi_lets_in_who_the_table_says(site, resource, method):
    in_2_0 = {"headers": {"X-Experience-API-Version": "2.0.0"}}

    let_in = {one for one in site.callers if site.gets_in(one, method, f"/xapi/{resource}", **in_2_0)}
    some = one_of_each(XAPI[resource][method])
    behind_a_tenant = {one for one in some if site.gets_in(one, method, f"/t/default/xapi/{resource}", **in_2_0)}

    assert let_in == XAPI[resource][method]
    assert behind_a_tenant == some & let_in


UPLOAD = {"content": b"a,b\n1,2\n", "params": {"adapter": "training-centre"}, "headers": {"Content-Type": "text/csv"}}


OF_BADGES = ("/did.json", "/status/", "/achievements/", "/criteria/", "/competencies/", "/credentials/")
"""Addresses that hold only behind the name of their tenant."""


@each_of(("method", "path"), sorted(OTHERS))
def test_other_routes_let_in_who_the_table_says(site, method, path):
    """All callers at one address; at the other one, which leads to the same line of the table, one let in and nobody.

    Where no program is let in by a key or a token, one of each sort has to do: nobody looks at what the others may do.
    """
    prefixes = ["", "/t/default"]
    if path.startswith(("/lti/", *OF_BADGES)):
        prefixes = ["/t/default"]
    if path in OF_SERVER or path.endswith("/t/{tenant}"):
        prefixes = [""]
    first, *others = (prefix + re.sub(r"\{\w+\}", "nothing", path) for prefix in prefixes)
    given = UPLOAD if path == "/api/imports" and method == "POST" else {}
    some = one_of_each(OTHERS[method, path])
    line = TABLE.get((method, path)) or TABLE[method, OF_TENANT + path]
    asking = site.callers.keys() if {KEY, TOKEN} & {*line.via} else some | {"all", "service profiles:read"}
    two = {STRANGER, *sorted(OTHERS[method, path])[:1]}

    let_in = {one for one in asking if site.gets_in(one, method, first, **given)}
    elsewhere = [{one for one in two if site.gets_in(one, method, other, **given)} for other in others]

    assert let_in == OTHERS[method, path] & asking
    assert elsewhere == [two & let_in] * len(others)


@pytest.mark.parametrize("path", ["/xapi/statements", "/api/roles", "/metrics"])
def test_a_tenant_that_does_not_exist_is_404_for_everybody(site, path):
    for caller in site.callers:
        sent = site.callers[caller]
        answer = site.client.request(
            "GET", f"{site.lrs.address}/t/nobody{path}", auth=sent.get("auth"), headers=sent.get("headers")
        )
        assert answer.status_code == 404
