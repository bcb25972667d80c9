"""Where each rule of the department begins: the nearest value that breaks it, and the nearest one that does not."""

from __future__ import annotations

from datetime import date
from typing import Any

from adapters.apprenticeship.ilr.aims import Aim, IlrReturn
from adapters.apprenticeship.ilr.rules import AIM_RULES
from adapters.apprenticeship.ilr.years import BY_CODE
from tests.rows import each_of

RETURN = IlrReturn(BY_CODE["2627"], "10000055", "2026-11-04T09:00:00", date(2026, 11, 4))
GOING = Aim(
    line="1",
    ref="ZPROG001",
    type=1,
    number=1,
    id="",
    start=date(2025, 9, 15),
    planned_end=date(2027, 3, 14),
    end=None,
    fund=36,
    programme=25,
    standard=755,
    status=1,
    reason=None,
    outcome=None,
    achieved=None,
    grade="",
    organisation="",
    priced=False,
    restart=False,
    planned_hours=400,
    actual_hours=None,
    district="",
)
"""A programme aim on a standard that goes on: it breaks no rule."""
OTHER = {"fund": 35, "programme": None, "standard": None}
"""An aim that belongs to no apprenticeship."""
END = {"end": date(2026, 10, 1), "status": 2, "outcome": 8, "actual_hours": 410}
ACHIEVED = {**END, "outcome": 1}
BORDERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("LearnStartDate_02", {"start": date(2016, 7, 31)}, {"start": date(2016, 8, 1)}),
    ("LearnStartDate_03", {**OTHER, "start": date(2027, 8, 1)}, {**OTHER, "start": date(2027, 7, 31)}),
    ("LearnStartDate_03", {**OTHER, "start": date(2027, 8, 1)}, {"start": date(2027, 8, 1)}),
    ("LearnPlanEndDate_02", {"planned_end": date(2025, 9, 14)}, {"planned_end": date(2025, 9, 15)}),
    ("LearnPlanEndDate_03", {"planned_end": date(2035, 9, 15)}, {"planned_end": date(2035, 9, 14)}),
    ("LearnActEndDate_01", {**END, "end": date(2025, 9, 14)}, {**END, "end": date(2025, 9, 15)}),
    ("LearnActEndDate_04", {**END, "end": date(2026, 11, 5)}, {**END, "end": date(2026, 11, 4)}),
    ("CompStatus_01", {**END, "status": 4}, {**END, "status": 6}),
    ("CompStatus_02", {**OTHER, "end": date(2026, 10, 1)}, {"end": date(2026, 10, 1)}),
    ("CompStatus_03", {"status": 2}, END),
    ("CompStatus_04", {**END, "outcome": None}, END),
    ("CompStatus_05", {**OTHER, "outcome": 8}, {"outcome": 8}),
    ("CompStatus_06", {**END, "status": 6}, {**END, "status": 6, "outcome": 3}),
    ("Outcome_01", {**END, "outcome": 5}, {**END, "outcome": 8}),
    (
        "Outcome_04",
        {**OTHER, **END, "achieved": date(2026, 10, 8)},
        {**OTHER, **ACHIEVED, "achieved": date(2026, 10, 8)},
    ),
    ("Outcome_05", {"outcome": 1}, ACHIEVED),
    ("Outcome_09", {**OTHER, **END, "status": 3}, {**OTHER, **END}),
    ("WithdrawReason_03", {**END, "status": 3, "outcome": 3}, {**END, "status": 3, "outcome": 3, "reason": 2}),
    ("WithdrawReason_04", {"reason": 2}, {**END, "status": 3, "outcome": 3, "reason": 2}),
    ("AchDate_03", {**ACHIEVED, "achieved": date(2025, 9, 14)}, {**ACHIEVED, "achieved": date(2025, 9, 15)}),
    ("AchDate_04", {"outcome": 1, "achieved": date(2026, 10, 8)}, {**ACHIEVED, "achieved": date(2026, 10, 8)}),
    ("AchDate_05", {**ACHIEVED, "achieved": date(2026, 9, 30)}, {**ACHIEVED, "achieved": date(2026, 10, 1)}),
    ("AchDate_07", {**ACHIEVED, "achieved": date(2026, 11, 5)}, {**ACHIEVED, "achieved": date(2026, 11, 4)}),
    ("AchDate_11", {**ACHIEVED, "achieved": date(2026, 10, 7)}, {**ACHIEVED, "achieved": date(2026, 10, 8)}),
    (
        "AchDate_11",
        {**ACHIEVED, "end": date(2019, 8, 1), "achieved": date(2019, 8, 7)},
        {**ACHIEVED, "end": date(2019, 7, 31), "achieved": date(2019, 8, 1)},
    ),
    ("OutGrade_04", {"grade": "DI"}, {**ACHIEVED, "grade": "DI"}),
    ("EPAOrgID_02", {"priced": True}, {"priced": True, "organisation": "EPA0175"}),
    ("EPAOrgID_03", {"organisation": "EPA0175"}, {"priced": True, "organisation": "EPA0175"}),
    ("StdCode_01", {"standard": None}, {}),
    ("StdCode_03", {"programme": 24}, OTHER),
    ("ProgType_01", {"programme": None}, {**OTHER, "type": 4}),
    (
        "PHours_01",
        {"start": date(2019, 8, 1), "planned_hours": None},
        {"start": date(2019, 7, 31), "planned_hours": None},
    ),
    ("PHours_08", {"planned_hours": 186}, {"planned_hours": 187}),
    (
        "PHours_08",
        {"start": date(2025, 8, 1), "planned_hours": 186},
        {"start": date(2025, 7, 31), "planned_hours": 186},
    ),
    ("PHours_08", {"planned_hours": 186}, {"planned_hours": 186, "restart": True}),
    ("OTJActHours_02", {**END, "actual_hours": None}, {**END, "actual_hours": 0}),
    (
        "OTJActHours_02",
        {**END, "actual_hours": None, "start": date(2019, 8, 1)},
        {**END, "actual_hours": None, "start": date(2019, 7, 31)},
    ),
    (
        "OTJActHours_03",
        {**END, "status": 3, "actual_hours": None, "start": date(2022, 8, 1)},
        {**END, "status": 3, "actual_hours": None, "start": date(2022, 7, 31)},
    ),
]


def broken(**told: Any) -> set[str]:
    return {rule.name for rule in AIM_RULES if rule.breaks(GOING._replace(**told), RETURN)}


def test_an_apprenticeship_that_goes_on_breaks_no_rule_and_each_rule_has_a_border():
    assert broken() == set()
    assert {rule.name for rule in AIM_RULES} == {name for name, _, _ in BORDERS}


@each_of(("name", "over", "inside"), BORDERS)
def test_a_rule_is_broken_beyond_its_border_and_not_at_it(name, over, inside):
    assert name in broken(**over)
    assert name not in broken(**inside)
