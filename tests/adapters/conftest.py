"""A tiny xAPI endpoint to break on purpose, and what tests of adapters share. Knows only what the adapters use."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.door import Door
from adapters.profile import Profile, read_profile
from adapters.report import Report
from adapters.run import Order, run_file

GOLDEN = Path(__file__).parent.parent / "golden" / "adapters"
NOON = 1_795_262_400_000_000
"""2026-11-21 12:00 UTC in microseconds."""


class Endpoint:
    """What the endpoint holds, and how it is told to misbehave."""

    def __init__(self) -> None:
        self.statements: dict[str, dict[str, Any]] = {}
        self.voided: set[str] = set()
        self.documents: dict[tuple[str, str], bytes] = {}
        self.requests: list[str] = []
        self.before: Callable[[str], tuple[int, dict[str, str]] | None] = lambda _: None
        self.after: Callable[[str], None] = lambda _: None
        self.lock = threading.Lock()
        self.url = ""

    def valid(self) -> list[dict[str, Any]]:
        """Statements that stand: neither voided nor voiding."""
        return [
            s for id, s in self.statements.items() if id not in self.voided and not s["verb"]["id"].endswith("/voided")
        ]

    def store(self, batch: list[dict[str, Any]]) -> int:
        """All or nothing, as xAPI has it: 200, 409 for an id with another content, 400 for what the tests call bad."""
        if any("REFUSE-ME" in json.dumps(one) for one in batch):
            return 400
        if any(one["id"] in self.statements and self.statements[one["id"]] != one for one in batch):
            return 409
        for one in batch:
            self.statements[one["id"]] = one
            if one["verb"]["id"].endswith("/voided"):
                self.voided.add(one["object"]["id"])
        return 200


class Handler(BaseHTTPRequestHandler):
    """One request to the endpoint."""

    endpoint: Endpoint

    def log_message(self, *_: object) -> None:
        """Silence."""

    def do_GET(self) -> None:
        """One answer, or none where the test cuts the line."""
        try:
            self._answer()
        except ConnectionError:
            self.close_connection = True

    do_PUT = do_POST = do_GET  # noqa: N815 (http.server's words)

    def _answer(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = f"{self.command} {url.path.removeprefix('/xapi/')}"
        fault = self.endpoint.before(name)
        if fault:
            return self._send(fault[0], b"told to", fault[1])
        with self.endpoint.lock:
            self.endpoint.requests.append(name)
            status, content, headers = self._decide(url.path, parse_qs(url.query), body)
        self.endpoint.after(name)
        return self._send(status, content, headers)

    def _decide(  # noqa: PLR0911 (one answer for each case reads best)
        self, path: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        if not self.headers.get("X-Experience-API-Version") or not self.headers.get("Authorization"):
            return 400, b"headers", {}
        if self.command == "POST" and path == "/xapi/statements":
            batch = json.loads(body)
            return self.endpoint.store(batch), json.dumps([one["id"] for one in batch]).encode(), {}
        if path != "/xapi/activities/profile":
            return 404, b"", {}
        key = (query["activityId"][0], query["profileId"][0])
        held = self.endpoint.documents.get(key)
        tag = f'"{sha1(held).hexdigest()}"' if held is not None else None
        if self.command == "GET":
            return (404, b"", {}) if held is None else (200, held, {"ETag": str(tag)})
        if self.headers.get("If-None-Match") == "*" and held is not None:
            return 412, b"", {}
        if self.headers.get("If-Match") not in {None, tag}:
            return 412, b"", {}
        self.endpoint.documents[key] = body
        return 204, b"", {}

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != 204:
            self.wfile.write(content)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    held = Endpoint()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"endpoint": held}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    held.url = f"http://127.0.0.1:{server.server_address[1]}/xapi"
    yield held
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def door(endpoint: Endpoint) -> Door:
    return Door(endpoint.url, "Basic a2V5OnNlY3JldA==", sleep=lambda _: None)


@pytest.fixture
def bring(door: Door, tmp_path: Path) -> Callable[..., Report]:
    """Runs text, bytes or a path through an adapter, at noon of 21 November 2026."""

    def run(adapter: str, content: str | bytes | Path, **more: Any) -> Report:
        path = content if isinstance(content, Path) else tmp_path / more.pop("file", "file.csv")
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        clock = more.pop("clock", lambda: NOON)
        wait = more.pop("wait", 0)
        order = Order(adapter, more.pop("provider", "north"), path, path.name, **more)
        return run_file(order, door, clock=clock, sleep=lambda _: None, wait=wait)

    return run


@pytest.fixture
def portfolio_profile() -> Profile:
    return read_profile(GOLDEN / "portfolio-profile.json")
