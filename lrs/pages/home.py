"""The first page of a member of staff: what needs them now, and links to their work. No logic."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from fastapi import Response

from lrs.matching import employers
from lrs.pages import facts, questions, reach, services, work_view
from lrs.pages.console import facts as console_facts
from lrs.pages.facts import Neighbours
from lrs.pages.visit import SIGNED_IN, Visit, Visiting, has_place, may, page_router
from lrs.people import joins
from lrs.web.late import Router

PLACE, PROVIDER, SIGN = "/staff", "/provider", "/staff/sessions/{id}/people/{who}/sign"
MOST_COUNTED = 100
"""Pairs of persons that are counted; above it the page says "at least"."""


Waiting = Callable[[Visit, Neighbours], int]
"""How much waits for the visitor."""


class Card(msgspec.Struct, frozen=True):
    """A place of work: its name in the template, its address, and how much waits there (0 for nothing)."""

    name: str
    address: str
    waits: int = 0


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router()

    @router.get(PLACE, summary="What needs whoever is signed in, and where their work is", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        cards = _cards(visit, neighbours)
        needed = [one for one in (*_also(visit, neighbours), *cards) if one.waits]
        return visit.page("staff/home.html", cards=cards, needed=needed)

    return router


def _pairs(visit: Visit, _: Neighbours) -> int:
    return len(joins.suggestions(visit.tenant.store, most=MOST_COUNTED))


def _open_questions(visit: Visit, _: Neighbours) -> int:
    return questions.waiting(visit)


def _stopped_services(visit: Visit, _: Neighbours) -> int:
    return services.stopped(visit)


def _work(visit: Visit, neighbours: Neighbours) -> int:
    return work_view.needing(facts.work_facts(visit.tenant, neighbours), visit.tenant.clock())


def _mails_and_stopped(visit: Visit, neighbours: Neighbours) -> int:
    """What the console lists beside the work: mails, for whoever may see them, and destinations that are stopped."""
    now = visit.tenant.clock()
    waiting = console_facts.mails(visit.tenant) if may(visit.caller)("/console/mails") else []
    stopped = [one for one in neighbours.destinations(visit.tenant) if not one.active]
    return sum(not one.is_over(now) for one in waiting) + len(stopped)


def _repairs(visit: Visit, neighbours: Neighbours) -> int:
    return neighbours.to_repair(visit.tenant, visit.caller)


def _repairs_of_all(visit: Visit, neighbours: Neighbours) -> int:
    """The same for whoever has no page of their own for it."""
    return 0 if may(visit.caller)(PROVIDER) else _repairs(visit, neighbours)


def _unclosed_sessions(visit: Visit, neighbours: Neighbours) -> int:
    return neighbours.unclosed(visit.tenant, reach.own_sources(visit.caller, "sessions.run"))


def _unsigned(visit: Visit, neighbours: Neighbours) -> int:
    """The checklists that wait for the second signature of the visitor; nothing for whoever may not sign."""
    if not may(visit.caller)(SIGN, "POST"):
        return 0
    return neighbours.unsigned(visit.tenant, visit.caller, reach.own_sources(visit.caller, "sessions.sign"))


def _to_plan(visit: Visit, neighbours: Neighbours) -> int:
    """What a planner has to do; nothing for administrators, who may not plan at all."""
    return 0 if may(visit.caller)("/planning/smallest", "POST") else neighbours.to_plan(visit.tenant)


def _lapsed(visit: Visit, _: Neighbours) -> int:
    """How many of their staff an employer may ask again."""
    own = employers.of_ids(visit.tenant, visit.caller.owned("employees.ask"))
    return sum(employers.lapsed(visit.tenant, one) for one in own)


def _nothing(_: Visit, __: Neighbours) -> int:
    return 0


PLACES: tuple[tuple[str, str, Waiting], ...] = (
    ("sessions", "/staff/sessions", _unclosed_sessions),
    ("checklists", "/staff/checklists", _nothing),
    ("learners", "/staff/learners", _nothing),
    ("same", "/staff/same-person", _pairs),
    ("questions", "/staff/questions", _open_questions),
    ("provider", PROVIDER, _repairs),
    ("apprentices", "/provider/apprentices", _nothing),
    ("employer", "/employer", _lapsed),
    ("imports", "/staff/imports", _repairs_of_all),
    ("services", "/staff/services", _stopped_services),
    ("rules", "/staff/rules", _nothing),
    ("badges", "/staff/badges", _nothing),
    ("work", "/pages/work", _work),
    ("arrivals", "/arrivals", _nothing),
    ("connect", "/connect", _nothing),
    ("courses", "/staff/courses", _nothing),
    ("catalogue", "/staff/catalogue", _nothing),
    ("planning", "/planning", _to_plan),
    ("lms", "/staff/lms", _nothing),
    ("members", "/staff/members", _nothing),
    ("badge-keys", "/staff/badge-keys", _nothing),
    ("console", "/console", _mails_and_stopped),
)
"""The places of work in the order of the page: a name, a pattern of the table of rights, a count."""

ALSO: tuple[tuple[str, str, str, Waiting], ...] = (("signatures", "/staff/sessions", "#signatures", _unsigned),)
"""What needs somebody at a place that has a count of its own: a name, the place, the part of its page, a count."""


def _also(visit: Visit, neighbours: Neighbours) -> list[Card]:
    return [
        Card(name, visit.root + place + part, waits(visit, neighbours))
        for name, place, part, waits in ALSO
        if has_place(visit.caller, name, place)
    ]


def _cards(visit: Visit, neighbours: Neighbours) -> list[Card]:
    """The places that the visitor has."""
    return [
        Card(name, visit.root + place, waits(visit, neighbours))
        for name, place, waits in PLACES
        if has_place(visit.caller, name, place)
    ]
