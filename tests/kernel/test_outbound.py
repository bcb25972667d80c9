"""The one way out, against servers on the loopback interface and resolvers that lie."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lrs.kernel import outbound
from lrs.kernel.outbound import Blocked, Unreachable
from lrs.kernel.settings import Settings
from tests.rows import each_of

STRICT = Settings(outbound_allow=())
LOOPBACK = Settings(outbound_allow=("127.0.0.0/8",))
RAW = {"/cut": b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", "/garbage": b"\0\1\r\n\r\n"}


class Door(BaseHTTPRequestHandler):
    """Remembers Host, and answers by path."""

    def do_GET(self) -> None:
        self.server.hosts.append(self.headers["host"])
        if self.path == "/never":
            self.server.released.wait(10)
            return
        if self.path == "/drip":
            while not self.server.released.wait(0.05):
                self.wfile.write(b"H")
            return
        if answer := RAW.get(self.path):
            self.wfile.write(answer)
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("location", "/secret")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        body = b"x" * 2_000_000 if self.path == "/long" else b"hello"
        self.send_response(410 if self.path == "/gone" else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[ThreadingHTTPServer]:
    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up is part of these tests."""

    server = Quiet(("127.0.0.1", 0), Door)
    server.hosts = []
    server.released = threading.Event()
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@each_of(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:10.0.0.8",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
    ],
)
def test_an_address_outside_the_public_internet_is_refused(address: str) -> None:
    with pytest.raises(Blocked):
        outbound.check("https://service.test/hook", STRICT, resolve=lambda *_: [address])


@each_of(
    "address",
    [
        "8.8.8.8",
        "2606:4700::1111",
        "::ffff:808:808",
        "64:ff9b::808:808",
        "2002:808:808::",
        "2001:0:4136:e378:0:0:f7f7:f7f7",
    ],
)
def test_an_address_of_the_public_internet_is_allowed_also_within_another_one(address: str) -> None:
    assert outbound.check("https://service.test/hook", STRICT, resolve=lambda *_: [address])


def test_a_public_address_is_allowed_over_https_only() -> None:
    def resolve(*_: object) -> list[str]:
        return ["93.184.216.34", "2606:2800:220:1::1"]

    assert outbound.check("https://service.test/", STRICT, resolve=resolve) == "93.184.216.34"
    with pytest.raises(Blocked, match="only https"):
        outbound.check("http://service.test/", STRICT, resolve=resolve)


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(Blocked):
        outbound.check("https://service.test/", STRICT, resolve=lambda *_: ["93.184.216.34", "10.0.0.8"])


@each_of(
    "url",
    [
        "file:///etc/passwd",
        "gopher://93.184.216.34/",
        "https://user:secret@service.test/",
        "https:///hook",
        "//service.test/",
        "https://service.test:99999/",
        "https://service.test:port/",
        "",
    ],
)
def test_what_is_no_plain_https_url_is_refused_before_any_look_up(url: str) -> None:
    def resolve(*_: object) -> list[str]:
        raise AssertionError("looked up")

    with pytest.raises(Blocked):
        outbound.check(url, STRICT, resolve=resolve)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_other_spellings_of_the_loopback_address_are_refused(host: str) -> None:
    with pytest.raises(Blocked):
        outbound.check(f"https://{host}/", STRICT)


def test_a_host_or_a_network_can_be_allowed_and_nothing_beside_it() -> None:
    by_name = Settings(outbound_allow=("inner.test",))
    by_network = Settings(outbound_allow=("10.1.0.0/16", "fd00::/8"))

    assert outbound.check("http://INNER.test/", by_name, resolve=lambda *_: ["10.9.9.9"]) == "10.9.9.9"
    assert outbound.check("http://a.test/", by_network, resolve=lambda *_: ["10.1.2.3"]) == "10.1.2.3"
    with pytest.raises(Blocked):
        outbound.check("https://a.test/", by_name, resolve=lambda *_: ["10.9.9.9"])
    with pytest.raises(Blocked):
        outbound.check("https://a.test/", by_network, resolve=lambda *_: ["10.2.0.1"])


def test_plain_http_needs_every_address_of_the_name_to_be_allowed() -> None:
    settings = STRICT.model_copy(update={"outbound_allow": ("10.0.0.0/8",)})
    both = ["10.0.0.8", "93.184.216.34"]

    assert outbound.check("http://inside.test/", settings, resolve=lambda *_: both[:1]) == "10.0.0.8"
    assert outbound.check("https://inside.test/", settings, resolve=lambda *_: both) == "10.0.0.8"
    with pytest.raises(Blocked, match="only https"):
        outbound.check("http://inside.test/", settings, resolve=lambda *_: both)


def test_the_call_goes_to_the_checked_address_though_the_name_leads_elsewhere_a_moment_later() -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.8"], ["10.0.0.8"]])
    asked = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return next(answers)

    with serving() as server:
        port = server.server_port
        answer = outbound.post(f"http://service.test:{port}/hook", b"{}", {}, LOOPBACK, resolve=rebinding)

    assert answer.status == 200
    assert server.hosts == [f"service.test:{port}"]
    assert asked == [("service.test", port)]


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}/moved"

        answer = outbound.post(url, b"", {}, LOOPBACK)
        with pytest.raises(Unreachable, match="answered 302"):
            outbound.fetch(url, LOOPBACK)

    assert (answer.status, answer.headers["location"]) == (302, "/secret")
    assert len(server.hosts) == 2


