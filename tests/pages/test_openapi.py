"""Every operation of our own OpenAPI document, asked by schemathesis for what it allows and for what it does not.

Whatever is sent, by whomever, no answer is a 5xx. An import of a file is done by a process of its own; so few are.
"""

import contextlib
import re
import tempfile
from datetime import date
from pathlib import Path
from urllib.parse import quote

import httpx
import msgspec
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.imports.here import job_here
from adapters.imports.run import Order
from badges.achievements.achievements import ITEM, FrameworkItem
from badges.claims import claims
from badges.content.awards import read_award
from badges.held import shares
from badges.wallets import exchanges
from lrs.access.keys import create_key
from lrs.composition.steps import drain
from lrs.matching import outcomes, services
from lrs.matching.outcomes import WhatCameOfIt
from lrs.matching.roles import roles
from lrs.storage import Record
from lrs.xapi.endpoint import METHODS
from tests.adapters.lms.launched import PlatformClient
from tests.badges.made import BODY, badge_in, put_award, run_issue
from tests.matching.world import agree, held, put_badge, put_person, put_profile, put_service, put_waiting, run_sync
from tests.programs import PATIENCE
from tests.served import serving

OPERATIONS = {
    "POST /oauth/token": 5,
    "GET /api/profiles": 5,
    "GET /api/profiles/{subject}": 5,
    "GET /api/profiles/{subject}/badges/{badge}": 5,
    "GET /api/profiles/{subject}/gap": 5,
    "GET /api/profiles/{subject}/roles": 5,
    "GET /api/roles": 5,
    "POST /api/outcomes": 4,
    "PUT /api/outcomes/{outcome}": 4,
    "DELETE /api/outcomes/{outcome}": 2,
    "POST /api/links": 8,
    "POST /api/verify": 4,
    "GET /api/organisation": 2,
    "PUT /api/organisation": 4,
    "GET /api/services/{service}": 5,
    "PUT /api/services/{service}": 4,
    "GET /api/imports": 2,
    "POST /api/imports": 2,
    "GET /api/imports/{id}": 2,
    "GET /api/imports/{id}/report": 2,
    "GET /api/imports/{id}/file": 2,
    "GET /.well-known/jwks.json": 5,
    "GET /.well-known/issuer-registry.json": 5,
    "GET /.well-known/jwt-vc-issuer/t/{tenant}": 5,
    "GET /t/{tenant}/did.json": 5,
    "GET /t/{tenant}/status/{name}": 5,
    "GET /t/{tenant}/achievements/{id}": 5,
    "GET /t/{tenant}/achievements/{id}/image.png": 5,
    "GET /t/{tenant}/achievements/{id}/image.svg": 5,
    "GET /t/{tenant}/criteria/{id}": 5,
    "GET /t/{tenant}/competencies/{id}": 5,
    "GET /t/{tenant}/credentials/{id}": 5,
}
"""What other programs ask, and how many requests each is asked in each way; what is wrong in one part is told by
``tests/told/test_everything.py``.
"""
XAPI = {f"{method} /xapi/{resource}": 2 for resource, methods in METHODS.items() for method in methods}
PAGES = dict.fromkeys(
    [
        "GET /operator/sign-in",
        "POST /operator/sign-in",
        "POST /operator/sign-in/code",
        "GET /operator/invitation/{token}",
        "POST /operator/invitation/{token}",
        "POST /operator/sign-out",
        "GET /operator/account",
        "POST /operator/account/name",
        "POST /operator/account/password",
        "POST /operator/account/sessions",
        "GET /operator/account/second-factor",
        "POST /operator/account/second-factor",
        "POST /operator/account/second-factor/off",
        "GET /operator",
        "GET /operator/system",
        "GET /operator/audit",
        "GET /operator/audit.csv",
        "GET /operator/audit.json",
        "GET /operator/organisations",
        "GET /operator/organisations.csv",
        "GET /operator/organisations.json",
        "POST /operator/organisations",
        "GET /operator/organisations/{id}",
        "POST /operator/organisations/{id}/state",
        "POST /operator/organisations/{id}/administrator",
        "GET /operator/people",
        "POST /operator/people",
        "POST /operator/people/{id}/state",
        "POST /operator/keys",
        "POST /operator/keys/{key}/revoke",
        "GET /operator/begin",
        "POST /operator/begin/{step}",
        "GET /operator/reached/{token}",
        "GET /",
        "GET /sign-in",
        "POST /sign-in",
        "POST /sign-in/code",
        "GET /sign-in/with/{provider}",
        "GET /sign-in/return",
        "GET /sign-in/learner",
        "POST /sign-in/learner",
        "POST /sign-in/learner/code",
        "POST /sign-in/learner/confirm",
        "GET /sign-in/link/{token}",
        "POST /sign-in/link/{token}",
        "GET /invitation/{token}",
        "POST /invitation/{token}",
        "GET /console",
        *(f"GET /console/{name}{ending}" for name in ("sources", "keys", "audit") for ending in ("", ".csv", ".json")),
        "GET /console/mails",
        "POST /console/mails",
        "GET /console/system",
        *(f"GET /arrivals{ending}" for ending in ("", ".csv", ".json", "/statements/{id}")),
        *(f"GET /arrivals/course{ending}" for ending in ("", ".csv", ".json")),
        *(f"GET /arrivals/quarantine{ending}" for ending in ("", ".csv", ".json", "/{id}")),
        *(f"POST /arrivals/quarantine{ending}" for ending in ("", "/{id}")),
        *(f"{method} /connect/sources/{{source}}" for method in ("GET", "POST")),
        "POST /arrivals",
        *(f"GET /connect{ending}" for ending in ("", ".csv", ".json", "/{platform}", "/{platform}/rules.csv")),
        "POST /connect/{platform}",
        "GET /connect/keys/{key}",
        "POST /connect/keys/{key}/revoke",
        "GET /account",
        "POST /account/name",
        "POST /account/password",
        "POST /account/sessions",
        "POST /account/address",
        "POST /account/close",
        "GET /account/second-factor",
        "POST /account/second-factor",
        "POST /account/second-factor/off",
        "GET /me",
        "POST /me/questions",
        "GET /me/roles",
        "GET /me/badges/{id}",
        *("GET /me/code", "POST /me/code", "GET /me/courses", "POST /me/courses/{id}"),
        *("GET /me/badges/{id}/take", "POST /me/badges/{id}/take"),
        *("GET /claim/{claim}", "POST /claim/{claim}", "GET /claim/{claim}/file"),
        *(f"{method} /t/{{tenant}}/exchanges/{{exchange}}" for method in ("GET", "POST")),
        "POST /t/{tenant}/exchanges/{exchange}/request",
        *(
            f"GET {place}"
            for name in ("openid-credential-issuer", "oauth-authorization-server")
            for place in (f"/.well-known/{name}/t/{{tenant}}", f"/t/{{tenant}}/.well-known/{name}")
        ),
        "GET /t/{tenant}/oid4vci/offers/{offer}",
        *(f"POST /t/{{tenant}}/oid4vci/{name}" for name in ("token", "nonce", "credential", "notification")),
        "GET /t/{tenant}/check/{certificate}",
        *(f"GET /t/{{tenant}}/shared/{{share}}{file}" for file in ("", "/badge.png", "/badge.svg")),
        *("GET /verify", "POST /verify"),
        "GET /me/sharing",
        "GET /me/data",
        "GET /me/data.json",
        "POST /me/sharing/stop",
        "GET /staff/members",
        "POST /staff/members",
        "POST /staff/members/{id}/roles",
        "POST /staff/members/{id}/state",
        "POST /staff/members/{id}/recovery",
        *(f"GET /staff/imports{ending}" for ending in ("", ".csv", ".json", "/{id}", "/{id}/file", "/{id}/repairs")),
        *(f"GET /staff/imports/{{id}}/rows{ending}" for ending in ("", ".csv", ".json")),
        *(f"GET /staff/columns{ending}" for ending in ("", ".csv", ".json")),
        *(f"GET /staff/badges{ending}" for ending in ("", ".csv", ".json", "/{achievement}")),
        "GET /staff/badges/{achievement}/image.svg",
        *(f"POST /staff/badges/{{achievement}}{act}" for act in ("", "/endorse", "/image", "/image/remove")),
        *(f"GET /staff/badge-keys{ending}" for ending in ("", ".csv", ".json")),
        "POST /staff/badge-keys",
        "POST /staff/badge-keys/compromised",
        "POST /staff/columns",
        *(f"GET /provider{ending}" for ending in ("", ".csv", ".json")),
        *(f"GET /staff/rules{ending}" for ending in ("", ".csv", ".json", "/ready.csv")),
        *(f"GET /staff/rules/versions/{{version}}/rules{ending}" for ending in ("", ".csv", ".json")),
        *(f"GET /staff/rules/drafts/{{id}}/changes{ending}" for ending in ("", ".csv", ".json")),
        *(f"POST /staff/rules{ending}" for ending in ("", "/restore", "/drafts/{id}/apply")),
        *(f"POST /staff/imports{ending}" for ending in ("", "/{id}/columns", "/{id}/cells", "/{id}/bring")),
        "GET /links/{token}",
        "POST /links/{token}",
        "GET /guardian/{guardian}",
        "POST /guardian/{guardian}",
        "GET /pages",
        "GET /pages/sign-in",
        "POST /pages/sign-in",
        "POST /sign-out",
        "GET /staff",
        "GET /staff/learners.csv",
        "GET /staff/learners.json",
        "POST /staff/learners/{person}/invite",
        "POST /staff/learners/{person}/ask",
        "POST /connect/sources/{source}/name",
        "POST /staff/learners/{person}/name",
        *(f"{method} /staff/learners/{{person}}/route" for method in ("GET", "POST")),
        *(f"{method} {path}" for method in ("GET", "POST") for path in ("/staff/badge/{id}", "/staff/revoke-badges")),
        "POST /staff/badge/{id}/endorse",
        *(f"GET /staff/{name}{ending}" for name in ("event-codes", "issuers") for ending in ("", ".csv", ".json")),
        *(
            "POST /staff/event-codes",
            "POST /staff/event-codes/end",
            "POST /staff/issuers",
            "POST /staff/issuers/remove",
        ),
        "GET /staff/invitations",
        "POST /staff/invitations",
        "GET /pages/learners",
        "GET /pages/learners/{person}",
        "GET /staff/services",
        "GET /staff/services.csv",
        "GET /staff/services.json",
        "POST /staff/services",
        "GET /staff/new-service",
        "GET /staff/services/{id}",
        "POST /staff/services/{id}/test",
        "POST /staff/services/{id}/webhook",
        "POST /staff/services/{id}/rotate",
        "POST /staff/services/{id}/state",
        "GET /staff/services/{id}/deliveries",
        "GET /staff/services/{id}/deliveries.csv",
        "GET /staff/services/{id}/deliveries.json",
        "GET /developers",
        "GET /developers/{name}",
        "GET /staff/same-person",
        "GET /staff/same-person.csv",
        "GET /staff/same-person.json",
        "POST /staff/same-person",
        "GET /staff/same-person/{one}/{other}",
        "POST /staff/same-person/{one}/{other}",
        "GET /staff/questions",
        "GET /staff/questions.csv",
        "GET /staff/questions.json",
        "GET /staff/questions/{id}",
        "POST /staff/questions/{id}",
        "GET /staff/consents/{receipt}",
        "POST /staff/consents/{receipt}",
        "GET /staff/learners",
        "POST /staff/learners",
        "GET /staff/learners/{person}",
        *("GET /staff/learners/{person}/prior", "POST /staff/learners/{person}/prior"),
        *("POST /staff/learners/{person}/prior/remove", "POST /me/prior/remove"),
        *("GET /me/prior", "POST /me/prior", "GET /me/apprenticeship"),
        *(f"GET /staff/missing-learners{ending}" for ending in ("", ".csv", ".json")),
        *(f"GET /provider/apprentices{ending}" for ending in ("", ".csv", ".json")),
        "GET /staff/learners/{person}/apprenticeship",
        "GET /staff/learners/{person}/correct",
        "POST /staff/learners/{person}/correct",
        "POST /staff/learners/{person}/withdraw",
        "GET /pages/badges/{id}",
        "GET /pages/work",
        "POST /pages/work/retry",
        "POST /pages/work/resend",
        "GET /metrics",
        *(
            f"GET /t/{{tenant}}/lti/{one}"
            for one in ("jwks", "register/{invite}", "login", "closed", "courses/{course}", "learn/{link}")
        ),
        *(f"GET /t/{{tenant}}/lti/me{one}" for one in ("", "/roles", "/badges/{id}", "/badges/{id}/take")),
        "POST /t/{tenant}/lti/me/badges/{id}/take",
        *("GET /t/{tenant}/lti/me/code", "POST /t/{tenant}/lti/me/code"),
        *(
            f"POST /t/{{tenant}}/lti/{one}"
            for one in (
                *("register/{invite}", "login", "launch", "pick", "me/questions", "learn/{link}/{index}"),
                "courses/{course}/try/{link}/{index}",
            )
        ),
        *(f"GET /staff/lms{one}" for one in ("", ".csv", ".json", "/new", "/canvas.json", "/platforms/{id}")),
        *(f"POST /staff/lms{one}" for one in ("", "/new", "/withdraw")),
        "GET /staff/lms/platforms/{id}/results",
        *(f"POST /staff/lms/platforms/{{id}}/{one}" for one in ("state", "deployments", "remove", "results")),
        "GET /health",
        "GET /docs",
        "GET /openapi.json",
        "GET /static/{name}",
        *(f"GET /staff/sessions{end}" for end in ("", ".csv", ".json", "/{id}", "/{id}/close", "/{id}/change")),
        *(f"GET /staff/sessions/{{id}}/{end}" for end in ("steps/{step}", "people/{who}")),
        *(f"POST /staff/sessions{end}" for end in ("", "/{id}/steps/{step}", "/{id}/people/{who}")),
        *(f"POST /staff/sessions/{{id}}/{end}" for end in ("people", "attendance", "version", "close", "change")),
        "POST /staff/sessions/{id}/people/{who}/sign",
        "GET /staff/new-session",
        *(f"GET /staff/checklists{end}" for end in ("", ".csv", ".json", "/{id}")),
        "POST /staff/checklists",
        *(f"GET /catalogue{end}" for end in ("", ".csv", ".json", "/{id}")),
        *(f"GET /roles{end}" for end in ("", ".csv", ".json", "/one", "/embed")),
        *(f"GET /staff/catalogue{end}" for end in ("", ".csv", ".json", "/{id}")),
        "POST /staff/catalogue",
        *(f"GET /planning{end}" for end in ("", ".csv", ".json")),
        *(f"POST /planning{end}" for end in ("", "/files", "/regions", "/smallest")),
        *(f"GET /employer{end}" for end in ("", ".csv", ".json")),
        "POST /employer",
        "GET /me/occupation",
        "POST /me/occupation",
        "GET /me/plan",
        "POST /me/plan",
        "GET /calendar/{token}",
        "GET /sign-off/{token}",
        "POST /sign-off/{token}",
        *(f"GET /scorm/{{token}}{more}" for more in ("", "/run-time.js", "/attempt")),
        "POST /scorm/{token}/attempt",
        "GET /staff/courses",
        "GET /staff/courses.csv",
        "GET /staff/courses.json",
        "POST /staff/courses",
        "GET /staff/courses/{id}",
        "GET /staff/courses/{id}/rules.csv",
        "POST /staff/courses/{id}/withdraw",
        "POST /staff/courses/{id}/catalogue",
        "POST /staff/courses/{id}/open",
        *("POST /staff/courses/{id}/rules", "GET /staff/courses/{id}/chosen", "POST /staff/courses/{id}/chosen"),
        "POST /staff/courses/{id}/try",
        "GET /staff/courses/{id}/learners",
        "GET /staff/courses/{id}/learners/{registration}",
        *(f"POST /staff/courses/{{id}}/learners/{{registration}}/{act}" for act in ("launch", "waive", "end")),
        "GET /staff/courses/{id}/learners.csv",
        "GET /staff/courses/{id}/learners.json",
        "GET /cmi5/api/v1/ping",
        "GET /cmi5/api/v1/about",
        "POST /cmi5/api/v1/tenant",
        "DELETE /cmi5/api/v1/tenant/{id}",
        "POST /cmi5/api/v1/auth",
        "POST /cmi5/api/v1/course",
        "GET /cmi5/api/v1/course/{id}",
        "DELETE /cmi5/api/v1/course/{id}",
        "POST /cmi5/api/v1/course/{id}/launch-url/{index}",
        "POST /cmi5/api/v1/registration",
        "GET /cmi5/api/v1/registration/{id}",
        "DELETE /cmi5/api/v1/registration/{id}",
        "POST /cmi5/api/v1/registration/{id}/waive-au/{index}",
        "GET /cmi5/api/v1/registration/{id}/learner-prefs",
        "POST /cmi5/api/v1/registration/{id}/learner-prefs",
        "DELETE /cmi5/api/v1/registration/{id}/learner-prefs",
        "GET /cmi5/api/v1/session/{id}",
        "POST /cmi5/api/v1/session/{id}/abandon",
        "POST /cmi5/fetch/{token}",
        "OPTIONS /cmi5/fetch/{token}",
        "GET /content/{package}/{path}",
    ],
    1,
)
ALL = OPERATIONS | XAPI | PAGES


