"""The page on which people are put onto a roster: who is new and who is known is said before. No logic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import Response

from adapters.reading.vocabulary import iri
from adapters.training_centre import acts
from adapters.training_centre.attendees import MOST
from adapters.training_centre.centre_sessions import CentreSession
from adapters.training_centre.day import RUN
from adapters.training_centre.known_people import RosterEntry, chosen_in, entries, known_people
from adapters.training_centre.pages import view
from adapters.training_centre.pages.marking import day_of
from adapters.training_centre.planning import people_in
from lrs.kernel.errors import Refused
from lrs.pages import reach, session
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, says
from lrs.web.late import Router
from lrs.xapi.statements.subscriptions import Subscriptions

ONE = "/staff/sessions/{id}"
_FIELDS = 2 * MOST
"""Fields of the form: a choice for each person, and a few more."""

says(people_added="They are on the roster.")


def add_people(router: Router, subscriptions: Subscriptions) -> None:
    """Adds the route."""

    @router.post(
        f"{ONE}/people",
        summary="Puts people on a roster; shows before who of them is new",
        openapi_extra=form_body("people", "looked") | SIGNED_IN,
    )
    def add(visit: Visiting, id: str, body: FormBody) -> Response:
        told = dict(session.pairs(visit.tenant, body, visit.session.nonce, most=_FIELDS))
        day, typed = day_of(visit, subscriptions, RUN), told.get("people", "")
        _, one = day.session(visit.tenant.store, id)
        found: list[RosterEntry] = []
        try:
            found = _entries(visit, one, typed)
            is_looked_at = typed.split() == told.get("looked", "").split()
            if not is_looked_at and not all(entry.is_plain for entry in found):
                return _check(visit, one, typed, found)
            acts.enrol(day, id, chosen_in(found, told))
        except Refused as refused:
            return _check(visit, one, typed, found, refused)
        return visit.on(f"/staff/sessions/{id}", "people_added")


def _entries(visit: Visit, one: CentreSession, typed: str) -> list[RosterEntry]:
    people = people_in(typed, iri("providers", one.centre), one.id, visit.tenant.clock(), visit.session.by)
    return entries(people, known_people(visit.tenant.store, one.centre, reach.own_sources(visit.caller)))


def _check(
    visit: Visit, one: CentreSession, typed: str, found: Sequence[RosterEntry], refused: Refused | None = None
) -> Response:
    return visit.page(
        "staff/session-people.html",
        refused.status if refused else 200,
        one=view.about(one, visit.tenant.clock()),
        typed=typed,
        people=[_shown(entry) for entry in found],
        new=sum(entry.known is None for entry in found),
        known=sum(entry.known is not None for entry in found),
        problem=refused.message if refused else "",
    )


def _shown(entry: RosterEntry) -> dict[str, Any]:
    """A person of the typed list, with who is known by the same sign or the same name."""
    return {
        "id": entry.one.id,
        "name": entry.one.name,
        "known_as": ", ".join(ifi.written for ifi in entry.one.identifiers),
        "known": entry.known.said if entry.known else "",
        "alike": [{"id": one.id, "said": one.said} for one in entry.alike],
    }
