"""What somebody sent runs nowhere on our origin: every answer of every route has a policy that forbids it.

The routes are those of the application, so that a new one is walked too. What is sent in carries a script, and
whatever answer has that script in it must be shut in.
"""

import asyncio
import json
import re
import socket
from urllib.parse import urlencode, urlsplit

import pytest

from lrs.access.keys import create_key
from lrs.access.policy import OF_SERVER, OF_TENANT
from lrs.web.browsers import closed, guarded, is_foreign
from lrs.xapi.endpoint import METHODS
from tests.badges.made import BODY, badge_in, put_award, run_issue
from tests.matching.world import agree, held, put_person, put_profile, put_service, run_sync
from tests.served import new_id, routes_of, serving
from tests.xapi.statements.multipart import attached, part

SCRIPT = "<script>fetch('/pages/work/retry')</script>"
SANDBOX = "sandbox; default-src 'none'"
PAGE = re.compile(
    r"default-src 'none'; (style-src 'nonce-[\w-]{24}'; )?form-action '(self|none)'; "
    r"frame-ancestors 'none'; base-uri 'none'"
)
MAILBOX = "mailto:ana@example.org"
AGENT = json.dumps({"mbox": MAILBOX})
ACTIVITY = "https://example.org/script"
DOCUMENTS = {
    "activities/state": {"activityId": ACTIVITY, "agent": AGENT, "stateId": SCRIPT},
    "activities/profile": {"activityId": ACTIVITY, "profileId": SCRIPT},
    "agents/profile": {"agent": AGENT, "profileId": SCRIPT},
}
TYPES = {
    "activities/state": "text/html",
    "activities/profile": "image/svg+xml",
    "agents/profile": "application/xhtml+xml",
}


class Site:
    """A server full of scripts; ``key`` may do everything, ``session`` is an administrator's cookie."""

    def __init__(self, lrs):
        self.lrs, self.client = lrs, lrs.clients[0]
        tenant = lrs.tenant
        self.key = lrs.as_key("all", "admin", "import", "statements/write", "profile", name="asks")
        for resource, named in DOCUMENTS.items():
            headers = {"Content-Type": TYPES[resource], "If-None-Match": "*"}
            put = lrs.ask("PUT", resource, params=named, content=f"<svg>{SCRIPT}</svg>".encode(), headers=headers)
            assert put.status_code == 204, put.text
        self.statement = attached(SCRIPT.encode(), contentType="text/html")
        self.statement["actor"] = {"mbox": MAILBOX, "name": SCRIPT}
        self.statement["object"] = {"id": ACTIVITY, "definition": {"name": {"en": SCRIPT}}}
        mixed = b"--b\r\nContent-Type: application/json\r\n\r\n" + json.dumps(self.statement).encode() + b"\r\n--b\r\n"
        mixed += part(SCRIPT.encode(), Content_Type="text/html") + b"\r\n--b--\r\n"
        assert lrs.post(mixed, type="multipart/mixed; boundary=b").status_code == 200
        person = put_person(tenant, MAILBOX)
        service = put_service(tenant)
        put_profile(tenant, person, held("gown"))
        agree(tenant, person, scopes=("profiles:read", "gap:read"))
        run_sync(tenant)
        put_award(tenant, person=person, competency=BODY["competency"] | {"label": SCRIPT})
        run_issue(tenant)
        badge, said = badge_in(tenant)
        form = {"grant_type": "client_credentials", "client_id": service.service.id}
        answer = self.client.post(f"{lrs.address}/oauth/token", data=form | {"client_secret": service.client_secret})
        self.token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        self.cookie = {"Cookie": self._session(create_key(tenant, "operator", ["admin"]))}
        self.client.cookies.clear()
        self.named = {
            "tenant": "default",
            "name": said["credentialStatus"]["statusListCredential"].rpartition("/")[2],
            "person": person,
            "achievements": said["credentialSubject"]["achievement"]["id"].rpartition("/")[2],
            "credentials": badge.id,
            "badges": badge.id,
        }
        link = self.client.post(
            f"{lrs.address}/api/links",
            headers=self.token,
            json={"reference": SCRIPT, "learner": {"mbox": MAILBOX}},
        )
        self.named["token"] = link.json()["link"].rpartition("/")[2]

    def _session(self, key):
        address = f"{self.lrs.address}/pages/sign-in"
        page = self.client.get(address)
        form = {"form": re.search(r'name="form" value="([^"]+)"', page.text)[1], "key": key.key, "secret": key.secret}
        cookie = page.headers["set-cookie"].partition(";")[0]  # by hand: it is for https only
        answer = self.client.post(address, data=form, headers={"Cookie": cookie})
        return answer.headers["set-cookie"].partition(";")[0]

    def path(self, pattern):
        """A path of the route *pattern* that leads to something where there is something."""
        named = self.named | {"id": next((self.named[one] for one in self.named if f"/{one}/" in pattern), "none")}
        return re.sub(r"\{(\w+)\}", lambda found: named.get(found[1], "none"), pattern)

    def answers(self, method, pattern, **more):
        """What nobody, a key, a service and a session are answered, as a browser asks and as others do."""
        for accept in ("text/html,application/xhtml+xml,*/*;q=0.8", "*/*"):
            for sent in ({}, {"auth": self.key.auth}, {"headers": self.token}, {"headers": self.cookie}):
                headers = {"Accept": accept, **sent.get("headers", {}), **more.get("headers", {})}
                asked = {**more, "headers": headers, "auth": sent.get("auth")}
                yield self.client.request(method, self.lrs.address + self.path(pattern), **asked)
                self.client.cookies.clear()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("site"), public_url="https://skills.example.org") as lrs:
        yield Site(lrs)


