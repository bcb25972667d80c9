"""A small reverse proxy on loopback: one server under a prefix, which it takes off or leaves on."""

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Proxy(ThreadingHTTPServer):
    """Passes on what begins with *prefix* to the server at *to*; 404 for all else."""

    daemon_threads = True

    def __init__(self, prefix, *, strips):
        super().__init__(("127.0.0.1", 0), _Passing)
        self.prefix, self.strips, self.to = prefix, strips, ""

    @property
    def address(self):
        """Where it listens, without the prefix."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not self.path.startswith(self.server.prefix):
            self.send_error(404)
            return
        path = self.path.removeprefix(self.server.prefix) if self.server.strips else self.path
        to = http.client.HTTPConnection(urlsplit(self.server.to).netloc, timeout=20)
        to.request(self.command, path, body or None, dict(self.headers))
        answer = to.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if answer.status not in {204, 304}:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        to.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815 (names of the standard library)

    def log_message(self, *_):
        """Says nothing."""


@contextmanager
def proxying(prefix, *, strips):
    """A running proxy; what it is for is put into its ``to``."""
    proxy = Proxy(prefix, strips=strips)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join(20)
        proxy.server_close()
