"""One request and its answer on a connection: uvicorn's, with a head that is made in fewer steps. Knows no protocol."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_IN_NO_FIELD = bytes([*range(9), *range(10, 32), 127])
"""What no field of an answer may contain (RFC 9110 5.5). The end of a line is two of these."""
_NO_BODY = frozenset({204, 304})


class Answering(RequestResponseCycle):
    """See ``RequestResponseCycle``, which looks at each field of the head by itself."""

    async def send(self, message: Any) -> None:
        """See ``RequestResponseCycle.send``. The names of fields are in lower case, as ASGI has them."""
        is_head = message["type"] == "http.response.start" and not self.response_started
        if not is_head or self.flow.write_paused or self.disconnected:
            await super().send(message)
            return
        status, fields = message["status"], [*self.default_headers, *message.get("headers", ())]
        head = b"".join([b"%b: %b\r\n" % field for field in fields])
        if len(head) - len(head.translate(None, _IN_NO_FIELD)) != 2 * len(fields):
            raise RuntimeError("a field of the answer contains a character that none may contain")
        self.response_started, self.waiting_for_100_continue = True, False
        self.transport.write(b"%b%b%b\r\n" % (STATUS_LINE[status], head, self._framed(status, dict(fields))))

    def _framed(self, status: int, fields: dict[bytes, bytes]) -> bytes:
        """Finds how the body is framed, and gives the fields that say so where *fields* do not."""
        added = b""
        if (length := fields.get(b"content-length")) is not None:
            self.expected_content_length, self.chunked_encoding = int(length), False
        elif fields.get(b"transfer-encoding") == b"chunked":
            self.chunked_encoding = True
        elif self.scope["method"] != "HEAD" and status not in _NO_BODY:
            self.chunked_encoding, added = True, b"transfer-encoding: chunked\r\n"
        if b"close" in fields.get(b"connection", b"").lower():
            self.keep_alive = False
        elif not self.keep_alive:
            added += b"connection: close\r\n"
        return added
