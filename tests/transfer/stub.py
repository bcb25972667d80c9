"""Another LRS, as small as can be: keeps statements by id, and answers as the test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lrs.kernel import outbound
from tests.programs import PATIENCE

Answer = tuple[int, dict[str, str], bytes]
TAKEN: Answer = (200, {}, b"[]")


@dataclass
class Stub:
    """*posts* are the ids of each request; *answers* says what becomes of one, ``None`` that it is kept.

    *shows* is the answer to every question for a statement; ``None`` shows what is kept.
    """

    endpoint: str
    posts: list[list[str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    voided: set[str] = field(default_factory=set)
    answers: Callable[[list[dict[str, Any]]], Answer | None] = lambda _: None
    shows: Answer | None = None

    def take(self, statements: list[dict[str, Any]]) -> Answer:
        answer = self.answers(statements)
        if answer is None:
            self.kept |= {one["id"]: one for one in statements}
        return answer or TAKEN


@contextmanager
def stub() -> Iterator[Stub]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            statements = json.loads(body)
            with lock:
                here.posts.append([one["id"] for one in statements])
                here.headers.append({name.lower(): value for name, value in self.headers.items()})
            answer = here.take(statements)
            self._say(*answer)

        def do_GET(self) -> None:
            if "x-experience-api-version" not in self.headers:
                self._say(400, {}, b"")
                return
            ((asked, (id,)),) = parse_qs(urlsplit(self.path).query).items()
            found = here.kept.get(id) if (asked == "voidedStatementId") == (id in here.voided) else None
            self._say(*(here.shows or ((200, {}, json.dumps(found).encode()) if found else (404, {}, b""))))

        def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            with suppress(OSError):  # who asked may have given up
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    lock = threading.Lock()
    limits = outbound.SECONDS, outbound.IN_ALL
    outbound.SECONDS = outbound.IN_ALL = PATIENCE
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    here = Stub(f"http://127.0.0.1:{server.server_port}/xapi")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        outbound.SECONDS, outbound.IN_ALL = limits
