"""Routes that pages of any site may read: what a badge points to is public, and verifiers may be pages.

Also what these routes have in common: their tenant, the record that they are about, and their answers as JSON.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Path, Request, Response
from starlette.types import Receive, Scope, Send

from lrs.kernel.errors import Refused
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import tenant_of
from lrs.web.late import LateRoute

ANYBODY = {"access-control-allow-origin": "*"}
_METHODS = "GET, HEAD, OPTIONS"


def _preflight(methods: str, headers: str = "*") -> dict[str, str]:
    return {
        "allow": methods,
        "access-control-allow-methods": methods,
        "access-control-allow-headers": headers,
        "access-control-max-age": "86400",
    }


class PublicRoute(LateRoute):
    """A GET route that also answers a CORS preflight. Whether answers may be read is in the table of rights.

    Source: the Fetch standard, "CORS protocol"; RFC 9110 9.3.7.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ``starlette.routing.Route``."""
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_preflight(_METHODS) | ANYBODY)(scope, receive, send)
        elif scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"allow": _METHODS} | ANYBODY)
        else:
            await super().handle(scope, receive, send)


def _named(request: Request, _: Annotated[str, Path(alias="tenant")]) -> Tenant:
    return tenant_of(request)


BadgeTenant = Annotated[Tenant, Depends(_named)]
"""The tenant whose name these addresses always have."""
PAGE_AGE = "public, max-age=300"


def record_of(tenant: Tenant, kind: str, id: str) -> Record:
    """The record of *kind* with this id. Raises ``Refused`` (404)."""
    record = tenant.store.get(kind, id)
    if record is None:
        raise Refused(f"There is no such {kind}.", status=404, error="not_found")
    return record


def as_json(value: Any, media_type: str = "application/json", age: str = PAGE_AGE) -> Response:
    """*value* as an answer that may be kept as *age* says."""
    body = json.dumps(value, ensure_ascii=False)
    return Response(body, media_type=media_type, headers={"cache-control": age, "vary": "accept"})


def sends(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """The answer 200, for the OpenAPI document: JSON is an object there, all else (text, images, a JWT) a string."""
    content = {kind: {"schema": {"type": "object" if _is_json(kind) else "string"}} for kind in media_types}
    return {200: {"description": "It is there.", "content": content}}


def _is_json(media_type: str) -> bool:
    """Whether it is JSON; ``application/vc`` is, though its name does not say so (W3C VCDM 2.0, 6.3)."""
    return media_type == "application/vc" or media_type.endswith(("/json", "+json"))


class WalletRoute(LateRoute):
    """A POST route that also answers a CORS preflight, for wallets that are pages; the same address may have a GET."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ``starlette.routing.Route``."""
        if scope["method"] == "OPTIONS":
            # "*" does not stand for Authorization (the Fetch standard, CORS protocol)
            told = _preflight("GET, HEAD, POST, OPTIONS", "*, Authorization")
            await Response(status_code=204, headers=told | ANYBODY)(scope, receive, send)
        else:
            await super().handle(scope, receive, send)
