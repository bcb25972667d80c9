"""The pages of roles, for everybody, without sign-in: a list, one role, and one to show on other sites. No logic."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, NamedTuple

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from adapters.catalogue import role_view
from adapters.catalogue.entries import entries
from adapters.catalogue.looks import PublicLooks
from lrs.competency.dates import day_of
from lrs.competency.frameworks.frameworks import published
from lrs.kernel.errors import Refused
from lrs.matching.roles import roles
from lrs.matching.roles.gap import Role
from lrs.matching.roles.nearest import in_effect
from lrs.pages import front
from lrs.pages.me.facts import all_roles
from lrs.pages.visit import page_router, public_frame
from lrs.tenancy.tenants import Tenant
from lrs.web.accept import preferred
from lrs.web.dates import written_day
from lrs.web.exchange import address_of
from lrs.web.language import language_of
from lrs.web.late import Router
from lrs.web.listing import Asked, ListRow, as_csv, as_json, asked_of, chosen_rows, listing
from lrs.web.page import Pages, page_in_language
from lrs.web.page_policy import PagePolicy
from lrs.web.routing import Here
from lrs.web.shared import shared

PLACE = "/roles"
HTML, JSON = "text/html", "application/json"
PAGES = {
    "roles": Pages(PagePolicy(), front.refusal, negotiated=True, frame=public_frame),
    "embedded": Pages(PagePolicy(framed_by_all=True, forms=False), front.refusal, negotiated=True),
}
"""Those for everybody that have a search; and those that every site may show in a frame, and that know nobody."""
_VARY = {"vary": "accept"}
_BOTH: dict[int | str, dict[str, Any]] = {200: {"content": {JSON: {"schema": {"type": "object"}}}}}
RoleId = Annotated[str, Query(max_length=500)]


class RoleShown(NamedTuple):
    """A role on a day: as it is stored, and as programs read it."""

    stored: Role
    told: dict[str, Any]


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="The roles in effect on a day (today), as a page or as JSON", responses=_BOTH)
    def show(request: Request, tenant: Here, on: date | None = None) -> Response:
        shared(request, PublicLooks).admit(request, tenant)
        asked, rows = _asked(request, on), _rows(request, tenant, on)
        day = on or _today(tenant)
        if _wants_json(request):
            told = {"on": day.isoformat(), "roles": [_told(one) for one in chosen_rows(asked, rows)]}
            return JSONResponse(told, headers=_VARY)
        chosen = written_day(on, language_of(request)) if on else ""
        return _page(request, "public/roles.html", list=listing(asked, rows), on=chosen, day=day.isoformat())

    @router.get(f"{PLACE}.csv", summary="The roles, as CSV")
    def table(request: Request, tenant: Here, on: date | None = None) -> Response:
        shared(request, PublicLooks).admit(request, tenant)
        return as_csv(_asked(request, on), _rows(request, tenant, on), "roles")

    @router.get(f"{PLACE}.json", summary="The roles, as JSON")
    def objects(request: Request, tenant: Here, on: date | None = None) -> Response:
        shared(request, PublicLooks).admit(request, tenant)
        return as_json(_asked(request, on), _rows(request, tenant, on), "roles")

    @router.get(
        f"{PLACE}/one",
        summary="What a role asks for on a day (today), and what leads there, as a page or as JSON",
        responses=_BOTH,
    )
    def one(request: Request, tenant: Here, role: RoleId, on: date | None = None) -> Response:
        shared(request, PublicLooks).admit(request, tenant)
        return _one(request, tenant, role, on, "public/role.html")

    @router.get(f"{PLACE}/embed", summary="The same, to show in a frame on another site", responses=_BOTH)
    def embed(request: Request, tenant: Here, role: RoleId, on: date | None = None) -> Response:
        shared(request, PublicLooks).admit(request, tenant)
        return _one(request, tenant, role, on, "public/role-embedded.html")

    return router


def _one(request: Request, tenant: Tenant, id: str, on: date | None, template: str) -> Response:
    root, language = address_of(request), language_of(request)
    found = _shown(tenant, id, on, root)
    here = {"on": (on or _today(tenant)).isoformat(), "address": role_view.address(root, id, on)}
    if _wants_json(request):
        return JSONResponse(found.told | here, headers=_VARY)
    return _page(
        request,
        template,
        role=found.told,
        parts=role_view.parts(found.told, language),
        effect=role_view.effect(found.stored, language),
        on=written_day(on, language) if on else "",
        address=here["address"],
        frame_code=role_view.frame_code(role_view.address(root, id, on, "embed"), found.stored.label),
    )


def _shown(tenant: Tenant, id: str, on: date | None, root: str) -> RoleShown:
    """The role *id*. Raises ``Refused`` (404) if there is none, or none in effect on the day."""
    day, stored = on or _today(tenant), roles.get(tenant.store, id)
    if not in_effect(stored, day):
        told = f"This role has effect {role_view.effect(stored)}, and not on {written_day(day)}."
        how = f"For another day, add on= to the address, such as on={(stored.valid_from or stored.valid_until or day)}."
        raise Refused(f"{told} {how}", status=404, error="role_not_in_effect")
    return RoleShown(
        stored, role_view.role(stored, published(tenant.store), entries(tenant.store, tenant.clock()), root)
    )


def _page(request: Request, template: str, /, **shown: Any) -> Response:
    answer = page_in_language(request, template, root=address_of(request), **shown)
    answer.headers.update(_VARY)
    return answer


def _rows(request: Request, tenant: Tenant, on: date | None) -> list[ListRow]:
    found = roles.labelled(tenant.store, all_roles(tenant.store))
    return role_view.listed(found, on or _today(tenant), address_of(request), on)


def _told(row: ListRow) -> dict[str, Any]:
    return dict(row.values) | {"address": row.links["role"]}


def _asked(request: Request, on: date | None) -> Asked:
    return replace(asked_of(request, role_view.ROLES, sort="role"), beside={"on": on.isoformat()} if on else {})


def _wants_json(request: Request) -> bool:
    return preferred(request.headers.get("accept"), (HTML, JSON)) == JSON


def _today(tenant: Tenant) -> date:
    return day_of(tenant.clock(), tenant.settings.zone)