def is_shut_in(answer):
    """Whether nothing in *answer* can run: sandboxed, or a page of ours with the script as text."""
    told = answer.headers
    if told["x-content-type-options"] != "nosniff":
        return False
    if told["content-security-policy"] == SANDBOX:
        is_json = told.get("content-type", "").partition(";")[0] in {
            "application/json",
            "application/vc",
            "application/did+json",
        }
        return is_json or SCRIPT not in answer.text or told.get("content-disposition") == "attachment"
    is_page = told["content-type"] == "text/html; charset=utf-8" and told["x-frame-options"] == "DENY"
    return is_page and bool(PAGE.fullmatch(told["content-security-policy"])) and SCRIPT not in answer.text


def test_every_answer_of_every_route_is_shut_in(site):
    seen = set()
    routes = set(routes_of(site.lrs.app))
    behind = {(method, OF_TENANT + path) for method, path in routes if path not in OF_SERVER and "{tenant}" not in path}
    for method, pattern in sorted(routes | behind):
        if pattern.endswith("/api/imports") and method == "POST":
            continue  # below, with a file
        for answer in site.answers(method, pattern):
            assert is_shut_in(answer), (method, pattern, answer.status_code, dict(answer.headers))
            if answer.status_code == 200:
                seen.add(pattern.removeprefix("/t/{tenant}"))

    shows = {"/achievements/{id}", "/credentials/{id}", "/pages/badges/{id}", "/pages/learners/{person}"}
    assert seen >= shows | {"/links/{token}", "/status/{name}", "/did.json", "/api/profiles", "/pages/work"}


@pytest.mark.parametrize("prefix", ["/xapi", "/t/default/xapi", "/t/nobody/xapi"])
@pytest.mark.parametrize("resource", [*METHODS, "", "elsewhere"])
def test_every_answer_of_xapi_is_shut_in_refusals_too(site, resource, prefix):
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"):
        for version in ({}, {"X-Experience-API-Version": "1.0.3"}, {"X-Experience-API-Version": "3"}):
            for answer in site.answers(method, f"{prefix}/{resource}", headers=version):
                assert answer.headers["content-security-policy"] == SANDBOX
                assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("resource", DOCUMENTS)
