"""The columns of all sources in words that people read, and the headers that other programs give them. Pure.

``guessed`` proposes what the headers of a file mean. A person sees the proposal and corrects it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from lrs.kernel.tables.header import fold

_CLOSE = 0.86
"""How alike a header and a known one must be (difflib's ratio) for one to be proposed for the other."""


class ColumnWords(NamedTuple):
    """A column in words, and the headers that it often has elsewhere."""

    label: str
    headers: tuple[str, ...] = ()


COLUMNS: Mapping[str, ColumnWords] = {
    "uln": ColumnWords("Learner number (ULN)", ("unique learner number", "learner uln", "uln number")),
    "learner_ref": ColumnWords(
        "Your reference for the learner",
        ("learner id", "learnrefnumber", "learner reference number", "learner number", "provider ref", "student ref"),
    ),
    "email": ColumnWords(
        "E-mail address", ("e-mail address", "learner email", "student email", "mail", "email address")
    ),
    "given_names": ColumnWords("Given names", ("first name", "forename", "firstname", "first names", "given name")),
    "family_name": ColumnWords("Family name", ("surname", "last name", "lastname", "familyname")),
    "standard_ref": ColumnWords(
        "Standard (reference such as ST1406)",
        ("standard", "standard reference", "apprenticeship standard", "standard number"),
    ),
    "standard_version": ColumnWords("Version of the standard", ("version", "standard version number")),
    "option": ColumnWords("Option of the standard", ("pathway", "course option")),
    "start_date": ColumnWords(
        "Start of the apprenticeship", ("programme start date", "learnstartdate", "apprenticeship start date")
    ),
    "planned_end_date": ColumnWords(
        "Planned end", ("end date", "learnplanenddate", "expected end date", "planned end", "target end date")
    ),
    "status": ColumnWords("State (learning, break, held …)", ("completion status", "compstatus", "learner status")),
    "break_start": ColumnWords("Start of the break", ("break in learning date", "date of break", "break start date")),
    "withdrawal_date": ColumnWords("Day of withdrawal", ("date withdrawn", "leaving date", "date of withdrawal")),
    "evidence_id": ColumnWords("Evidence: number", ("evidence ref", "evidence number", "evidence reference")),
    "ksb_code": ColumnWords("KSB (K1, S2, B3)", ("ksb", "ksbs", "criteria", "ksb reference", "criterion")),
    "ksb_guid": ColumnWords("KSB: identifier", ("ksb id",)),
    "evidence_title": ColumnWords("Evidence: title", ("evidence name", "evidence")),
    "evidence_date": ColumnWords("Evidence: day", ("date of evidence", "date accepted", "evidence accepted date")),
    "evidence_status": ColumnWords("Evidence: state", ("evidence state", "sign off status", "evidence outcome")),
    "assessor": ColumnWords("Assessor", ("assessed by", "assessor name", "assessor email", "tutor")),
    "grade": ColumnWords("Grade", ("mark",)),
    "otj_date": ColumnWords("Off the job: day", ("otj session date", "off the job date", "date of activity")),
    "otj_start": ColumnWords("Off the job: start time", ("otj start time",)),
    "otj_minutes": ColumnWords("Off the job: minutes", ("off the job minutes", "otj mins")),
    "otj_hours": ColumnWords("Off the job: hours", ("off the job hours", "otjh", "hours logged", "otj")),
    "otj_category": ColumnWords("Off the job: category", ("activity type", "off the job category")),
    "otj_countable": ColumnWords("Off the job: does it count", ("counts as otj", "eligible hours")),
    "otj_ref": ColumnWords("Off the job: number", ("otj reference", "otj id")),
    "otj_correction": ColumnWords("Off the job: is it a correction", ("correction",)),
    "gateway_date": ColumnWords("Day of the gateway", ("date of gateway", "gateway")),
    "assessment_outcome": ColumnWords("Assessment: outcome", ("epa outcome", "epa result", "assessment result")),
    "assessment_date": ColumnWords("Assessment: day", ("epa date", "date of assessment")),
    "assessment_grade": ColumnWords("Assessment: grade", ("epa grade", "final grade")),
    "resit_no": ColumnWords("Assessment: number of the resit", ("resit number", "resit")),
    "record": ColumnWords("What the row is (session, roster, observation)", ("row type", "record type")),
    "session_id": ColumnWords("Session: number", ("session number", "session ref", "booking id", "course run id")),
    "title": ColumnWords("Session: title", ("session title", "session name", "course name", "course title")),
    "starts_at": ColumnWords("Session: begins", ("session start", "starts", "start date and time")),
    "ends_at": ColumnWords("Session: ends", ("session end", "ends", "end date and time")),
    "kind": ColumnWords("Session: kind (practical, classroom …)", ("session type", "delivery type")),
    "instructor": ColumnWords("Instructor", ("trainer", "taught by", "instructor email", "trainer email")),
    "activity_id": ColumnWords("Course (its address, an IRI)", ("course iri", "activity iri")),
    "centre_id": ColumnWords("Centre", ("training centre", "site", "centre")),
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
    "cohort_ref": ColumnWords("Service: cohort"),
    "agreement_id": ColumnWords("Service: agreement"),
    "email_address": ColumnWords("Service: e-mail address of the learner"),
    "provider_ref": ColumnWords("Service: your reference for the learner"),
    "prog_type": ColumnWords("Service: programme type"),
    "std_code": ColumnWords("Service: standard (LARS code)"),
    "end_date": ColumnWords("Service: planned end"),
    "training_total_hours": ColumnWords("Service: hours of training in total"),
    "training_hours_reduction": ColumnWords("Service: hours that prior learning saves"),
    "recognise_prior_learning": ColumnWords("Service: prior learning is recognised"),
    "ilr_year": ColumnWords("Return: teaching year"),
    "ilr_ukprn": ColumnWords("Return: UKPRN"),
    "ilr_made": ColumnWords("Return: made at"),
    "ilr_prepared": ColumnWords("Return: prepared on"),
    "ilr_learner": ColumnWords("Return: number of the learner"),
    "ilr_line": ColumnWords("Return: line in the file"),
    "ilr_fault": ColumnWords("Return: what the schema says"),
    "aim_ref": ColumnWords("Aim: reference (LearnAimRef)"),
    "aim_type": ColumnWords("Aim: type (AimType)"),
    "aim_number": ColumnWords("Aim: sequence number"),
    "aim_id": ColumnWords("Aim: identifier (SWSupAimId)"),
    "learning_end_date": ColumnWords("Actual end of learning"),
    "fund_model": ColumnWords("Funding model"),
    "programme_type": ColumnWords("Programme type"),
    "standard_code": ColumnWords("Standard (LARS code)"),
    "completion_status": ColumnWords("Completion status"),
    "withdrawal_reason": ColumnWords("Reason of withdrawal"),
    "aim_outcome": ColumnWords("Outcome of the aim"),
    "achievement_date": ColumnWords("Day of achievement"),
    "outcome_grade": ColumnWords("Grade of the aim"),
    "assessment_org": ColumnWords("Assessment organisation"),
    "planned_hours": ColumnWords("Off the job: planned hours"),
    "actual_hours": ColumnWords("Off the job: actual hours"),
    "assessment_priced": ColumnWords("The assessment has a price"),
    "restart": ColumnWords("Restart"),
    "delivery_district": ColumnWords("Postcode district of delivery"),
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


def headers_known(columns: Iterable[str]) -> Mapping[str, str]:
    """The column of *columns* for each folded header: its own name, and those that it often has elsewhere."""
    listed = sorted(columns)
    others = {fold(word): column for column in listed for word in COLUMNS[column].headers}
    return others | {fold(column): column for column in listed}


def guessed(headers: Sequence[str], columns: Iterable[str], aliases: Mapping[str, str]) -> dict[str, str]:
    """For each of *headers* the column that it may mean: by *aliases* (folded), its name, or one like it.

    A column is proposed once, for the header that fits best.
    """
    known = dict(headers_known(columns))
    folded = {header: fold(header) for header in headers}
    found: dict[str, str] = {}
    for column_of in (aliases, known, _Close(known)):
        for header, name in folded.items():
            column = column_of.get(name)
            if column and header not in found and column not in found.values():
                found[header] = column
    return found


class _Close(Mapping[str, str]):
    """The columns of headers that are like a known one."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    def __getitem__(self, name: str) -> str:
        near = get_close_matches(name, self._known, 1, _CLOSE) if len(name) > 4 else []
        if not near:
            raise KeyError(name)
        return self._known[near[0]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
