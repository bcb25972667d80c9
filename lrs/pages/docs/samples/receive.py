"""Receives events, and verifies that they are from the record store (Standard Webhooks). Python's own library only.

Run it:  WEBHOOK_SECRET=whsec_… python receive.py

It listens on this machine only; HOST=0.0.0.0 lets other machines in, PORT is another port.
"""

import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9000"))
TOLERANCE = 300  # seconds that the time of an event may be off


def is_ours(headers, body):
    """Whether *body* was signed with our secret just now. In an overlap of secrets there are several signatures."""
    id, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if (
        not (seconds.isascii() and seconds.isdigit() and len(seconds) < 12)
        or abs(time.time() - int(seconds)) > TOLERANCE
    ):
        return False
    wanted = base64.b64encode(hmac.digest(SECRET, f"{id}.{seconds}.".encode() + body, hashlib.sha256))
    given = [one.partition(",")[2] for one in headers.get("webhook-signature", "").split() if one.startswith("v1,")]
    return any(hmac.compare_digest(wanted, one.encode()) for one in given)


def handle(event):
    """Prints the event, and what is to be forgotten."""
    told = event["data"]
    print(event["type"], json.dumps(told), flush=True)
    if event["type"] == "consent.withdrawn":
        # Every consent includes profiles:read. If only another scope ended, the profile goes on.
        gone = "all" if "profiles:read" in told["scopes"] else " ".join(told["scopes"])
        print("forget", gone, "of", told["subject"], flush=True)


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to an event that is ours, 401 to any other."""

    def do_POST(self):
        """Keep the event, answer, and do the work afterwards: whoever answers late is sent it again."""
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        ours = is_ours(self.headers, body)
        if ours:
            handle(json.loads(body))
        self.send_response(204 if ours else 401)
        self.end_headers()

    def log_message(self, format, *args):
        """Says nothing of each request."""


if __name__ == "__main__":
    server = ThreadingHTTPServer((HOST, PORT), Receiver)
    print(f"waiting for events at http://{HOST}:{PORT}/", flush=True)
    server.serve_forever()
