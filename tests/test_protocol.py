"""What an answer is sent in: one piece, in order, and whole before a connection is closed."""

import asyncio
import socket
from urllib.parse import urlsplit

import pytest

from lrs.protocol import InOnePiece


class Recorder:
    """A transport that keeps what it was told."""

    def __init__(self):
        self.told = []

    def writelines(self, pieces):
        self.told.append(b"".join(pieces))

    def close(self):
        self.told.append("closed")

    def is_closing(self):
        return "closed" in self.told


def test_head_and_body_leave_in_one_piece():
    async def answer_twice():
        recorder = Recorder()
        transport = InOnePiece(recorder, asyncio.get_running_loop())
        transport.write(b"head ")
        transport.write(b"body")
        assert recorder.told == []
        await asyncio.sleep(0)
        transport.write(b"the next answer")
        await asyncio.sleep(0)
        return recorder.told

    assert asyncio.run(answer_twice()) == [b"head body", b"the next answer"]


def test_nothing_is_sent_to_a_client_that_has_gone():
    async def answer_too_late():
        recorder = Recorder()
        transport = InOnePiece(recorder, asyncio.get_running_loop())
        transport.write(b"too late")
        recorder.close()
        await asyncio.sleep(0)
        return recorder.told

    assert asyncio.run(answer_too_late()) == ["closed"]


def test_what_was_written_before_closing_still_goes_out_and_only_once():
    async def answer_and_close():
        recorder = Recorder()
        transport = InOnePiece(recorder, asyncio.get_running_loop())
        transport.write(b"last words")
        assert not transport.is_closing()
        transport.close()
        await asyncio.sleep(0)
        assert transport.is_closing()
        return recorder.told

    assert asyncio.run(answer_and_close()) == [b"last words", "closed"]


def test_a_client_that_sends_no_more_still_gets_its_answer(lrs):
    parts = urlsplit(lrs.address)
    for _ in range(20):
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as client:
            client.sendall(b"GET /xapi/about HTTP/1.1\r\nHost: test\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            answer = client.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"}")


@pytest.mark.parametrize("request_line", ["GET http:// HTTP/1.1", "CONNECT a:1 HTTP/1.1", "NONSENSE"])
def test_a_head_that_cannot_be_understood_is_told_so(lrs, request_line):
    parts = urlsplit(lrs.address)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as client:
        client.sendall(f"{request_line}\r\nHost: test\r\n\r\n".encode())
        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")
