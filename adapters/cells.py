"""What a cell means: text, dates, times, minutes, yes or no, addresses. Pure; knows no adapter.

Every function takes a row and a column and raises ``Unusable`` with that column. Nothing is guessed: a date that could
be two dates, or a local time that came twice or never, is left to a person. An empty cell is ``None`` or ``""``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal
from zoneinfo import ZoneInfo

from adapters.tables import is_formula
from lrs.tables.row import Row, Unusable

HoursFormat = Literal["decimal", "h.mm", "h:mm", "minutes"]
DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d %B %Y", "%Y/%m/%d")
_OF_WORKBOOKS = "%Y-%m-%d"
"""How ``sheets`` writes a date cell, which is a date whatever formats the texts of a file are in."""
AHEAD = timedelta(hours=24)
_EMAIL = re.compile(r"(?:mailto:)?([^@\s<>\"',;:]{1,64}@[^@\s<>\"',;:.]+(?:\.[^@\s<>\"',;:.]+)+)", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?")
_TIME_OF_DAY = re.compile(r"[T ](?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?$")
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})$", re.IGNORECASE)
_YES = frozenset({"yes", "y", "true", "t", "1", "x"})
_NO = frozenset({"no", "n", "false", "f", "0"})
NUMBERED = {"excel": date(1899, 12, 30), "excel1904": date(1904, 1, 1)}
"""The day that number 0 stands for, by the name a mapping profile gives such dates."""


def text(row: Row, column: str) -> str:
    """The cell as text, or ``""``."""
    cell = row.cells.get(column, "")
    if column in row.faults:
        raise row.faults[column]
    if column in row.doubled:
        raise Unusable("duplicate_column", column, cell, "the column comes twice with different values")
    if is_formula(cell):
        raise Unusable("formula", column, cell, "the cell holds a formula, not a value")
    if "\ufffd" in cell:
        raise Unusable("encoding", column, cell, "the cell holds bytes that are no text in the file's encoding")
    return cell


def needed(row: Row, column: str) -> str:
    """The cell as text; it must not be empty."""
    cell = text(row, column)
    if not cell:
        raise Unusable("missing", column, "", "the cell is empty")
    return cell


def choice(row: Row, column: str, known: Mapping[str, str], default: str | None = None) -> str:
    """What the cell's word stands for in *known* (case-folded words); *default* for an empty cell."""
    cell = text(row, column) if default is not None else needed(row, column)
    if not cell and default is not None:
        return default
    meant = known.get(folded_word(cell))
    if meant is None:
        raise Unusable("unknown_word", column, cell, "use one of: " + ", ".join(sorted(set(known.values()))))
    return meant


def folded_word(word: str) -> str:
    """*word* without the differences people make: case, hyphens, underscores, blanks."""
    return " ".join(word.casefold().replace("_", " ").replace("-", " ").split())


def yes(row: Row, column: str, *, default: bool) -> bool:
    """The cell as yes or no, in the spellings people use."""
    cell = text(row, column).casefold()
    if not cell:
        return default
    if cell not in _YES | _NO:
        raise Unusable("unknown_word", column, cell, "use yes or no")
    return cell in _YES


def day(row: Row, column: str, formats: Sequence[str] = DATES) -> date | None:
    """The cell as a date by the first of *formats* that fits (``strptime``, ``excel``, ``excel1904``).

    A date cell of a workbook needs no format, and a time of day behind a date is of no account.
    """
    cell = text(row, column)
    if not cell:
        return None
    found = _day(cell, formats) or _day(_TIME_OF_DAY.sub("", cell), formats)
    if found is None:
        raise _no_date(column, cell)
    if not 1900 <= found.year <= 2200:
        raise Unusable("impossible_date", column, cell, f"the year {found.year} cannot be meant")
    return found


