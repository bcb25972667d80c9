"""The pages of the catalogue: for everybody, without sign-in; and for those who fill it. No logic."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from adapters.catalogue import offerings, view
from adapters.catalogue.entries import MOST, CatalogueList, entry, looked_at
from adapters.catalogue.looks import PublicLooks
from adapters.catalogue.offerings import Offering
from adapters.catalogue.scales import off_scale, scales_of
from adapters.catalogue.typed import FIELDS, fields_of, offering_in
from adapters.lms.courses import courses
from lrs.competency.frameworks.frameworks import published
from lrs.kernel.errors import Refused
from lrs.kernel.memo import Memo
from lrs.kernel.times import SECOND
from lrs.pages import front
from lrs.pages.list_files import add_files
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, public_frame, says
from lrs.tenancy.tenants import Tenant
from lrs.web.language import language_of
from lrs.web.late import Router
from lrs.web.listing import ListRow, as_csv, as_json, asked_of, listing
from lrs.web.origins import base_of
from lrs.web.page import Pages, page_in_language
from lrs.web.page_policy import PagePolicy
from lrs.web.routing import Here
from lrs.web.shared import shared

PLACE, STAFF = "/catalogue", "/staff/catalogue"
PAGES = Pages(PagePolicy(), front.refusal, frame=public_frame)
"""Those for everybody in which one can search."""
KEPT_FOR = 5 * SECOND
says(
    offering_new="It stands in the catalogue.",
    offering_same="It stands in the catalogue as it was.",
    offering_gone="It is out of the catalogue. Its sessions stay.",
)


class KeptLists(Memo[CatalogueList]):
    """The list of each tenant, worked out once in ``KEPT_FOR``: everybody may ask for it, and it is costly to make."""


def routes() -> Router:
    """The router of those who fill it."""
    router = page_router()
    _add_staff(router)
    return router


def public_routes() -> Router:
    """The router for everybody."""
    router = page_router()
    _add_public(router)
    return router


def _add_public(router: Router) -> None:
    def look(request: Request, tenant: Tenant) -> CatalogueList:
        shared(request, PublicLooks).admit(request, tenant)
        now = tenant.clock()
        return shared(request, KeptLists).get(tenant.id, now // KEPT_FOR, lambda: looked_at(tenant.store, now))

    def rows(request: Request, tenant: Tenant) -> list[ListRow]:
        return view.listed(look(request, tenant).found, base_of(request))

    @router.get(PLACE, summary="The catalogue: courses, sessions and placements")
    def show(request: Request, tenant: Here) -> Response:
        found, root, language = look(request, tenant), base_of(request), language_of(request)
        asked = asked_of(request, view.columns(found.found, language), sort="title")
        list = listing(asked, view.listed(found.found, root, language))
        return page_in_language(
            request, "public/catalogue.html", list=list, root=root, most=MOST if found.is_cut else 0
        )

    @router.get(f"{PLACE}.csv", summary="The catalogue, as CSV")
    def table(request: Request, tenant: Here) -> Response:
        return as_csv(asked_of(request, view.CATALOGUE, sort="title"), rows(request, tenant), "catalogue")

    @router.get(f"{PLACE}.json", summary="The catalogue, as JSON")
    def objects(request: Request, tenant: Here) -> Response:
        return as_json(asked_of(request, view.CATALOGUE, sort="title"), rows(request, tenant), "catalogue")

    @router.get(f"{PLACE}/{{id}}", summary="One entry of the catalogue, with its dates")
    def one(request: Request, tenant: Here, id: str) -> Response:
        shared(request, PublicLooks).admit(request, tenant)
        root = base_of(request)
        found = entry(tenant.store, id, tenant.clock())
        if found is None:
            raise Refused("This is not in the catalogue any more.", status=404, error="not_found")
        shown = view.entry(found, root, language_of(request))
        return page_in_language(request, "public/catalogue-entry.html", one=shown, root=root)


def _add_staff(router: Router) -> None:
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
            one = _offering(visit, told)
        except Refused as refused:
            return _list(visit, told, refused)
        done = visit.tenant.store.write(lambda tx: offerings.keep(tx, one, by)).result()
        return visit.on(f"{STAFF}/{one.id}", "offering_same" if done == "unchanged" else "offering_new")

    @router.get(f"{STAFF}/{{id}}", summary="One offering, to change", openapi_extra=SIGNED_IN)
    def one(visit: Visiting, id: str) -> Response:
        found = offerings.offering(visit.tenant.store, id)
        if found is None:
            raise Refused("There is no such offering.", status=404, error="not_found")
        return visit.page("staff/offering.html", given=fields_of(found), problem="", **_choices(visit, found.course))


def _offering(visit: Visit, told: dict[str, str]) -> Offering:
    """The offering in a form. Raises ``Refused`` (400), also for a level that no framework has of its competency."""
    frameworks = published(visit.tenant.store)
    one, scales = offerings.checked(offering_in(told, frameworks)), scales_of(frameworks)
    if why := next(filter(None, (off_scale(each, scales) for each in (*one.gives, *one.needs))), ""):
        raise Refused(f"{why}.", error="bad_offering")
    return one


def _choices(visit: Visit, course: str) -> dict[str, Any]:
    """What somebody may choose from: courses, and competencies by their codes, names and levels."""
    store = visit.tenant.store
    chosen = view.course_choices(courses.newest(store, MOST), course)
    return {"courses": chosen, "competencies": view.competency_lines(published(store))}


def _offered(visit: Visit) -> list[ListRow]:
    return view.offerings(offerings.newest(visit.tenant.store, MOST), visit.root)


def _list(visit: Visit, told: dict[str, str], refused: Refused | None = None) -> Response:
    return visit.page(
        "staff/catalogue.html",
        refused.status if refused else 200,
        list=listing(asked_of(visit.request, view.OFFERINGS, sort="title"), _offered(visit)),
        given={name: told.get(name, "") for name in FIELDS},
        **_choices(visit, told.get("course", "")),
        problem=refused.message if refused else "",
    )
