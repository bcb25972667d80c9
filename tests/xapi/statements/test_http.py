"""Headers, versions, parameters and methods over HTTP, on every resource.

The numbers are those of the project's xAPI checklist, section 2.
"""

import base64
import json
import re
import socket
from datetime import datetime
from urllib.parse import quote, urlsplit

import pytest

from lrs.kernel.times import timestamp_of_micros
from lrs.storage import Record, micros_of
from tests.rows import each_of
from tests.served import new_id, somebody, something, statement

AGENT = json.dumps({"mbox": "mailto:http@example.org"})
STATE = {"activityId": "https://example.org/a", "agent": AGENT, "stateId": "s"}
RESOURCES = {
    "statements": {},
    "activities": {"activityId": "https://example.org/a"},
    "agents": {"agent": AGENT},
    "activities/state": {"activityId": "https://example.org/a", "agent": AGENT},
    "activities/profile": {"activityId": "https://example.org/a"},
    "agents/profile": {"agent": AGENT},
}
each_resource = pytest.mark.parametrize("resource", RESOURCES)


@pytest.mark.parametrize(("version", "told"), [("1.0.3", "1.0.3"), ("1.0", "1.0.3"), ("2.0.0", "2.0.0")])
@each_resource
def test_01_every_answer_says_by_which_version_it_was_made(lrs, resource, version, told):
    good = lrs.ask("GET", resource, version=version, params=RESOURCES[resource])
    wrong = lrs.ask("GET", resource, version=version, params={"foo": "bar"})
    not_utf8 = lrs.ask("GET", f"{resource}?agent=%ff", version=version)
    stranger = lrs.ask("GET", resource, version=version, auth=("who", "what"), params=RESOURCES[resource])
    no_method = lrs.ask("PATCH", resource, version=version)
    answers = [good, wrong, not_utf8, stranger, no_method]

    assert [answer.status_code for answer in answers] == [200, 400, 400, 401, 405]
    assert {answer.headers["x-experience-api-version"] for answer in answers} == {told}


def test_01_an_address_without_a_resource_says_the_version_too(lrs):
    for path, status in (("nothing", 404), ("", 404), ("statements/more", 404)):
        answer = lrs.ask("GET", path)

        assert (answer.status_code, answer.headers["x-experience-api-version"]) == (status, "1.0.3")


@pytest.mark.parametrize("version", [None, "", "0.9", "0.95", "1.1.0", "1.0.3.1", "2.1", "3", "BAD", "1.0.3x"])
@each_resource
def test_02_a_missing_or_unknown_version_is_400(lrs, resource, version):
    answer = lrs.ask("GET", resource, version=version, params=RESOURCES[resource])

    assert answer.status_code == 400
    assert answer.headers["x-experience-api-version"] == "2.0.0"
    assert "X-Experience-API-Version" in answer.json()["message"]


@pytest.mark.parametrize("version", [None, "0.9", "1.0.3", "2.0.0"])
def test_02_about_needs_neither_version_nor_credentials(lrs, version):
    answer = lrs.ask("GET", "about", version=version, auth=None)

    assert answer.status_code == 200


WRONG_CREDENTIALS = [
    "Basic",
    "Basic:xyz",
    "Basic xyz",
    "Basic ====",
    "Basic " + base64.b64encode(b"no colon").decode(),
    "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
    "Basic " + base64.b64encode(b":").decode(),
    "Basic " + base64.b64encode("clé:\x00🗝".encode()).decode(),
    "Bearer abc",
    "\u00e9",
]


@each_of("header", WRONG_CREDENTIALS)
def test_03_wrong_or_malformed_credentials_are_401(lrs, header):
    answer = lrs.ask("GET", "statements", auth=None, headers={"Authorization": header.encode("latin-1")})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="xAPI", charset="UTF-8"'
    assert answer.json()["error"] == "unauthorized"


def test_03_wrong_credentials_with_a_wrong_version_are_400(lrs):
    answer = lrs.ask("GET", "statements", version="BAD", auth=("who", "what"))

    assert answer.status_code == 400


