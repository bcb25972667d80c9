"""The public addresses that badges point to: DID document, status lists, achievements; and, guarded, the badges.

Decides nothing. Who may ask for a badge stands in the table of rights.
"""

from __future__ import annotations

from fastapi import Request, Response

from badges.credentials.list_forms import LIST_FORMS
from badges.credentials.stored import stored_badge
from badges.forms import FORMS
from badges.forms.sd_jwt import issuer_address
from badges.keys.issuer import Issuer, issuer_of
from badges.keys.ring import ring_of
from badges.published import achievement_routes
from badges.published.public import PAGE_AGE, BadgeTenant, PublicRoute, as_json, record_of, sends
from lrs.kernel.errors import Refused
from lrs.tenancy.tenants import Tenant
from lrs.web.accept import preferred
from lrs.web.exchange import tenant_of
from lrs.web.late import Router
from lrs.web.routing import WITH_KEY, problems

_LIST_AGE = "public, max-age=60"


def routes() -> Router:
    """The router."""
    router = Router(route_class=PublicRoute, tags=["badges"], default_response_class=Response)
    guarded = Router(tags=["badges"], default_response_class=Response)

    _add_keys(router)
    _add_lists(router)
    _add_badges(guarded)
    router.routes.extend([*achievement_routes.routes().routes, *guarded.routes])
    return router


def _add_keys(router: Router) -> None:
    """The issuer's keys, in each form that verifiers read."""

    @router.get(
        "/t/{tenant}/did.json",
        responses=problems(404) | sends("application/did+json"),
        summary="The issuer's keys, as a DID document",
    )
    def did(tenant: BadgeTenant) -> Response:
        issuer = _with_address(tenant, "did:web")
        return as_json(issuer.did_document(), "application/did+json", PAGE_AGE)

    @router.get(
        "/.well-known/jwks.json",
        responses=problems(404) | sends("application/jwk-set+json"),
        summary="The issuer's keys, as a JWK Set with the issuer of each",
    )
    def jwks(request: Request) -> Response:
        return as_json(issuer_of(tenant_of(request)).jwks(), "application/jwk-set+json", PAGE_AGE)

    @router.get(
        "/.well-known/jwt-vc-issuer/t/{tenant}",
        responses=problems(404) | sends("application/json"),
        summary="The keys of an issuer of SD-JWT VCs",
    )
    def jwt_vc_issuer(tenant: BadgeTenant) -> Response:
        issuer = _with_address(tenant, "address")
        return as_json({"issuer": issuer_address(issuer), "jwks": issuer.jwks()}, "application/json", PAGE_AGE)


def _with_address(tenant: Tenant, what: str) -> Issuer:
    """The issuer of *tenant*. Raises ``Refused`` (404) if it has none of *what* an https address gives."""
    issuer = issuer_of(tenant)
    if issuer.demonstration:
        message = f"This issuer has no {what}: this server has no https address."
        raise Refused(message, status=404, error="not_found")
    return issuer


def _add_lists(router: Router) -> None:
    """The status lists."""

    @router.get(
        "/t/{tenant}/status/{name}",
        responses=problems(404, 406) | sends(*LIST_FORMS),
        summary="A status list: signed JSON, or a JWT or a token status list by Accept",
    )
    def status_list(tenant: BadgeTenant, name: str, request: Request) -> Response:
        record = record_of(tenant, "status-list", name)
        asked = preferred(request.headers.get("accept"), tuple(LIST_FORMS))
        content = LIST_FORMS[asked](record.body, ring_of(tenant))
        return Response(content, media_type=asked, headers={"cache-control": _LIST_AGE, "vary": "accept"})


def _add_badges(guarded: Router) -> None:
    """A badge itself."""

    @guarded.get(
        "/t/{tenant}/credentials/{id}",
        responses=problems(401, 403, 404, 406) | sends(*(form.media_type for form in FORMS)),
        summary="One badge, for those who may see it, in the form that Accept asks for",
        openapi_extra=WITH_KEY,
    )
    def credential(tenant: BadgeTenant, id: str, request: Request) -> Response:
        record = record_of(tenant, "credential", id)
        asked = preferred(request.headers.get("accept"), tuple(form.media_type for form in FORMS))
        form = next(form for form in FORMS if form.media_type == asked)
        content = form.make(stored_badge(tenant, record.id, record.body))
        saved_as = f'inline; filename="{record.id}{form.ending}"'
        headers = {"cache-control": "no-store", "vary": "accept", "content-disposition": saved_as}
        return Response(content, media_type=asked, headers=headers)
