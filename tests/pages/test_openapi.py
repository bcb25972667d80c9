"""Every operation of our own OpenAPI document, asked by schemathesis for what it allows and for what it does not.

Whatever is sent, by whomever, no answer is a 5xx. An import of a file is done by a process of its own; so few are.
"""

import contextlib
import re
import tempfile
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from adapters.here import job_here
from adapters.run import Order
from lrs.access.keys import create_key
from lrs.matching import roles, services
from lrs.steps import drain
from lrs.xapi.endpoint import METHODS
from tests.badges.made import badge_in, put_award, run_issue
from tests.matching.world import agree, held, put_badge, put_person, put_profile, put_service, run_sync
from tests.programs import PATIENCE
from tests.served import serving

OPERATIONS = {
    "POST /oauth/token": 25,
    "GET /api/profiles": 25,
    "GET /api/profiles/{subject}": 25,
    "GET /api/profiles/{subject}/badges/{badge}": 25,
    "GET /api/profiles/{subject}/gap": 25,
    "GET /api/roles": 10,
    "POST /api/links": 40,
    "GET /api/imports": 5,
    "POST /api/imports": 2,
    "GET /api/imports/{id}": 5,
    "GET /api/imports/{id}/report": 5,
    "GET /api/imports/{id}/file": 5,
    "GET /t/{tenant}/did.json": 10,
    "GET /t/{tenant}/status/{name}": 25,
    "GET /t/{tenant}/achievements/{id}": 25,
    "GET /t/{tenant}/credentials/{id}": 25,
}
"""What other programs ask, and how many requests each is asked in each way."""
XAPI = {f"{method} /xapi/{resource}": 6 for resource, methods in METHODS.items() for method in methods}
PAGES = dict.fromkeys(
    [
        "GET /",
        "GET /links/{token}",
        "POST /links/{token}",
        "GET /pages",
        "GET /pages/sign-in",
        "POST /pages/sign-in",
        "POST /pages/sign-out",
        "GET /pages/learners",
        "POST /pages/learners",
        "GET /pages/learners/{person}",
        "POST /pages/learners/{person}/withdraw",
        "GET /pages/badges/{id}",
        "GET /pages/work",
        "POST /pages/work/retry",
        "POST /pages/work/resend",
        "GET /metrics",
        "GET /health",
        "GET /docs",
        "GET /openapi.json",
    ],
    4,
)
ALL = OPERATIONS | XAPI | PAGES


