"""A parser for requests that stays with HTTP/1.1 if a client asks for an upgrade. Knows no connection.

A server may ignore ``Upgrade`` (RFC 9110 7.8), and this one speaks nothing else. httptools cannot ignore it: it reads
such a request as one without a body, and the body as the next request. Clients that prefer HTTP/2 ask for it with their
first request over plain HTTP (Java's ``HttpClient``), also if it has a body.
"""

from __future__ import annotations

from typing import Any

import httptools

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class StayingParser:
    """``httptools.HttpRequestParser`` for *protocol*. It stores the fields of the head as ``headers``.

    While ``should_upgrade`` is true, the message ends with its head, and a body follows it.
    """

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._reads_with(_parser(protocol))

    def feed_data(self, data: bytes) -> None:
        """Bytes from the client. Raises ``httptools.HttpParserError``."""
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as ended:
                self._reads_with(_parser(_Rest(self._protocol)))
                self._parser.feed_data(_head(self._protocol.headers))
                data = data[ended.args[0] :]
            else:
                return

    def _reads_with(self, parser: httptools.HttpRequestParser) -> None:
        """Has *parser* say what it says of the request whose head was read last."""
        self._parser = parser
        self.get_http_version = parser.get_http_version
        self.get_method = parser.get_method
        self.should_keep_alive = parser.should_keep_alive
        self.should_upgrade = parser.should_upgrade


class _Rest:
    """Passes on to *protocol* what a parser reads, except a made-up head at the beginning."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._has_begun = False
        self.on_chunk_header = protocol.on_chunk_header
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete

    def on_message_begin(self) -> None:
        if self._has_begun:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self._has_begun:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._has_begun:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._has_begun:
            self._protocol.on_headers_complete()
        self._has_begun = True


def _parser(protocol: Any) -> httptools.HttpRequestParser:
    parser = httptools.HttpRequestParser(protocol)
    # as in uvicorn: bytes after a request with ``Connection: close`` are no fault of that request
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def _head(fields: list[tuple[bytes, bytes]]) -> bytes:
    """A head for a body of the kind that *fields* describe."""
    lines = [b"%s: %s\r\n" % field for field in fields if field[0] in _FRAMING]
    return b"POST / HTTP/1.1\r\n%s\r\n" % b"".join(lines)
