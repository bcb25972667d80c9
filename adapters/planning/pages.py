"""The page of planning, its files, and what is sent to it: demand, districts, the smallest number. No logic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

from fastapi import Request, Response

from adapters.planning import demand, figures, report
from adapters.planning.demand import RowReason
from adapters.planning.figures import UNKNOWN, KeptShown, ShownPlanning
from adapters.planning.report import ReportLine, ReportNames
from lrs.access.source_names import SourceNames
from lrs.competency.dates import day_of
from lrs.kernel.errors import Refused
from lrs.matching.roles import roles
from lrs.pages.list_files import add_files
from lrs.pages.sent_file import sent_file
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says, uploads
from lrs.storage import Store
from lrs.storage.edge import read
from lrs.web.dates import written_moment
from lrs.web.language import DONE
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing
from lrs.web.shared import shared

PLACE = "/planning"
YEAR, REGION = "wanted_in", "living_in"
"""Parameters that choose the year and the region of supply and demand; they narrow no list."""
MOST_BYTES = 4 * 1024 * 1024
LISTED = 50
"""Rows that were left out, with the reason, on the page."""
says(
    planning_asked="The numbers are worked out now. Reload the page in a moment.",
    planning_k="The smallest number that is shown is kept. The numbers are worked out anew now.",
    planning_taken="The file is taken.",
)


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="How many people can do what, against how many are wanted", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _page(visit)

    add_files(router, PLACE, "The report for planning", report.COLUMNS, _rows, name="planning", sort="part")

    _add_acts(router)
    _add_files(router)
    return router


def _add_acts(router: Router) -> None:
    @router.post(
        PLACE, status_code=303, summary="Has the numbers worked out now", openapi_extra=form_body() | SIGNED_IN
    )
    def count(visit: Visiting, body: FormBody) -> Response:
        visit.fields(body)
        visit.tenant.store.write(lambda tx: figures.ask(tx, visit.session.by)).result()
        return visit.on(PLACE, "planning_asked")

    @router.post(
        f"{PLACE}/smallest",
        status_code=303,
        summary="Keeps the smallest number that is shown",
        openapi_extra=form_body("k") | SIGNED_IN,
    )
    def keep(visit: Visiting, body: FormBody) -> Response:
        told, by = visit.fields(body), visit.session.by
        try:
            visit.tenant.store.write(lambda tx: figures.set_k(tx, told.get("k", ""), by)).result()
        except Refused as refused:
            return _page(visit, refused)
        return visit.on(PLACE, "planning_k")


def _add_files(router: Router) -> None:
    @router.post(
        f"{PLACE}/files", status_code=303, summary="Takes a table of demand", openapi_extra=uploads() | SIGNED_IN
    )
    async def wanted(request: Request, visit: Visiting) -> Response:
        return await _taken(request, visit, _demand)

    @router.post(
        f"{PLACE}/regions",
        status_code=303,
        summary="Takes a table of postcode districts",
        openapi_extra=uploads() | SIGNED_IN,
    )
    async def regions(request: Request, visit: Visiting) -> Response:
        return await _taken(request, visit, demand.take_regions)


def _demand(store: Store, content: bytes, by: str) -> list[RowReason]:
    return demand.take(store, content, by).lost


async def _taken(request: Request, visit: Visit, take: Callable[[Store, bytes, str], list[RowReason]]) -> Response:
    """Takes the table in a form; says on the page what is wrong with it, or with its rows."""
    try:
        async with sent_file(request, visit, MOST_BYTES) as sent:
            content = await sent.file.read()
        lost = await read(take, visit.tenant.store, content, visit.session.by)
    except Refused as refused:
        if refused.status not in {400, 413}:
            raise
        return await read(_page, visit, refused)
    return await read(_page, visit, None, lost) if lost else visit.on(PLACE, "planning_taken")


def _today(visit: Visit) -> date:
    return day_of(visit.tenant.clock(), visit.tenant.settings.zone)


def _shown(visit: Visit) -> ShownPlanning:
    return figures.shown_now(visit.tenant, shared(visit.request, KeptShown))


def _lines(visit: Visit, kept: ShownPlanning) -> list[ReportLine]:
    store = visit.tenant.store
    names = ReportNames({one.id: one for one in roles.everyone(store)}, _today(visit), SourceNames(store).known)
    return report.lines(kept.counts, demand.everything(store), names)


def _rows(visit: Visit) -> list[ListRow]:
    return report.rows(_lines(visit, _shown(visit)))


def _page(visit: Visit, refused: Refused | None = None, lost: list[RowReason] | None = None) -> Response:
    tenant, kept = visit.tenant, _shown(visit)
    found = _lines(visit, kept)
    years, regions = report.years(found, _today(visit)), report.regions(found)
    year = _given(visit, YEAR, years) or next(iter(years), "")
    region = _given(visit, REGION, regions)
    beside = {name: value for name, value in ((YEAR, _given(visit, YEAR, years)), (REGION, region)) if value}
    asked = replace(asked_of(visit.request, report.COLUMNS, sort="part"), beside=beside)
    return visit.page(
        "staff/planning.html",
        refused.status if refused else 200,
        problem=refused.message if refused else "",
        lost=(lost or [])[:LISTED],
        protects=may(visit.caller)(f"{PLACE}/smallest", "POST"),
        k=kept.k,
        counted=written_moment(kept.at, tenant.settings.zone) if kept.at else "",
        year=year,
        years=[_choice(one, year, {YEAR: one, REGION: region}) for one in years],
        region=region,
        unknown=UNKNOWN,
        regions=[_choice(one, region, {YEAR: year, REGION: one}) for one in ("", *regions)],
        missing=report.by_region(found, year, region),
        supply=report.supply_chart(found, year, region),
        path=report.path_chart(found),
        ending=report.ending_chart(found),
        seats=report.seats_chart(found),
        unpeopled=report.unpeopled(found) if kept.at else [],
        districts=len(demand.regions_of(tenant.store)),
        known_regions=sorted(set(demand.regions_of(tenant.store).values())),
        known_roles=sorted((one.label, one.id) for one in roles.everyone(tenant.store)),
        is_narrowed=bool(visit.request.query_params.keys() - {YEAR, REGION, DONE}),
        list=listing(asked, report.rows(found)),
    )


def _given(visit: Visit, name: str, known: Sequence[str]) -> str:
    """The value of the parameter *name*, if it is a *known* one; else empty."""
    value = visit.request.query_params.get(name, "")
    return value if value in known else ""


def _choice(text: str, chosen: str, query: dict[str, str]) -> dict[str, object]:
    return {"text": text, "query": urlencode(query), "chosen": text == chosen}
