"""The department's validation rules that need nothing but the return itself. Pure.

Source: Department for Education, ILR validation rules 2025-26, version 3 (Open Government Licence v3.0), with their
names and messages. Of the 881 rules these are the ones about what is read here; most others need reference data that
only the department has. 2026-27 has the same fields but for hours, which stand in ``HRSRecord``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from adapters.apprenticeship.ilr.aims import (
    ACHIEVED,
    AWAITED,
    COMPLETED,
    COMPONENT,
    CONTINUING,
    NOT_ACHIEVED,
    ON_BREAK,
    PARTLY,
    PROGRAMME,
    WITHDRAWN,
    Aim,
    IlrReturn,
)


class AimRule(NamedTuple):
    """A rule about one aim: whether it *breaks* it, what is said, and about which column."""

    name: str
    column: str
    breaks: Callable[[Aim, IlrReturn], bool]
    says: str


def years_after(day: date, years: int) -> date:
    """The same day *years* later; 28 February for 29 February in a year that has none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _is_programme(aim: Aim) -> bool:
    return aim.type == PROGRAMME and aim.is_funded_standard


def _needs_hours(aim: Aim, status: int, since: date) -> bool:
    return (aim.fund, aim.type, aim.status) == (36, PROGRAMME, status) and aim.start >= since and not aim.restart


