"""A headless Chromium, spoken to by the DevTools protocol over two pipes; and a site that is not ours."""

import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PATIENCE = 60
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


_DONE = {"Page.loadEventFired", "Page.frameStoppedLoading", "Page.downloadWillBegin", "Network.loadingFailed"}
"""What says that a page or a frame is shown, or that a file is saved in its place."""


def found():
    """The path of a Chromium on this machine, or ``None``."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """One browser with one page. ``errors`` are those on the console since the page was led anywhere.

    ``said`` are the lines that scripts wrote to the console, from any page or frame; ``answers`` the address and status
    of what it was led to.
    """

    def __init__(self, program, folder, *flags):
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (to_read, to_write)]
        quiet = [(os.POSIX_SPAWN_OPEN, out, os.devnull, os.O_WRONLY, 0) for out in (1, 2)]
        # The browser reads commands from descriptor 3 and writes to 4.
        pipes = [(os.POSIX_SPAWN_DUP2, end, number) for end, number in zip(ends, (3, 4), strict=True)]
        command = [program, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank"]
        self._process = os.posix_spawn(program, command, os.environ, file_actions=[*quiet, *pipes])
        for end in (to_read, to_write, *ends):
            os.close(end)
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._events = []
        self.said = []
        self.errors = []
        self.answers = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """The result of a command to the page, or before there is one, to the browser."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        if session := getattr(self, "_session", None):
            command["sessionId"] = session
        os.write(self._write, json.dumps(command).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == number:
                assert "error" not in message, (method, message)
                return message["result"]

    def open(self, address, **headers):
        """Leads the page to *address* and waits until it is loaded, or turned out to be a file."""
        self.call("Network.setExtraHTTPHeaders", headers=headers)
        self.answers.clear()
        self.errors.clear()
        self.call("Page.navigate", url=address)
        self.await_answer(address)

    def await_answer(self, address):
        """Waits until an address that begins with *address* has answered, and is shown or saved; its status."""
        end = time.monotonic() + PATIENCE  # a page that follows by itself is never silent
        while not (status := [status for url, status in self.answers if url.startswith(address)]):
            assert time.monotonic() < end, f"{address} has not answered; there are {self.answers[-5:]}"
            self._message()
        while not _DONE.intersection(self._events):
            assert time.monotonic() < end, f"{address} is not shown"
            self._message()
        return status[-1]

    def run(self, script):
        """The value of *script* in the page; no policy of the page holds it back."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def await_line(self, line):
        """Waits until a script wrote *line*."""
        while line not in self.said:
            self._message()

    def forget(self):
        """Forgets what happened until now."""
        self.answers.clear()
        self.said.clear()
        self._events.clear()

    def close(self):
        """Ends the browser."""
        self._session = None
        with contextlib.suppress(OSError, AssertionError):
            self.call("Browser.close")
        os.close(self._write)  # which would end it too
        os.close(self._read)
        end = time.monotonic() + 10
        while os.waitpid(self._process, os.WNOHANG) == (0, 0):
            if time.monotonic() > end:
                os.kill(self._process, signal.SIGKILL)
            time.sleep(0.02)

    def _message(self):
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            readable, _, _ = select.select([self._read], [], [], max(0, end - time.monotonic()))
            assert readable, f"the browser was silent for {PATIENCE} s; it said {self._events[-5:]}"
            more = os.read(self._read, 1 << 20)
            assert more, "the browser ended"
            self._buffer += more
        whole, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(whole)
        if "method" in message:
            self._note(message["method"], message["params"])
        return message

    def _note(self, event, told):
        self._events.append(event)
        if event == "Runtime.consoleAPICalled":
            self.said += [str(one.get("value")) for one in told["args"]]
        if event == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.errors.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        if event == "Runtime.exceptionThrown":
            self.errors.append(told["exceptionDetails"]["text"])
        if event == "Network.requestWillBeSent" and told.get("type") == "Document" and "redirectResponse" in told:
            self.answers.append((told["redirectResponse"]["url"], told["redirectResponse"]["status"]))
            self._events.clear()
        if event == "Network.responseReceived" and told["type"] == "Document":
            self.answers.append((told["response"]["url"], told["response"]["status"]))
            self._events.clear()


class Elsewhere:
    """A site of somebody else: pages by path, and the paths that it was asked for."""

    def __init__(self):
        self.pages = {}
        self.asked = []
        site = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                kind, body = site.pages.get(urlsplit(self.path).path, ("text/plain", b""))
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.send_header("access-control-allow-origin", "*")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.address = f"http://localhost:{self._server.server_port}"

    def page(self, path, body, kind="text/html"):
        """Puts a page there; its address."""
        self.pages[path] = (kind, body.encode())
        return self.address + path

    def close(self):
        """Ends it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
