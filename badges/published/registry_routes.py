"""The public address of the registry of issuers that an organisation trusts. Decides nothing."""

from __future__ import annotations

from fastapi import Request, Response

from badges.prior.trusted import registry
from badges.published.public import PAGE_AGE, PublicRoute, as_json, sends
from lrs.web.exchange import tenant_of
from lrs.web.late import Router
from lrs.web.routing import problems

PLACE = "/.well-known/issuer-registry.json"


def routes() -> Router:
    """The router."""
    router = Router(route_class=PublicRoute, tags=["badges"], default_response_class=Response)

    @router.get(
        PLACE,
        responses=problems(404) | sends("application/json"),
        summary="The issuers that the organisation trusts, itself first, in the form of DCC's registries",
    )
    def issuer_registry(request: Request) -> Response:
        return as_json(registry(tenant_of(request)), "application/json", PAGE_AGE)

    return router
