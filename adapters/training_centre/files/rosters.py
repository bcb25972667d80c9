"""Reads roster rows: who attended which session. Pure; knows columns, but no statements."""

from __future__ import annotations

from typing import cast

from msgspec.structs import replace

from adapters.reading.cells import choice, district, text, yes
from adapters.reading.hours import minutes
from adapters.reading.people import FileLearner, Learners, apart, names_of
from adapters.reading.profile import ReadingTerms
from adapters.reading.source import Fact, Mapped
from adapters.reading.times import moment, not_ahead
from adapters.training_centre.files.facts import THERE, Attendance, Attended, OnRoster, TrainingSession
from adapters.training_centre.files.sessions import HeldSession
from lrs.kernel.tables.row import Row, Unusable

DISTRICT_GONE = (
    "the cell of the postcode district is empty, so the district that this session told before is taken back: leave out"
    " the column to keep it"
)
MARK_GONE = "attendance is not marked any more, so what was told of it before is taken back"
NO_INSTRUCTOR = "told without the session's instructor, whose cell cannot be read: once it is repaired, told again with"


def read_roster(row: Row, held: HeldSession, learners: Learners, terms: ReadingTerms) -> Mapped:
    """What a ``roster`` row says."""
    learner = learners.read(row)
    attendance = choice(row, "attendance", terms.words["attendance"], "unmarked")
    came = moment(row, "check_in_at", terms.calendar, on=held.session.starts.date())
    left = moment(row, "check_out_at", terms.calendar, on=held.session.starts.date())
    if attendance == "unmarked":
        return unmarked(row, held.session, learner)
    if held.status == "cancelled" and attendance in THERE:
        raise Unusable("session_cancelled", "attendance", attendance, "nobody attends a cancelled session")
    if came and left and left < came:
        raise Unusable("ends_before_start", "check_out_at", text(row, "check_out_at"), "out before in")
    stayed = minutes(row, "minutes", terms.numbers.of_minutes())
    if stayed is None and came and left:
        stayed = round((left - came).total_seconds() / 60)
    for column, at in (("check_in_at", came), ("check_out_at", left)):
        if at:
            not_ahead(at, terms.now, column, text(row, column))
    not_ahead(held.session.starts, terms.now, "starts_at", text(row, "starts_at"))
    told = attended(row, learner, held, cast("Attendance", attendance), stayed)
    if "postcode_district" not in row.cells:
        return told
    lives = district(row, "postcode_district")
    home = OnRoster(learner.actor, held.session, lives) if lives else None
    fact = Fact("home", (held.session.id, learner.key), home, taken_back=DISTRICT_GONE)
    return replace(told, facts=(*told.facts, learner.under_each_name(fact, at=1)))


def unmarked(row: Row, session: TrainingSession, learner: FileLearner) -> Mapped:
    """What a row says that does not tell whether the learner was there."""
    nothing = Fact("attendance", (session.id, learner.key), None, taken_back=MARK_GONE)
    nothing = learner.under_each_name(nothing, at=1)
    return Mapped((row.place,), (nothing,), skipped="attendance is not marked", code="not_yet")


def attended(
    row: Row, learner: FileLearner, held: HeldSession, attendance: Attendance, stayed: int | None, category: str = ""
) -> Mapped:
    """The fact that one learner attended one session, or did not."""
    session = held.session
    apart(learner, session.instructor, "instructor", names_of(row))
    if attendance not in THERE:
        stayed = None
    content = Attended(learner.actor, session, attendance, stayed, category)
    fact = Fact("attendance", (session.id, learner.key), content, partial=bool(held.unread))
    fact = learner.under_each_name(fact, at=1)
    return Mapped(
        (row.place,), (*learner.same(), fact), remark=NO_INSTRUCTOR if held.unread else "", called=learner.called()
    )


def read_jisc(row: Row, session: TrainingSession, learners: Learners, terms: ReadingTerms) -> Mapped:
    """What a row of the Jisc TSV says: ``event_attended`` is 1 or 0, ``attendance_late`` 1, 0 or empty."""
    learner = learners.read(row)
    not_ahead(session.starts, terms.now, "start_time", text(row, "start_time"))
    if not text(row, "event_attended"):
        return unmarked(row, session, learner)
    there = yes(row, "event_attended", default=False, known=terms.words["event_attended"])
    late = yes(row, "attendance_late", default=False, known=terms.words["attendance_late"])
    attendance: Attendance = "absent" if not there else "late" if late else "present"
    return attended(row, learner, HeldSession(session, "held"), attendance, None, text(row, "attendance_category"))
