"""The columns that only files of a training centre have, in words that people read, and their usual headers."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.reading.columns import ColumnWords

NAMED: Mapping[str, ColumnWords] = {
    "record": ColumnWords("What the row is (session, roster, observation)", ("row type", "record type")),
    "session_id": ColumnWords("Session: number", ("session number", "session ref", "booking id", "course run id")),
    "title": ColumnWords("Session: title", ("session title", "session name", "course name", "course title")),
    "starts_at": ColumnWords("Session: begins", ("session start", "starts", "start date and time")),
    "ends_at": ColumnWords("Session: ends", ("session end", "ends", "end date and time")),
    "kind": ColumnWords("Session: kind (practical, classroom …)", ("session type", "delivery type")),
    "instructor": ColumnWords("Instructor", ("trainer", "taught by", "instructor email", "trainer email")),
    "activity_id": ColumnWords("Course (its address, an IRI)", ("course iri", "activity iri")),
    "centre_id": ColumnWords("Centre", ("training centre", "site", "centre")),
    "postcode_district": ColumnWords("Postcode district of the learner", ("postcode", "home postcode", "district")),
    "attendance": ColumnWords("Attendance", ("attended", "attendance status", "present")),
    "check_in_at": ColumnWords("Came at", ("check in", "checked in", "time in", "arrived")),
    "check_out_at": ColumnWords("Left at", ("check out", "checked out", "time out")),
    "minutes": ColumnWords("Minutes there", ("minutes attended", "duration minutes")),
    "checklist_id": ColumnWords("Checklist", ("checklist name", "observation form")),
    "step_id": ColumnWords("Step of the checklist", ("step", "checklist step", "item")),
    "result": ColumnWords("Result of the step", ("step result", "step outcome")),
    "observer": ColumnWords("Observer", ("observed by", "observer email")),
    "second_observer": ColumnWords("Second observer", ("second observed by", "witness")),
    "critical": ColumnWords("Is the step critical", ("critical step",)),
    "attempt": ColumnWords("Attempt", ("attempt number",)),
    "observed_at": ColumnWords("Observed at", ("observation date", "date observed")),
    "pass_percent": ColumnWords("Steps that must pass (per cent)", ("pass percentage",)),
    "student_id": ColumnWords("Student (Jisc)"),
    "event_id": ColumnWords("Event (Jisc)"),
    "event_name": ColumnWords("Event: name (Jisc)"),
    "event_type": ColumnWords("Event: sort (Jisc)"),
    "event_description": ColumnWords("Event: description (Jisc)"),
    "event_attended": ColumnWords("Event: attended (Jisc)"),
    "attendance_late": ColumnWords("Event: came late (Jisc)"),
    "attendance_category": ColumnWords("Event: category of attendance (Jisc)"),
    "start_time": ColumnWords("Event: begins (Jisc)"),
    "end_time": ColumnWords("Event: ends (Jisc)"),
    "staff_id": ColumnWords("Event: staff (Jisc)"),
}
