"""The page of an employer: the skills of those of its staff who agreed, and a link to ask one more. No logic."""

from __future__ import annotations

from fastapi import Response

from lrs.kernel.errors import Refused
from lrs.matching import employers
from lrs.matching.consent import links
from lrs.matching.services import Service
from lrs.pages import employer_view
from lrs.pages.employer_view import SkillMatrix
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router
from lrs.web.late import Router
from lrs.web.listing import as_csv, as_json, asked_of, listing
from lrs.web.origins import pages_address_for

PLACE = "/employer"
READ, ASK = "employees.read", "employees.ask"


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="The skills of one's staff who agreed", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _page(visit)

    @router.get(f"{PLACE}.csv", summary="The skills of one's staff who agreed, as CSV", openapi_extra=SIGNED_IN)
    def table(visit: Visiting) -> Response:
        found, _ = _matrix(visit)
        return as_csv(asked_of(visit.request, found.of_file, sort="next"), found.rows, "staff")

    @router.get(f"{PLACE}.json", summary="The skills of one's staff who agreed, as JSON", openapi_extra=SIGNED_IN)
    def objects(visit: Visiting) -> Response:
        found, _ = _matrix(visit)
        return as_json(asked_of(visit.request, found.of_objects, sort="next"), found.objects, "staff")

    @router.post(
        PLACE,
        summary="Makes a link on which somebody of one's staff can agree, shown once",
        openapi_extra=form_body("employer", "called", "address") | SIGNED_IN,
    )
    def ask(visit: Visiting, body: FormBody) -> Response:
        told, tenant = visit.fields(body), visit.tenant
        address, called = told.get("address", "").strip(), told.get("called", "")
        try:
            wanted = _wanted(visit, told.get("employer", ""))
            link = employers.ask(tenant, wanted, address, called, by=visit.session.by)
        except Refused as refused:
            return _page(visit, refused, given={"called": called, "address": address})
        return _page(visit, link=links.address(tenant, link, pages_address_for(visit.request)))

    return router


def _own(visit: Visit, right: str = READ) -> list[Service]:
    return employers.of_ids(visit.tenant, visit.caller.owned(right))


def _wanted(visit: Visit, id: str) -> Service:
    found = next((one for one in _own(visit, ASK) if id in {"", one.id}), None)
    if found is None:
        raise Refused("Choose for which employer you ask.", error="no_employer")
    return found


def _matrix(visit: Visit) -> tuple[SkillMatrix, bool]:
    """The table, and whether everybody who agreed is in it."""
    found = [employers.employees(visit.tenant, each) for each in _own(visit)]
    return employer_view.matrix([one for staff in found for one in staff.people]), all(staff.whole for staff in found)


def _page(
    visit: Visit, refused: Refused | None = None, *, link: str = "", given: dict[str, str] | None = None
) -> Response:
    own, (found, whole) = _own(visit), _matrix(visit)
    part = employer_view.part_of(found, visit.request.query_params.get("skills", ""))
    return visit.page(
        "staff/employer.html",
        refused.status if refused else 200,
        employers=[(one.id, one.name) for one in own],
        list=listing(employer_view.asked(visit.request, part), part.rows),
        skills=employer_view.parts(found, part, visit.root + PLACE),
        most=0 if whole else employers.MOST,
        link=link,
        given=given or {"called": "", "address": ""},
        asked=employer_view.requests(
            [(one.name, employers.asked(visit.tenant, one)) for one in own], visit.tenant.settings.zone
        ),
        problem=refused.message if refused else "",
    )