WRONG = (
    "POST /oauth/token",
    "GET /api/profiles",
    "GET /api/profiles/{subject}/gap",
    "GET /api/profiles/{subject}/roles",
    "POST /api/links",
    "PUT /api/organisation",
    "PUT /api/services/{service}",
    "POST /api/imports",
)
"""Those that can be asked for something the document does not allow; to the others any word is one."""
FOUND = {
    "POST /oauth/token": {"body": {"grant_type": "client_credentials"}},
    "POST /api/links": {"body": {"reference": "17", "learner": {"mbox": "mailto:ana@example.org"}}},
    "GET /api/profiles/{subject}/gap": {"query": {"role": "technician"}},
    "PUT /api/organisation": {
        "body": {
            "name": "The network",
            "contact": "a@example.org",
            "privacyNotice": "https://example.org/privacy",
            "consentAge": 16,
            "guardian": None,
        }
    },
    "PUT /api/outcomes/{outcome}": {"body": {"outcome": "hired", "date": "2026-11-03", "role": "technician"}},
    "PUT /api/services/{service}": {
        "body": {"contact": "a@example.org", "privacyNotice": "https://example.org/privacy", "returnUrls": []}
    },
}
"""What else it takes to get an answer, beside what stands in the path."""


DONE = {"POST /api/links": 201, "POST /api/outcomes": 201, "DELETE /api/outcomes/{outcome}": 204}
"""What is answered where it is not 200."""


