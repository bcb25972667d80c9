"""The public addresses that badges point to: DID document, status lists, achievements; and, guarded, the badges.

Decides nothing. Who may ask for a badge stands in the table of rights.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from badges import achievement_view
from badges.forms import FORMS, StoredBadge
from badges.forms.sd_jwt import issuer_address
from badges.issuer import issuer_of
from badges.keys import ring_of
from badges.list_forms import LIST_FORMS
from badges.public import PublicRoute
from lrs.kernel.errors import Refused
from lrs.matching.door import WITH_KEY, problems
from lrs.pages import front
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant
from lrs.web.accept import preferred
from lrs.web.exchange import tenant_of
from lrs.web.page import Pages, page
from lrs.web.page_policy import PagePolicy


def _named(request: Request, _: Annotated[str, Path(alias="tenant")]) -> Tenant:
    """The tenant whose name these addresses always have."""
    return tenant_of(request)


_Here = Annotated[Tenant, Depends(_named)]
_LIST_AGE = "public, max-age=60"
_PAGE_AGE = "public, max-age=300"
PAGES = Pages(PagePolicy(caching=_PAGE_AGE, forms=False), front.refusal, negotiated=True)
"""Those about what a badge stands for."""


def routes() -> APIRouter:
    """The router."""
    router = APIRouter(route_class=PublicRoute, tags=["badges"], default_response_class=Response)
    guarded = APIRouter(tags=["badges"], default_response_class=Response)

    @router.get(
        "/t/{tenant}/did.json",
        responses=problems(404) | _sends("application/did+json"),
        summary="The issuer's keys, as a DID document",
    )
    def did(tenant: _Here) -> Response:
        issuer = issuer_of(tenant)
        if issuer.demonstration:
            raise Refused("This issuer has no did:web: LRS_PUBLIC_URL is not https.", status=404, error="not_found")
        return _json(issuer.did_document(), "application/did+json", _PAGE_AGE)

    @router.get(
        "/.well-known/jwks.json",
        responses=problems(404) | _sends("application/jwk-set+json"),
        summary="The issuer's keys, as a JWK Set with the issuer of each",
    )
    def jwks(request: Request) -> Response:
        return _json(issuer_of(tenant_of(request)).jwks(), "application/jwk-set+json", _PAGE_AGE)

    @router.get(
        "/.well-known/jwt-vc-issuer/t/{tenant}",
        responses=problems(404) | _sends("application/json"),
        summary="The keys of an issuer of SD-JWT VCs",
    )
    def jwt_vc_issuer(tenant: _Here) -> Response:
        issuer = issuer_of(tenant)
        if issuer.demonstration:
            raise Refused("This issuer has no address: LRS_PUBLIC_URL is not https.", status=404, error="not_found")
        return _json({"issuer": issuer_address(issuer), "jwks": issuer.jwks()}, "application/json", _PAGE_AGE)

    @router.get(
        "/t/{tenant}/status/{name}",
        responses=problems(404, 406) | _sends(*LIST_FORMS),
        summary="A status list: signed JSON, or a JWT or a token status list by Accept",
    )
    def status_list(tenant: _Here, name: str, request: Request) -> Response:
        record = _record(tenant, "status-list", name)
        asked = preferred(request.headers.get("accept"), tuple(LIST_FORMS))
        content = LIST_FORMS[asked](record.body, ring_of(tenant))
        return Response(content, media_type=asked, headers={"cache-control": _LIST_AGE, "vary": "accept"})

    @router.get(
        "/t/{tenant}/achievements/{id}",
        responses=problems(404) | _sends("application/json", "text/html"),
        summary="What a badge stands for, as JSON-LD or a page",
    )
    def achievement(tenant: _Here, id: str, request: Request) -> Response:
        found = json.loads(_record(tenant, "achievement", id).body)
        if preferred(request.headers.get("accept"), ("application/json", "text/html")) == "text/html":
            shown = achievement_view.achievement(found, issuer_of(tenant).profile()["name"])
            answer = page(request, "public/achievement.html", **shown)
            answer.headers["vary"] = "accept"
            return answer
        return _json(found, "application/json", _PAGE_AGE)

    @guarded.get(
        "/t/{tenant}/credentials/{id}",
        responses=problems(401, 403, 404, 406) | _sends(*(form.media_type for form in FORMS)),
        summary="One badge, for those who may see it, in the form that Accept asks for",
        openapi_extra=WITH_KEY,
    )
    def credential(tenant: _Here, id: str, request: Request) -> Response:
        record = _record(tenant, "credential", id)
        asked = preferred(request.headers.get("accept"), tuple(form.media_type for form in FORMS))
        form = next(form for form in FORMS if form.media_type == asked)
        content = form.make(StoredBadge(record.id, record.body, ring_of(tenant)))
        saved_as = f'inline; filename="{record.id}{form.ending}"'
        headers = {"cache-control": "no-store", "vary": "accept", "content-disposition": saved_as}
        return Response(content, media_type=asked, headers=headers)

    router.routes.extend(guarded.routes)
    return router


def _sends(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """The answer 200, for the OpenAPI document: JSON is an object there, all else (text, images, a JWT) a string."""
    content = {kind: {"schema": {"type": "object" if _is_json(kind) else "string"}} for kind in media_types}
    return {200: {"description": "It is there.", "content": content}}


def _is_json(media_type: str) -> bool:
    """Whether it is JSON; ``application/vc`` is, though its name does not say so (W3C VCDM 2.0, 6.3)."""
    return media_type == "application/vc" or media_type.endswith(("/json", "+json"))


def _record(tenant: Tenant, kind: str, id: str) -> Record:
    record = tenant.store.get(kind, id)
    if record is None:
        raise Refused(f"There is no such {kind}.", status=404, error="not_found")
    return record


def _json(value: Any, media_type: str, age: str) -> Response:
    body = json.dumps(value, ensure_ascii=False)
    return Response(body, media_type=media_type, headers={"cache-control": age, "vary": "accept"})
