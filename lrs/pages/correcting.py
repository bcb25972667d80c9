"""Corrects a result of a learner without a question: the page, and what the form of a correction says. No logic.

The same correction answers a question (``lrs.pages.questions``): the wrong record is voided, and a new one takes its
place, with who, when and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from fastapi import Response

from lrs.competency import corrections
from lrs.competency.corrections import Correcting, Correction
from lrs.competency.dates import micros_in
from lrs.competency.explain import explain
from lrs.kernel.errors import Refused
from lrs.pages import questions_view, reach
from lrs.pages.arrivals.names import called_in
from lrs.pages.facts import Neighbours
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.people.persons import identifiers_in, members_of, person_named
from lrs.storage import Tx
from lrs.web.late import Router
from lrs.web.origins import pages_address_for

PLACE = "/staff/learners/{person}/correct"
RIGHT = "questions.answer"
FIELDS = ("statement", "day", "score", "success", "new", "why")

says(
    corrected="What was wrong is voided, and the corrected record is stored. Levels and badges follow within seconds.",
)


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router()

    @router.get(PLACE, summary="The results of a learner that can be corrected", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, person: str, statement: str = "") -> Response:
        return _page(visit, _learner(visit, person), {"statement": statement})

    @router.post(
        PLACE,
        status_code=303,
        summary="Corrects a result of a learner by void and new",
        openapi_extra=form_body(*FIELDS) | SIGNED_IN,
    )
    def correct(visit: Visiting, person: str, body: FormBody) -> Response:
        form, holder = visit.fields(body), _learner(visit, person)
        try:
            made = correcting(visit, neighbours, holder, form)
            if made is None:
                raise Refused("Choose the record that is wrong.", pointer="/statement")
            store(visit, made)
        except Refused as refused:
            return _page(visit, holder, form, refused)
        return visit.on(f"/staff/learners/{holder}", "corrected")

    return router


def correcting(visit: Visit, neighbours: Neighbours, person: str, form: Mapping[str, str]) -> Correcting | None:
    """The correction in *form*, if there is one. Raises ``Refused``."""
    if not form.get("statement"):
        return None
    sources, record = reach.own_sources(visit.caller, RIGHT), visit.tenant.store.get("statement", form["statement"])
    if sources is not None and (record is None or record.meta.get("source") not in sources):
        raise Refused("This record is of none of your sources: whoever sent it corrects it.", status=404)
    wanted = Correction(form["statement"], form.get("why", ""), form.get("new") != "no", _changes(visit, form))
    return corrections.ready(
        visit.tenant,
        person,
        wanted,
        by=visit.session.by,
        name=visit.caller.name or "Staff",
        home=pages_address_for(visit.request),
        subscriptions=neighbours.subscriptions,
    )


def store(visit: Visit, made: Correcting) -> None:
    """One commit: the two statements, and the entry in the record of actions."""

    def decide(tx: Tx) -> None:
        corrections.correct(tx, made, by=visit.session.by)

    visit.tenant.store.write(decide, weight=made.plan.weight, reads=made.plan.reads).result()


def _changes(visit: Visit, form: Mapping[str, str]) -> dict[str, Any]:
    """The corrected value. Raises ``Refused`` (400) for a bad day or score."""
    found: dict[str, Any] = {}
    if day := form.get("day", "").strip():
        try:
            moved = _moved(visit, form["statement"], date.fromisoformat(day))
        except ValueError:
            raise Refused("Write the day like 2026-11-17.", pointer="/day") from None
        found["timestamp"] = moved.isoformat()
    if score := form.get("score", "").strip().removesuffix("%").strip():
        if not score.replace(".", "", 1).isdigit() or not score.isascii() or not 0 <= float(score) <= 100:
            raise Refused("Write the score as a number from 0 to 100.", pointer="/score")
        found["score"] = float(score)
    if form.get("success") in {"yes", "no"}:
        found["success"] = form["success"] == "yes"
    return found


def _moved(visit: Visit, statement: str, day: date) -> datetime:
    """On *day* at the time of day that the *statement* has; at noon if it has none."""
    zone, record = ZoneInfo(visit.tenant.settings.zone), visit.tenant.store.get("statement", statement)
    told = msgspec.json.decode(record.body).get("timestamp", "") if record else ""
    at = micros_in(told) if told else None
    if at is None:
        return datetime.combine(day, time(12), zone)
    was = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at)
    return datetime.combine(day, was.astimezone(zone).time(), zone)


def _learner(visit: Visit, person: str) -> str:
    """The holder of *person*, if it is within reach. Raises ``Refused`` (404)."""
    members = members_of(visit.tenant.store, person)
    if not members:
        raise reach.nobody_here()
    reach.check_reach(visit.tenant.store, visit.caller, members[0])
    return members[0]


def _page(visit: Visit, person: str, form: Mapping[str, str], refused: Refused | None = None) -> Response:
    tenant, sources = visit.tenant, reach.own_sources(visit.caller, RIGHT)
    identifiers = identifiers_in(tenant.store, members_of(tenant.store, person))
    found = explain(tenant, person, find=person_named)
    given = {field: form.get(field, "") for field in FIELDS}
    evidence = questions_view.evidence(
        found, tenant.settings.zone, sources, called_in(tenant.store), first=given["statement"]
    )
    return visit.page(
        "staff/correct.html",
        refused.status if refused else 200,
        person=person,
        name=reach.name_told(tenant.store, identifiers, sources) or "",
        evidence=[{**one, "on": one["value"] == given["statement"]} for one in evidence],
        given=given,
        problem=refused.message if refused else "",
    )
