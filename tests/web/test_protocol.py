"""What an answer is sent in: one piece, in order, and whole before a connection is closed."""

import asyncio
import base64
import json
import re
import socket
import threading
from contextlib import suppress
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from lrs.web.pieces import SENT_AT_ONCE, InOnePiece
from lrs.web.protocol import MOST_FRAMING, Bounded
from tests.served import statement


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


def test_a_long_body_leaves_with_its_head_before_others_are_answered():
    async def answer():
        recorder = Recorder()
        transport = InOnePiece(recorder, asyncio.get_running_loop())
        transport.write(b"head ")
        transport.write(bytes(SENT_AT_ONCE + 1))
        at_once = [len(piece) for piece in recorder.told]
        await asyncio.sleep(0)
        return at_once, len(recorder.told)

    assert asyncio.run(answer()) == ([5 + SENT_AT_ONCE + 1], 1)


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
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as client:
            client.sendall(b"GET /xapi/about HTTP/1.1\r\nHost: test\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            answer = client.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"}")


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/nowhere"])
def test_a_client_that_sends_no_more_is_answered_where_that_takes_a_while(lrs, path):
    parts = urlsplit(lrs.address)
    for _ in range(5):
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
            client.shutdown(socket.SHUT_WR)
            answer = client.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 ")
        assert answer.endswith(b"}")


def test_a_client_that_is_cut_off_while_it_sends_on_can_read_why(lrs):
    parts = urlsplit(lrs.address)
    for _ in range(20):
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as client:
            client.sendall(b"GET /xapi/statements HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 300_000)
            answer = client.recv(12)  # by now the server has taken what is too long, and has not waited for the rest
            client.sendall(b"y" * 500_000)
            answer += client.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert answer.endswith(b"}")


@pytest.mark.parametrize(("unsent", "ends"), [(0, ["close"]), (3_000, ["close", "abort"])])
def test_a_client_that_is_cut_off_and_takes_no_answer_is_let_go(unsent, ends):
    """A served one cannot be brought to this for sure: its last answer must be complete, and not with the system."""
    told, later = [], []
    cut_off = Bounded.__new__(Bounded)
    cut_off.transport = SimpleNamespace(
        close=lambda: told.append("close"),
        abort=lambda: told.append("abort"),
        is_closing=lambda: "close" in told,
        get_write_buffer_size=lambda: unsent,
    )
    cut_off.loop = SimpleNamespace(call_later=lambda _, run: later.append(run))
    cut_off.flow = SimpleNamespace(resume_reading=lambda: None)
    cut_off._pieces, cut_off.cycle = SimpleNamespace(end=lambda _: None, taken=lambda: 0), None  # noqa: SLF001
    later.append(cut_off._look)  # noqa: SLF001 (as every connection does from its beginning)

    cut_off._part(b"the answer")  # noqa: SLF001 (as a parser that gives up does)
    while later:
        later.pop()()

    assert told == ends


def test_a_client_that_sends_no_more_in_the_middle_of_a_body_is_let_go(lrs):
    parts = urlsplit(lrs.address)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as client:
        client.sendall(b"POST /oauth/token HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\na=b")
        client.shutdown(socket.SHUT_WR)

        assert client.makefile("rb").read() == b""


@pytest.mark.parametrize("request_line", ["GET http:// HTTP/1.1", "CONNECT a:1 HTTP/1.1", "NONSENSE"])
def test_a_head_that_cannot_be_understood_is_told_so(lrs, request_line):
    parts = urlsplit(lrs.address)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as client:
        client.sendall(f"{request_line}\r\nHost: test\r\n\r\n".encode())
        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")


# -- RFC 9112 and 9110, spoken by hand ------------------------------------------------------------------------------


def said(lrs, *pieces):
    """What the server answers to *pieces* until it closes the connection."""
    parts = urlsplit(lrs.address)
    answer = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as client, suppress(ConnectionError):
        for piece in pieces:
            client.sendall(piece)
        while more := client.recv(65_536):
            answer += more
    return answer


def status_and_message(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body).get("message")


def about(*fields, version="1.1"):
    lines = "".join(f"{field}\r\n" for field in (*fields, "Connection: close"))
    return f"GET /xapi/about HTTP/{version}\r\n{lines}\r\n".encode("latin-1")


MISSING, TWICE = "header Host is missing: send it once", "header Host was sent twice: send it once"
NO_HOST = "header Host is no host: send the name or address of this server, and its port"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (about(), MISSING),
        (about("Host: a", "Host: a"), TWICE),
        (about("Host: a", "host: b"), TWICE),
        (about("Host: a", "Host: b", version="1.0"), TWICE),
        (about("Host: a b"), NO_HOST),
        (about("Host: a, b"), NO_HOST),
        (about("Host: user@a"), NO_HOST),
        (about("Host: a/b"), NO_HOST),
        (about("Host: a:b"), NO_HOST),
        (about("Host: [::1"), NO_HOST),
        (about("Host: \xe4"), NO_HOST),
        (b"GET http://a/xapi/about HTTP/1.1\r\nConnection: close\r\n\r\n", MISSING),
    ],
)
def test_a_request_without_one_host_is_400(lrs, asked, message):
    assert status_and_message(said(lrs, asked)) == (400, message)


