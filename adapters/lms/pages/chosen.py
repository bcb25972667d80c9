"""The page on which staff open a course for learners that they choose from a list, and take it back. No logic."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Response

from adapters.lms.courses import openings
from adapters.lms.courses.courses import Course
from adapters.lms.courses.structure import shown_title
from adapters.lms.pages.own_courses import OPEN, PLACE, own_course
from lrs.access import Caller
from lrs.competency import listed
from lrs.competency.dates import day_of
from lrs.competency.listed import ListedLearner
from lrs.kernel.errors import Refused
from lrs.pages import learners_view, reach, session
from lrs.pages.session import chosen
from lrs.pages.views import identifier_shown
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, says
from lrs.people.persons import holders
from lrs.storage import ROWS
from lrs.web.late import Router
from lrs.web.listing import ListColumn, ListRow, asked_of, listing

CHOSEN = f"{PLACE}/{{id}}/chosen"
COLUMNS = tuple(one for one in learners_view.COLUMNS if one.name in {"name", "known", "skill", "provider"})
MOST = 200
"""Learners that one form names."""
LISTED = 500
"""Learners for whom a course is open that one part of the page lists, the last first."""
_ROWS_EACH = 3

says(
    course_chosen="The learners whom you ticked may open this course now, on their own pages.",
    course_taken_back="The learners whom you ticked open this course no longer. A part that is open now goes on.",
)


def add_chosen(router: Router) -> None:
    """Adds its routes."""

    @router.get(CHOSEN, summary="For whom a course is open, and learners to choose from", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return _shown(visit, own_course(visit, id, OPEN))

    @router.post(
        CHOSEN,
        status_code=303,
        summary="Looks for learners, opens a course for those who are ticked, or takes it back",
        openapi_extra=form_body("act", "who", "person") | SIGNED_IN,
    )
    def act(visit: Visiting, id: str, body: FormBody) -> Response:
        pairs = session.pairs(visit.tenant, body, visit.session.nonce, most=MOST + 5)
        told, persons = dict(pairs), [value for name, value in pairs if name == "person"]
        course = own_course(visit, id, OPEN)
        if told.get("act") == "find":
            return _shown(visit, course, wanted=told.get("who", "").strip())
        try:
            done = _changed(visit, course, told, persons)
        except Refused as refused:
            if refused.status not in {400, 409}:
                raise
            return _shown(visit, course, refused=refused)
        return visit.on(CHOSEN.format(id=course.id), done)


def _changed(visit: Visit, course: Course, told: Mapping[str, str], persons: Sequence[str]) -> str:
    """The word of the message about what was done for *persons*. Raises ``Refused``."""
    store, by, now = visit.tenant.store, visit.session.by, visit.tenant.clock()
    act = chosen(told, "act", ("open", "back"))
    if not persons:
        raise Refused("Tick at least one learner first.", error="nobody")
    for person in persons:
        reach.check_reach(store, visit.caller, person, OPEN)
    if set(persons) - holders(store, persons).keys():
        raise reach.nobody_here()
    weight = ROWS * _ROWS_EACH * len(persons)
    if act == "open":
        store.write(lambda tx: openings.open_for_in(tx, course, persons, by, now), weight=weight).result()
        return "course_chosen"
    store.write(lambda tx: openings.take_back_in(tx, course.id, persons, by), weight=weight).result()
    return "course_taken_back"


def _shown(visit: Visit, course: Course, *, wanted: str = "", refused: Refused | None = None) -> Response:
    sources = reach.own_sources(visit.caller, OPEN)
    learners = openings.learners(visit.tenant.store, course.id)
    opened = _within(visit, learners, sources)
    parts = max(1, -(-len(opened) // LISTED))
    part = _part_asked(visit, parts)
    rows, whole = _choices(visit, wanted, set(learners))
    asked = asked_of(visit.request, _columns(visit.caller), sort="name")
    found = listing(asked, rows, files=False, whole=whole, dressed=learners_view.dressed)
    return visit.page(
        "staff/course-chosen.html",
        refused.status if refused else 200,
        problem=refused.message if refused else "",
        one={
            "id": course.id,
            "title": shown_title(course.title),
            "for_all": course.open_to_learners,
            "can_open": not (course.client or course.withdrawn),
        },
        opened=[_opened(id, one, sources) for id, one in opened[(part - 1) * LISTED : part * LISTED]],
        later=part - 1,
        earlier_part=part + 1,
        earlier=max(0, len(opened) - part * LISTED),
        others=len(learners) - len(opened),
        list=found,
        choices=[_choice(row) for row in found["rows"]],
        wanted=wanted,
        sources=sorted(sources or ()),
    )


def _columns(caller: Caller) -> tuple[ListColumn, ...]:
    """The columns to choose by: skills only for who may read them of all the learners that the page shows."""
    sources = reach.own_sources(caller, OPEN)
    may_read = caller.may_all(reach.READ) or (sources is not None and sources <= caller.owned(reach.READ))
    return tuple(one for one in COLUMNS if one.name != "skill" or (caller.may(reach.READ) and may_read))


def _part_asked(visit: Visit, parts: int) -> int:
    """Which of the *parts* of those for whom the course is open the address asks for, from 1 on."""
    asked = visit.request.query_params.get("opened", "")
    return min(max(int(asked), 1), parts) if re.fullmatch("[0-9]{1,6}", asked) else 1


def _within(visit: Visit, learners: Sequence[str], sources: frozenset[str] | None) -> list[tuple[str, ListedLearner]]:
    """Those of *learners* who are within the visitor's reach: for who reaches all, also who is not on the list yet."""
    records = visit.tenant.store.get_many(listed.KIND, learners) if learners else {}
    told = {id: listed.read(record) for id, record in records.items()}
    known = ((id, told.get(id, ListedLearner())) for id in learners)
    return [(id, one) for id, one in known if sources is None or one.sources & sources]


def _opened(id: str, one: ListedLearner, sources: frozenset[str] | None) -> dict[str, Any]:
    text = learners_view.called(one, sources)
    return {"value": id, "text": text, "hint": _known(one, sources), "on": False}


def _known(one: ListedLearner, sources: frozenset[str] | None) -> str:
    known = [each for each in one.known if sources is None or sources.intersection(each.sources)]
    return "; ".join(identifier_shown(each.ifi)[1] for each in known[: learners_view.SHOWN])


def _choices(visit: Visit, wanted: str, opened: set[str]) -> tuple[list[ListRow], bool]:
    """The rows of learners within reach, but for those who are *opened*, and whether these are all.

    *wanted* and the address choose among them.
    """
    tenant, sources = visit.tenant, reach.own_sources(visit.caller, OPEN)
    found, whole = listed.chosen(tenant.store, sources=sources)
    left = [one for one in found if one[0] not in opened]
    if wanted:
        left = learners_view.named(left, wanted, sources)
    chosen = asked_of(visit.request, _columns(visit.caller)).chosen
    today = day_of(tenant.clock(), tenant.settings.zone)
    return learners_view.rows(left, today=today, root=visit.root, sources=sources, chosen=chosen), whole


def _choice(row: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A learner to tick, from the cells of a row: the person, the name, and what they are known by."""
    person = str(row[0]["address"]).rpartition("/")[2]
    return {"value": person, "text": row[0]["text"], "hint": row[1]["text"], "on": False}
