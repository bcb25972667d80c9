"""The alternate request syntax of 1.0.3: requests as forms. The numbers are those of the project's xAPI checklist."""

import asyncio
import base64
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pytest

from lrs.kernel.admission import Admission, Share
from lrs.xapi.alternate import undo
from lrs.xapi.request import Request
from tests.rows import each_of
from tests.served import new_id, serving, statement

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def form(lrs, fields, method="GET", *, query=None, resource="statements", auth=..., version="1.0.3", headers=None):
    """A request in the alternate syntax."""
    content = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    return lrs.ask(
        "POST",
        f"{resource}?{query or urlencode({'method': method})}",
        auth=auth,
        version=version,
        content=content,
        headers=FORM if headers is None else headers,
    )


def test_08_the_alternate_syntax_gets_puts_and_posts(lrs):
    put, posted = new_id(), new_id()

    assert form(lrs, {"statementId": put, "content": json.dumps(statement())}, "PUT").status_code == 204
    assert form(lrs, {"content": json.dumps(statement(id=posted))}, "POST").json() == [posted]
    assert form(lrs, {"statementId": put}).json()["id"] == put
    assert form(lrs, {"limit": "1"}).json().keys() == {"statements", "more"}


def test_08_credentials_and_version_may_be_form_fields_only(lrs):
    token = base64.b64encode(":".join(lrs.auth).encode()).decode()
    fields = {
        "statementId": new_id(),
        "content": json.dumps(statement()),
        "Authorization": f"Basic {token}",
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
    }

    assert form(lrs, fields, "PUT", auth=None, version=None).status_code == 204
    assert lrs.one(fields["statementId"])["id"] == fields["statementId"]


def test_08_a_form_field_beats_the_header(lrs):
    assert form(lrs, {"X-Experience-API-Version": "0.8", "limit": "1"}).status_code == 400


def test_08_blanks_around_a_form_field_do_not_belong_to_the_header_it_stands_for(lrs):
    assert form(lrs, {"X-Experience-API-Version": " 1.0.3 \t", "limit": "1"}, version=None).status_code == 200


def basic(auth):
    return "Basic " + base64.b64encode(":".join(auth).encode()).decode()


def test_08_the_form_never_overrides_the_credentials_of_the_header(lrs):
    other = lrs.as_key("statements/write", name="somebody else")
    put = new_id()

    stored = form(
        lrs, {"statementId": put, "content": json.dumps(statement()), "Authorization": basic(other.auth)}, "PUT"
    )
    wrong = form(lrs, {"limit": "1", "Authorization": basic(lrs.auth)}, auth=("nobody", "at all"))

    assert (stored.status_code, wrong.status_code) == (204, 401)
    assert lrs.one(put)["authority"]["account"]["name"] == lrs.auth[0]


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize("fields", [{}, {"Authorization": "Basic eDp5"}])
def test_08_a_login_that_a_browser_remembered_does_not_count_for_another_sites_form(lrs, origin, fields):
    statement_id = new_id()
    fields = {"statementId": statement_id, "content": json.dumps(statement())} | fields

    answer = form(lrs, fields, "PUT", headers=FORM | {"Origin": origin})

    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert "into the form" in answer.json()["message"]
    assert lrs.get(statementId=statement_id).status_code == 404


def test_08_another_sites_content_brings_its_key_in_the_form(lrs):
    statement_id = new_id()
    fields = {
        "statementId": statement_id,
        "content": json.dumps(statement()),
        "Authorization": basic(lrs.auth),
        "X-Experience-API-Version": "1.0.3",
    }

    answer = form(lrs, fields, "PUT", auth=None, version=None, headers=FORM | {"Origin": "https://content.example"})

    assert answer.status_code == 204


@each_of(
    ("query", "fields", "headers"),
    [
        ("method=GET&limit=1", {}, None),
        ("method=GET&foo=bar", {}, None),
        ("method=PATCH", {}, None),
        ("method=HEAD", {}, None),
        ("method=", {}, None),
        ("method=GET&method=PUT", {}, None),
        ("method=PUT", {"content": "{}"}, None),
        ("method=GET", {"foo": "bar"}, None),
        ("method=GET", b'{"limit":1}', {"Content-Type": "application/json"}),
        ("method=POST", b'{"actor":{}}', None),
        ("method=GET", b"limit=%ff", None),
    ],
)
def test_08_misuse_of_the_alternate_syntax_is_400(lrs, query, fields, headers):
    assert form(lrs, fields, query=query, headers=headers).status_code == 400


def test_08_what_is_too_large_as_a_body_is_too_large_as_a_form_field(tmp_path):
    state = {"activityId": "http://a.example", "agent": '{"mbox":"mailto:a@example.org"}', "stateId": "s"}
    with serving(tmp_path, max_statement=2_000, max_document=9_000) as lrs:
        told = [
            form(lrs, {"content": json.dumps(statement(result={"response": "x" * 2_000}))}, "POST"),
            form(lrs, {**state, "content": '"' + "x" * 9_000 + '"'}, "PUT", resource="activities/state"),
            form(lrs, {**state, "content": '"' + "x" * 5_000 + '"'}, "PUT", resource="activities/state"),
        ]

    assert [one.status_code for one in told] == [413, 413, 204]


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_08_only_post_can_carry_another_method(lrs, method):
    answer = lrs.ask(method, "statements?method=POST", content=b"limit=1", headers=FORM)

    assert answer.status_code == 400


def test_08_json_sent_as_a_form_is_refused_without_repeating_whose_it_is(lrs):
    body = b'{"actor":{"account":{"name":"Ada Lovelace","homePage":"https://school.example"}}}'

    answer = lrs.ask("POST", "statements?method=PUT", content=body, headers=FORM)

    assert answer.status_code == 400
    assert answer.json()["message"] == "unknown parameter: this resource takes statementId"
    assert "Ada" not in answer.text


