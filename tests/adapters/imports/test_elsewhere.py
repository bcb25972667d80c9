"""A file sent to a server on another machine: what is waited out, and what a person is told when it cannot be."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from adapters.imports.elsewhere import Elsewhere, ServerUnusable

SHOWN = b'{"id":"1","state":"done"}'


class Script:
    """What the server answers, one after the other; the last one for ever. ``None`` hangs up."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes] | None] = [(200, {}, SHOWN)]
        self.asked: list[str] = []
        self.url = ""


class Handler(BaseHTTPRequestHandler):
    script: Script

    def log_message(self, *_: object) -> None:
        """Silence."""

    def do_GET(self) -> None:
        answers = self.script.answers
        self.script.asked.append(self.path)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            self.close_connection = True
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"script": made}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/under/xapi/"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def look(script: Script, waits: list[float]) -> dict:
    with Elsewhere(script.url, ("key", "secret"), sleep=waits.append) as server:
        return server.look("1")


def test_imports_are_beside_the_endpoint_also_behind_a_prefix(script):
    assert look(script, []) == {"id": "1", "state": "done"}
    assert script.asked == ["/under/api/imports/1"]


def test_overload_is_waited_out_as_long_as_the_server_asks_and_a_lost_line_too(script):
    waits: list[float] = []
    script.answers[:0] = [(429, {"Retry-After": "7"}, b""), None, (503, {"Retry-After": "soon"}, b"")]

    assert look(script, waits)["state"] == "done"
    assert waits == [7.0, 0.5, 1.0]


def test_a_server_that_stays_away_ends_the_run_with_a_reason(script):
    waits: list[float] = []
    script.answers = [(503, {}, b"")]

    with pytest.raises(ServerUnusable, match="answers 503; given up after 8 tries"):
        look(script, waits)

    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b'{"message":"wrong"}', "the key or its secret is wrong (401): wrong"),
        (403, b'{"message":"scope"}', "the key lacks a right (403): scope"),
        (400, b'{"message":"the form has no file"}', "the form has no file"),
        (500, b"", "the server answers 500"),
        (200, b"<html>", "is it an older one? Update it first"),
    ],
)
def test_what_no_waiting_helps_against_is_said_at_once(script, status, body, words):
    script.answers = [(status, {}, body)]

    with pytest.raises(ServerUnusable) as closed:
        look(script, [])

    assert words in str(closed.value)
    assert len(script.asked) == 1
