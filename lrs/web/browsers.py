"""The security headers of all answers, so that nothing that was uploaded runs on our origin. Knows no route.

Documents, attachments, statements and names in badges come from others. A browser that opens one of our addresses would
show them on the origin of a signed-in administrator. So an answer without a policy of its own is sandboxed: no scripts,
no origin, no forms. Only our own pages (``lrs.web.page``) set a policy.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping

from starlette.types import Message, Send

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Header fields as ASGI has them: names in lower case, and values."""

POLICY = "content-security-policy"
ATTACHMENT = ("content-disposition", "attachment")
"""The headers for bytes that came from outside: the browser saves a file and shows nothing."""
CLOSED = ((POLICY.encode(), b"sandbox; default-src 'none'"), (b"x-content-type-options", b"nosniff"))
"""The headers of an answer that is no page of ours."""


def guarded(send: Send) -> Send:
    """Wraps *send*, so that no answer leaves without a policy."""

    def sending(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = closed(message.get("headers", ()))
        return send(message)

    return sending


def closed(fields: RawHeaders) -> list[tuple[bytes, bytes]]:
    """*fields* (lower-case names) of an answer, with a sandbox unless they have a policy, and with ``nosniff``."""
    answer = list(fields)
    given = dict(answer)
    answer += [field for field in CLOSED if field[0] not in given]
    return answer


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a page of another site sent this request (RFC 6454 7.3).

    Then an ``Authorization`` header may be a login that the browser remembered.
    """
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()
