"""What every answer tells a browser, so that nothing somebody sent runs on our origin. Knows no route.

Documents, attachments, statements and names in badges are others' bytes, and a browser that is sent to one of our
addresses would show them beside the pages of a signed-in administrator. So an answer that sets no policy of its own is
sandboxed: it has no scripts, no origin, no forms. Only our own pages (``lrs.web.page``) set one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping

from starlette.types import Message, Send

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Header fields as ASGI has them: names in lower case, and values."""

POLICY = "content-security-policy"
ATTACHMENT = ("content-disposition", "attachment")
"""For bytes that came from outside: a browser that is sent to them saves a file, and shows nothing."""
CLOSED = ((POLICY.encode(), b"sandbox; default-src 'none'"), (b"x-content-type-options", b"nosniff"))
"""The fields of an answer that is no page of ours."""


def guarded(send: Send) -> Send:
    """*send*, by which no answer leaves without a policy, whoever made it."""

    def sending(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = closed(message.get("headers", ()))
        return send(message)

    return sending


def closed(fields: RawHeaders) -> list[tuple[bytes, bytes]]:
    """*fields* (lower-case names) of an answer, sandboxed unless they say otherwise, and never guessed at."""
    answer = list(fields)
    given = dict(answer)
    answer += [field for field in CLOSED if field[0] not in given]
    return answer


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a page of another site had its browser send this request (RFC 6454 7.3).

    Then an ``Authorization`` header may be a login that the browser remembered, which no script or form chose.
    """
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()
