"""Large answers and who takes them: they count until they were sent, and nobody's stays in memory for ever (P7)."""

import socket
import time
from base64 import b64encode
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.programs import until
from tests.served import new_id, serving, statement
from tests.xapi.statements.test_limits import said_until_closed

COUNT = 14
PATIENCE = 0.5


@pytest.fixture(scope="module")
def lrs(tmp_path_factory):
    """A server with a page of some 14 MB: more than the kernel takes off its hands for one connection."""
    with serving(tmp_path_factory.mktemp("large"), patience=PATIENCE) as running:
        for _ in range(COUNT):
            running.store(statement(id=new_id(), result={"response": "x" * 1_000_000}))
        yield running


def asking(lrs):
    """A connection that has asked for the page and reads nothing."""
    parts = urlsplit(lrs.address)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.connect((parts.hostname, parts.port))
    connection.settimeout(30)
    auth = b64encode(":".join(lrs.auth).encode()).decode()
    connection.sendall(
        "GET /xapi/statements?limit=100 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"X-Experience-API-Version: 1.0.3\r\nAuthorization: Basic {auth}\r\n\r\n".encode()
    )
    return connection


def until_inside(lrs, holds, what):
    until(lambda: holds(lrs.app.admission.answers.inside), what, 30)


def test_who_takes_nothing_of_an_answer_is_given_up_on_and_its_bytes_are_free(lrs):
    with closing(asking(lrs)) as connection:
        until_inside(lrs, lambda inside: inside > 14_000_000, "the answer to be sent")

        until_inside(lrs, lambda inside: inside == 0, "the client to be given up on")

        assert len(said_until_closed(connection)) < 14_000_000


def test_who_takes_an_answer_slowly_gets_all_of_it(lrs):
    with closing(asking(lrs)) as connection:
        until_inside(lrs, lambda inside: inside > 14_000_000, "the answer to be sent")
        taken = 0
        for _ in range(10):  # for three times the patience, but something all the time
            taken += len(connection.recv(200_000))
            time.sleep(0.15)  # the time is what is asked for here
        taken += len(said_until_closed(connection))

    assert taken > COUNT * 1_000_000
    until_inside(lrs, lambda inside: inside == 0, "the answer to be sent")


def test_answers_beyond_the_limit_of_bytes_are_503_and_other_requests_go_on(lrs, monkeypatch):
    monkeypatch.setattr(lrs.app.admission.answers, "bound", 1_000_000)

    busy = lrs.get(limit=100)
    small, stored = lrs.get(limit=1, verb="https://example.org/none"), lrs.post(statement())

    assert (busy.status_code, busy.json()["error"], busy.headers["retry-after"]) == (503, "overloaded", "1")
    assert (small.status_code, stored.status_code) == (200, 200)


def test_a_large_answer_comes_whole_with_attachments_and_without(lrs):
    plain = lrs.get(limit=100)
    mixed = lrs.get(limit=100, attachments="true")

    assert len(plain.json()["statements"]) >= COUNT
    assert plain.headers["content-length"] == str(len(plain.content))
    assert plain.content in mixed.content
    until_inside(lrs, lambda inside: inside == 0, "both to be sent")
