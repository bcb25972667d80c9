"""What every answer carries, whatever became of its request: the version of its rules, and how far reads are complete.

The numbers are those of the project's xAPI checklist, section 2.
"""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from lrs.access.throttle import WRONG_SECRETS
from lrs.kernel.admission import MOST
from lrs.web.protocol import LONGEST_HEAD
from tests.served import neighbour_of, new_id, serving, statement
from tests.xapi.statements.test_limits import raw, said_until_closed

both = pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
STATE = {"activityId": "https://example.org/a", "agent": '{"mbox":"mailto:marks@example.org"}', "stateId": "s"}


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("strict"), max_statement=2_000, max_header=2_000) as lrs:
        yield lrs


@contextmanager
def overloaded(lrs):
    """As if more were being worked on than is let in at once."""
    work = lrs.app.admission.work
    since = work.enter(MOST)
    try:
        yield
    finally:
        work.leave(MOST, since)


def refusals(lrs, version):
    """An answer of /statements for each status that a request can come to."""
    there = statement(id=new_id())
    lrs.store(there, version=version)
    with overloaded(lrs):
        busy = lrs.post(statement(), version=version)
    return {
        400: lrs.get(version=version, foo=1),
        401: lrs.get(version=version, auth=("who", "what")),
        403: lrs.as_key("statements/read").post(statement(), version=version),
        404: lrs.get(version=version, statementId=new_id()),
        405: lrs.ask("DELETE", "statements", version=version),
        409: lrs.post(there | {"result": {"success": True}}, version=version),
        413: lrs.post(statement(result={"response": "x" * 2_000}), version=version),
        431: lrs.get(version=version, headers={"X-Long": "x" * 2_000}),
        503: busy,
    }


def is_now(text):
    return abs(datetime.fromisoformat(text) - datetime.now(UTC)) < timedelta(minutes=1)


@both
def test_01_04_every_refusal_says_the_caller_s_version_and_how_far_reads_are_complete(strict, version):
    for status, answer in refusals(strict, version).items():
        assert answer.status_code == status
        assert answer.headers["x-experience-api-version"] == version, status
        assert is_now(answer.headers["x-experience-api-consistent-through"]), status
        assert "date" in answer.headers
        assert answer.json()["requestId"] == answer.headers["x-request-id"]


@both
def test_01_04_who_guesses_too_often_is_told_too(tmp_path, version):
    with serving(tmp_path) as lrs:
        for _ in range(WRONG_SECRETS[0]):
            assert lrs.get(version=version, auth=("who", "what")).status_code == 401
        answer = lrs.get(version=version, auth=("who", "what"))

    assert (answer.status_code, answer.headers["x-experience-api-version"]) == (429, version)
    assert is_now(answer.headers["x-experience-api-consistent-through"])


@both
def test_01_other_resources_say_the_version_under_overload_too(strict, version):
    headers = {"Content-Type": "application/json"}
    with overloaded(strict):
        busy = strict.ask("PUT", "activities/state", version=version, params=STATE, content=b"{}", headers=headers)

    assert (busy.status_code, busy.headers["x-experience-api-version"]) == (503, version)
    assert "x-experience-api-consistent-through" not in busy.headers


def test_04_before_anything_was_read_nothing_is_promised_whatever_others_have_read(tmp_path):
    with serving(tmp_path) as lrs:
        assert neighbour_of(lrs).get(limit=1).status_code == 200
        with overloaded(lrs):
            busy = lrs.post(statement())

    assert busy.status_code == 503
    assert busy.headers["x-experience-api-consistent-through"] == "1970-01-01T00:00:00.000000Z"


def parted(answer):
    """Status, headers and body of an answer as it stood on the wire."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    return int(status.split()[1]), dict(field.split(": ", 1) for field in fields), body.decode()


@both
def test_01_04_a_head_without_end_is_answered_in_the_version_it_told_and_names_the_limit(lrs, version):
    assert lrs.get(limit=1).status_code == 200
    head = (
        f"GET /xapi/statements?limit=1 HTTP/1.1\r\nHost: x\r\nX-Experience-API-Version: {version}\r\nX-Long: ".encode()
    )
    with raw(lrs) as connection:
        connection.sendall(head + b"y" * (LONGEST_HEAD - len(head)))
        connection.sendall(b"y")  # nothing of it is left unread when the connection is closed

        status, headers, body = parted(said_until_closed(connection))

    assert status == 431
    assert headers["x-experience-api-version"] == version
    assert is_now(headers["x-experience-api-consistent-through"])
    assert "date" in headers
    assert f'"requestId":"{headers["x-request-id"]}"' in body
    assert "larger than 262144 bytes" in body


@both
def test_01_04_a_client_that_stops_sending_is_answered_in_the_version_of_its_header(tmp_path, version):
    head = (
        f"POST /xapi/statements HTTP/1.1\r\nHost: x\r\nX-Experience-API-Version: {version}\r\nContent-Length: 9\r\n\r\n"
    )
    with serving(tmp_path, patience=0.2) as lrs, raw(lrs) as connection:
        connection.sendall(head.replace("\r\n\r\n", "\r\nAuthorization: Basic eDp5\r\n\r\n").encode()[:-2])

        status, headers, body = parted(said_until_closed(connection))

    assert (status, headers["x-experience-api-version"]) == (408, version)
    assert "x-experience-api-consistent-through" in headers
    assert f'"requestId":"{headers["x-request-id"]}"' in body


@both
def test_01_what_is_no_http_is_answered_in_the_one_shape(lrs, version):
    with raw(lrs) as connection:
        head = f"GET /xapi/about HTTP/1.1\r\nX-Experience-API-Version: {version}\r\nHost: x\r\nno field\r\n\r\n"
        connection.sendall(head.encode())

        status, headers, body = parted(said_until_closed(connection))

    assert (status, headers["x-experience-api-version"]) == (400, version)
    assert body == (
        '{"error":"bad_request","message":"this is not valid HTTP/1.1 (RFC 9112)",'
        f'"requestId":"{headers["x-request-id"]}"}}'
    )


def test_outside_xapi_the_connection_s_own_answers_have_a_request_id_and_no_version(lrs):
    with raw(lrs) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nno field\r\n\r\n")

        status, headers, _ = parted(said_until_closed(connection))

    assert status == 400
    assert headers["x-request-id"]
    assert "x-experience-api-version" not in headers
