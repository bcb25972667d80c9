"""Reads session rows, and events in the Jisc format. Pure; knows columns, but no statements."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

import msgspec

from adapters.reading.cells import choice, needed, text
from adapters.reading.people import staff
from adapters.reading.profile import ReadingTerms
from adapters.reading.times import moment
from adapters.reading.vocabulary import iri
from adapters.training_centre.files.facts import TrainingSession
from lrs.kernel.tables.row import Row, Unusable

IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
"""How an activity is named."""


class HeldSession(msgspec.Struct, frozen=True, omit_defaults=True):
    """A session, and whether it took place. A session that is only scheduled may be reported as held later.

    *unread* is why its instructor could not be read, if so; attendance is told all the same. It is left out of the JSON
    if empty, so that older ledgers recognise the session.
    """

    session: TrainingSession
    status: str
    unread: str = ""


def read_session(row: Row, terms: ReadingTerms) -> HeldSession:
    """The session of a ``session`` row."""
    starts, ends = span(row, terms, "starts_at", "ends_at")
    course = text(row, "activity_id")
    if course and not IRI.fullmatch(course):
        raise Unusable("no_iri", "activity_id", course, "an activity is named by an IRI, such as https://…")
    instructor, unread = None, ""
    try:
        instructor = staff(row, "instructor", terms.home)
    except Unusable as problem:
        unread = problem.message
    session = TrainingSession(
        id=iri("centres", text(row, "centre_id") or terms.provider, "sessions", needed(row, "session_id")),
        title=needed(row, "title"),
        kind=choice(row, "kind", terms.words["kind"], "practical"),
        starts=starts,
        ends=ends,
        instructor=instructor,
        course=course,
    )
    return HeldSession(session, choice(row, "status", terms.words["status"], "held"), unread)


def span(row: Row, terms: ReadingTerms, first: str, last: str) -> tuple[datetime, datetime]:
    """Start and end; the end is after the start."""
    needed(row, first), needed(row, last)
    starts = moment(row, first, terms.calendar)
    ends = moment(row, last, terms.calendar, on=starts.date() if starts else None)
    if starts is None or ends is None or ends <= starts:
        raise Unusable("ends_before_start", last, text(row, last), "a session ends after it starts")
    return starts, ends


def jisc_session(row: Row, terms: ReadingTerms) -> TrainingSession:
    """The event in a row of the Jisc TSV. Its IRI is made as in the recipe, below the provider's home page."""
    starts, ends = span(row, terms, "start_time", "end_time")
    return TrainingSession(
        id=f"{terms.home.rstrip('/')}/event/{quote(needed(row, 'event_id'), safe='')}",
        title=needed(row, "event_name"),
        kind=text(row, "event_type") or "event",
        starts=starts,
        ends=ends,
        instructor=staff(row, "staff_id", terms.home),
        description=text(row, "event_description"),
    )
