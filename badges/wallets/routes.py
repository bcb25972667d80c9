"""The addresses of VC-API exchanges. No logic.

Wallets ask them, also those that are pages of other sites; a browser that was led there by a QR code gets a page with
the links that open a wallet.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from badges.published.public import PublicRoute, WalletRoute
from badges.wallets import addresses, exchanges, vc_api
from lrs.kernel import strict_json
from lrs.kernel.errors import Refused
from lrs.web.accept import preferred
from lrs.web.exchange import root_of
from lrs.web.late import Router
from lrs.web.page import page_in_language
from lrs.web.routing import Here, problems, small_body

_JSON, _HTML = "application/json", "text/html"
_FRESH = {"cache-control": "no-store"}
_PRESENTATION = {
    "requestBody": {"required": True, "content": {_JSON: {"schema": {"type": "object"}}}},
}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "What the exchange goes on with.", "content": {_JSON: {"schema": {"type": "object"}}}}
}
SmallBody = Annotated[bytes, Depends(small_body)]


def routes() -> Router:
    """The router."""
    router = Router(route_class=WalletRoute, tags=["wallets"], default_response_class=Response)
    public = Router(route_class=PublicRoute, tags=["wallets"], default_response_class=Response)

    _add_interaction(public)
    _add_steps(router)
    router.routes.extend(public.routes)
    return router


def _add_interaction(public: Router) -> None:
    """The address that a wallet is given."""

    @public.get(
        "/t/{tenant}/exchanges/{exchange}",
        responses=problems(404, 410) | _ANSWER,
        summary="The protocols by which a wallet takes a badge, or a page with links to wallets",
    )
    def interaction(request: Request, tenant: Here, exchange: str) -> Response:
        exchanges.found(tenant.store, exchange, tenant.clock())
        base, code = addresses.base_of_tenant(root_of(request), tenant.id), exchanges.offer_code(tenant, exchange)
        if preferred(request.headers.get("accept"), (_JSON, _HTML)) == _JSON:
            return answered(addresses.protocols(base, exchange, code))
        links = {"lcw": addresses.deep_link(base, exchange, code), "openid": addresses.offer(base, code)}
        answer = page_in_language(request, "learner/wallet.html", **links)
        answer.headers["vary"] = "accept"
        return answer


def _add_steps(router: Router) -> None:
    """The steps of an exchange, in both ways wallets ask for them."""

    @router.post(
        "/t/{tenant}/exchanges/{exchange}",
        responses=problems(400, 404, 409, 410, 413) | _ANSWER,
        openapi_extra=_PRESENTATION,
        summary="A step of a VC-API exchange: what is asked for, then the badge for it",
    )
    def step(request: Request, tenant: Here, exchange: str, body: SmallBody) -> Response:
        sent, root = _object(body), root_of(request)
        if "verifiablePresentation" not in sent:
            return answered(vc_api.request(tenant, exchange, root))
        presentation = sent["verifiablePresentation"]
        if not isinstance(presentation, dict):
            raise Refused("The presentation is not an object.", pointer="/verifiablePresentation")
        return answered(vc_api.presented(vc_api.answer(tenant, exchange, presentation, root)))

    @router.post(
        "/t/{tenant}/exchanges/{exchange}/request",
        responses=problems(400, 404, 409, 410, 413) | _ANSWER,
        openapi_extra=_PRESENTATION,
        summary="The badge for a presentation, as older wallets ask for it by a deep link",
    )
    def linked(request: Request, tenant: Here, exchange: str, body: SmallBody) -> Response:
        return answered(vc_api.answer(tenant, exchange, _object(body), root_of(request), linked=True))


def answered(told: Any, status: int = 200) -> Response:
    """*told* as JSON that nobody keeps."""
    return Response(json.dumps(told, ensure_ascii=False), status, _FRESH, media_type=_JSON)


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object in *body*; an empty body is an empty one. Raises ``Refused`` (400)."""
    sent = strict_json.parse(body) if body.strip() else {}
    if not isinstance(sent, dict):
        raise Refused("The body is not a JSON object.", pointer="")
    return sent