WRONG = (
    "POST /oauth/token",
    "GET /api/profiles",
    "GET /api/profiles/{subject}/gap",
    "POST /api/links",
    "POST /api/imports",
)
"""Those that can be asked for something the document does not allow; to the others any word is one."""
FOUND = {
    "POST /oauth/token": {"body": {"grant_type": "client_credentials"}},
    "POST /api/links": {"body": {"reference": "17", "learner": {"mbox": "mailto:ana@example.org"}}},
    "GET /api/profiles/{subject}/gap": {"query": {"role": "technician"}},
}
"""What else it takes to get an answer, beside what stands in the path."""


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
        made = put_service(tenant)
        put_profile(tenant, person, held("gown"))
        agree(tenant, person, scopes=("profiles:read", "badges:read", "gap:read"))
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
        self._key = {"auth": lrs.as_key("admin", "import", "statements/write", "profile", name="asks").auth}
        wanted = {"json": FOUND["POST /api/links"]["body"], **self._service}
        link = self.session.post(f"{lrs.address}/api/links", **wanted).json()["link"]
        self.there = {
            "tenant": "default",
            "person": person,
            "token": link.rpartition("/")[2],
            "subject": services.pairwise(tenant, made.service.id, person),
            "badge": services.badge_reference(tenant, made.service.id, "urn:uuid:b1"),
            "name": said["credentialStatus"]["statusListCredential"].rpartition("/")[2],
        }
        self._ids = {"achievements": said["credentialSubject"]["achievement"]["id"].rpartition("/")[2]}
        self._ids["imports"] = import_of(tenant).id
        self._ids["credentials"] = self._ids["/pages/badges"] = badge.id
        document = self.session.get(f"{lrs.address}/openapi.json").json()
        self.schema = schemathesis.openapi.from_dict(document)

    def _signed_in(self, lrs):
        """The cookie of an administrator's session, by hand: it is for https only."""
        key, address = create_key(lrs.tenant, "operator", ["admin"]), f"{lrs.address}/pages/sign-in"
        page = self.client.get(address)
        form = {"form": re.search(r'name="form" value="([^"]+)"', page.text)[1], "key": key.key, "secret": key.secret}
        answer = self.client.post(address, data=form, headers={"Cookie": page.headers["set-cookie"].partition(";")[0]})
        self.client.cookies.clear()
        return answer.headers["set-cookie"].partition(";")[0]

    def operations(self):
        return {operation.ok().label: operation.ok() for operation in self.schema.get_all_operations()}

    def rightful(self, operation):
        """What the one sends along who may ask for *operation*."""
        schemes = {name for needed in operation.definition.raw.get("security", []) for name in needed}
        sent = {"service": self._service, "client": self._client, "session": self._visitor}
        return next((sent[name] for name in schemes if name in sent), self._key)

    def known(self, operation):
        """Parameters of the path that lead to something."""
        ids = [id for part, id in self._ids.items() if part in operation.path]
        there = self.there | {"id": "".join(ids)}
        return {name: value for name, value in there.items() if f"{{{name}}}" in operation.path}

    def ask(self, case, sent):
        """The answer to *case*; another one than a 5xx."""
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
    assert site.operations().keys() == ALL.keys()


@pytest.mark.parametrize("label", [label for label in OPERATIONS if label != "POST /api/imports"])
def test_what_there_is_is_found(site, label):
    operation = site.operations()[label]
    media_types = operation.definition.raw.get("requestBody", {}).get("content", {})
    case = operation.Case(
        path_parameters=site.known(operation), media_type=next(iter(media_types), None), **FOUND.get(label, {})
    )

    answer = site.ask(case, site.rightful(operation))

    assert answer.status_code == (201 if label == "POST /api/links" else 200)


def held_to(count):
    return settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def senders(site, operation):
    """Mostly the one who may ask; now and then nobody."""
    return st.sampled_from([site.rightful(operation)] * 4 + [{}])


def generated(site, label, mode, times):
    operation = site.operations()[label]
    anywhere, there = operation.as_strategy(mode), operation.as_strategy(mode, path_parameters=site.known(operation))

    @held_to(ALL[label] * times)
    @given(case=anywhere | there, sent=senders(site, operation))
    def ask(case, sent):
        site.ask(case, sent)

    ask()


often = pytest.mark.parametrize(
    "times", [1, pytest.param(10, marks=[pytest.mark.soak, pytest.mark.timeout(600)])], ids=["few", "many"]
)


@often
@pytest.mark.parametrize("label", ALL)
def test_no_request_that_the_document_allows_is_answered_with_a_5xx(site, label, times):
    generated(site, label, GenerationMode.POSITIVE, times)


@often
@pytest.mark.parametrize("label", [*WRONG, *(label for label in XAPI if label != "GET /xapi/about")])
def test_no_request_that_the_document_forbids_is_answered_with_a_5xx(site, label, times):
    generated(site, label, GenerationMode.NEGATIVE, times)


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
@pytest.mark.parametrize("label", ALL)
def test_no_request_of_any_bytes_is_answered_with_a_5xx(site, label, times):
    operation = site.operations()[label]
    method, path = label.split()
    names = re.findall(r"{(\w+)}", path)
    known = site.known(operation)
    parameters = [one["name"] for one in operation.definition.raw.get("parameters", []) if one["in"] == "query"]

    @held_to(ALL[label] * times)
    @given(
        places=st.fixed_dictionaries({name: words | st.just(known[name].encode()) for name in names}),
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
