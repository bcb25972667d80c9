"""The matching service of the demonstration: a separate process that knows only what our OpenAPI document says.

It receives webhooks, checks their signatures, keeps what it is sent, and asks for links and gaps as OAuth client. Run
it with ``python -m lrs.ops.demo.service FOLDER``. It prints its address on the first line, reads its credentials as one
line of JSON, and serves until its input ends.
"""

from __future__ import annotations

import base64
import hmac
import json
import sys
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2


class Matching:
    """The state of the service: its credentials, and the events it was sent, by type."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, Any] = {}

    def is_signed(self, headers: Any, body: bytes) -> bool:
        """Whether the webhook was signed by the store (Standard Webhooks, symmetric signatures)."""
        secret = base64.b64decode(self.known["webhook_secret"].removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.digest(secret, signed, sha256)).decode()
        return any(
            hmac.compare_digest(one.removeprefix("v1,"), expected) for one in headers["webhook-signature"].split(" ")
        )

    def keep(self, event: dict[str, Any]) -> None:
        """Stores the event. The newest of each type has a file of its own."""
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(event) + "\n")
        draft = self.folder / f".{event['type']}.json"
        draft.write_text(json.dumps(event, indent=2), "utf-8")
        draft.replace(self.folder / f"{event['type']}.json")

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """Calls the store with a new access token."""
        base = self.known["base"]
        client = (self.known["client_id"], self.known["client_secret"])
        with httpx2.Client(base_url=base, timeout=10, trust_env=False) as http:
            token = http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=client).json()
            headers = {"authorization": f"Bearer {token['access_token']}"}
            answer = http.request(method, path, headers=headers, **more)
            answer.raise_for_status()
            return answer.json()


def handler(matching: Matching) -> type[BaseHTTPRequestHandler]:
    """The HTTP handler for webhooks, and for actions of the service's own user."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/webhook":
                signed = matching.is_signed(self.headers, body)
                if signed:
                    matching.keep(json.loads(body))
                self._answer(204 if signed else 401, None)
            elif self.path == "/link":
                self._answer(200, matching.ask("POST", "/api/links", json=json.loads(body)))
            else:
                self._answer(200, matching.ask("GET", json.loads(body)["path"]))

        def _answer(self, status: int, value: object) -> None:
            content = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Logs nothing, because the demonstration tells the story."""

    return Door


def main() -> None:
    """Serves until its input ends, which happens when the process that started it ends."""
    folder = Path(sys.argv[1])
    for told_before in folder.glob("*.json"):
        told_before.unlink()
    matching = Matching(folder)
    server = HTTPServer(("127.0.0.1", 0), handler(matching))
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    matching.known = json.loads(sys.stdin.readline())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