def import_of(tenant):
    """A file that was brought in."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("learner_ref,standard_ref,start_date\nP-1,ST1406,2025-09-01\n")
        file.flush()
        job = job_here(tenant, Order("eportfolio", "north", Path(file.name), "file.csv"))
    drain(tenant, ["import"])
    return job


class Site:
    """A server with a learner, a badge, a role and a service; who may ask what; what there is to be asked for."""

    def __init__(self, lrs):
        tenant = lrs.tenant
        person = put_person(tenant, "mailto:ana@example.org")
        made = put_service(tenant, scopes=services.SCOPES)
        put_profile(tenant, person, held("gown"))
        agree(tenant, person, scopes=("profiles:read", "badges:read", "gap:read", "outcomes:write"))
        run_sync(tenant)
        found, _ = roles.read_roles(b"role,competency,level\ntechnician,gown,2\n")
        tenant.store.write(lambda tx: [roles.keep(tx, role) for role in found]).result()
        put_award(tenant)
        run_issue(tenant)
        badge, said = badge_in(tenant)
        put_badge(tenant, person, "b1")

        self.address, self.client = lrs.address, lrs.clients[0]
        self.session = requests.Session()
        self.session.trust_env = False
        client = (made.service.id, made.client_secret)
        answer = self.session.post(f"{lrs.address}/oauth/token", data={"grant_type": "client_credentials"}, auth=client)
        self._service = {"headers": {"Authorization": f"Bearer {answer.json()['access_token']}"}}
        self._client = {"auth": client}
        self._visitor = {"headers": {"Cookie": self._signed_in(lrs)}}
        self._key = {"auth": lrs.as_key("admin", "import", "statements/write", "profile", "courses", name="asks").auth}
        self._launcher = {"headers": PlatformClient(lrs).headers}
        wanted = {"json": FOUND["POST /api/links"]["body"], **self._service}
        link = self.session.post(f"{lrs.address}/api/links", **wanted).json()["link"]
        self.there = {
            "tenant": "default",
            "person": person,
            "one": person,
            "other": person,
            "token": link.rpartition("/")[2],
            "service": made.service.id,
            "guardian": put_waiting(tenant, made.service, "mailto:ana@example.org", "Ana"),
            "subject": services.pairwise(tenant, made.service.id, person),
            "badge": services.badge_reference(tenant, made.service.id, "urn:uuid:b1"),
            "outcome": "job-1",
            "provider": "none",
            "version": "1",
            "platform": "moodle",
            "key": self._key["auth"][0],
            "name": said["credentialStatus"]["statusListCredential"].rpartition("/")[2],
        }
        claim = tenant.store.write(lambda tx: claims.make(tx, tenant, badge)).result()
        share = tenant.store.write(lambda tx: shares.share(tx, tenant, badge, with_name=True, by="test")).result()
        exchange = tenant.store.write(lambda tx: exchanges.make(tx, tenant, badge)).result()
        self.there |= {"claim": claim.token, "share": share.token, "achievement": badge.meta["achievement"]}
        self.there |= {"exchange": exchange, "offer": exchanges.offer_code(tenant, exchange)}
        self._ids = {"achievements": said["credentialSubject"]["achievement"]["id"].rpartition("/")[2]}
        self._ids["criteria"] = self._ids["achievements"]
        about = read_award(msgspec.json.encode(BODY))
        item = FrameworkItem(1, about.competency, about.scale, "GMP skills", 0)
        record = Record(ITEM, self._ids["achievements"], msgspec.json.encode(item))
        tenant.store.write(lambda tx: tx.insert(record)).result()
        self._ids["competencies"] = record.id
        subject, hired = self.there["subject"], WhatCameOfIt("hired", date(2026, 11, 2))
        for name in ("job-0", "job-1"):
            outcomes.tell(tenant, made.service.id, name, subject, hired)
        told = {"id": "job-2", "subject": subject, "outcome": "shortlisted", "date": "2026-11-01"}
        self.found = FOUND | {"POST /api/outcomes": {"body": told}}
        self._ids["imports"] = import_of(tenant).id
        self._ids["credentials"] = self._ids["/pages/badges"] = badge.id
        document = self.session.get(f"{lrs.address}/openapi.json").json()
        import schemathesis  # noqa: PLC0415 (half a second, in each process that collects this)

        schema = schemathesis.openapi.from_dict(document)
        self.operations = {operation.ok().label: operation.ok() for operation in schema.get_all_operations()}
        self.modes = schemathesis.GenerationMode

    def _signed_in(self, lrs):
        """The cookie of an administrator's session, by hand: it is for https only."""
        key, address = create_key(lrs.tenant, "operator", ["admin"]), f"{lrs.address}/pages/sign-in"
        page = self.client.get(address)
        form = {"form": re.search(r'name="form" value="([^"]+)"', page.text)[1], "key": key.key, "secret": key.secret}
        answer = self.client.post(address, data=form, headers={"Cookie": page.headers["set-cookie"].partition(";")[0]})
        self.client.cookies.clear()
        return answer.headers["set-cookie"].partition(";")[0]

    def rightful(self, operation):
        """What the one sends along who may ask for *operation*."""
        schemes = {name for needed in operation.definition.raw.get("security", []) for name in needed}
        sent = {
            "service": self._service,
            "client": self._client,
            "session": self._visitor,
            "courseClient": self._launcher,
        }
        return next((sent[name] for name in schemes if name in sent), self._key)

    def known(self, operation):
        """Parameters of the path that lead to something."""
        ids = [id for part, id in self._ids.items() if part in operation.path]
        there = self.there | {"id": "".join(ids)}
        if operation.method.upper() == "DELETE":
            there |= {"outcome": "job-0"}  # the other one stays, to be corrected
        return {name: value for name, value in there.items() if f"{{{name}}}" in operation.path}

    def ask(self, case, sent):
        """The answer to *case*; another one than a 5xx. Nobody waits long for a job that nobody does here."""
        with contextlib.suppress(KeyError, TypeError, ValueError):
            case.query["wait"] = min(case.query["wait"], 1)
        answer = case.call(self.address, self.session, timeout=PATIENCE, **sent)
        self.session.cookies.clear()
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)
        return answer


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("site"), public_url="https://skills.example.org") as lrs:
        made = Site(lrs)
        yield made
        made.session.close()