def test_fetch_gives_the_body() -> None:
    with serving() as server:
        assert outbound.fetch(f"http://127.0.0.1:{server.server_port}/", LOOPBACK) == b"hello"


def test_a_longer_answer_is_cut_for_a_post_and_refused_for_a_fetch() -> None:
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}/long"

        assert len(outbound.post(url, b"", {}, LOOPBACK).body) == 1_048_576
        with pytest.raises(Unreachable, match="longer than 1048576"):
            outbound.fetch(url, LOOPBACK)


def test_a_receiver_that_never_answers_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 0.2)

    with serving() as server, pytest.raises(Unreachable, match="it did not answer in time"):
        outbound.post(f"http://127.0.0.1:{server.server_port}/never", b"", {}, LOOPBACK)


def test_an_answer_that_breaks_off_or_is_no_http_is_told_in_words() -> None:
    with serving() as server:
        for path in RAW:
            with pytest.raises(Unreachable, match="no answer: it broke off in its answer, or what it sent is no HTTP"):
                outbound.post(f"http://127.0.0.1:{server.server_port}{path}", b"", {}, LOOPBACK)


def test_a_receiver_that_answers_one_byte_at_a_time_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "IN_ALL", 0.4)

    with serving() as server, pytest.raises(Unreachable):
        outbound.post(f"http://127.0.0.1:{server.server_port}/drip", b"", {}, LOOPBACK)


@pytest.mark.parametrize("call", ["ask", "post"])
def test_a_call_with_a_limit_of_its_own_ends_at_that_and_not_at_the_usual_one(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def made(url: str, seconds: float) -> outbound.Response:
        if call == "ask":
            return outbound.ask(url, {}, LOOPBACK, seconds=seconds)
        return outbound.post(url, b"", {}, LOOPBACK, seconds=seconds)

    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        with pytest.raises(Unreachable):
            made(url, 0.0)
        monkeypatch.setattr(outbound, "IN_ALL", 0.0)
        assert made(url, 60.0).body == b"hello"


def test_a_receiver_that_takes_a_body_slowly_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is taken well within ``IN_ALL``, and all of them would take four times as long."""
    monkeypatch.setattr(outbound, "IN_ALL", 1.5)
    taken = []

    def take(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            while block := connection.recv(131_072):
                taken.append(len(block))
                time.sleep(0.05)  # the time is what is asked for here

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 131_072)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        thread = threading.Thread(target=take, args=(listener,))
        thread.start()
        with pytest.raises(Unreachable, match="it did not answer in time"):
            outbound.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"x" * 16_000_000, {}, LOOPBACK)
        thread.join(30)

    assert sum(taken) < 16_000_000


def test_a_body_that_is_not_sent_in_time_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "IN_ALL", 0.2)

    def parts() -> Iterator[bytes]:
        yield b"x"
        time.sleep(0.3)  # until the call is over: that is what is asked for here
        yield b"y"

    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        with pytest.raises(Unreachable, match="no answer: it did not answer in time"):
            outbound.post(url, parts(), {"content-length": "2"}, LOOPBACK)


def test_a_closed_port_and_an_unknown_name_are_unreachable_not_forbidden() -> None:
    with serving() as server:
        port = server.server_port

    with pytest.raises(Unreachable, match="no answer: nothing takes connections at its address"):
        outbound.post(f"http://127.0.0.1:{port}/", b"", {}, LOOPBACK)
    with pytest.raises(Unreachable):
        outbound.post("https://no-such-name.invalid/", b"", {}, STRICT)
    with pytest.raises(Unreachable):
        outbound.check("https://empty.test/", STRICT, resolve=lambda *_: [])


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    with serving() as server:
        assert outbound.fetch(f"http://127.0.0.1:{server.server_port}/", LOOPBACK) == b"hello"


def test_the_certificate_must_be_trusted_and_be_for_the_name_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path, "service.test"))

    def resolve(*_: object) -> list[str]:
        return ["127.0.0.1"]

    with serving(context) as server:
        port = server.server_port
        outbound.trusted.cache_clear()
        with pytest.raises(Unreachable, match="its certificate cannot be trusted"):
            outbound.fetch(f"https://service.test:{port}/", LOOPBACK, resolve=resolve)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "both.pem"))
        outbound.trusted.cache_clear()
        body = outbound.fetch(f"https://service.test:{port}/", LOOPBACK, resolve=resolve)
        with pytest.raises(Unreachable):
            outbound.fetch(f"https://other.test:{port}/", LOOPBACK, resolve=resolve)
        outbound.trusted.cache_clear()

    assert body == b"hello"


def certificate(folder: Path, host: str) -> Path:
    """A key and its own certificate for *host*, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "both.pem"
    path.write_bytes(private + made.public_bytes(pem))
    return path
