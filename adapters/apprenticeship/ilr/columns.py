"""The columns that only returns have, in words that people read."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.reading.columns import ColumnWords

NAMED: Mapping[str, ColumnWords] = {
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
}