def test_every_operation_of_the_document_is_asked(site):
    assert site.operations.keys() == ALL.keys()


@pytest.mark.parametrize("label", [label for label in OPERATIONS if label != "POST /api/imports"])
def test_existing_things_are_found(site, label):
    operation = site.operations[label]
    media_types = operation.definition.raw.get("requestBody", {}).get("content", {})
    case = operation.Case(
        path_parameters=site.known(operation), media_type=next(iter(media_types), None), **site.found.get(label, {})
    )

    answer = site.ask(case, site.rightful(operation))

    assert answer.status_code == DONE.get(label, 200)


def held_to(count):
    return settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def senders(site, operation):
    """Mostly the one who may ask; now and then nobody."""
    return st.sampled_from([site.rightful(operation)] * 4 + [{}])


def generated(site, label, mode, times):
    operation = site.operations[label]
    mode = site.modes[mode]
    anywhere, there = operation.as_strategy(mode), operation.as_strategy(mode, path_parameters=site.known(operation))

    @held_to(ALL[label] * times)
    @given(case=anywhere | there, sent=senders(site, operation))
    def ask(case, sent):
        site.ask(case, sent)

    ask()


often = pytest.mark.parametrize(
    "times", [1, pytest.param(20, marks=[pytest.mark.soak, pytest.mark.timeout(600)])], ids=["few", "many"]
)


