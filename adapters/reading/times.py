"""Reads days and instants from cells, as people write them. Pure; knows no adapter.

Nothing is guessed: a date that could be two dates, a year of two digits, or a local time that exists twice or never, is
left to a person as ``Unusable``. An empty cell is ``None``. A date cell of a workbook (``row.values``) needs no format.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from adapters.reading.cells import text
from lrs.kernel.tables.row import Row, Unusable

DATES = (
    *("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d %B %Y", "%Y/%m/%d"),
    *("%d-%b-%Y", "%d-%B-%Y", "%d/%b/%Y", "%b %d, %Y", "%B %d, %Y", "%Y%m%d"),
)
NUMBERED = {"excel": date(1899, 12, 30), "excel1904": date(1904, 1, 1)}
"""The day with number 0, by the name that a mapping profile gives such dates."""
LONGEST = 80
"""Characters of the longest cell that can be a day or a time."""
AHEAD = timedelta(hours=24)
OF_YEARS = 'name such dates (as "%d/%m/%y") in the mapping profile'
"""What to do where years have two digits."""
YEARS = range(1950, 2150)
"""Years that somebody can mean."""
_ISO = "%Y-%m-%d"
_SERIAL = re.compile(r"\d{5}(?:\.\d{1,15})?")
_CLOCK_BEHIND = re.compile(
    r"(?:^|[T ])(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?: ?([ap])\.?m\.?)?$", re.IGNORECASE
)
_OFFSET = re.compile(r" ?(Z|UTC|GMT|[+-]\d{2}:?\d{2}|(?<=:\d\d)[+-]\d{2})$", re.IGNORECASE)
_BY_MACHINE = re.compile(r"\dT\d|:\d\d:\d\d", re.IGNORECASE)
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
_SEPT = re.compile(r"\bsept\b\.?", re.IGNORECASE)
_WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? (?=.)", re.IGNORECASE)
_SHORT_YEAR = re.compile(r"\d{1,2}[/.\- ](?:\d{1,2}|[a-z]{3,9})[/.\- ]\d{2}", re.IGNORECASE)


class Calendar(msgspec.Struct, frozen=True):
    """How a file writes dates: *formats* of ``strptime``, ``excel`` or ``excel1904``; times are local in *zone*."""

    zone: ZoneInfo
    formats: Sequence[str] = DATES


def day(row: Row, column: str, calendar: Calendar) -> date | None:
    """The cell as a day, by the first format that fits; for an instant with an offset, its day in the calendar's zone.

    A local time of day after the date is ignored.
    """
    cell = text(row, column)
    if not cell:
        return None
    if len(cell) > LONGEST:
        raise _no_date(column, cell[:LONGEST])
    if isinstance(row.values.get(column), time | timedelta):
        raise Unusable("impossible_date", column, cell, "this is a time without a date")
    clock = _CLOCK_BEHIND.search(cell)
    found = _read_day(row, column, cell, calendar)
    if found is None and _has_offset(cell):
        at = moment(row, column, calendar)
        return at.astimezone(calendar.zone).date() if at else None
    if found is None and clock and _time_of(clock) is not None:
        found = _read_day(row, column, cell[: clock.start()], calendar)
    if found is None:
        raise _no_date(column, cell)
    return found


def moment(row: Row, column: str, calendar: Calendar, *, on: date | None = None) -> datetime | None:
    """The cell as an instant: date and time, or only a time on the day *on*. It is local unless it has an offset.

    A local time that the clocks skipped or showed twice is ``Unusable``; it needs its offset.
    """
    cell = text(row, column)
    if not cell:
        return None
    if len(cell) > LONGEST:
        raise _no_date(column, cell[:LONGEST])
    offset = _OFFSET.search(cell) if _has_offset(cell) else None
    serial = next((form for form in calendar.formats if form in NUMBERED and _SERIAL.fullmatch(cell)), None)
    if serial and "." in cell:
        return local(_serial(serial, cell), calendar.zone, column, cell)
    head = cell[: offset.start()] if offset else cell
    clock = _CLOCK_BEHIND.search(head)
    if clock is None:
        raise Unusable("no_time", column, cell, "expected a date and a time, such as 2026-11-20 09:30")
    hour = _time_of(clock)
    if hour is None:
        raise Unusable("impossible_time", column, cell, "there is no such time of day")
    named = head[: clock.start()].strip()
    the_day = _read_day(row, column, named, calendar) if named else on
    if the_day is None:
        raise Unusable("missing", column, cell, "the date is missing") if not named else _no_date(column, cell)
    if offset:
        return datetime.combine(the_day, hour, tzinfo=_offset(offset[1], column, cell))
    return local(datetime.combine(the_day, hour), calendar.zone, column, cell)


def has_time(row: Row, column: str) -> bool:
    """Whether a date cell has a time of day. Midnight counts as none, because systems without times write it."""
    cell = text(row, column)[:LONGEST]
    clock = _CLOCK_BEHIND.search(_OFFSET.sub("", cell) if _has_offset(cell) else cell)
    if clock is None:
        return _SERIAL.fullmatch(cell) is not None and cell.partition(".")[2].strip("0") != ""
    return _time_of(clock) != time(0)


def _serial(form: str, cell: str) -> datetime:
    """The date and time of a day number with its fraction of a day, to the second."""
    seconds = round(Decimal(cell) * 86_400)
    return datetime.combine(NUMBERED[form], time(0)) + timedelta(seconds=seconds)


def _has_offset(cell: str) -> bool:
    """Whether *cell* ends in an offset.

    ``09:00-11:00`` is a span from nine to eleven, unless it is in a machine's format.
    """
    found = _OFFSET.search(cell) if ":" in cell else None
    return found is not None and (not found[1].startswith("-") or _BY_MACHINE.search(cell) is not None)


def _time_of(clock: re.Match[str]) -> time | None:
    """The time of day in the match; ``None`` if there is no such time."""
    hour, half = int(clock[1]), (clock[4] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, int(clock[2]), int(clock[3] or 0))
    except ValueError:
        return None


def _offset(written: str, column: str, cell: str) -> timezone:
    digits = re.fullmatch(r"([+-])(\d{2}):?(\d{2})?", written)
    if not digits:
        return UTC
    span = timedelta(hours=int(digits[2]), minutes=int(digits[3] or 0))
    if span >= timedelta(hours=24):
        raise Unusable("impossible_time", column, cell, "no clock is that far from UTC")
    return timezone(span if digits[1] == "+" else -span)


def _read_day(row: Row, column: str, cell: str, calendar: Calendar) -> date | None:
    """The day in *cell*, which is all or a part of the cell in *column*; ``None`` if it is none."""
    formats = (_ISO,) if isinstance(row.values.get(column), date) else tuple(calendar.formats)
    found = _by_formats(cell, formats, calendar.zone)
    if found is not None and found.year not in YEARS:
        raise Unusable("impossible_date", column, cell, f"the year {found.year} cannot be meant")
    return found


@lru_cache(maxsize=4_096)
def _by_formats(cell: str, formats: tuple[str, ...], zone: ZoneInfo) -> date | None:
    """The day in *cell* by the first of *formats* that fits. Files repeat few days."""
    weekday = _WEEKDAY.match(cell)
    plain = _SEPT.sub("Sep", _ORDINAL.sub("", cell[weekday.end() if weekday else 0 :]))
    for form in formats if "%Y-%d-%m" in formats else (*formats, _ISO):
        if form in NUMBERED:
            if _SERIAL.fullmatch(plain):
                return _serial(form, plain).date()
            continue
        if form in {"%Y%m%d", "%Y%d%m"} and len(plain) != 8:  # strptime would accept 2026113 too
            continue
        try:
            found = datetime.strptime(plain, form)  # noqa: DTZ007 (its zone, if it names one, is asked for below)
        except ValueError:
            continue
        is_moved = found.tzinfo is not None and found.year in YEARS  # a zone can move other years out of the calendar
        return (found.astimezone(zone) if is_moved else found).date()
    return None


def _no_date(column: str, cell: str) -> Unusable:
    if re.fullmatch(r"\d{5}(\.\d+)?", cell):
        return Unusable("date_serial", column, cell, 'a spreadsheet\'s day number: name "excel" among the dates')
    if re.fullmatch(r"\d{4}-\d{2}|\d{2}/\d{4}", cell):
        return Unusable("date_incomplete", column, cell, "the day is missing")
    if _SHORT_YEAR.fullmatch(cell):
        return Unusable("date_incomplete", column, cell, f"the year has two digits: write all four, or {OF_YEARS}")
    return Unusable("impossible_date", column, cell, "there is no such date")


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