@pytest.mark.parametrize(
    "asked",
    [
        about("Host: a"),
        about("Host:"),
        about("Host: [::1]:8080"),
        about("Host: a.example:"),
        about("Host: a_b.example \t "),
        about("Host: a", version="1.0"),
        about(version="1.0"),
        b"GET http://a/xapi/about HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
)
def test_a_request_with_one_host_is_answered(lrs, asked):
    assert status_and_message(said(lrs, asked)) == (200, None)


def posted(*fields, version="1.1", body=b"2\r\n{}\r\n0\r\n\r\n"):
    lines = "".join(f"{field}\r\n" for field in ("Host: a", *fields, "Connection: close"))
    return f"POST /xapi/statements HTTP/{version}\r\n{lines}\r\n".encode() + body


@pytest.mark.parametrize(
    "codings",
    [
        ["gzip"],
        ["gzip, chunked"],
        ["gzip", "chunked"],
        ["identity"],
        ["xchunked"],
        ["chunked;q=1"],
    ],
)
def test_a_transfer_coding_other_than_chunked_is_501(lrs, codings):
    fields = [f"Transfer-Encoding: {coding}" for coding in codings]

    assert status_and_message(said(lrs, posted(*fields))) == (501, "the only known transfer coding is chunked")


@pytest.mark.parametrize(
    ("fields", "version"),
    [
        (["Transfer-Encoding: chunked"], "1.0"),
        (["Transfer-Encoding: chunked", "Content-Length: 2"], "1.1"),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "1.1"),
        (["Transfer-Encoding: chunked, gzip"], "1.1"),
        (["Content-Length: 2", "Content-Length: 2"], "1.1"),
        (["Content-Length: +2"], "1.1"),
    ],
)
def test_a_body_of_two_lengths_is_400(lrs, fields, version):
    assert status_and_message(said(lrs, posted(*fields, version=version)))[0] == 400


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "chunked  "])
def test_a_chunked_body_is_read(lrs, coding):
    status, message = status_and_message(said(lrs, posted(f"Transfer-Encoding: {coding}")))

    assert (status, message) == (400, "header X-Experience-API-Version is missing: send 1.0.3 or 2.0.0")


@pytest.mark.parametrize("request_line", ["GET /xapi/about HTTP/2.0", "GET /xapi/about"])
def test_another_version_of_http_is_505(lrs, request_line):
    answer = said(lrs, f"{request_line}\r\nHost: a\r\nConnection: close\r\n\r\n".encode())

    assert status_and_message(answer) == (505, "this server speaks HTTP/1.1")


def test_blanks_behind_a_headers_value_do_not_belong_to_it(lrs):
    basic = base64.b64encode(":".join(lrs.auth).encode()).decode()
    fields = ["Host: a \t", "X-Experience-API-Version: 1.0.3 \t ", f"Authorization: Basic {basic}\t"]

    answer = said(lrs, about(*fields).replace(b"/about", b"/statements?limit=1"))

    assert status_and_message(answer) == (200, None)


