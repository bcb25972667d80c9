"""Reads roster rows: who was at which session. Pure; knows columns, but no statements."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from adapters.cells import choice, minutes, moment, not_ahead, text, yes
from adapters.people import Learner, Learners, apart, names_of
from adapters.profile import Profile
from adapters.source import Fact, Mapped
from adapters.training_centre.facts import THERE, Attendance, Attended, Session
from adapters.training_centre.sessions import Held
from lrs.tables.row import Row, Unusable

WORDS = {
    "present": "present",
    "attended": "present",
    "p": "present",
    "late": "late",
    "l": "late",
    "left early": "left_early",
    "excused": "excused",
    "absent": "absent",
    "no show": "absent",
    "noshow": "absent",
    "dna": "absent",
    "a": "absent",
    "unmarked": "unmarked",
    "not checked in": "unmarked",
    "": "unmarked",
}


def read_roster(row: Row, held: Held, learners: Learners, profile: Profile, now: datetime) -> Mapped:
    """What a ``roster`` row says."""
    learner = learners.read(row)
    attendance = choice(row, "attendance", profile.words("attendance", WORDS), "unmarked")
    came = moment(row, "check_in_at", profile.clock(), formats=profile.dates, on=held.session.starts.date())
    left = moment(row, "check_out_at", profile.clock(), formats=profile.dates, on=held.session.starts.date())
    if attendance == "unmarked":
        nothing = Fact("attendance", (held.session.id, learner.key), None)
        return Mapped((row.place,), (nothing,), skipped="attendance is not marked")
    if held.status == "cancelled" and attendance in THERE:
        raise Unusable("session_cancelled", "attendance", attendance, "nobody attends a cancelled session")
    if came and left and left < came:
        raise Unusable("ends_before_start", "check_out_at", text(row, "check_out_at"), "out before in")
    stayed = minutes(row, "minutes", "minutes")
    if stayed is None and came and left:
        stayed = round((left - came).total_seconds() / 60)
    for column, at in (("check_in_at", came), ("check_out_at", left)):
        if at:
            not_ahead(at, now, column, text(row, column))
    not_ahead(held.session.starts, now, "starts_at", text(row, "starts_at"))
    return attended(row, learner, held.session, cast("Attendance", attendance), stayed)


def attended(
    row: Row, learner: Learner, session: Session, attendance: Attendance, stayed: int | None, category: str = ""
) -> Mapped:
    """The fact of one learner at one session."""
    apart(learner, session.instructor, "instructor", names_of(row))
    if attendance not in THERE:
        stayed = None
    content = Attended(learner.actor, session, attendance, stayed, category)
    return Mapped((row.place,), (*learner.same(), Fact("attendance", (session.id, learner.key), content)))


def read_jisc(row: Row, session: Session, learners: Learners, now: datetime) -> Mapped:
    """What a row of the Jisc TSV says: ``event_attended`` 1 or 0, ``attendance_late`` 1, 0 or nothing."""
    learner = learners.read(row)
    not_ahead(session.starts, now, "start_time", text(row, "start_time"))
    there = yes(row, "event_attended", default=False)
    late = yes(row, "attendance_late", default=False)
    attendance: Attendance = "absent" if not there else "late" if late else "present"
    return attended(row, learner, session, attendance, None, text(row, "attendance_category"))
