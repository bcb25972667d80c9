"""The data of the pages of sessions, as plain values for the templates. Pure: no store, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from adapters.training_centre.attendees import AttendanceMark, Attendee, StepMark
from adapters.training_centre.centre_sessions import KINDS_SAID, CentreSession
from adapters.training_centre.checklists import ChecklistStep, ChecklistVersion
from adapters.training_centre.files.facts import THERE
from adapters.training_centre.marking import SAID, is_complete, still_open
from adapters.training_centre.told import result_of
from lrs.kernel.printing import time_of
from lrs.web.dates import written_day, written_moment
from lrs.web.language import ENGLISH, catalogue
from lrs.web.listing import ListColumn, ListRow

SESSIONS = (
    ListColumn("title", "Session"),
    ListColumn("when", "When", facet=True),
    ListColumn("starts", "Begins"),
    ListColumn("kind", "Kind", facet=True),
    ListColumn("centre", "Centre", facet=True, sources=True),
    ListColumn("state", "State", facet=True),
    ListColumn("people", "People", figure=True),
    ListColumn("number", "Number", seen=False),
)
CHECKLISTS = (
    ListColumn("title", "Checklist"),
    ListColumn("name", "Name"),
    ListColumn("centre", "Centre", facet=True, sources=True),
    ListColumn("version", "Version", figure=True),
    ListColumn("steps", "Steps", figure=True),
    ListColumn("critical", "Critical", figure=True),
    ListColumn("signatures", "Signatures", figure=True),
    ListColumn("changed", "Changed"),
)
TIMES = ("%(day)s, %(start)s to %(end)s", "%(first)s to %(last)s")
"""How the times of a session are written, on one day and on several; in the catalogue of texts."""
BIG = ("present", "late", "absent", "left_early")
"""The marks that have a big button."""
RESULTS = ("pass", "fail", "na")
SHORT = {"pass": "Pass", "fail": "Fail", "na": "N/A"}
MOODS = {
    **dict.fromkeys(("present", "pass"), "good"),
    **dict.fromkeys(("late", "left_early", "na"), "warn"),
    **dict.fromkeys(("absent", "excused", "fail"), "bad"),
}


def when(session: CentreSession, now: int) -> str:
    """``Today``, ``Coming`` or ``Past``, by the day of the session on its own clock."""
    today = session.at(now).date()
    if session.day <= today <= session.at(session.ends).date():
        return "Today"
    return "Coming" if session.day > today else "Past"


def times(session: CentreSession, language: str = ENGLISH) -> str:
    """When it is: a day with its hours, or the days from which to which it lasts."""
    starts, ends = session.at(session.starts), session.at(session.ends)
    first, last = written_day(starts.date(), language), written_day(ends.date(), language)
    of_a_day, of_days = map(catalogue(language).gettext, TIMES)
    if starts.date() == ends.date():
        return of_a_day % {"day": first, "start": f"{starts:%H:%M}", "end": f"{ends:%H:%M}"}
    return of_days % {"first": first, "last": last}


def listed(found: Iterable[tuple[CentreSession, int]], now: int, root: str) -> list[ListRow]:
    """A row for each session, with how many are on its roster."""
    return [
        ListRow(
            {
                "title": one.title,
                "when": when(one, now),
                "starts": time_of(one.starts),
                "kind": KINDS_SAID[one.kind],
                "centre": one.centre,
                "state": {"planned": "Open", "closed": "Closed", "cancelled": "Cancelled"}[one.state],
                "people": people,
                "number": one.number,
            },
            {"starts": times(one)},
            {"title": f"{root}/staff/sessions/{one.id}"},
            {"state": "good" if one.is_closed else ""},
            {"title": one.number},
        )
        for one, people in found
    ]


def about(one: CentreSession, now: int) -> dict[str, Any]:
    """A session, for the top of its pages."""
    return {
        "id": one.id,
        "title": one.title,
        "number": one.number,
        "centre": one.centre,
        "kind": KINDS_SAID[one.kind],
        "times": times(one),
        "when": when(one, now),
        "place": one.place,
        "host": one.host,
        "hours": "" if one.hours is None else f"{one.hours:g}",
        "lead": one.lead.said if one.lead else "",
        "seats": one.seats,
        "opened": one.opened,
        "closed": written_moment(one.closed, one.zone) if one.closed else "",
        "closed_by": one.closed_by.said if one.closed_by else "",
        "open_then": one.open_then,
        "is_closed": one.is_closed,
        "is_cancelled": one.state == "cancelled",
        "is_hosted": one.is_hosted,
    }


def roster(
    session: CentreSession, people: Iterable[Attendee], known: ChecklistVersion | None, differs: Collection[str]
) -> list[dict[str, Any]]:
    """Everybody on a roster: their mark, how far their checklist is, and what needs a look."""
    return [
        {
            "id": one.id,
            "name": one.name,
            "known_as": one.identifiers[0].written,
            "value": one.mark.value if one.mark else "",
            "said": SAID[one.mark.value if one.mark else ""],
            "mood": MOODS.get(one.mark.value if one.mark else "", ""),
            "by": _by(session, one.mark),
            "seen": len(one.attendance),
            "steps": _how_far(one, known),
            "result": result_of(session, one, known) if session.is_closed else "",
            "is_there": is_here(one),
            "failed": ", ".join(_failed(one, known)) if session.is_closed else "",
            "differs": one.id in differs,
            "open": list(still_open(session, [one], known)),
        }
        for one in people
        if one.is_expected
    ]


def _failed(one: Attendee, known: ChecklistVersion | None) -> list[str]:
    """The numbers of the critical steps that somebody who was there failed in the last attempt."""
    if known is None or not is_here(one):
        return []
    marks = [(number, step, one.step(one.attempts, step.id)) for number, step in enumerate(known.content.steps, 1)]
    return [str(number) for number, step, mark in marks if step.critical and mark and mark.value == "fail"]


def waiting(people: Iterable[Attendee]) -> list[dict[str, Any]]:
    """Who waits for a seat, in their order."""
    return [{"id": one.id, "name": one.name} for one in people if one.seat == "waiting"]


def tally(people: Iterable[Attendee]) -> dict[str, int]:
    """How many are on a roster, marked, and there."""
    there = [one for one in people if one.is_expected]
    marks = [one.mark.value for one in there if one.mark]
    return {"people": len(there), "marked": len(marks), "there": sum(mark in THERE for mark in marks)}


def seats_warning(session: CentreSession, people: Iterable[Attendee]) -> str:
    """``more`` if more people are on the roster than there are seats, ``unbounded`` if anybody may book without end."""
    if session.state != "planned":
        return ""
    if session.opened and not session.seats:
        return "unbounded"
    booked = sum(one.is_expected for one in people)
    return "more" if session.seats and booked > session.seats else ""


def steps(known: ChecklistVersion | None, people: Sequence[Attendee]) -> list[dict[str, Any]]:
    """The steps of a checklist, and of how many of those who are there each is marked, and how many of them failed."""
    here = [one for one in people if is_here(one)]
    seen = [
        (step, mark.value) for one in here for (attempt, step), mark in one.seen().items() if attempt == one.attempts
    ]
    done, failed = Counter(step for step, _ in seen), Counter(step for step, value in seen if value == "fail")
    return [
        {
            "id": step.id,
            "number": number,
            "text": step.text,
            "critical": step.critical,
            "done": done[step.id],
            "failed": failed[step.id],
            "of": len(here),
        }
        for number, step in enumerate(known.content.steps if known else (), start=1)
    ]


def is_here(one: Attendee) -> bool:
    """Whether somebody has a seat and was there, so that they can be seen."""
    return one.is_expected and one.mark is not None and one.mark.value in THERE


def one_step(session: CentreSession, step: ChecklistStep, people: Iterable[Attendee]) -> list[dict[str, Any]]:
    """A step, of everybody who may be seen: also of those whose attendance nobody marked yet."""
    return [
        {
            "id": one.id,
            "name": one.name,
            "attempt": one.attempts,
            **_step(session, one.step(one.attempts, step.id), one.seen_of(one.attempts, step.id)),
        }
        for one in people
        if one.is_expected and (one.mark is None or one.mark.value in THERE)
    ]


def attempts(session: CentreSession, one: Attendee, known: ChecklistVersion | None) -> list[dict[str, Any]]:
    """The attempts of somebody at a checklist, the last one first."""
    if known is None:
        return []
    found, seen, times_seen = [], one.seen(), one.times_seen()
    for attempt in range(one.attempts, 0, -1):
        second, complete = one.signature(attempt), is_complete(one, attempt, known)
        found.append(
            {
                "number": attempt,
                "complete": complete,
                "seen": sum(count for (number, _), count in times_seen.items() if number == attempt),
                "signed": f"{second.by.said}, {session.at(second.at):%H:%M}" if second else "",
                "asks_second": known.content.signatures > 1,
                "steps": [
                    {
                        "id": step.id,
                        "text": step.text,
                        "critical": step.critical,
                        **_step(session, seen.get((attempt, step.id)), times_seen[attempt, step.id]),
                    }
                    for step in known.content.steps
                ],
            }
        )
    return found


def history(session: CentreSession, one: Attendee, known: ChecklistVersion | None) -> list[dict[str, str]]:
    """Every mark of somebody, the newest first: what, who, when, why."""
    texts: Mapping[str, str] = {step.id: step.text for step in known.content.steps} if known else {}
    came: list[tuple[str, AttendanceMark | StepMark]] = [("Attendance", mark) for mark in one.attendance]
    seen = [(texts.get(mark.step, mark.step), mark) for mark in one.steps]
    return [
        {
            "what": f"{what} (attempt {mark.attempt})" if isinstance(mark, StepMark) and one.attempts > 1 else what,
            "value": SAID[mark.value],
            "by": mark.by.said,
            "at": written_moment(mark.at, session.zone),
            "why": mark.why,
        }
        for what, mark in sorted([*reversed(came), *reversed(seen)], key=lambda pair: -pair[1].at)
    ]


def checklists(found: Iterable[ChecklistVersion], zone: str, root: str) -> list[ListRow]:
    """A row for each checklist."""
    return [
        ListRow(
            {
                **{name: one.shown()[name] for name in ("title", "name", "centre", "version", "steps", "critical")},
                "signatures": one.content.signatures,
                "changed": time_of(one.at),
            },
            {"changed": written_moment(one.at, zone)},
            {"title": f"{root}/staff/checklists/{one.content.record}"},
        )
        for one in found
    ]


def _step(session: CentreSession, mark: StepMark | None, seen: int) -> dict[str, Any]:
    value = mark.value if mark else ""
    return {
        "value": value,
        "said": SAID[value],
        "mood": MOODS.get(value, ""),
        "by": _by(session, mark),
        "seen": seen,
    }


def _by(session: CentreSession, mark: AttendanceMark | StepMark | None) -> str:
    return f"{mark.by.said}, {session.at(mark.at):%H:%M}" if mark else ""


def _how_far(one: Attendee, known: ChecklistVersion | None) -> str:
    if known is None or (one.mark is not None and one.mark.value not in THERE):
        return ""
    done = sum(attempt == one.attempts for attempt, _ in one.seen())
    return f"{done} of {len(known.content.steps)}"
