"""The pages of the catalogue: for everybody, without sign-in; and for those who fill it. No logic."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from adapters.catalogue import offerings, view
from adapters.catalogue.entries import MOST, CatalogueList, entry, looked_at
from adapters.catalogue.kept_lists import KeptLists
from adapters.catalogue.offerings import Offering
from adapters.catalogue.table import cost_of, hours_of
from adapters.centre.sessions import Gives
from lrs.kernel.errors import Refused
from lrs.matching.door import Here
from lrs.pages import front
from lrs.pages.list_files import add_files
from lrs.pages.visit import REFUSALS, SIGNED_IN, FormBody, Visit, Visiting, form_body, says
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import exchange_of
from lrs.web.listing import ListRow, as_csv, as_json, asked_of, listing
from lrs.web.page import Pages, page, server_root
from lrs.web.page_policy import PagePolicy

PLACE, STAFF = "/catalogue", "/staff/catalogue"
FIELDS = (
    *("id", "title", "sort", "provider", "text", "gives", "hours", "place", "online", "language", "cost", "enrol_at"),
    "course",
)
PAGES = Pages(PagePolicy(), front.refusal)
"""Those for everybody in which one can search."""
says(
    offering_new="It stands in the catalogue.",
    offering_same="It stands in the catalogue as it was.",
    offering_gone="It is out of the catalogue. Its sessions stay.",
)


def routes() -> APIRouter:
    """The router."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse, responses=REFUSALS)
    _add_public(router)
    _add_staff(router)
    return router


def _add_public(router: APIRouter) -> None:
    lists = KeptLists()

    def look(tenant: Tenant) -> CatalogueList:
        return lists.get(tenant.id, tenant.clock(), lambda now: looked_at(tenant.store, now))

    def rows(request: Request, tenant: Tenant) -> list[ListRow]:
        return view.listed(look(tenant).found, _root(request))

    @router.get(PLACE, summary="The catalogue: courses, sessions and placements")
    def show(request: Request, tenant: Here) -> Response:
        asked = asked_of(request, view.CATALOGUE, sort="title")
        found, root = look(tenant), _root(request)
        list = listing(asked, view.listed(found.found, root))
        return page(request, "public/catalogue.html", list=list, root=root, most=MOST if found.is_cut else 0)

    @router.get(f"{PLACE}.csv", summary="The catalogue, as CSV")
    def table(request: Request, tenant: Here) -> Response:
        return as_csv(asked_of(request, view.CATALOGUE, sort="title"), rows(request, tenant), "catalogue")

    @router.get(f"{PLACE}.json", summary="The catalogue, as JSON")
    def objects(request: Request, tenant: Here) -> Response:
        return as_json(asked_of(request, view.CATALOGUE, sort="title"), rows(request, tenant), "catalogue")

    @router.get(f"{PLACE}/{{id}}", summary="One entry of the catalogue, with its dates")
    def one(request: Request, tenant: Here, id: str) -> Response:
        root = _root(request)
        found = entry(tenant.store, id, tenant.clock())
        if found is None:
            raise Refused("This is not in the catalogue any more.", status=404, error="not_found")
        return page(request, "public/catalogue-entry.html", one=view.entry(found, root), root=root)


def _root(request: Request) -> str:
    return f"{server_root(request)}{exchange_of(request).place.base}"


def _add_staff(router: APIRouter) -> None:
    @router.get(STAFF, summary="What is offered, and the form for more", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _list(visit, {})

    add_files(router, STAFF, "What is offered", view.OFFERINGS, _offered, name="offerings", sort="title")

    @router.post(
        STAFF,
        status_code=303,
        summary="Keeps an offering, or drops it",
        openapi_extra=form_body(*FIELDS, "act") | SIGNED_IN,
    )
    def keep(visit: Visiting, body: FormBody) -> Response:
        told, by = visit.fields(body), visit.session.by
        if told.get("act") == "drop":
            visit.tenant.store.write(lambda tx: offerings.drop(tx, told.get("id", ""), by)).result()
            return visit.on(STAFF, "offering_gone")
        try:
            one = offerings.checked(_told(told))
        except Refused as refused:
            return _list(visit, told, refused)
        done = visit.tenant.store.write(lambda tx: offerings.keep(tx, one, by)).result()
        return visit.on(f"{STAFF}/{one.id}", "offering_same" if done == "unchanged" else "offering_new")

    @router.get(f"{STAFF}/{{id}}", summary="One offering, to change", openapi_extra=SIGNED_IN)
    def one(visit: Visiting, id: str) -> Response:
        found = offerings.offering(visit.tenant.store, id)
        if found is None:
            raise Refused("There is no such offering.", status=404, error="not_found")
        return visit.page("staff/offering.html", given=_given(found), problem="")


def _offered(visit: Visit) -> list[ListRow]:
    return view.offerings(offerings.newest(visit.tenant.store, MOST), visit.root)


def _list(visit: Visit, told: dict[str, str], refused: Refused | None = None) -> Response:
    return visit.page(
        "staff/catalogue.html",
        refused.status if refused else 200,
        list=listing(asked_of(visit.request, view.OFFERINGS, sort="title"), _offered(visit)),
        given={name: told.get(name, "") for name in FIELDS},
        problem=refused.message if refused else "",
    )


def _told(told: dict[str, str]) -> Offering:
    line = {name: " ".join(told.get(name, "").split()) for name in FIELDS}
    return Offering(
        line["id"],
        line["title"],
        line["sort"] or "Course",
        line["provider"],
        told.get("text", "").replace("\r\n", "\n").strip(),
        tuple(_gives(each) for each in told.get("gives", "").splitlines() if each.strip()),
        hours_of(line["hours"]),
        line["place"],
        line["online"] == "yes",
        line["language"] or "English",
        cost_of(line["cost"]),
        line["enrol_at"],
        line["course"],
    )


def _gives(text: str) -> Gives:
    """A competency and its level, as ``GOWN, 2``."""
    name, _, level = (part.strip() for part in text.partition(","))
    if level and not (level.isascii() and level.isdigit() and 0 < int(level[:3]) < 100):
        raise Refused(f"{text.strip()[:60]}: a level is a whole number, such as: GOWN, 2", error="bad_offering")
    return Gives(name, int(level) if level else None)


def _given(one: Offering) -> dict[str, str]:
    gives = "\n".join(f"{each.competency}, {each.level}" if each.level else each.competency for each in one.gives)
    pounds = "" if one.cost is None else f"{one.cost / 100:.2f}"
    told = {name: str(getattr(one, name)) for name in ("id", "title", "sort", "provider", "text", "place", "language")}
    return told | {
        "gives": gives,
        "hours": "" if one.hours is None else f"{one.hours:g}",
        "online": "yes" if one.online else "",
        "cost": pounds,
        "enrol_at": one.enrol_at,
        "course": one.course,
    }
