"""The addresses of OpenID4VCI. No logic.

The metadata stand in both well-known forms: with the name between host and path, and at the end of the path.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from badges.keys.issuer import issuer_of
from badges.published.public import PublicRoute, WalletRoute
from badges.wallets import addresses, exchanges
from badges.wallets.oid4vci import credentials, metadata, nonces, tokens
from badges.wallets.oid4vci.refusals import WalletRefused
from badges.wallets.routes import SmallBody, answered
from lrs.kernel import strict_json
from lrs.kernel.errors import Refused
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import root_of
from lrs.web.late import Router
from lrs.web.routing import Here, problems

_JSON: dict[int | str, dict[str, Any]] = {
    200: {"description": "It is there.", "content": {"application/json": {"schema": {"type": "object"}}}}
}
_OBJECT = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type", "pre-authorized_code", "tx_code"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": [metadata.GRANT]},
                        "pre-authorized_code": {"type": "string"},
                        "tx_code": {"type": "string"},
                        "authorization_details": {"type": "string"},
                    },
                }
            }
        },
    }
}
ISSUER, SERVER = "openid-credential-issuer", "oauth-authorization-server"


def routes() -> Router:
    """The router."""
    router = Router(route_class=WalletRoute, tags=["wallets"], default_response_class=Response)
    public = Router(route_class=PublicRoute, tags=["wallets"], default_response_class=Response)
    _add_metadata(public)
    _add_endpoints(router)
    router.routes.extend(public.routes)
    return router


def _add_metadata(public: Router) -> None:
    def issuer(request: Request, tenant: Here) -> Response:
        return answered(metadata.issuer_metadata(_base(request, tenant), issuer_of(tenant)))

    def server(request: Request, tenant: Here) -> Response:
        return answered(metadata.server_metadata(_base(request, tenant)))

    for name, told, what in ((ISSUER, issuer, "the issuer of badges"), (SERVER, server, "its authorization server")):
        for path in (f"/.well-known/{name}/t/{{tenant}}", f"/t/{{tenant}}/.well-known/{name}"):
            where = "between host and path" if path.startswith("/.w") else "at the end of the path"
            summary = f"What a wallet has to know of {what} ({where})"
            public.get(path, responses=problems(404) | _JSON, summary=summary)(told)

    @public.get(
        "/t/{tenant}/oid4vci/offers/{offer}", responses=problems(404, 409, 410) | _JSON, summary="A credential offer"
    )
    def offered(request: Request, tenant: Here, offer: str) -> Response:
        _, found = exchanges.offered(tenant.store, offer, tenant.clock())
        if found.way:
            raise Refused("A wallet took this badge by this offer.", status=409, error="taken")
        return answered(metadata.offer(_base(request, tenant), offer, issuer_of(tenant)))


def _add_endpoints(router: Router) -> None:
    @router.post(
        "/t/{tenant}/oid4vci/token",
        responses=problems(400, 413) | _JSON,
        openapi_extra=_FORM,
        summary="An access token for a pre-authorized code",
    )
    def token(request: Request, tenant: Here, body: SmallBody) -> Response:
        return answered(tokens.answer(tenant, request.headers.get("content-type", ""), body))

    @router.post("/t/{tenant}/oid4vci/nonce", responses=_JSON, summary="A nonce for a key proof")
    def nonce(tenant: Here) -> Response:
        return answered({"c_nonce": nonces.make(tenant)})

    @router.post(
        "/t/{tenant}/oid4vci/credential",
        responses=problems(400, 401, 410, 413) | _JSON,
        openapi_extra=_OBJECT,
        summary="The badge for a key proof",
    )
    def credential(request: Request, tenant: Here, body: SmallBody) -> Response:
        sent, authorization = _object(body, "invalid_credential_request"), request.headers.get("authorization")
        return answered(credentials.answer(tenant, authorization, sent, _base(request, tenant)))

    @router.post(
        "/t/{tenant}/oid4vci/notification",
        status_code=204,
        responses=problems(400, 401, 413),
        openapi_extra=_OBJECT,
        summary="Takes what became of a badge in the wallet",
    )
    def notification(request: Request, tenant: Here, body: SmallBody) -> Response:
        sent = _object(body, "invalid_notification_request")
        credentials.notify(tenant, request.headers.get("authorization"), sent)
        return Response(status_code=204, headers={"cache-control": "no-store"})


def _base(request: Request, tenant: Tenant) -> str:
    return addresses.base_of_tenant(root_of(request), tenant.id)


def _object(body: bytes, code: str) -> dict[str, Any]:
    """The JSON object in *body*. Raises ``Refused`` (400) with the error *code*."""
    try:
        sent = strict_json.parse(body)
    except Refused as refused:
        raise WalletRefused(code, refused.message, pointer=refused.pointer) from refused
    if not isinstance(sent, dict):
        raise WalletRefused(code, "The body is not a JSON object.", pointer="")
    return sent
