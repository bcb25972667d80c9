"""Every route and every kind of caller: who gets past the product's table of rights, and that nobody else does.

Whom each line is for is written out here once more, by hand: a route or a line that is new fails until it is entered.
"""

import re

import pytest

from lrs.access import ALL, CONSENTED, KEY, NOBODY, OWN, SESSION, TOKEN, Caller
from lrs.access.keys import create_key
from lrs.access.policy import OF_TENANT, TABLE, Line, admit, scopes_for
from lrs.access.rights import SCOPES, SERVICE_SCOPES, rights_of_key, rights_of_service
from lrs.kernel.errors import Refused
from lrs.matching.registry import register
from lrs.web.addresses import operations
from lrs.xapi.endpoint import METHODS
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
    ("POST", "/oauth/token"),
    ("GET", "/links/{token}"),
    ("POST", "/links/{token}"),
    ("GET", "/"),
    ("GET", "/pages"),
    ("GET", "/pages/sign-in"),
    ("POST", "/pages/sign-in"),
    ("GET", "/did.json"),
    ("GET", "/status/{name}"),
    ("GET", "/achievements/{id}"),
}
OTHERS = {
    **dict.fromkeys(OPEN, EVERYBODY),
    ("GET", "/metrics"): keys("admin"),
    ("GET", "/credentials/{id}"): keys("admin"),
    ("GET", "/api/imports"): KEYS,
    ("POST", "/api/imports"): keys("import", "all"),
    **dict.fromkeys(
        [("GET", "/api/imports/{id}"), ("GET", "/api/imports/{id}/report"), ("GET", "/api/imports/{id}/file")], KEYS
    ),
    ("GET", "/api/profiles"): {"service profiles:read"},
    ("GET", "/api/profiles/{subject}"): {"service profiles:read"},
    ("GET", "/api/profiles/{subject}/badges/{badge}"): {"service badges:read"},
    ("GET", "/api/profiles/{subject}/gap"): {"service gap:read"},
    ("GET", "/api/roles"): {"service roles:read"},
    ("POST", "/api/links"): SERVICES,
    **dict.fromkeys(
        [
            ("POST", "/pages/sign-out"),
            ("GET", "/pages/learners"),
            ("POST", "/pages/learners"),
            ("GET", "/pages/learners/{person}"),
            ("POST", "/pages/learners/{person}/withdraw"),
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
        made = register(self.lrs.tenant, f"for {scope}", webhook=None, scopes=[scope], purpose="matching", by="test")
        form = {"grant_type": "client_credentials", "client_id": made.service.id, "client_secret": made.client_secret}
        token = self.client.post(f"{self.lrs.address}/oauth/token", data=form).json()["access_token"]
        return {"headers": {"Authorization": f"Bearer {token}"}}

    def _session(self, key):
        page = self.client.get(f"{self.lrs.address}/pages/sign-in")
        token = re.search(r'name="form" value="([^"]+)"', page.text)[1]
        form = {"form": token, "key": key.key, "secret": key.secret}
        self.client.post(f"{self.lrs.address}/pages/sign-in", data=form)
        cookie = f"engraft-pages={self.client.cookies['engraft-pages']}"
        self.client.cookies.clear()
        return cookie

    def gets_in(self, caller, method, path, **more):
        """Whether *caller* gets past the door; what is behind it may well say 400 or 404."""
        sent = self.callers[caller]
        headers = {**sent.get("headers", {}), **more.pop("headers", {})}
        answer = self.client.request(method, self.lrs.address + path, auth=sent.get("auth"), headers=headers, **more)
        self.client.cookies.clear()
        assert answer.status_code < 500, (method, path, caller, answer.text)
        if answer.status_code == 303 and "/sign-in?then=" in answer.headers["location"]:
            return False
        # Past the door: then it was the form that was not ours, or the xAPI door behind it that asked for more scopes.
        if answer.status_code == 403 and ("This form did not come" in answer.text or "import_failed" in answer.text):
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

    assert TABLE.keys() == routes | xapi
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
    }
    assert given - {line.right for line in TABLE.values()} == asked_by_handlers
    assert {line.right for line in TABLE.values()} - given == {"public", "source.read", "links.make", "consents.answer"}


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


LINES = {("GET", "/things"): Line("things.read", (KEY,)), ("GET", "/open"): Line("public")}


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
def test_whom_no_line_lets_past_is_refused(method, route, caller):
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


@pytest.mark.parametrize("prefix", ["/xapi", "/t/default/xapi"])
@pytest.mark.parametrize(
    ("resource", "method"), [(resource, method) for resource, methods in XAPI.items() for method in methods]
)
def test_xapi_lets_in_who_the_table_says(site, resource, method, prefix):
    in_2_0 = {"headers": {"X-Experience-API-Version": "2.0.0"}}

    let_in = {one for one in site.callers if site.gets_in(one, method, f"{prefix}/{resource}", **in_2_0)}

    assert let_in == XAPI[resource][method]


UPLOAD = {"content": b"a,b\n1,2\n", "params": {"adapter": "training-centre"}, "headers": {"Content-Type": "text/csv"}}


@pytest.mark.parametrize("prefix", ["", "/t/default"])
@pytest.mark.parametrize(("method", "path"), sorted(OTHERS))
def test_other_routes_let_in_who_the_table_says(site, method, path, prefix):
    if prefix == "" and path in {"/did.json", "/status/{name}", "/achievements/{id}", "/credentials/{id}"}:
        prefix = "/t/default"
    if path in {"/health", "/metrics", "/openapi.json", "/docs"}:
        prefix = ""
    address = prefix + re.sub(r"\{\w+\}", "nothing", path)
    given = UPLOAD if path == "/api/imports" and method == "POST" else {}

    let_in = {one for one in site.callers if site.gets_in(one, method, address, **given)}

    assert let_in == OTHERS[method, path]


@pytest.mark.parametrize("path", ["/xapi/statements", "/api/roles", "/metrics"])
def test_a_tenant_that_does_not_exist_is_404_for_everybody(site, path):
    for caller in site.callers:
        sent = site.callers[caller]
        answer = site.client.request(
            "GET", f"{site.lrs.address}/t/nobody{path}", auth=sent.get("auth"), headers=sent.get("headers")
        )
        assert answer.status_code == 404
