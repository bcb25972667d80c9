"""What somebody sent runs nowhere on our origin: every answer of every route has a policy that forbids it.

The routes are those of the application, so that a new one is walked too. What is sent in carries a script, and
whatever answer has that script in it must be shut in.
"""

import asyncio
import re
import socket
from urllib.parse import urlencode, urlsplit

import pytest

from lrs.access.policy.table import OF_SERVER, OF_TENANT
from lrs.web.browsers import closed, guarded, is_foreign
from lrs.xapi.endpoint import METHODS
from tests.served import new_id, routes_of, serving
from tests.web.site import DOCUMENTS, SCRIPT, TYPES, Site

SANDBOX = "sandbox; default-src 'none'"
PAGE = re.compile(
    r"default-src 'none'; style-src ('nonce-[\w-]{24}'); script-src \1; img-src 'self'; connect-src 'self'; "
    r"form-action ('self'|'none'|'self' https://content\.example); frame-ancestors 'none'; base-uri 'none'"
)


MICROSECONDS = re.compile(r"(?<![\w.-])1[5-9]\d{14}(?![\w-])")
"""A time between 2017 and 2033 as this house keeps it: a person reads ISO 8601, and so does a spreadsheet."""
FRAMED = {f"{base}{path}" for base in ("", "/t/{tenant}") for path in ("/scorm/{token}", "/roles/embed")}
"""Pages about content, on a host without our cookies, which launches show in a frame; roles, the same for everybody."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("site"), public_url="https://skills.example.org") as lrs:
        yield Site(lrs)


def is_shut_in(answer, *, framed=False):
    """Whether nothing in *answer* can run: sandboxed, or a page of ours with the script as text.

    Nobody may show a page of ours in a frame, unless it is *framed*.
    """
    told = answer.headers
    if told["x-content-type-options"] != "nosniff":
        return False
    if told["content-security-policy"] == SANDBOX:
        is_json = told.get("content-type", "").partition(";")[0] in {
            "application/json",
            "application/vc",
            "application/did+json",
        }
        is_file = told.get("content-disposition", "").partition(";")[0] == "attachment"
        return is_json or SCRIPT not in answer.text or is_file
    policy = told["content-security-policy"]
    if framed:
        policy = policy.replace("frame-ancestors *;", "frame-ancestors 'none';")
    is_page = told["content-type"] == "text/html; charset=utf-8"
    is_kept_out = told.get("x-frame-options") == (None if framed else "DENY")
    return is_page and is_kept_out and bool(PAGE.fullmatch(policy)) and SCRIPT not in answer.text


def test_every_answer_of_every_route_is_shut_in(site):
    seen = set()
    routes = set(routes_of(site.lrs.app))
    behind = {(method, OF_TENANT + path) for method, path in routes if path not in OF_SERVER and "{tenant}" not in path}
    for method, pattern in [*sorted(routes), *sorted(behind)[::8]]:  # behind a tenant they are the same routes
        if pattern.endswith("/api/imports") and method == "POST":
            continue  # below, with a file
        for answer in site.answers(method, pattern):
            assert is_shut_in(answer, framed=pattern in FRAMED), (
                method,
                pattern,
                answer.status_code,
                dict(answer.headers),
            )
            if answer.status_code == 200:
                seen.add(pattern.removeprefix("/t/{tenant}"))

    shows = {"/achievements/{id}", "/credentials/{id}", "/pages/badges/{id}", "/staff/learners/{person}"}
    assert seen >= shows | {"/links/{token}", "/status/{name}", "/did.json", "/api/profiles", "/pages/work"}


VERSIONS = ({"X-Experience-API-Version": "1.0.3"}, {}, {"X-Experience-API-Version": "3"})


def test_no_file_of_a_list_tells_a_time_as_a_number(site):
    lists = {path for method, path in routes_of(site.lrs.app) if method == "GET" and path.endswith(".json")}
    wrong, shown = {}, set()
    for pattern in sorted(lists):
        answer = site.client.get(site.lrs.address + site.path(pattern), headers=site.cookie)
        shown |= {pattern} if answer.status_code == 200 and "T" in answer.text and 'Z"' in answer.text else set()
        if found := MICROSECONDS.search(answer.text):
            wrong[pattern] = answer.text[max(0, found.start() - 40) : found.end()]

    assert len(lists) > 30
    assert len(shown) >= 5, "lists of this site that tell times"
    assert wrong == {}


def test_every_answer_of_xapi_is_shut_in_refusals_too(site):
    """Each method of each resource by each caller; without a version and with a wrong one, and elsewhere, by nobody."""
    asked = [
        (method, f"{prefix}/{resource}", version)
        for resource in (*METHODS, "", "elsewhere")
        for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH")
        for prefix, version in (("/xapi", 0), ("/xapi", 1), ("/xapi", 2), ("/t/default/xapi", 0), ("/t/nobody/xapi", 0))
    ]

    for method, path, version in asked:
        answers = site.answers(method, path, headers=VERSIONS[version])
        for answer in answers if path.startswith("/xapi") and not version else [next(answers)]:
            assert answer.headers["content-security-policy"] == SANDBOX, (method, path, version)
            assert answer.headers["x-content-type-options"] == "nosniff", (method, path, version)


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
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as client:
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