def test_08_a_form_may_have_foreign_fields_where_a_request_may_have_foreign_parameters(lrs):
    statement_id = new_id()
    fields = {"statementId": statement_id, "content": json.dumps(statement()), "content_token": "1"}

    assert form(lrs, fields, "PUT").status_code == 204
    assert form(lrs, {"statementId": statement_id, "content_token": "1"}, "GET").status_code == 400


def test_08_in_2_0_there_is_no_alternate_syntax(lrs):
    statement_id = new_id()
    fields = {"statementId": statement_id, "content": json.dumps(statement())}

    answer = form(lrs, fields, "PUT", version="2.0.0")

    assert (answer.status_code, answer.json()["message"]) == (400, "xAPI 2.0 has no alternate request syntax")
    assert answer.headers["x-experience-api-version"] == "2.0.0"
    assert lrs.get(statementId=statement_id).status_code == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Type", "multipart/mixed; boundary=\u2603"),
        ("Content-Type", "application/json\n"),
        ("Content-Type", "application/json\x00"),
        ("X-Experience-API-Version", "1.0.3\x7f"),
        ("Authorization", "Basic \u20ac"),
        ("Accept-Language", "en\rX-Other: 1"),
        ("If-Match", "\x85"),
    ],
)
def test_08_a_form_field_that_no_header_could_hold_is_400_and_named(lrs, name, value):
    answer = form(lrs, {name: value, "content": json.dumps(statement())}, "POST")

    assert answer.status_code == 400
    assert answer.json()["message"] == f"form field '{name}' has characters that no header can have"


@pytest.mark.parametrize(
    ("twice", "named"),
    [
        ([("content", "{}"), ("content", "{}")], "content"),
        ([("Content-Type", "application/json"), ("content-type", "text/plain")], "content-type"),
        ([("X-Experience-API-Version", "1.0.3")] * 2, "X-Experience-API-Version"),
        ([("Authorization", "Basic eDp5")] * 2, "Authorization"),
    ],
)
def test_08_a_form_field_that_stands_twice_is_400_and_nothing_is_stored(lrs, twice, named):
    one = statement(id=new_id())
    fields = [(name, json.dumps(one) if name == "content" else value) for name, value in twice]

    answer = form(lrs, urlencode([("content", json.dumps(one)), *fields][named == "content" :]).encode(), "POST")

    assert (answer.status_code, answer.json()["message"]) == (400, f"form field '{named}' was sent twice")
    assert lrs.get(statementId=one["id"]).status_code == 404


def test_08_a_parameter_that_stands_twice_in_a_form_is_400(lrs):
    answer = form(lrs, b"limit=1&limit=2")

    assert (answer.status_code, answer.json()["message"]) == (400, "parameter 'limit' was sent twice")


def document(lrs, size, profile, fields=(), **more):
    """PUT of a document of *size* bytes in a form."""
    whole = {"activityId": "https://example.org/forms", "profileId": profile, "content": "x" * size}
    whole |= {"Content-Type": "text/plain", "If-None-Match": "*", **dict(fields)}
    return form(lrs, whole, "PUT", resource="activities/profile", **more)


def test_08_a_large_form_without_a_known_key_is_refused(lrs):
    token = {"Authorization": "Basic " + base64.b64encode(":".join(lrs.auth).encode()).decode()}

    for fields in ({}, token):
        answer = document(lrs, 1_048_576, new_id(), fields, auth=None)
        assert (answer.status_code, answer.json()["message"]) == (
            413,
            "the form whose credentials are not in the header Authorization is larger than 1048576 bytes",
        )
    assert document(lrs, 1_048_576, new_id(), auth=("nobody", "at all")).status_code == 401
    assert document(lrs, 1_040_000, new_id(), token, auth=None).status_code == 204
    assert document(lrs, 1_048_576, new_id()).status_code == 204


def test_08_of_a_large_form_nothing_is_read_before_the_key_in_its_header_is_known(lrs):
    """The body does not come: an answer that waited for it would not come either."""
    parts = urlsplit(lrs.address)
    wrong = base64.b64encode(b"nobody:at all").decode()
    head = (
        f"POST /xapi/activities/profile?method=PUT HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 1000000\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic {wrong}\r\n\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as there:
        there.sendall(head.encode())
        answer = there.recv(65_536).decode()

    assert answer.startswith("HTTP/1.1 401 ")


class Counting(ThreadPoolExecutor):
    """Threads that know how often they were asked."""

    asked = 0

    def submit(self, *args, **more):
        self.asked += 1
        return super().submit(*args, **more)


def asked_for(raw):
    """The request that the form *raw* stands for, its body, and how often threads were asked."""

    async def receive():
        return {"type": "http.request", "body": raw}

    async def taken():
        with Counting(1) as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            request = Request(
                "POST", "statements", "", [("method", "PUT")], {}, None, receive, {}, Share(Admission(100_000))
            )
            await undo(request, 100_000, known=True)
            return request, await request.body(100_000), threads.asked

    return asyncio.run(taken())


def test_a_form_is_counted_once_and_a_large_one_taken_apart_beside_the_loop():
    small, body, asked = asked_for(b"content=" + b"%C3%A9" * 10)
    assert (body.decode(), small.share.held, asked) == ("\u00e9" * 10, 68, 0)

    large, body, asked = asked_for(b"content=" + b"%C3%A9" * 12_000)
    assert (body.decode(), large.share.held, asked) == ("\u00e9" * 12_000, 72_008, 1)
