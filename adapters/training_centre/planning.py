"""Reads what somebody typed of a new session, and of people for its roster. Pure; knows no store.

Days and times are read by the reader of files (``adapters.reading.times``): what it says of 25:00, of a missing day, or
of an hour that clocks skip, is said here, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from adapters.reading.hours import typed_hours
from adapters.reading.people import FileLearner, Learners
from adapters.reading.times import Calendar, moment
from adapters.training_centre.attendees import MOST, Attendee
from adapters.training_centre.centre_sessions import KINDS_SAID, CentreSession, Marker, PinnedChecklist, SessionKind
from adapters.training_centre.files.sessions import IRI
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import capital, hidden_character
from lrs.kernel.tables.row import Row, RowPlace, Unusable
from lrs.kernel.times import DAY, SECOND

NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
LONGEST = 200
_ULN = re.compile(r"\d{10}")
_SAID = {"starts_at": "The beginning", "ends_at": "The end"}
_LONGEST_SESSION = 366 * DAY
_OLDEST = 366 * DAY
"""How long ago a session that is typed may have begun."""


class FormFault(Refused):
    """What is wrong with a *field* of a form."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, error=field)
        self.field = field


def session_in(
    told: Mapping[str, str],
    *,
    centre: str,
    zone: str,
    lead: Marker | None,
    by: str,
    number: str,
    checklist: PinnedChecklist | None,
    now: int,
) -> CentreSession:
    """The session in the fields *told* of a form; *number* is used if they have none. Raises ``FormFault``.

    *lead* is who runs it, where that is known; *by* is who makes it, in the record of actions.
    """
    kind = _kind(told)
    starts, ends = _span(told, zone)
    _check_age(now - starts)
    return CentreSession(
        centre=centre,
        number=_number(told, number),
        title=line(told, "title", "Say what the session is about."),
        kind=kind,
        starts=starts,
        ends=ends,
        zone=zone,
        made=now,
        by=by,
        lead=lead,
        checklist=checklist,
        course=_course(told),
        place=line(told, "place"),
        host=line(told, "host"),
        hours=hours(told),
        seats=seats(told),
        opened=told.get("opened", "") == "yes",
    )


def _check_age(age: int) -> None:
    if age > _OLDEST:
        message = (
            "This is more than a year ago. Look at the year; what is as old is brought in by a file of the centre."
        )
        raise FormFault("date", message)


def _kind(told: Mapping[str, str]) -> SessionKind:
    kind = told.get("kind", "")
    if kind not in KINDS_SAID:
        raise FormFault("kind", "Choose what kind of session it is.")
    return cast("SessionKind", kind)


def _course(told: Mapping[str, str]) -> str:
    course = line(told, "course")
    if course and not IRI.fullmatch(course):
        raise FormFault("course", "A course is named by its address, such as https://vle.example/course/7.")
    return course


def _number(told: Mapping[str, str], number: str) -> str:
    own = told.get("number", "").strip() or number
    if not NUMBER.fullmatch(own):
        raise FormFault("number", "A number has 1 to 40 letters, digits, . _ -, and no blanks.")
    return own


def changed_in(told: Mapping[str, str], one: CentreSession) -> CentreSession:
    """*one* with the title, time, place and seats in the fields *told* of a form. Raises ``FormFault``."""
    starts, ends = _span(told, one.zone)
    title, place = line(told, "title", "Say what the session is about."), line(told, "place")
    return replace(one, title=title, starts=starts, ends=ends, place=place, seats=seats(told))


def fields_of(one: CentreSession) -> dict[str, str]:
    """The fields of the form that changes *one*, as they stand."""
    starts, ends = one.at(one.starts), one.at(one.ends)
    return {
        "title": one.title,
        "date": f"{starts:%Y-%m-%d}",
        "until": f"{ends:%Y-%m-%d}" if ends.date() != starts.date() else "",
        "starts": f"{starts:%H:%M}",
        "ends": f"{ends:%H:%M}",
        "place": one.place,
        "seats": str(one.seats or ""),
    }


def line(told: Mapping[str, str], field: str, needed: str = "") -> str:
    """A field of one line. Raises ``FormFault`` with *needed* if it is empty and may not be."""
    text = " ".join(told.get(field, "").split())
    if needed and not text:
        raise FormFault(field, needed)
    if len(text) > LONGEST or hidden_character(text):
        raise FormFault(field, f"Write at most {LONGEST} characters, on one line.")
    return text


