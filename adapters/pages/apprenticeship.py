"""The pages about apprenticeships: a learner's own, one learner's for staff, and a provider's apprentices. No logic."""

from __future__ import annotations

from fastapi import Response

from adapters.apprenticeship.overview import Apprentices, KeptTold, apprentices
from adapters.apprenticeship.progress_read import apprenticeship
from adapters.catalogue.entries import offered_by_course
from adapters.pages.apprenticeship_view import APPRENTICES as APPRENTICE_COLUMNS
from adapters.pages.apprenticeship_view import listed, shown
from lrs.competency.dates import day_of
from lrs.competency.listed import KIND as LISTED
from lrs.competency.listed import read
from lrs.pages import learners_view, reach
from lrs.pages.list_files import add_files
from lrs.pages.me.own_page import dates_of, own_of, own_page
from lrs.pages.views import NO_NAME, identifier_shown
from lrs.pages.visit import SIGNED_IN, Visit, Visiting, page_router
from lrs.people.persons import identifiers_in, members_of
from lrs.web.dates import Dates
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing
from lrs.web.shared import shared

OWN = "/me/apprenticeship"
OF_LEARNER = "/staff/learners/{person}/apprenticeship"
APPRENTICES = "/provider/apprentices"


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(OWN, summary="How far one's own apprenticeship is", openapi_extra=SIGNED_IN)
    def own(visit: Visiting) -> Response:
        found = apprenticeship(visit.tenant, own_of(visit).members, None, offered_by_course)
        told = shown(found, dates_of(visit)) if found else None
        return own_page(visit, "learner/apprenticeship.html", told=told)

    @router.get(OF_LEARNER, summary="How far a learner's apprenticeship is", openapi_extra=SIGNED_IN)
    def of_learner(visit: Visiting, person: str) -> Response:
        reader, sources = visit.tenant.store, reach.own_sources(visit.caller)
        members = members_of(reader, person)
        if not members:
            raise reach.nobody_here()
        reach.check_reach(reader, visit.caller, members[0])
        found = apprenticeship(visit.tenant, members, sources, offered_by_course)
        told = shown(found, Dates(visit.tenant.settings.zone)) if found else None
        name = called(visit, members)
        return visit.page("staff/apprenticeship.html", person=members[0], name=name, told=told, sources=sources)

    _add_apprentices(router)
    return router


def _add_apprentices(router: Router) -> None:
    @router.get(APPRENTICES, summary="A provider's apprentices, and how far they are", openapi_extra=SIGNED_IN)
    def of_provider(visit: Visiting) -> Response:
        seen = _apprentices(visit)
        found = listing(
            asked_of(visit.request, APPRENTICE_COLUMNS, sort="-start"), _rows(visit, seen), whole=seen.whole
        )
        lacks_record = any("record" in one.lacks for _, one in seen.found)
        return visit.page("staff/apprentices.html", list=found, lacks_record=lacks_record)

    add_files(
        router,
        APPRENTICES,
        "A provider's apprentices",
        APPRENTICE_COLUMNS,
        lambda visit: _rows(visit, _apprentices(visit)),
        name="apprentices",
        sort="-start",
    )


def _apprentices(visit: Visit) -> Apprentices:
    sources = reach.own_sources(visit.caller) or frozenset[str]()
    return apprentices(visit.tenant, sources, shared(visit.request, KeptTold), offered_by_course)


def _rows(visit: Visit, seen: Apprentices) -> list[ListRow]:
    tenant, sources = visit.tenant, reach.own_sources(visit.caller)
    today = day_of(tenant.clock(), tenant.settings.zone)
    known = tenant.store.get_many(LISTED, [person for person, _ in seen.found]) if seen.found else {}
    names = {id: learners_view.called(read(record), sources) for id, record in known.items()}
    return [listed(id, names.get(id, NO_NAME), one, today, visit.root) for id, one in seen.found]


def called(visit: Visit, members: tuple[str, ...]) -> str:
    """What the visitor's own sources call a learner: a name, else an identifier that they use."""
    known = reach.known_to(visit.tenant.store, visit.caller, identifiers_in(visit.tenant.store, members))
    name = reach.name_told(visit.tenant.store, known, reach.own_sources(visit.caller))
    return name or next((identifier_shown(one.ifi)[1] for one in known), NO_NAME)