def test_04_every_answer_about_statements_says_until_when_it_is_consistent_and_the_date(lrs):
    answers = [
        lrs.get(limit=1),
        lrs.get(foo="bar"),
        lrs.get(version=None),
        lrs.get(statementId=new_id()),
        lrs.ask("GET", "statements?agent=%ff"),
        lrs.post(statement()),
        lrs.post(b"{"),
        lrs.put(statement(), new_id()),
        lrs.ask("HEAD", "statements"),
        lrs.ask("GET", "statements", auth=("who", "what")),
    ]

    assert [answer.status_code for answer in answers] == [200, 400, 400, 404, 400, 200, 400, 204, 200, 401]
    for answer in answers:
        until = datetime.fromisoformat(answer.headers["x-experience-api-consistent-through"])
        assert until.utcoffset().total_seconds() == 0
        assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} .* GMT", answer.headers["date"])


def test_04_what_was_answered_as_stored_lies_before_the_next_consistent_through(lrs):
    stored = lrs.one(lrs.store(statement())[0])["stored"]

    assert lrs.get(limit=1).headers["x-experience-api-consistent-through"] >= stored


def test_04_what_is_stored_while_a_page_is_read_lies_behind_its_consistent_through(lrs, monkeypatch):
    store, between = lrs.tenant.store, []

    def and_store(read):
        def reading(*given, **more):
            page = read(*given, **more)
            between.append(store.write(lambda tx: tx.insert(Record("thing", new_id()))).result().seq)
            return page

        return reading

    for name in ("find", "joined"):
        monkeypatch.setattr(store, name, and_store(getattr(store, name)))
    answer = lrs.get(agent=somebody())

    assert answer.json()["statements"] == []
    through = answer.headers["x-experience-api-consistent-through"]
    assert through < timestamp_of_micros(micros_of(between[0]))


@each_resource
def test_05_head_has_the_status_and_headers_of_get_and_no_body(lrs, resource):
    unlike = {"date", "x-request-id", "x-experience-api-consistent-through", "content-length"}
    for params in (RESOURCES[resource], {"foo": "bar"}):
        get = lrs.ask("GET", resource, params=params)
        head = lrs.ask("HEAD", resource, params=params)

        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers.keys() == get.headers.keys()
        assert {n: v for n, v in head.headers.items() if n not in unlike} == {
            n: v for n, v in get.headers.items() if n not in unlike
        }


def test_05_head_of_one_statement_has_its_length_and_time(lrs):
    statement_id = lrs.store(statement())[0]

    get = lrs.get(statementId=statement_id)
    head = lrs.ask("HEAD", "statements", params={"statementId": statement_id})

    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))
    assert head.headers["last-modified"] == get.headers["last-modified"]


@each_of(
    "body", [b"", b"{", b"[", b"[{}]", b"{}", b"5", b'"text"', b"null", b"true", b'{"actor":', b"\xff", b"[[]]", b"{]"]
)
@each_of("method", ["POST", "PUT"])
def test_06_what_is_no_statement_is_400(lrs, method, body):
    answer = lrs.post(body) if method == "POST" else lrs.put(body, new_id())

    assert answer.status_code == 400
    assert answer.json()["message"]


def test_06_a_body_that_ends_early_stores_nothing_and_hurts_nobody(lrs):
    statement_id = new_id()
    body = json.dumps(statement(id=statement_id)).encode()
    token = base64.b64encode(":".join(lrs.auth).encode())
    head = (
        b"POST /xapi/statements HTTP/1.1\r\nHost: x\r\nX-Experience-API-Version: 1.0.3\r\n"
        b"Content-Type: application/json\r\nAuthorization: Basic %s\r\nContent-Length: %d\r\n\r\n"
    ) % (token, len(body) + 10)

    with socket.create_connection((urlsplit(lrs.address).hostname, urlsplit(lrs.address).port)) as connection:
        connection.sendall(head + body)

    assert lrs.get(statementId=statement_id).status_code == 404


@each_of("name", ["foo", "StatementId", "statementid", "AGENT", "Verb", "since ", "Limit", "method2", "", "$where"])
def test_07_an_unknown_or_wrong_case_parameter_is_400_and_named(lrs, name):
    answer = lrs.ask("GET", "statements", params=[(name, "1")])

    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"unknown parameter {name!r}: this resource takes activity, agent,")