@often
@pytest.mark.parametrize("label", ALL)
def test_no_request_that_the_document_allows_is_answered_with_a_5xx(site, label, times):
    generated(site, label, "POSITIVE", times)


@often
@pytest.mark.parametrize("label", [*WRONG, *(label for label in XAPI if label != "GET /xapi/about")])
def test_no_request_that_the_document_forbids_is_answered_with_a_5xx(site, label, times):
    generated(site, label, "NEGATIVE", times)


words = st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=20)
values = words | st.sampled_from([b"training-centre", b"eportfolio", b"true", b"technician", b"1"])
content_types = st.sampled_from(
    [
        "",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "text/csv",
        "a/b; =",
    ]
)


@often
@pytest.mark.parametrize("label", [*OPERATIONS, *XAPI, *(pytest.param(one, marks=pytest.mark.soak) for one in PAGES)])
def test_no_request_of_any_bytes_is_answered_with_a_5xx(site, label, times):
    operation = site.operations[label]
    method, path = label.split()
    names = re.findall(r"{(\w+)}", path)
    led = {name: words | st.just(value.encode()) for name, value in site.known(operation).items()}
    parameters = [one["name"] for one in operation.definition.raw.get("parameters", []) if one["in"] == "query"]

    @held_to(ALL[label] * times)
    @given(
        places=st.fixed_dictionaries({name: led.get(name, words) for name in names}),
        query=st.lists(st.tuples(st.sampled_from([*parameters, "x"]), values), max_size=4),
        sent=senders(site, operation),
        type=content_types,
        body=words,
    )
    def ask(places, query, sent, type, body):
        where = path.format(**{name: quote(place, safe="") or "." for name, place in places.items()})
        asked = "&".join(f"{name}={quote(value)}" for name, value in query)
        headers = {"Content-Type": type, "Accept": "text/html", "If-None-Match": body.hex(), **sent.get("headers", {})}
        with contextlib.suppress(httpx.InvalidURL):
            answer = site.client.request(
                method, f"{site.address}{where}?{asked}", content=body, headers=headers, auth=sent.get("auth")
            )
            assert answer.status_code < 500, answer.text

    ask()
