"""HTTP/1.1 as uvicorn speaks it, with limits and with rules of RFC 9112 that it does not check.

It knows no application, except that it asks it for the headers of its answers. uvicorn stores the head of a request and
the trailers of a chunked body in memory, however long they are (measured: 200 MB of headers took 200 MB), and waits for
the rest of a request without end. Requests that are a little too long are refused later, with an answer that names the
limit; this module refuses the others. uvicorn also accepts a request without ``Host`` or with two (RFC 9112 3.2), reads
transfer codings that it does not decode as data (6.1), and keeps blanks at the end of a header's value (5.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lrs.kernel.errors import Refused
from lrs.web.answering import Answering
from lrs.web.browsers import closed
from lrs.web.pieces import InOnePiece
from lrs.web.request_head import head_fault
from lrs.web.staying import StayingParser

LONGEST_HEAD = 256 * 1024
"""Limit for request line and headers in bytes; well over every limit that is answered with a reason."""
MOST_FRAMING = 64 * 1024
"""Limit for bytes of a chunked body that are not data: extensions and trailers, which nobody reads."""
PER_CHUNK = 16
"""Bytes of each chunk that do not count: its length and two line ends."""
PATIENCE = 30.0
"""Seconds that an unfinished request or an answer may make no progress, unless the application's state has
``patience``.
"""
LEAST = 1_024
"""The fewest bytes in half that time that count as progress. Otherwise a slow body would hold its memory for hours."""
LINGER = 2.0
"""Seconds in which a client that is cut off may go on sending, and what it sends is thrown away (RFC 9112 9.6). What
arrives at a closed connection is answered with a reset, by which the client would lose the answer that says why.
"""
MOST_THROWN_AWAY = 1024 * 1024
"""Limit for the bytes of a client that was cut off and sends on."""
LONGEST_PATH = 1_024
"""The longest address in bytes for which the application is asked."""
_TOO_LARGE = Refused(f"the head of the request is larger than {LONGEST_HEAD} bytes", status=431, error="too_large")
_TOO_MUCH_FRAMING = Refused(
    f"the chunked body has more than {MOST_FRAMING} bytes of extensions and trailers", error="too_large"
)
_TOO_LATE = Refused("the rest of the request did not come in time", status=408, error="timeout")
_NOT_HTTP = Refused("this is not valid HTTP/1.1 (RFC 9112)")
_BLANKS = b" \t"


def _carries_nothing(_path: str, _headers: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return ()


def _tells_nobody(_path: str, _refused: Refused, _request_id: str) -> None:
    return


class Bounded(HttpToolsProtocol):
    """The protocol of one connection."""

    url = b""
    _in_head = False
    _is_chunked = False
    _counted = 0
    _expected = 0
    _message = 0
    _refused: Refused | None = None
    _is_parting = False
    _looks = _stuck = 0
    _arrived = _taken = 0
    _pause = PATIENCE / 2
    _next_look: asyncio.TimerHandle | None = None
    _pieces: InOnePiece
    _data: list[bytes]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A client connected. One timer for the connection, not one for each request, checks for progress."""
        self._pieces, self._data = InOnePiece(transport, self.loop), []
        super().connection_made(cast("asyncio.Transport", self._pieces))
        self.parser = cast("httptools.HttpRequestParser", StayingParser(self))
        self._pause = self.app_state.get("patience", PATIENCE) / 2
        self._next_look = self.loop.call_later(self._pause, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client disconnected."""
        if self._next_look is not None:
            self._next_look.cancel()
        super().connection_lost(exc)

    def eof_received(self) -> bool | None:  # type: ignore[override]  # as asyncio has it
        """The client sends no more. If it waits for an answer, the transport stays open until that was sent."""
        self._pieces.send()
        if self._is_parting:
            return None
        super().eof_received()
        cycle = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body or self.pipeline:
            return None
        cycle.keep_alive = False
        return True

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._is_parting:
            self._counted += len(data)
            if self._counted > MOST_THROWN_AWAY:
                self.transport.close()
            return
        self._arrived += len(data)
        message, self._expected = self._message, 0
        super().data_received(data)
        if self._data:
            self._hand_on()
        if self._in_head:
            self._counted += len(data)
            self._hold_to(LONGEST_HEAD, _TOO_LARGE)
        elif self._is_chunked and message == self._message:  # a part of these bytes may belong to the previous request
            self._counted = max(0, self._counted + len(data) - self._expected)
            self._hold_to(MOST_FRAMING, _TOO_MUCH_FRAMING)

    def _hold_to(self, limit: int, refused: Refused) -> None:
        if self._counted > limit and not self.transport.is_closing():
            self._cut_off(refused)

    def on_message_begin(self) -> None:
        """The parser saw the first byte of a request."""
        self._in_head, self._is_chunked, self._counted = True, False, 0
        self._message += 1
        self._looks = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser read a field. A field after the blank line is a trailer and is not kept."""
        if self._in_head:
            name, value = name.lower(), value.rstrip(_BLANKS)
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The parser read the blank line. A fault in the head is answered while the request counts as one."""
        hosts = [value for name, value in self.headers if name == b"host"]
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        version = self.parser.get_http_version()
        self._refused = head_fault(version, hosts, codings)
        if self._refused is not None:
            raise self._refused  # the parser stops here, and uvicorn calls ``send_400_response``
        url = httptools.parse_url(self.url)
        path, scope = url.path.decode("ascii"), self.scope
        scope["method"], scope["http_version"] = self.parser.get_method().decode("ascii"), version
        scope["path"], scope["raw_path"] = unquote(path) if "%" in path else path, url.path
        scope["query_string"] = url.query or b""
        self._take_up(version)
        self._in_head, self._is_chunked, self._counted = False, bool(codings), 0

    def _take_up(self, version: str) -> None:
        """As in uvicorn: a request begins when the answer to the one before it is complete."""
        before = self.cycle
        self.cycle = Answering(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_chunk_header(self) -> None:
        """The parser read the length of a chunk."""
        self._expected += PER_CHUNK

    def on_body(self, body: bytes) -> None:
        """The parser read data. All data of one round is passed on together, because a chunk may be a single byte."""
        self._expected += len(body)
        self._data.append(body)

    def _hand_on(self) -> None:
        data, self._data = self._data, []
        super().on_body(b"".join(data))

    def on_message_complete(self) -> None:
        """The parser read the end of the request, or of the head of one that asks for an upgrade."""
        if self.parser.should_upgrade():
            return
        if self._data:
            self._hand_on()
        self._is_chunked = False
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's words, which say less)
        """The parser could not read the request, or we refused its head."""
        self._cut_off(self._refused or _NOT_HTTP)

    def _look(self) -> None:
        """Closes the connection at the third look without progress, after one to one and a half ``patience``.

        So a client is cut off that does not send the rest of its request, or does not take its answer.
        """
        unsent = self.transport.get_write_buffer_size()
        if self.transport.is_closing() and not unsent:
            return
        taken = self._pieces.taken() if unsent else 0
        self._stuck = self._stuck + 1 if unsent and taken - self._taken < LEAST else 0
        self._looks = self._looks + 1 if self._is_waiting() and self._arrived < LEAST else 0
        self._arrived, self._taken = 0, taken
        if self._stuck > 2:
            self.transport.abort()
            return
        if self._looks > 2:
            self._cut_off(_TOO_LATE)
        self._next_look = self.loop.call_later(self._pause, self._look)

    def _is_waiting(self) -> bool:
        """Whether the client must send now, and uvicorn has no timer for that."""
        cycle = self.cycle
        if self._is_parting:
            return False
        if cycle is None:
            return True
        if cycle.response_complete:
            return self._in_head or self.timeout_keep_alive_task is None
        if cycle.response_started or cycle.waiting_for_100_continue:
            return False
        return cycle.more_body and not self.flow.read_paused

    def _cut_off(self, refused: Refused) -> None:
        """Closes the connection, with an answer if the client can still relate it to its request."""
        cycle = self.cycle
        if self._in_head:  # the request comes after that of the cycle
            is_next = cycle is None or cycle.response_complete
        else:
            is_next = cycle is not None and not cycle.response_started and not self.pipeline
        if is_next:
            self._part(self._closing(refused))
        else:
            self.transport.close()

    def _part(self, answer: bytes) -> None:
        """Sends *answer* as the last one, and closes the connection when the client has, or after ``LINGER``."""
        self._is_parting, self._counted = True, 0
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.flow.resume_reading()
        self._pieces.end(answer)
        self.loop.call_later(LINGER, self.transport.close)

    def _closing(self, refused: Refused) -> bytes:
        """The answer, with the headers of all answers at this address."""
        path = self.url[: LONGEST_PATH + 1].partition(b"?")[0].decode("latin-1")
        carried = self.app_state.get("parting", _carries_nothing)(
            path if len(path) <= LONGEST_PATH else "", self.headers
        )
        request_id = dict(carried).get("x-request-id", "")
        self.app_state.get("cut_off", _tells_nobody)(path, refused, request_id)
        body = msgspec.json.encode(refused.shown(request_id))
        fields = [(name.encode(), value.encode()) for name, value in carried]
        fields += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        lines = [b"%s: %s\r\n" % field for field in (*self.server_state.default_headers, *closed(fields))]
        status = HTTPStatus(refused.status)
        return b"HTTP/1.1 %d %s\r\n%sconnection: close\r\n\r\n%s" % (
            status,
            status.phrase.encode(),
            b"".join(lines),
            body,
        )
