"""What the forms about somebody at a session ask: each act in one table, with the words of what is said about it.

Knows the fields of forms, and no route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

import msgspec

from adapters.training_centre import attendees, hosts, learner_routes, marks
from adapters.training_centre.attendees import AttendanceMark, StepMark, StepResult
from adapters.training_centre.day import CentreDay
from adapters.training_centre.files.facts import Attendance
from adapters.training_centre.pages import view
from lrs.kernel.errors import Refused
from lrs.pages.session import chosen, not_whole


class PersonAct(msgspec.Struct, frozen=True):
    """A form about *who* at the session *id*, with its fields. *root* is in front of the addresses in mails."""

    day: CentreDay
    id: str
    who: str
    told: Mapping[str, str]
    root: str

    @property
    def why(self) -> str:
        """Why something is corrected."""
        return self.told.get("why", "").strip()


FIELDS = {"no_name": "supervisor", "no_route": "route", "no_sector": "sector", "no_district": "district"}
"""The field that a fault is about, by its error."""
FIRST = {"ask": "address", "route": "route", "came": "value"}
"""The field beside which any other fault of a form is said, by its act."""


def faults_of(told: Mapping[str, str], refused: Refused | None) -> dict[str, Any]:
    """What the page says of a form that was *refused*: its fault, the field it stands beside, and what was typed."""
    at = FIELDS.get(refused.error or "", FIRST.get(told.get("act", ""), "")) if refused else ""
    message = refused.message if refused else ""
    return {
        "problem": message if not at else "",
        "errors": [{"field": at, "message": message}] if at else [],
        "wrong": {at: message} if at else {},
        "told": told if refused else {},
    }


def seen_in(told: Mapping[str, str], field: str = "seen") -> int:
    """A number of a form that the page wrote. Raises ``Refused`` (400)."""
    text = told.get(field, "")
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise not_whole()
    return int(text)


def attendance_in(told: Mapping[str, str]) -> Attendance | Literal[""]:
    """Whether somebody came, as the button or the choice says. Raises ``Refused`` (400)."""
    value = told.get("value", "?")
    if value not in {"", "present", "late", "left_early", "excused", "absent"}:
        raise Refused("Choose whether they came.", error="bad_form")
    return cast("Attendance", value)


def result_in(told: Mapping[str, str]) -> StepResult:
    """What was seen of a step, as the button or the choice says. Raises ``Refused`` (400)."""
    value = told.get("value", "?")
    if value not in {"", *view.RESULTS}:
        raise Refused("Choose what was seen of the step.", error="bad_form")
    return cast("StepResult", value)


def act_in(told: Mapping[str, str]) -> Callable[[PersonAct], str]:
    """The act that a form asks for, which gives the word of what is said about it. Raises ``Refused`` (400)."""
    return ACTS[chosen(told, "act", ACTS)]


def _came(asked: PersonAct) -> str:
    day = asked.day
    mark = AttendanceMark(attendance_in(asked.told), day.tenant.clock(), day.marker, asked.why)
    marks.mark_attendance(day, asked.id, asked.who, mark, seen_in(asked.told))
    return "marked"


def _step(asked: PersonAct) -> str:
    day, told = asked.day, asked.told
    attempt, step = seen_in(told, "attempt"), told.get("step", "")
    mark = StepMark(attempt, step, result_in(told), day.tenant.clock(), day.marker, asked.why)
    marks.mark_step(day, asked.id, asked.who, mark, seen=seen_in(told), version=seen_in(told, "version"))
    return "marked"


def _attempt(asked: PersonAct) -> str:
    marks.begin_attempt(asked.day, asked.id, asked.who)
    return "attempt_begun"


def _leave(asked: PersonAct) -> str:
    marks.leave(asked.day, asked.id, asked.who, asked.root)
    return "left_roster"


def ask(asked: PersonAct) -> str:
    """Asks a supervisor for the hours; gives the link where there is no mail server that would send it."""
    supervisor = (asked.told.get("supervisor", ""), asked.told.get("address", ""))
    made = hosts.ask(asked.day, asked.id, asked.who, supervisor, asked.root)
    has_mail = asked.day.tenant.settings.smtp_url is not None
    return "" if has_mail else f"{asked.root}/sign-off/{made.token}"


def _route(asked: PersonAct) -> str:
    day, store = asked.day, asked.day.tenant.store
    _, session = day.session(store, asked.id)
    _, one = attendees.attendee(store, asked.id, asked.who)
    now, by, actor = day.tenant.clock(), day.marker.subject, one.learner.actor
    kept = store.write(lambda tx: learner_routes.keep(tx, session.centre, actor, asked.told, now, by)).result()
    return "route_kept" if kept else "route_gone"


ACTS: Mapping[str, Callable[[PersonAct], str]] = {
    "came": _came,
    "step": _step,
    "attempt": _attempt,
    "leave": _leave,
    "route": _route,
}
"""What each act of a form does."""
