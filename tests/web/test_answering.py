"""The head of an answer: what it says of the body and the connection, and what it may not contain."""

import asyncio
from types import SimpleNamespace

import pytest

from lrs.web.answering import Answering


def answered(fields, body=b"", *, status=200, method="GET", keep_alive=True):
    """What leaves for an answer with *fields* and *body*, and the cycle that gave it."""
    sent = []
    cycle = Answering(
        scope={"method": method},
        transport=SimpleNamespace(write=sent.append, close=lambda: sent.append(b"<closed>")),
        flow=SimpleNamespace(write_paused=False),
        logger=None,
        access_logger=None,
        access_log=False,
        default_headers=[(b"date", b"now")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=lambda: None,
    )

    async def answer():
        await cycle.send({"type": "http.response.start", "status": status, "headers": fields})
        await cycle.send({"type": "http.response.body", "body": body})

    asyncio.run(answer())
    return b"".join(sent)


LENGTH = (b"content-length", b"2")


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        (([LENGTH], b"ab"), b"200 OK\r\ndate: now\r\ncontent-length: 2\r\n\r\nab"),
        (
            ([(b"a", b"1"), (b"a", b"2"), LENGTH], b"ab"),
            b"200 OK\r\ndate: now\r\na: 1\r\na: 2\r\ncontent-length: 2\r\n\r\nab",
        ),
        (([], b"ab"), b"200 OK\r\ndate: now\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
    ],
)
def test_the_head_says_how_its_body_is_framed(asked, sent):
    assert answered(*asked) == b"HTTP/1.1 " + sent


def test_answers_without_a_body_say_nothing_of_chunks():
    assert answered([LENGTH], b"ab", method="HEAD") == b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\n\r\n"
    assert answered([], method="HEAD") == b"HTTP/1.1 200 OK\r\ndate: now\r\n\r\n"
    assert answered([], status=204) == b"HTTP/1.1 204 No Content\r\ndate: now\r\n\r\n"


def test_a_connection_that_ends_says_so_once_and_is_closed():
    told = b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\nconnection: close\r\n\r\nab<closed>"

    assert answered([LENGTH], b"ab", keep_alive=False) == told
    assert answered([LENGTH, (b"connection", b"close")], b"ab", keep_alive=False) == told
    assert answered([LENGTH, (b"connection", b"close")], b"ab") == told


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b", b"a\x7f", b"a\r\n"])
def test_a_field_never_begins_another_one(value):
    with pytest.raises(RuntimeError, match="a character that none may contain"):
        answered([(b"name", value), LENGTH], b"ab")


def test_a_body_of_another_length_than_the_head_says_is_a_fault():
    with pytest.raises(RuntimeError, match="longer"):
        answered([LENGTH], b"abc")
    with pytest.raises(RuntimeError, match="shorter"):
        answered([LENGTH], b"a")