def test_a_document_comes_back_as_it_was_sent_but_as_an_attachment_that_runs_nothing(site, resource):
    asked = {"params": DOCUMENTS[resource]}
    in_a_form = {
        "params": {"method": "GET"},
        "content": urlencode(DOCUMENTS[resource]),
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
    }

    for answer in (site.lrs.ask("GET", resource, **asked), site.lrs.ask("POST", resource, **in_a_form)):
        assert (answer.status_code, answer.text) == (200, f"<svg>{SCRIPT}</svg>")
        assert answer.headers["content-type"] == TYPES[resource]
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["content-security-policy"] == SANDBOX
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_attachments_come_back_as_an_attachment_that_runs_nothing(site):
    answer = site.lrs.get(statementId=site.statement["id"], attachments="true")

    assert answer.status_code == 200
    assert SCRIPT in answer.text
    assert answer.headers["content-type"].startswith("multipart/mixed")
    assert answer.headers["content-disposition"] == "attachment"
    assert is_shut_in(answer)


@pytest.mark.parametrize("accept", ["text/csv", "application/json"])
def test_what_became_of_a_file_comes_back_as_an_attachment_that_runs_nothing(site, accept):
    answer = site.client.post(
        f"{site.lrs.address}/api/imports?adapter=training-centre&dry_run=true",
        content=f"session,uln\n{SCRIPT},1\n".encode(),
        headers={"Content-Type": "text/html", "Accept": accept},
        auth=site.lrs.as_key("import", "statements/write", "profile", name=new_id()).auth,
    )

    assert answer.headers["content-security-policy"] == SANDBOX
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.status_code != 200 or answer.headers["content-disposition"] == "attachment"


def test_a_session_of_the_pages_counts_for_nothing_under_xapi(site):
    for resource, methods in METHODS.items():
        for method in methods:
            if resource == "about":
                continue
            asked = {"version": "1.0.3", "auth": None, "headers": site.cookie}
            assert site.lrs.ask(method, resource, **asked).status_code == 401
    form = site.lrs.ask(
        "POST",
        "statements?method=GET",
        auth=None,
        content=b"limit=1",
        headers=site.cookie | {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert form.status_code == 401
    assert "set-cookie" not in form.headers


def test_another_sites_form_cannot_bring_a_file_in_by_a_login_that_a_browser_remembered(site):
    address = f"{site.lrs.address}/api/imports?adapter=training-centre&dry_run=true"

    answer = site.client.post(
        address, content=b"a,b\n", auth=site.key.auth, headers={"Origin": "https://elsewhere.example"}
    )

    assert (answer.status_code, answer.json()["message"]) == (403, "another site's page may not send this")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET /xapi/statements HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 300_000, 431),
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET /api/profiles HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 401),
        (b"TRACE /pages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
    ],
)
def test_a_refusal_of_the_connection_itself_is_shut_in(site, sent, status):
    parts = urlsplit(site.lrs.address)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as client:
        client.sendall(sent)
        head = client.makefile("rb").read().partition(b"\r\n\r\n")[0]

    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert head.count(b"content-security-policy: sandbox; default-src 'none'\r\n") == 1
    assert head.count(b"x-content-type-options: nosniff") == 1


def test_an_answer_that_sets_no_policy_is_sandboxed_whoever_made_it():
    sent = []

    async def send(message):
        sent.append(message)

    async def answer():
        out = guarded(send)
        await out({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await out({"type": "http.response.body", "body": b"<script>"})

    asyncio.run(answer())

    assert sent == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/html"),
                (b"content-security-policy", SANDBOX.encode()),
                (b"x-content-type-options", b"nosniff"),
            ],
        },
        {"type": "http.response.body", "body": b"<script>"},
    ]


def test_a_policy_of_a_page_stays_its_own():
    assert closed([(b"content-security-policy", b"p")]) == [
        (b"content-security-policy", b"p"),
        (b"x-content-type-options", b"nosniff"),
    ]


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({"host": "lrs.example"}, False),
        ({"host": "lrs.example", "origin": "https://LRS.example"}, False),
        ({"host": "lrs.example:8080", "origin": "http://lrs.example:8080"}, False),
        ({"host": "lrs.example", "origin": "https://lrs.example:8443"}, True),
        ({"host": "lrs.example", "origin": "https://evil.example"}, True),
        ({"host": "lrs.example", "origin": "null"}, True),
        ({"origin": "https://evil.example"}, True),
    ],
)
def test_whether_another_site_sends(headers, foreign):
    assert is_foreign(headers) is foreign
