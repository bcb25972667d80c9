"""Routes that pages of any site may read: what a badge points to is public, and verifiers may be pages."""

from __future__ import annotations

from fastapi import HTTPException, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

ANYBODY = {"access-control-allow-origin": "*"}
_METHODS = "GET, HEAD, OPTIONS"
_PREFLIGHT = {
    "allow": _METHODS,
    "access-control-allow-methods": _METHODS,
    "access-control-allow-headers": "*",
    "access-control-max-age": "86400",
}


class PublicRoute(APIRoute):
    """A GET route that also answers a CORS preflight. Whether answers may be read is in the table of rights.

    Source: the Fetch standard, "CORS protocol"; RFC 9110 9.3.7.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ``starlette.routing.Route``."""
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT | ANYBODY)(scope, receive, send)
        elif scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"allow": _METHODS} | ANYBODY)
        else:
            await super().handle(scope, receive, send)