def drained(lrs, *pieces):
    """A connection that sends a body of *pieces* and reads its answer in between; the bytes that were taken."""
    parts = urlsplit(lrs.address)
    taken = 0
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as client, suppress(ConnectionError):
        client.sendall(b"POST /xapi/statements HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            client.sendall(piece)
            taken += len(piece)
    return taken


@pytest.mark.parametrize(
    "pieces",
    [
        [b"1;a=", *[b"x" * 65_536] * 200],
        [(b"1;a=" + b"x" * 1_000 + b"\r\na\r\n") * 64] * 200,
        [b"0\r\n", *[b"X: " + b"x" * 65_536] * 200],
    ],
    ids=["one extension", "many extensions", "trailers"],
)
def test_extensions_and_trailers_of_a_chunked_body_have_a_bound(lrs, pieces):
    assert drained(lrs, *pieces) < sum(map(len, pieces)) // 2
    assert lrs.get(limit=1).status_code == 200


def test_a_bound_on_extensions_is_told_where_the_answer_has_not_begun(lrs):
    basic = base64.b64encode(":".join(lrs.auth).encode()).decode()
    fields = ["X-Experience-API-Version: 1.0.3", f"Authorization: Basic {basic}", "Content-Type: application/json"]
    head = posted("Transfer-Encoding: chunked", "Expect: 100-continue", *fields, body=b"")
    parts = urlsplit(lrs.address)
    answer = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as client:
        client.sendall(head)
        assert client.recv(1_000).startswith(b"HTTP/1.1 100 ")  # what is sent from here on is counted whole

        client.sendall(b"1;a=" + b"x" * (MOST_FRAMING + 100))
        while more := client.recv(65_536):
            answer += more

    assert status_and_message(answer) == (400, "the chunked body has more than 65536 bytes of extensions and trailers")


def test_a_body_of_the_smallest_chunks_is_taken(lrs):
    basic = base64.b64encode(":".join(lrs.auth).encode()).decode()
    fields = ["X-Experience-API-Version: 1.0.3", f"Authorization: Basic {basic}", "Content-Type: application/json"]
    body = json.dumps([statement() for _ in range(200)]).encode()
    chunks = b"".join(b"1;x\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    head = posted("Transfer-Encoding: chunked", *fields, body=b"")

    answer = said(lrs, head, *(chunks[start : start + 5_000] for start in range(0, len(chunks), 5_000)))

    assert len(chunks) > 4 * MOST_FRAMING
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_faulty_head_behind_a_request_that_waits_is_not_answered_in_its_place(lrs):
    held, go = threading.Event(), threading.Event()
    lrs.tenant.store.write(lambda _: (held.set(), go.wait(60)))
    assert held.wait(10)
    basic = base64.b64encode(":".join(lrs.auth).encode()).decode()
    fields = ["X-Experience-API-Version: 1.0.3", f"Authorization: Basic {basic}", "Content-Type: application/json"]
    body = json.dumps(statement()).encode()
    first = posted(f"Content-Length: {len(body)}", *fields, body=body).replace(b"Connection: close\r\n", b"")

    answer = said(lrs, first + about())
    go.set()

    assert answer == b""


# -- Upgrade, which this server ignores (RFC 9110 7.8) --------------------------------------------------------------

UPGRADES = [
    ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"],
    ["Connection: keep-alive, upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA=="],
    ["Connection: upgrade", "Upgrade: anything/1"],
]
STATUS = re.compile(rb"HTTP/1\.1 (\d+) ")
BACK = b"GET /xapi/about HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def storing(lrs, *fields):
    """The head of a request that stores a statement."""
    basic = base64.b64encode(":".join(lrs.auth).encode()).decode()
    own = ["Host: a", "X-Experience-API-Version: 1.0.3", f"Authorization: Basic {basic}"]
    lines = "".join(f"{field}\r\n" for field in (*own, "Content-Type: application/json", *fields))
    return f"POST /xapi/statements HTTP/1.1\r\n{lines}\r\n".encode()


@pytest.mark.parametrize("upgrade", UPGRADES, ids=["h2c", "websocket", "anything"])
@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
@pytest.mark.parametrize("at_once", [True, False], ids=["in one piece", "in pieces"])
def test_the_body_of_a_request_that_asks_for_an_upgrade_is_its_body(lrs, upgrade, chunked, at_once):
    body = json.dumps(statement()).encode()
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    pieces = [storing(lrs, *upgrade, framing), sent[:9], sent[9:], storing(lrs, framing) + sent, BACK]

    answer = said(lrs, *([b"".join(pieces)] if at_once else pieces))

    heads = STATUS.findall(answer)
    assert heads == [b"200", b"200", b"200"]
    assert answer.count(b'\r\n\r\n["') == 2  # the ids of two statements
    assert answer.endswith(b"}")


@pytest.mark.parametrize("upgrade", UPGRADES, ids=["h2c", "websocket", "anything"])
def test_a_body_that_looks_like_a_request_is_none_where_an_upgrade_is_asked_for(lrs, upgrade):
    inner = b"GET /xapi/about HTTP/1.1\r\nHost: a\r\n\r\n"

    answer = said(lrs, storing(lrs, *upgrade, f"Content-Length: {len(inner)}"), inner, BACK)

    heads = STATUS.findall(answer)
    assert heads == [b"400", b"200"]


def test_requests_without_a_body_may_each_ask_for_an_upgrade(lrs):
    asking = b"GET /xapi/about HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

    assert said(lrs, asking + asking + BACK).count(b"HTTP/1.1 200 OK") == 3
    assert said(lrs, asking, asking, BACK).count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize(
    "framing",
    [["Transfer-Encoding: chunked", "Content-Length: 2"], ["Content-Length: 2", "Content-Length: 3"]],
)
def test_an_upgrade_is_no_way_around_the_one_length_of_a_body(lrs, framing):
    asked = posted(*UPGRADES[2], *framing)

    assert status_and_message(said(lrs, asked))[0] == 400
