"""Documents, Agents, Activities and About through the whole edge, as a client sees them."""

import asyncio
import json
from hashlib import sha256

import httpx
import pytest

from lrs.access.keys import create_key
from lrs.app import create_app
from lrs.kernel.admission import FIRST, FIRST_BYTES
from lrs.kernel.settings import Settings
from tests.xapi.statements.signers import rsa_key, sign

ADA = '{"mbox":"mailto:ada@example.org"}'
STATE = {"activityId": "https://example.org/a", "agent": ADA, "stateId": "s"}
PROFILE = {"activityId": "https://example.org/a", "profileId": "p"}


class Client:
    """Sends one request at a time to the application, with a key that may do all."""

    def __init__(self, app, key):
        self._app = app
        self._key = key

    def __call__(self, method, path, params=None, *, version="2.0.0", auth=True, **options):
        headers = {**({"X-Experience-API-Version": version} if version else {}), **options.pop("headers", {})}

        async def send():
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://lrs.example") as client:
                return await client.request(
                    method,
                    f"/xapi/{path}",
                    params=params,
                    headers=headers,
                    auth=(self._key.key, self._key.secret) if auth else None,
                    **options,
                )

        return asyncio.run(send())


@pytest.fixture
def client(tmp_path, clock):
    app = create_app(Settings(data=tmp_path), clock=clock)
    key = create_key(app.tenants.take("default"), "tests", ["all"])
    yield Client(app, key)
    app.tenants.close()


def put(client, path, params, body, content_type="application/json", **headers):
    return client("PUT", path, params, content=body, headers={"Content-Type": content_type, **headers})


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_54_a_state_goes_in_and_comes_out_with_the_version_header(client, version):
    stored = put(client, "activities/state", STATE, b'{ "a": 0.10 }')
    seen = client("GET", "activities/state", STATE, version=version)

    assert (stored.status_code, stored.content) == (204, b"")
    assert (seen.status_code, seen.content) == (200, b'{ "a": 0.10 }')
    assert seen.headers["x-experience-api-version"] == version
    assert seen.headers["content-length"] == "13"


@pytest.mark.parametrize("size", [10, 300_000])
def test_05_head_has_the_headers_of_get_and_no_body(client, size):
    put(client, "activities/profile", PROFILE, b"x" * size, "text/plain")

    get = client("GET", "activities/profile", PROFILE)
    head = client("HEAD", "activities/profile", PROFILE)

    kept = ("etag", "last-modified", "content-type", "content-length")
    assert get.content == b"x" * size
    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in kept] == [get.headers[name] for name in kept]
    assert head.headers["content-length"] == str(size)


def test_57_a_conflict_has_a_body_that_explains_and_the_version_header(client):
    put(client, "activities/profile", PROFILE, b"{}")

    seen = put(client, "activities/profile", PROFILE, b"[]")

    assert seen.status_code == 409
    assert seen.json()["error"] == "conflict"
    assert seen.headers["x-experience-api-version"] == "2.0.0"


def test_58_a_form_is_a_document_like_any_other(client):
    put(client, "activities/state", STATE, b"a=1&b=2", "application/x-www-form-urlencoded")

    seen = client("GET", "activities/state", STATE)

    assert (seen.content, seen.headers["content-type"]) == (b"a=1&b=2", "application/x-www-form-urlencoded")


def test_08_the_alternate_syntax_puts_a_document_in_1_0_3(client):
    form = {**STATE, "content": '{"a":1}', "Content-Type": "application/json"}

    stored = client("POST", "activities/state", {"method": "PUT"}, version="1.0.3", data=form)

    assert stored.status_code == 204
    assert client("GET", "activities/state", STATE).json() == {"a": 1}


def test_08_a_content_type_in_the_form_cannot_split_the_answer(client):
    form = {**STATE, "content": "x", "Content-Type": "text/plain\r\nX-Evil: 1"}

    stored = client("POST", "activities/state", {"method": "PUT"}, version="1.0.3", data=form)

    assert client("GET", "activities/state", STATE).headers.get("x-evil") is None
    assert stored.status_code in {204, 400}


def test_09_about_is_open_and_needs_no_version_header(client):
    seen = client("GET", "about", version=None, auth=False)

    assert seen.status_code == 200
    assert {"1.0.3", "2.0.0"} <= set(seen.json()["version"])
    assert seen.headers["x-experience-api-version"] == "2.0.0"


def test_59_60_a_statement_teaches_the_names_and_definitions_in_it(client):
    statement = {
        "actor": {"mbox": "mailto:ada@example.org", "name": "Ada"},
        "verb": {"id": "https://v.example/did"},
        "object": {"objectType": "Activity", "id": "https://a.example/1", "definition": {"name": {"en": "One"}}},
    }
    other = {**statement, "object": {"id": "https://a.example/1", "definition": {"name": {"fr": "Un"}}}}

    stored = client("POST", "statements", json=[statement, other])

    assert stored.status_code == 200
    assert client("GET", "agents", {"agent": ADA}).json() == {
        "objectType": "Person",
        "name": ["Ada"],
        "mbox": ["mailto:ada@example.org"],
    }
    assert client("GET", "activities", {"activityId": "https://a.example/1"}).json() == {
        "objectType": "Activity",
        "id": "https://a.example/1",
        "definition": {"name": {"en": "One", "fr": "Un"}},
    }


@pytest.mark.parametrize(("alg", "status"), [("RS256", 200), ("HS256", 400)])
def test_52_a_signed_statement_is_accepted_or_refused_by_its_algorithm(client, alg, status):
    statement = {
        "actor": {"mbox": "mailto:ada@example.org"},
        "verb": {"id": "https://v.example/did"},
        "object": {"id": "https://a.example/1"},
    }
    signature = sign(statement, rsa_key("signer"), alg=alg)
    sha2 = sha256(signature).hexdigest()
    attachment = {
        "usageType": "http://adlnet.gov/expapi/attachments/signature",
        "display": {"en": "signature"},
        "contentType": "application/octet-stream",
        "length": len(signature),
        "sha2": sha2,
    }
    body = (
        b"--b\r\nContent-Type: application/json\r\n\r\n"
        + json.dumps({**statement, "attachments": [attachment]}).encode()
        + b"\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
        + f"X-Experience-API-Hash: {sha2}\r\n\r\n".encode()
        + signature
        + b"\r\n--b--\r\n"
    )

    seen = client("POST", "statements", content=body, headers={"Content-Type": "multipart/mixed; boundary=b"})

    assert seen.status_code == status


def test_while_much_is_being_worked_on_a_large_document_waits_and_a_small_one_does_not(client):
    work = client._app.admission.work  # noqa: SLF001 (as if others were there)
    since = work.enter(FIRST - 2 * FIRST_BYTES)
    try:
        small, large = (put(client, "activities/state", STATE, b'"' + b"x" * size + b'"') for size in (10, 300_000))
    finally:
        work.leave(FIRST - 2 * FIRST_BYTES, since)

    assert (small.status_code, large.status_code, large.headers["retry-after"]) == (204, 503, "1")
    assert client("GET", "activities/state", STATE).content == b'"xxxxxxxxxx"'
