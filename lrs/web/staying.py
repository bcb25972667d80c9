"""A parser of requests that stays with HTTP/1.1, whatever a client would rather change to. Knows no connection.

A server may ignore ``Upgrade`` (RFC 9110 7.8), and this one speaks nothing else. httptools cannot ignore it: it takes a
request that asks for an upgrade for one without a body, and reads the body as the next request. Clients that would like
HTTP/2 ask with every first request over plain HTTP (Java's ``HttpClient``), also with one that brings a statement.
"""

from __future__ import annotations

from typing import Any

import httptools

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class StayingParser:
    """``httptools.HttpRequestParser`` for *protocol*, which keeps the fields of the head it was told as ``headers``.

    While ``should_upgrade`` is true, the end of the message is that of its head: the body, if any, comes behind it.
    """

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._parser = _parser(protocol)

    def feed_data(self, data: bytes) -> None:
        """Bytes from the client. Raises ``httptools.HttpParserError``."""
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as ended:
                self._parser = _parser(_Rest(self._protocol))
                self._parser.feed_data(_head(self._protocol.headers))
                data = data[ended.args[0] :]
            else:
                return

    def get_http_version(self) -> str:
        """Of the request whose head was read last."""
        return self._parser.get_http_version()

    def get_method(self) -> bytes:
        """Of the request whose head was read last."""
        return self._parser.get_method()

    def should_keep_alive(self) -> bool:
        """Whether the connection outlives the request whose head was read last."""
        return self._parser.should_keep_alive()

    def should_upgrade(self) -> bool:
        """Whether the request whose head was read last asks for an upgrade."""
        return self._parser.should_upgrade()


class _Rest:
    """What a parser tells *protocol* that was given a head to begin with, which nobody sent: all but that head."""

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
    # As uvicorn has it: what follows a request with ``Connection: close`` is no fault of that request.
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def _head(fields: list[tuple[bytes, bytes]]) -> bytes:
    """A head behind which a body comes as *fields* say."""
    lines = [b"%s: %s\r\n" % field for field in fields if field[0] in _FRAMING]
    return b"POST / HTTP/1.1\r\n%s\r\n" % b"".join(lines)