def storing(lrs, method, statement_id, *foreign, **more):
    """POST, or PUT under its id, of a statement with *foreign* parameters."""
    return lrs.ask(
        method,
        "statements",
        params=[*foreign, *([("statementId", statement_id)] if method == "PUT" else [])],
        content=json.dumps(statement(id=statement_id)),
        headers={"Content-Type": "application/json"},
        **more,
    )


@each_of("version", ["1.0.3", "2.0.0"])
@each_of("method", ["POST", "PUT"])
@each_of("name", ["foo", "tincan", "content_token", "", "$where", "\u00fc" * 70])
def test_07_a_foreign_parameter_is_ignored_when_storing_however_often(lrs, name, method, version):
    answer = storing(lrs, method, statement_id := new_id(), (name, "1"), (name, "2"), version=version)

    assert answer.status_code == {"POST": 200, "PUT": 204}[method], answer.text
    assert lrs.one(statement_id)["id"] == statement_id


@each_of("method", ["POST", "PUT"])
@each_of("name", ["StatementId", "STATEMENTID", "limit", "Since", "agent", "Method", "stateId"])
def test_07_a_parameter_of_xapi_in_the_wrong_case_or_place_is_400_when_storing_and_nothing_is_stored(lrs, method, name):
    answer = storing(lrs, method, statement_id := new_id(), (name, new_id()))

    assert (answer.status_code, answer.json()["message"].split(":")[0]) == (400, f"unknown parameter {name!r}")
    assert lrs.get(statementId=statement_id).status_code == 404


def test_07_a_misspelt_statement_id_is_missed(lrs):
    answer = lrs.ask("PUT", "statements?statement=1", json=statement())

    assert (answer.status_code, answer.json()["message"]) == (400, "parameter 'statementId' is missing")


def test_07_a_parameter_that_stands_twice_is_400(lrs):
    answer = lrs.ask("GET", "statements?limit=1&limit=2")

    assert (answer.status_code, answer.json()["message"]) == (400, "parameter 'limit' was sent twice")


@pytest.mark.parametrize("version", [None, "2.0.0"])
def test_09_about_lists_both_versions(lrs, version):
    about = lrs.ask("GET", "about", version=version, auth=None).json()

    assert about["version"] == ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0"]
    assert isinstance(about["extensions"], dict)


@pytest.mark.parametrize("version", ["1.0", "1.0.1", "1.0.3"])
def test_09_about_tells_a_client_of_1_0_the_versions_it_can_know(lrs, version):
    assert lrs.ask("GET", "about", version=version).json()["version"] == ["1.0.0", "1.0.1", "1.0.2", "1.0.3"]


def test_10_utf_8_goes_in_and_out(lrs):
    activity = something() + "/Prüfung-試験-🎓"
    statement_id = lrs.store(statement(object={"id": activity, "definition": {"name": {"de": "Prüfung 🎓"}}}))[0]

    answer = lrs.get(statementId=statement_id)

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["object"] == {"id": activity, "definition": {"name": {"de": "Prüfung 🎓"}}}
    assert lrs.listed(activity=activity) == [statement_id]


def test_10_parameters_may_be_half_encoded(lrs):
    activity, agent = something(), {"mbox": f"mailto:{new_id()}@example.org"}
    statement_id = lrs.store(statement(actor=agent, object={"id": activity}))[0]

    answer = lrs.ask("GET", f"statements?activity={activity}&agent={quote(json.dumps(agent))}")

    assert [one["id"] for one in answer.json()["statements"]] == [statement_id]


@pytest.mark.parametrize(
    "path", ["/xapi//statements", "//xapi/statements", "/xapi/statements/", "///xapi///statements"]
)
def test_duplicate_slashes_are_collapsed(lrs, path):
    answer = lrs.clients[0].request(
        "GET",
        f"{lrs.address}{path}?limit=1",
        auth=lrs.auth,
        headers={"X-Experience-API-Version": "1.0.3"},
    )

    assert answer.json().keys() == {"statements", "more"}
