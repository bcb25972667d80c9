"""Addresses that any page in any browser may read: what a badge points to is public, and verifiers are pages too."""

from __future__ import annotations

from collections.abc import Awaitable

from fastapi import HTTPException, Response
from fastapi.routing import APIRoute
from starlette.types import Message, Receive, Scope, Send

ANYBODY = {"access-control-allow-origin": "*"}
_METHODS = "GET, HEAD, OPTIONS"
_PREFLIGHT = {
    "allow": _METHODS,
    "access-control-allow-methods": _METHODS,
    "access-control-allow-headers": "*",
    "access-control-max-age": "86400",
}


class PublicRoute(APIRoute):
    """A GET that says with every answer, refusals too, that any origin may read it, and answers who asks that first.

    Source: the Fetch standard, "CORS protocol"; RFC 9110 9.3.7. Nothing here depends on who asks.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ``starlette.routing.Route``."""
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT | ANYBODY)(scope, receive, send)
        elif scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"allow": _METHODS} | ANYBODY)
        else:
            await super().handle(scope, receive, _readable(send))


def _readable(send: Send) -> Send:
    def sending(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            anybody = [(name.encode(), value.encode()) for name, value in ANYBODY.items()]
            message["headers"] = [*message["headers"], *anybody]
        return send(message)

    return sending
