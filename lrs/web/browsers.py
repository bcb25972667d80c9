"""What every answer tells a browser, so that nothing somebody sent runs on our origin. Knows no route.

Documents, attachments, statements and names in badges are others' bytes, and a browser that is sent to one of our
addresses would show them beside the pages of a signed-in administrator. So an answer that sets no policy of its own is
sandboxed: it has no scripts, no origin, no forms. Only our own pages, which are templates, set one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Fields = Iterable[tuple[bytes, bytes]]

POLICY = "content-security-policy"
ATTACHMENT = ("content-disposition", "attachment")
"""For bytes that came from outside: a browser that is sent to them saves a file, and shows nothing."""
_CLOSED = ((POLICY.encode(), b"sandbox; default-src 'none'"), (b"x-content-type-options", b"nosniff"))


def guarded(send: Send) -> Send:
    """*send*, by which no answer leaves without a policy, whoever made it."""

    def sending(message: MutableMapping[str, Any]) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = closed(message.get("headers", ()))
        return send(message)

    return sending


def closed(fields: Fields) -> list[tuple[bytes, bytes]]:
    """*fields* (lower-case names) of an answer, sandboxed unless they say otherwise, and never guessed at."""
    answer = list(fields)
    given = dict(answer)
    answer += [field for field in _CLOSED if field[0] not in given]
    return answer


def page_policy(nonce: str | None = None, *, forms: bool = True) -> dict[str, str]:
    """What keeps a page of ours to itself: no script, nothing from elsewhere, no frame; *nonce* marks its style."""
    style = f"style-src 'nonce-{nonce}'; " if nonce else ""
    form = "'self'" if forms else "'none'"
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; {style}form-action {form}; frame-ancestors 'none'; base-uri 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a page of another site had its browser send this request (RFC 6454 7.3).

    Then an ``Authorization`` header may be a login that the browser remembered, which no script or form chose.
    """
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()
