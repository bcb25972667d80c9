"""How bytes leave on a connection: in few pieces, and counted. Knows no protocol."""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
from contextlib import suppress
from typing import Any

SENT_AT_ONCE = 16 * 1024
"""Bytes. What is longer is sent as it is written, before the others are answered that the loop read in the same round:
beside 16 writers, a page came after 0.85 of the time. Short answers cost less if they are sent together at the end.
"""


class InOnePiece:
    """A transport that sends what is written in one round of the event loop as one piece, up to a long part of it.

    uvicorn writes the head and the body of an answer separately, which would be two system calls and two packets.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []
        self.is_closing = transport.is_closing
        """See ``asyncio.BaseTransport.is_closing``: asked for each answer."""
        self._handed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """See ``asyncio.WriteTransport.write``."""
        if not self._written:
            self._loop.call_soon(self.send)
        self._written.append(data)
        if len(data) > SENT_AT_ONCE:
            self.send()

    def close(self) -> None:
        """See ``asyncio.BaseTransport.close``: what was written still goes out."""
        self.send()
        self._transport.close()

    def end(self, data: bytes) -> None:
        """Sends *data* as the last of all, and goes on receiving. See ``asyncio.WriteTransport.write_eof``."""
        self.write(data)
        self.send()
        if not self._transport.is_closing():
            self._transport.write_eof()

    def send(self) -> None:
        """Sends what was written since the last time."""
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._handed += sum(map(len, written))
            self._transport.writelines(written)

    def taken(self) -> int:
        """How many bytes the client has received so far; if the system does not tell, how many were passed to it."""
        waiting = 0
        with suppress(OSError):
            told = fcntl.ioctl(self._transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
            waiting = int.from_bytes(told, sys.byteorder)
        return self._handed - self._transport.get_write_buffer_size() - waiting
