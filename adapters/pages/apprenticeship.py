"""The pages about apprenticeships: a learner's own, one learner's for staff, and a provider's apprentices. No logic."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from adapters.apprenticeship.progress_read import apprentices, apprenticeship
from adapters.pages.apprenticeship_view import row, shown
from lrs.pages import reach
from lrs.pages.me.own_page import own_of
from lrs.pages.views import NO_NAME, identifier_shown
from lrs.pages.visit import REFUSALS, SIGNED_IN, Visit, Visiting
from lrs.people.persons import identifiers_in, members_of
from lrs.storage import NEWEST
from lrs.web.dates import Dates
from lrs.web.exchange import exchange_of
from lrs.web.language import LEARNERS, keep_choice, language_of

OWN = "/me/apprenticeship"
OF_LEARNER = "/staff/learners/{person}/apprenticeship"
APPRENTICES = "/provider/apprentices"
LISTED = 25
"""Apprentices in one part of the list."""


def routes() -> APIRouter:
    """The router."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse, responses=REFUSALS)

    @router.get(OWN, summary="How far one's own apprenticeship is", openapi_extra=SIGNED_IN)
    def own(visit: Visiting) -> Response:
        language = language_of(visit.request, LEARNERS)
        found = apprenticeship(visit.tenant, own_of(visit).members, None)
        exchange_of(visit.request).language = language
        told = shown(found, Dates(visit.tenant.settings.zone, language)) if found else None
        answer = visit.page("learner/apprenticeship.html", languages=LEARNERS, told=told)
        keep_choice(visit.request, answer, LEARNERS)
        return answer

    @router.get(OF_LEARNER, summary="How far a learner's apprenticeship is", openapi_extra=SIGNED_IN)
    def of_learner(visit: Visiting, person: str) -> Response:
        reader, sources = visit.tenant.store, reach.own_sources(visit.caller)
        members = members_of(reader, person)
        if not members:
            raise reach.nobody_here()
        reach.check_reach(reader, visit.caller, members[0])
        found = apprenticeship(visit.tenant, members, sources)
        told = shown(found, Dates(visit.tenant.settings.zone)) if found else None
        name = called(visit, members)
        return visit.page("staff/apprenticeship.html", person=members[0], name=name, told=told, sources=sources)

    @router.get(APPRENTICES, summary="A provider's apprentices, and how far they are", openapi_extra=SIGNED_IN)
    def of_provider(visit: Visiting, until: Annotated[int, Query(ge=0, le=NEWEST)] = NEWEST) -> Response:
        tenant, sources = visit.tenant, reach.own_sources(visit.caller) or frozenset[str]()
        some = apprentices(tenant, sources, until, LISTED)
        dates = Dates(tenant.settings.zone)
        rows = [
            row(person, called(visit, members), seen.picture, dates)
            for person in some.persons
            if (seen := apprenticeship(tenant, members := members_of(tenant.store, person), sources))
        ]
        further = f"{visit.root}{APPRENTICES}?until={some.further}" if some.further else ""
        return visit.page("staff/apprentices.html", rows=rows, further=further, is_first=until == NEWEST)

    return router


def called(visit: Visit, members: tuple[str, ...]) -> str:
    """What the visitor's own sources call a learner: a name, else an identifier that they use."""
    known = reach.known_to(visit.tenant.store, visit.caller, identifiers_in(visit.tenant.store, members))
    name = reach.name_told(visit.tenant.store, known, reach.own_sources(visit.caller))
    return name or next((identifier_shown(one.ifi)[1] for one in known), NO_NAME)
