"""HTTP/1.1 as uvicorn speaks it, but a request line and headers without end are cut off. Knows no application.

uvicorn collects a request's head in memory, however long it is, before anybody is asked (measured: 200 MB of headers
took 200 MB). What is a little too long is refused further on, with an answer that names the limit; this is the rest.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 256 * 1024
"""Bytes of a request line and headers; well over every limit that is answered with a reason."""
_ANSWER = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\ncontent-length: 73\r\n"
    b"connection: close\r\n\r\n"
    b'{"error":"too_large","message":"the head of the request has no end soon"}'
)


class Bounded(HttpToolsProtocol):
    """The protocol of one connection."""

    _in_head = False
    _head = 0

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > LONGEST_HEAD and not self.transport.is_closing():
                self.transport.write(_ANSWER)
                self.transport.close()

    def on_message_begin(self) -> None:
        """The parser saw the first byte of a request."""
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The parser saw the blank line."""
        self._in_head = False
        super().on_headers_complete()
