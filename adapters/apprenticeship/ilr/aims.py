"""A row of the filtered records as an aim: a learner's enrolment on one thing, as the return has it. Pure."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from adapters.apprenticeship.ilr.years import BY_CODE, IlrYear
from lrs.kernel.tables.row import Row, Unusable

PROGRAMME, COMPONENT = 1, 3
"""Aim types: the programme as a whole, and a part of one."""
APPRENTICESHIP, UNIT = 25, 34
"""Programme types: an apprenticeship on a standard, and an apprenticeship unit (from April 2026)."""
CONTINUING, COMPLETED, WITHDRAWN, ON_BREAK = 1, 2, 3, 6
ACHIEVED, PARTLY, NOT_ACHIEVED, AWAITED = 1, 2, 3, 8
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MADE = re.compile(_DAY.pattern + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}")


class IlrReturn(NamedTuple):
    """Which return a row is from. *made* is its time as an ISO text, in the provider's time."""

    year: IlrYear
    ukprn: str
    made: str
    prepared: date


class Aim(NamedTuple):
    """One learning delivery. *line* is where it begins in the file that was sent; ``?`` behind line 65,534."""

    line: str
    ref: str
    type: int
    number: int
    id: str
    start: date
    planned_end: date
    end: date | None
    fund: int
    programme: int | None
    standard: int | None
    status: int
    reason: int | None
    outcome: int | None
    achieved: date | None
    grade: str
    organisation: str
    priced: bool
    restart: bool
    planned_hours: int | None
    actual_hours: int | None
    district: str

    @property
    def on_standard(self) -> bool:
        """Whether it belongs to an apprenticeship on a standard."""
        return self.programme == APPRENTICESHIP

    @property
    def is_funded_standard(self) -> bool:
        """Funded apprenticeship on a standard (funding model 36), or one without funding (99)."""
        return self.fund in {36, 99} and self.on_standard

    @property
    def is_bootcamp(self) -> bool:
        """Whether it belongs to a skills bootcamp."""
        return (self.fund, self.programme) == (37, 32)


def return_of(row: Row) -> IlrReturn:
    """The return that *row* is from. Raises ``Unusable`` for a row that was not made from one."""
    year = BY_CODE.get(row.cells.get("ilr_year", ""))
    made = _MADE.match(row.cells.get("ilr_made", ""))
    prepared = _DAY.match(row.cells.get("ilr_prepared", ""))
    if year is None or made is None or prepared is None:
        message = "this row is of no ILR return: send the return itself, the XML file"
        raise Unusable("no_ilr", "ilr_year", row.cells.get("ilr_year", ""), message)
    return IlrReturn(year, row.cells.get("ilr_ukprn", ""), made[0], date.fromisoformat(prepared[0]))


def aim_of(row: Row) -> Aim:
    """The aim of *row*, which the schema has checked. Raises ``Unusable`` where it still cannot be read."""
    cell = row.cells.get
    try:
        return Aim(
            line=cell("ilr_line", ""),
            ref=cell("aim_ref", ""),
            type=int(cell("aim_type", "")),
            number=int(cell("aim_number", "")),
            id=cell("aim_id", ""),
            start=date.fromisoformat(cell("start_date", "")),
            planned_end=date.fromisoformat(cell("planned_end_date", "")),
            end=_date(cell("learning_end_date", "")),
            fund=int(cell("fund_model", "")),
            programme=_number(cell("programme_type", "")),
            standard=_number(cell("standard_code", "")),
            status=int(cell("completion_status", "")),
            reason=_number(cell("withdrawal_reason", "")),
            outcome=_number(cell("aim_outcome", "")),
            achieved=_date(cell("achievement_date", "")),
            grade=cell("outcome_grade", ""),
            organisation=cell("assessment_org", ""),
            priced=cell("assessment_priced") == "yes",
            restart=cell("restart") == "yes",
            planned_hours=_number(cell("planned_hours", "")),
            actual_hours=_number(cell("actual_hours", "")),
            district=cell("delivery_district", ""),
        )
    except ValueError as error:
        message = "the learning delivery has a date or a number that is none: make the return again"
        raise Unusable("no_ilr", "aim_number", cell("aim_number", ""), message) from error


def _date(cell: str) -> date | None:
    return date.fromisoformat(cell) if cell else None


def _number(cell: str) -> int | None:
    return int(cell) if cell else None
