"""The columns that only exports of an e-portfolio have, in words that people read, and their usual headers."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.reading.columns import ColumnWords, RowDecision

_RIGHT = RowDecision("It puts right what was told before", "otj_correction", "yes")
_FURTHER = RowDecision("It is a further session", "otj_correction", "no")
_FIRST_RIGHT = RowDecision(_RIGHT.words, "resit_no", "0")
_RESIT = RowDecision("It is the first resit", "resit_no", "1")
NAMED: Mapping[str, ColumnWords] = {
    "standard_ref": ColumnWords(
        "Standard (reference such as ST1406)",
        ("standard", "standard reference", "apprenticeship standard", "standard number"),
    ),
    "standard_version": ColumnWords("Version of the standard", ("version", "standard version number")),
    "option": ColumnWords("Option of the standard", ("pathway", "course option")),
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
    "otj_date": ColumnWords(
        "Off the job: day",
        ("otj session date", "off the job date", "date of activity"),
        {"not_told_apart": (_RIGHT,), "not_told_exactly": (_FURTHER,)},
    ),
    "otj_start": ColumnWords("Off the job: start time", ("otj start time",)),
    "otj_minutes": ColumnWords("Off the job: minutes", ("off the job minutes", "otj mins")),
    "otj_hours": ColumnWords("Off the job: hours", ("off the job hours", "otjh", "hours logged", "otj")),
    "otj_category": ColumnWords("Off the job: category", ("activity type", "off the job category")),
    "otj_countable": ColumnWords("Off the job: does it count", ("counts as otj", "eligible hours")),
    "otj_ref": ColumnWords("Off the job: number", ("otj reference", "otj id")),
    "otj_correction": ColumnWords(
        "Off the job: is it a correction", ("correction",), {"not_told_apart": (_RIGHT, _FURTHER)}
    ),
    "gateway_date": ColumnWords("Day of the gateway", ("date of gateway", "gateway")),
    "assessment_outcome": ColumnWords("Assessment: outcome", ("epa outcome", "epa result", "assessment result")),
    "assessment_date": ColumnWords(
        "Assessment: day",
        ("epa date", "date of assessment"),
        {"not_told_apart": (_FIRST_RIGHT, _RESIT)},
    ),
    "assessment_grade": ColumnWords("Assessment: grade", ("epa grade", "final grade")),
    "resit_no": ColumnWords("Assessment: number of the resit", ("resit number", "resit")),
}
