"""The page of learners who are missing from the newest return of their provider, and its files. No logic."""

from __future__ import annotations

from fastapi import Response

from adapters.apprenticeship.missing import ADAPTER, KeptGone, MissingApprentices, missing_learners
from adapters.imports.senders import senders
from adapters.pages import acts
from adapters.pages.apprenticeship import called
from lrs.pages.list_files import add_files
from lrs.pages.visit import SIGNED_IN, Visit, Visiting, page_router
from lrs.people.persons import members_of
from lrs.web.dates import written_day
from lrs.web.late import Router
from lrs.web.listing import ListColumn, ListRow, asked_of, listing
from lrs.web.shared import shared

PLACE = "/staff/missing-learners"
COLUMNS = (
    ListColumn("name", "Learner"),
    ListColumn("provider", "Provider", facet=True, sources=True),
    ListColumn("standard", "Standard", facet=True),
    ListColumn("year", "Teaching year", facet=True),
    ListColumn("last", "Last return that had them"),
    ListColumn("newest", "Newest return"),
)


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="Learners who are missing from the newest return", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        found = missing_within(visit)
        asked = asked_of(visit.request, COLUMNS, sort="-newest")
        return visit.page("staff/missing-learners.html", list=listing(asked, _listed(visit, found)), whole=found.whole)

    add_files(router, PLACE, "Learners who are missing from the newest return", COLUMNS, _rows, name="missing-learners")
    return router


def missing_within(visit: Visit) -> MissingApprentices:
    """Those of the providers whose files the visitor may bring in."""
    own = acts.reached(visit.caller)
    providers = senders(visit.tenant.store, ADAPTER) if own is None else own
    return missing_learners(visit.tenant, providers, shared(visit.request, KeptGone))


def _rows(visit: Visit) -> list[ListRow]:
    return _listed(visit, missing_within(visit))


def _listed(visit: Visit, missing: MissingApprentices) -> list[ListRow]:
    return [
        ListRow(
            {
                "name": called(visit, members_of(visit.tenant.store, one.person)),
                "provider": one.provider,
                "standard": one.standard,
                "year": one.year,
                "last": one.last,
                "newest": one.newest,
            },
            {"last": written_day(one.last[:10]), "newest": written_day(one.newest[:10])},
            {"name": f"{visit.root}/staff/learners/{one.person}"},
        )
        for one in missing.found
    ]
