"""The page at ``/``: what this is, and the addresses that matter. Knows nobody and tells nothing about anybody."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from lrs.matching.door import TenantOf, tenant_at
from lrs.pages.render import page
from lrs.tenancy.tenants import Tenant
from lrs.web.accept import preferred
from lrs.xapi.about import release

HTML, JSON = "text/html", "application/json"


def routes(tenant_of: TenantOf) -> APIRouter:
    """To be mounted at ``/`` and at ``/t/{tenant}``."""
    router = APIRouter(tags=["server"])
    _add_front(router, tenant_at(tenant_of))
    return router


def _add_front(router: APIRouter, tenant: Callable[[Request], Tenant]) -> None:
    @router.get(
        "/",
        response_class=HTMLResponse,
        responses={200: {"content": {JSON: {"schema": {"type": "object"}}}}},
        summary="What this is, and the addresses that matter, as a page or as JSON",
    )
    def front(request: Request, here: Annotated[Tenant, Depends(tenant)]) -> Response:
        found = places(root_of(request, here), request.path_params.get("tenant"))
        if preferred(request.headers.get("accept"), (JSON, HTML)) == JSON:
            return JSONResponse({"name": "engraft-lrs", "version": release(), **found}, headers=_VARY)
        answer = page("front.html", title="Engraft", places=found, version=release())
        answer.headers.update(_VARY)
        return answer


_VARY = {"vary": "accept"}


def root_of(request: Request, tenant: Tenant) -> str:
    """Where others reach this server: ``LRS_PUBLIC_URL``, or the address that was asked."""
    return (tenant.settings.public_url or str(request.base_url)).rstrip("/")


def places(root: str, tenant: str | None) -> dict[str, str]:
    """The addresses that somebody needs first, of *tenant* where its name stands in the path."""
    base = f"{root}/t/{tenant}" if tenant else root
    return {"xapi": f"{base}/xapi", "pages": f"{base}/pages", "docs": f"{root}/docs", "openapi": f"{root}/openapi.json"}
