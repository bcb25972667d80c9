"""Reads session rows, and the Jisc dialect's events. Pure; knows columns, but no statements."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

import msgspec

from adapters.cells import choice, moment, needed, text
from adapters.people import Ifi, staff
from adapters.profile import Profile
from adapters.training_centre.facts import Session
from adapters.vocabulary import iri
from lrs.tables.row import Row, Unusable

KINDS = {
    "practical": "practical",
    "classroom": "classroom",
    "vr": "vr",
    "virtual reality": "vr",
    "placement": "placement",
}
STATUSES = {"held": "held", "completed": "held", "done": "held", "scheduled": "scheduled", "planned": "scheduled"} | {
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


class Held(msgspec.Struct, frozen=True):
    """A session and whether it took place; a session that is only scheduled may turn out to have."""

    session: Session
    status: str


def read_session(row: Row, profile: Profile, provider: str) -> Held:
    """The session of a ``session`` row."""
    starts, ends = span(row, profile, "starts_at", "ends_at")
    course = text(row, "activity_id")
    if course and not _IRI.fullmatch(course):
        raise Unusable("no_iri", "activity_id", course, "an activity is named by an IRI, such as https://…")
    session = Session(
        id=iri("centres", text(row, "centre_id") or provider, "sessions", needed(row, "session_id")),
        title=needed(row, "title"),
        kind=choice(row, "kind", profile.words("kind", KINDS), "practical"),
        starts=starts,
        ends=ends,
        instructor=staff(row, "instructor", profile.home(provider)),
        course=course,
    )
    return Held(session, choice(row, "status", profile.words("status", STATUSES), "held"))


def span(row: Row, profile: Profile, first: str, last: str) -> tuple[datetime, datetime]:
    """Start and end; the end is after the start."""
    needed(row, first), needed(row, last)
    zone = profile.clock()
    starts = moment(row, first, zone, formats=profile.dates)
    ends = moment(row, last, zone, formats=profile.dates, on=starts.date() if starts else None)
    if starts is None or ends is None or ends <= starts:
        raise Unusable("ends_before_start", last, text(row, last), "a session ends after it starts")
    return starts, ends


def jisc_session(row: Row, profile: Profile, provider: str) -> Session:
    """The event of a row of the Jisc TSV; its IRI is made as the recipe does, below the provider's home page."""
    starts, ends = span(row, profile, "start_time", "end_time")
    return Session(
        id=f"{profile.home(provider).rstrip('/')}/event/{quote(needed(row, 'event_id'), safe='')}",
        title=needed(row, "event_name"),
        kind=text(row, "event_type") or "event",
        starts=starts,
        ends=ends,
        instructor=jisc_staff(row, profile.home(provider)),
        description=text(row, "event_description"),
    )


def jisc_staff(row: Row, home: str) -> Ifi | None:
    """The member of staff of a row of the Jisc TSV."""
    return staff(row, "staff_id", home)