def _day(cell: str, formats: Sequence[str]) -> date | None:
    for form in formats if "%Y-%d-%m" in formats else (*formats, _OF_WORKBOOKS):
        if form in NUMBERED:
            if re.fullmatch(r"\d{5}", cell):
                return NUMBERED[form] + timedelta(days=int(cell))
            continue
        try:
            return datetime.strptime(cell, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def _no_date(column: str, cell: str) -> Unusable:
    if re.fullmatch(r"\d{5}(\.\d+)?", cell):
        return Unusable("date_serial", column, cell, 'a spreadsheet\'s day number: name "excel" among the dates')
    if re.fullmatch(r"\d{4}-\d{2}", cell):
        return Unusable("date_incomplete", column, cell, "the day is missing")
    return Unusable("impossible_date", column, cell, "there is no such date")


def moment(
    row: Row, column: str, zone: ZoneInfo, *, formats: Sequence[str] = DATES, on: date | None = None
) -> datetime | None:
    """The cell as an instant: date and time, or a time alone of the day *on*; local in *zone* unless it has an offset.

    A local time that the clocks skipped or showed twice is ``Unusable``: write it with its offset.
    """
    cell = text(row, column)
    if not cell:
        return None
    offset = _OFFSET.search(cell) if ":" in cell else None
    head = cell[: offset.start()].strip() if offset else cell
    named, _, clock = head.replace("T", " ").rpartition(" ")
    hour = _clock(column, clock, cell)
    the_day = _day(named.strip(), formats) if named else on
    if the_day is None:
        raise Unusable("missing", column, cell, "the date is missing") if not named else _no_date(column, cell)
    if offset:
        try:
            # The text is made here, of parts that were read, and the offset is kept as it was written.
            return datetime.fromisoformat(f"{the_day}T{hour}{offset[1].upper()}")  # noqa: TID251 (see above)
        except ValueError as error:
            raise Unusable("impossible_time", column, cell, "no clock is that far from UTC") from error
    return local(datetime.combine(the_day, hour), zone, column, cell)


def _clock(column: str, clock: str, cell: str) -> time:
    found = _CLOCK.fullmatch(clock)
    if not found:
        raise Unusable("no_time", column, cell, "expected a date and a time, such as 2026-11-20 09:30")
    try:
        return time(int(found[1]), int(found[2]), int(found[3] or 0))
    except ValueError as error:
        raise Unusable("impossible_time", column, cell, "there is no such time of day") from error


def local(naive: datetime, zone: ZoneInfo, column: str, cell: str) -> datetime:
    """The one instant at which clocks in *zone* showed *naive*."""
    first, second = naive.replace(tzinfo=zone), naive.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive:
        raise Unusable("time_twice", column, cell, f"{zone.key} clocks showed this time twice: add the offset")
    raise Unusable("time_skipped", column, cell, f"{zone.key} clocks never showed this time")


def midnight(the_day: date, zone: ZoneInfo) -> datetime:
    """The start of *the_day* in *zone*."""
    return datetime.combine(the_day, time(0), tzinfo=zone)


def not_ahead(when: datetime, now: datetime, column: str, cell: str) -> datetime:
    """*when*, unless it is more than 24 hours after *now*."""
    if when - now > AHEAD:
        raise Unusable("in_the_future", column, cell, "this has not happened yet: a clock or a date is wrong")
    return when


def minutes(row: Row, column: str, form: HoursFormat) -> int | None:
    """The cell as whole minutes: ``2.05`` is 123 as ``decimal`` hours (rounded), 125 as ``h.mm``."""
    cell = text(row, column)
    if not cell:
        return None
    try:
        total = _minutes(cell.replace(",", "."), form)
    except (ValueError, InvalidOperation) as error:
        raise Unusable("no_duration", column, cell, f"expected a time as {form}") from error
    if total < 0:
        raise Unusable("negative", column, cell, "a time cannot be negative")
    if total > 24 * 60:
        raise Unusable("over_a_day", column, cell, "a day has 24 hours")
    return total


def _minutes(cell: str, form: HoursFormat) -> int:
    if form in {"decimal", "minutes"}:
        if not re.fullmatch(r"[+-]?\d{1,6}(\.\d{1,6})?", cell):
            raise ValueError(cell)
        return round(Decimal(cell) * (60 if form == "decimal" else 1))
    hours, _, rest = cell.partition("." if form == "h.mm" else ":")
    if not re.fullmatch(r"-?\d{1,4}", hours) or not re.fullmatch(r"\d{0,2}", rest):
        raise ValueError(cell)
    left = int(rest.ljust(2, "0")) if form == "h.mm" and rest else int(rest or 0)
    if left > 59:
        raise ValueError(cell)
    return -1 if hours.startswith("-") else int(hours) * 60 + left


def email(row: Row, column: str) -> str:
    """The cell as an address in lower case, without ``mailto:``; ``""`` for an empty cell."""
    cell = text(row, column)
    if not cell:
        return ""
    found = _EMAIL.fullmatch(cell)
    if not found or len(cell) > 254:
        raise Unusable("no_email", column, cell, "this is no e-mail address")
    return found[1].lower()