AIM_RULES: Sequence[AimRule] = (
    AimRule(
        "LearnStartDate_02",
        "start_date",
        lambda a, r: a.start < years_after(r.year.first, -10),
        "the learning start date is more than 10 years before the start of the teaching year",
    ),
    AimRule(
        "LearnStartDate_03",
        "start_date",
        lambda a, r: a.start > r.year.last and a.fund not in {36, 37} and a.programme != 31,
        "the learning start date is after the end of the teaching year",
    ),
    AimRule(
        "LearnPlanEndDate_02",
        "planned_end_date",
        lambda a, _: a.planned_end < a.start,
        "the planned end date is before the start date",
    ),
    AimRule(
        "LearnPlanEndDate_03",
        "planned_end_date",
        lambda a, _: a.planned_end >= years_after(a.start, 10),
        "the planned end date is 10 years or more after the start date",
    ),
    AimRule(
        "LearnActEndDate_01",
        "learning_end_date",
        lambda a, _: a.end is not None and a.end < a.start,
        "the actual end date is before the start date",
    ),
    AimRule(
        "LearnActEndDate_04",
        "learning_end_date",
        lambda a, r: a.end is not None and a.end > r.prepared,
        "the actual end date is after the day on which the file was prepared",
    ),
    AimRule(
        "CompStatus_01",
        "completion_status",
        lambda a, _: a.status not in {CONTINUING, COMPLETED, WITHDRAWN, ON_BREAK},
        "the completion status is no valid code",
    ),
    AimRule(
        "CompStatus_02",
        "completion_status",
        lambda a, _: a.end is not None and a.status == CONTINUING and not _is_programme(a),
        "the actual end date must not be returned for this completion status",
    ),
    AimRule(
        "CompStatus_03",
        "completion_status",
        lambda a, _: a.end is None and a.status != CONTINUING,
        "the actual end date must be returned for this completion status",
    ),
    AimRule(
        "CompStatus_04",
        "aim_outcome",
        lambda a, _: a.outcome is None and a.status != CONTINUING,
        "the outcome must be returned for this completion status",
    ),
    AimRule(
        "CompStatus_05",
        "aim_outcome",
        lambda a, _: a.status == CONTINUING and a.outcome is not None and not (a.is_funded_standard or a.is_bootcamp),
        "the completion status is not valid for this outcome",
    ),
    AimRule(
        "CompStatus_06",
        "aim_outcome",
        lambda a, _: a.status in {WITHDRAWN, ON_BREAK} and a.outcome in {ACHIEVED, AWAITED} and not a.is_bootcamp,
        "a withdrawn learner, or one on a break, has achieved nothing and awaits nothing",
    ),
    AimRule(
        "Outcome_01",
        "aim_outcome",
        lambda a, _: a.outcome not in {None, ACHIEVED, PARTLY, NOT_ACHIEVED, AWAITED},
        "the outcome is no valid code",
    ),
    AimRule(
        "Outcome_04",
        "achievement_date",
        lambda a, _: a.achieved is not None and a.outcome != ACHIEVED and not (a.fund == 36 and a.on_standard),
        "the achievement date must not be returned for this outcome",
    ),
    AimRule(
        "Outcome_05",
        "aim_outcome",
        lambda a, _: a.outcome == ACHIEVED and a.end is None and not a.is_bootcamp,
        "the actual end date must be returned for this outcome",
    ),
    AimRule(
        "Outcome_09",
        "aim_outcome",
        lambda a, _: a.outcome == AWAITED and a.status != COMPLETED and not (_is_programme(a) or a.is_bootcamp),
        "the completion status is not valid for an outcome that is not known yet",
    ),
    AimRule(
        "WithdrawReason_03",
        "withdrawal_reason",
        lambda a, _: a.status == WITHDRAWN and a.reason is None,
        "the withdrawal reason must be returned for this completion status",
    ),
    AimRule(
        "WithdrawReason_04",
        "withdrawal_reason",
        lambda a, _: a.status in {CONTINUING, COMPLETED, ON_BREAK} and a.reason is not None,
        "the withdrawal reason must not be returned for this completion status",
    ),
    AimRule(
        "AchDate_03",
        "achievement_date",
        lambda a, _: a.achieved is not None and a.achieved < a.start and not a.is_bootcamp,
        "the achievement date is before the start date",
    ),
    AimRule(
        "AchDate_04",
        "achievement_date",
        lambda a, _: a.achieved is not None and a.end is None and not a.is_bootcamp,
        "the actual end date must be returned with an achievement date",
    ),
    AimRule(
        "AchDate_05",
        "achievement_date",
        lambda a, _: a.achieved is not None and a.end is not None and a.achieved < a.end and not a.is_bootcamp,
        "the achievement date is before the actual end date",
    ),
    AimRule(
        "AchDate_07",
        "achievement_date",
        lambda a, r: a.achieved is not None and a.achieved > r.prepared,
        "the achievement date is after the day on which the file was prepared",
    ),
    AimRule(
        "AchDate_11",
        "achievement_date",
        lambda a, _: (
            (a.type, a.fund) == (PROGRAMME, 36)
            and a.on_standard
            and a.achieved is not None
            and a.end is not None
            and a.end >= date(2019, 8, 1)
            and a.achieved < a.end + timedelta(days=7)
        ),
        "the achievement date of an apprenticeship is at least 7 days after the actual end date",
    ),
    AimRule(
        "OutGrade_04",
        "outcome_grade",
        lambda a, _: a.outcome in {None, AWAITED} and bool(a.grade),
        "the outcome grade must not be returned for this outcome",
    ),
    AimRule(
        "EPAOrgID_02",
        "assessment_org",
        lambda a, _: a.priced and not a.organisation,
        "an assessment has a price, and the assessment organisation is not named",
    ),
    AimRule(
        "EPAOrgID_03",
        "assessment_org",
        lambda a, _: bool(a.organisation) and not a.priced,
        "the assessment organisation is named, and the assessment has no price",
    ),
    AimRule(
        "StdCode_01",
        "standard_code",
        lambda a, _: a.on_standard and a.standard is None,
        "the code of the apprenticeship standard must be returned",
    ),
    AimRule(
        "StdCode_03",
        "standard_code",
        lambda a, _: not a.on_standard and a.standard is not None,
        "the code of an apprenticeship standard must not be returned",
    ),
    AimRule(
        "ProgType_01",
        "programme_type",
        lambda a, _: a.type in {PROGRAMME, COMPONENT} and a.programme is None,
        "the programme type must be returned for this learning aim",
    ),
    AimRule(
        "PHours_01",
        "planned_hours",
        lambda a, _: (a.type, a.fund) == (PROGRAMME, 36) and a.start >= date(2019, 8, 1) and a.planned_hours is None,
        "the planned off-the-job hours must be returned for an apprenticeship",
    ),
    AimRule(
        "PHours_08",
        "planned_hours",
        lambda a, _: (
            a.fund == 36
            and a.start >= date(2025, 8, 1)
            and a.planned_hours is not None
            and a.planned_hours < 187
            and not a.restart
        ),
        "the planned off-the-job hours are fewer than 187",
    ),
    AimRule(
        "OTJActHours_02",
        "actual_hours",
        lambda a, _: _needs_hours(a, COMPLETED, date(2019, 8, 1)) and a.actual_hours is None,
        "the actual off-the-job hours must be returned once an apprenticeship is completed",
    ),
    AimRule(
        "OTJActHours_03",
        "actual_hours",
        lambda a, _: _needs_hours(a, WITHDRAWN, date(2022, 8, 1)) and a.actual_hours is None,
        "the actual off-the-job hours must be returned for a learner who has withdrawn",
    ),
)