def seats(told: Mapping[str, str], field: str = "seats") -> int:
    """How many seats; 0 for an empty field. Raises ``FormFault``."""
    text = told.get(field, "").strip()
    if text and not (len(text) < 7 and text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise FormFault(field, f"Seats are a whole number from 1 to {MOST}; leave it empty if nobody counts them.")
    return int(text or 0)


def hours(told: Mapping[str, str], field: str = "hours") -> float | None:
    """Hours, as 37.5; ``None`` for an empty field. Raises ``FormFault``."""
    try:
        return typed_hours(told.get(field, ""))
    except Unusable as problem:
        raise FormFault(field, sentence(problem)) from problem


def sentence(problem: Unusable) -> str:
    """What is wrong with a cell, as a form says it."""
    return f"{capital(problem.message)}."


def _span(told: Mapping[str, str], zone: str) -> tuple[int, int]:
    """Beginning and end in microseconds UTC."""
    day, last = told.get("date", "").strip(), told.get("until", "").strip()
    if not day:
        raise FormFault("date", "A session needs its day.")
    starts = _moment(zone, "starts_at", day, told.get("starts", "").strip(), ("date", "starts"))
    ends = _moment(zone, "ends_at", last or day, told.get("ends", "").strip(), ("until" if last else "date", "ends"))
    if ends <= starts:
        raise FormFault("ends", "A session ends after it begins.")
    if ends - starts > _LONGEST_SESSION:
        raise FormFault("until", "A session lasts a year at most: make another one for what follows.")
    return starts, ends


def _moment(zone: str, column: str, day: str, clock: str, fields: tuple[str, str]) -> int:
    if not clock:
        raise FormFault(fields[1], f"{_SAID[column]} needs its time, such as 09:30.")
    row = Row(RowPlace("", 0), {column: f"{day} {clock}"})
    try:
        found = moment(row, column, Calendar(ZoneInfo(zone)))
    except Unusable as problem:
        field = fields[0] if problem.code in {"impossible_date", "date_incomplete"} else fields[1]
        raise FormFault(field, f"{_SAID[column]}, {day} {clock}: {problem.message}.") from problem
    return round(found.timestamp() * SECOND) if found else 0


def people_in(text: str, home: str, session: str, now: int, by: str) -> list[Attendee]:
    """The people in *text*, one a line: a name, and what identifies them (address, learner number, own reference).

    All of them or none: raises ``Refused`` (400) with each line that cannot be used.
    """
    learners, found, wrong = Learners(home), dict[str, Attendee](), list[tuple[str, str]]()
    for number, typed in _lines(text):
        name, cells = _parts(typed)
        try:
            learner = learners.read(Row(RowPlace("", number), cells))
        except Unusable as problem:
            wrong.append((problem.code, f"Line {number} ({_short(typed)}): {problem.message}."))
            continue
        twice = next((one for one in found.values() if one.shares(learner.identifiers)), None)
        if twice is not None:
            message = f"Line {number}: {twice.name} is in this list twice. Nobody was added."
            raise Refused(message, status=409, error="twice")
        one = attendee_for(learner, name, session, now + number, by)
        found[one.key] = one
    if wrong:
        raise Refused(" ".join([*(said for _, said in wrong), "Nobody was added."]), error=wrong[0][0])
    if not found:
        raise Refused("Write at least one person: a name and an address, learner number or reference.", error="nobody")
    if len(found) > MOST:
        raise Refused(f"A roster has at most {MOST} people.", error="too_many")
    return list(found.values())


def attendee_for(learner: FileLearner, name: str, session: str, now: int, by: str) -> Attendee:
    """*learner* on the roster of a session, called by their *name* or by what identifies them."""
    return Attendee(session, learner.key, learner.identifiers, name or learner.key, "added", now, by)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, one in enumerate(text.splitlines(), start=1):
        if one.strip():
            if len(one) > 4 * LONGEST or hidden_character(one.replace("\t", " ").strip()):
                raise Refused(f"Line {number} is too long, or has a sign that is no text.", error="bad_line")
            yield number, one.strip()


def _parts(typed: str) -> tuple[str, dict[str, Any]]:
    """The name, and the cells that identify, of one line with its parts divided by commas, semicolons or tabs.

    A name may also stand before an address in angle brackets, as mail programs write it.
    """
    name, cells = "", dict[str, Any]()
    for part in filter(None, (" ".join(one.split()) for one in re.split(r"[,;\t]", typed))):
        if "@" in part:
            bits = [each.strip() for each in re.split("[<>]", part)]
            cells["email"] = next(each for each in bits if "@" in each)
            name = name or bits[0] * ("@" not in bits[0])
        elif _ULN.fullmatch(part.replace(" ", "")):
            cells["uln"] = part.replace(" ", "")
        elif not name:
            name = part
        else:
            cells["learner_ref"] = part
    return name, cells


def _short(typed: str) -> str:
    return typed if len(typed) <= 60 else f"{typed[:59]}…"
