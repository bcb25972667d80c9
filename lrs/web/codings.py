"""Decompresses bodies (Content-Encoding gzip or deflate) while they arrive. Knows no request and no limit.

It is in front of all readers of a body, so limits and admission count the decompressed bytes. At most ``PIECE`` bytes
are decompressed at a time, so a small body with a huge content does not fill the memory: its reader stops at a limit.
Source: RFC 9110 8.4 and 12.5.3; RFC 1950, 1951, 1952.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable
from typing import Any

from starlette.types import Message, Receive

from lrs.kernel.errors import Refused

PIECE = 64 * 1024
"""Bytes that are decompressed at a time."""
KNOWN = "gzip, deflate"
_GZIP, _ZLIB, _RAW = 31, 15, -15
"""The ``wbits`` of ``zlib`` for each coding."""
_WINDOWS = {b"gzip": _GZIP, b"x-gzip": _GZIP, b"deflate": _ZLIB}
_LARGEST_LOSS = 64 * 1024
"""Bytes by which a compressed body may be larger than twice its content. Otherwise empty gzip members could come
without end.
"""


def unpacked(headers: Iterable[tuple[bytes, bytes]], receive: Receive) -> Receive:
    """*receive*, which decompresses the body if *headers* (lower-case names) name a coding.

    Reading then refuses an unknown coding with 415, and bytes that are not in that coding with 400.
    """
    for name, value in headers:
        if name == b"content-encoding":
            told = [told for name, value in headers if name == b"content-encoding" for told in value.split(b",")]
            codings = [coding for coding in (one.strip().lower() for one in told) if coding not in {b"", b"identity"}]
            return Unpacking(receive, codings) if codings else receive
    return receive


def unsupported() -> Refused:
    """415, with the supported codings."""
    return Refused(
        "this Content-Encoding cannot be unpacked: send gzip, deflate, or the body as it is",
        status=415,
        error="unsupported_media_type",
        headers=(("accept-encoding", KNOWN),),
    )


class Unpacking:
    """An ASGI ``receive`` in front of another."""

    def __init__(self, receive: Receive, codings: list[bytes]) -> None:
        self._receive = receive
        self._window = _WINDOWS.get(codings[0]) if len(codings) == 1 else None
        self._name = codings[0].decode("latin-1")
        self._stream: Any = None
        self._packed = b""
        self._taken = self._given = 0
        self._is_full = False
        self._is_last = False
        self._is_over = False

    async def __call__(self) -> Message:
        """The next piece of the decompressed body, or another message of the server."""
        if self._is_over:
            return await self._receive()
        if self._window is None:
            raise unsupported()
        while True:
            if self._packed or self._is_full:
                piece = self._next()
                await asyncio.sleep(0)  # lets other requests run, however much comes out of one message
                if piece:
                    return {"type": "http.request", "body": piece, "more_body": True}
            elif self._is_last:
                return self._end()
            else:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._packed = message.get("body", b"")
                self._taken += len(self._packed)
                self._is_last = not message.get("more_body", False)

    def _next(self) -> bytes:
        """At most ``PIECE`` decompressed bytes; none if more must arrive first."""
        if self._stream is None:
            self._stream = zlib.decompressobj(self._window_of(self._packed))
        try:
            piece: bytes = self._stream.decompress(self._packed, PIECE)
        except zlib.error as error:
            raise self._wrong("is not in that coding") from error
        self._packed, self._is_full = self._stream.unconsumed_tail, len(piece) == PIECE
        if self._stream.eof:
            self._packed, self._is_full = self._stream.unused_data, False
            if self._packed:
                self._member()
        self._given += len(piece)
        if self._taken - len(self._packed) > 2 * self._given + _LARGEST_LOSS:
            raise self._wrong("has next to nothing in it")
        return piece

    def _member(self) -> None:
        """Handles bytes after the end: in gzip another member may follow (RFC 1952 2.2)."""
        if self._window != _GZIP:
            raise self._wrong("goes on behind its end")
        self._stream = None

    def _window_of(self, begun: bytes) -> int:
        """The decompressor for data that begins so.

        Some clients send deflate without the header of zlib. That header has 8 in the lower half of its first byte (RFC
        1950 2.2), and no compressor begins a bare stream so.
        """
        return _RAW if self._window == _ZLIB and begun[0] & 0x0F != 8 else self._window or _RAW

    def _end(self) -> Message:
        if self._taken and (self._stream is None or not self._stream.eof):
            raise self._wrong("ends too early")
        self._is_over = True
        return {"type": "http.request", "body": b"", "more_body": False}

    def _wrong(self, what: str) -> Refused:
        return Refused(f"the body's Content-Encoding is {self._name}, but it {what}")
