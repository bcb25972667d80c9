"""Days and calendar durations, such as "valid for P12M". Knows no rule, no clock and no store.

Days are days in the centre's time zone (``LRS_ZONE``), never UTC instants. What is valid until a day is valid to the
end of that day in the zone. Months clamp: 31 January + P1M is 28 or 29 February.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lrs.kernel.times import micros_of_timestamp

_DURATION = re.compile(r"P(?:([0-9]{1,4})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?")
_SPELT = re.compile(r"([0-9]{1,5}) ?(YEAR|MONTH|WEEK|DAY)S?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Period(NamedTuple):
    """A calendar duration: whole months, then whole days."""

    months: int
    days: int


def iso_period(text: str) -> str:
    """*text* as ISO 8601 has it, if it is a period as people write one, such as ``12 months``; else in upper case."""
    plain = " ".join(text.upper().split())
    spelt = _SPELT.fullmatch(plain)
    return f"P{spelt[1]}{spelt[2][0]}" if spelt else plain


def parse_period(text: str) -> Period:
    """A duration of years, months, weeks and days: ISO 8601, such as ``P12M``, or as people write it.

    Raises ``ValueError`` with the reason.
    """
    found = _DURATION.fullmatch(iso_period(text))
    if not found or not any(found.groups()):
        raise ValueError(f"{text!r} is no duration in years, months, weeks or days, such as 12 months, 1 year or P30D")
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    period = Period(12 * years + months, 7 * weeks + days)
    if period == (0, 0):
        raise ValueError(f"{text!r} lasts no time")
    if period.months > 1200 or period.days > 36_500:
        raise ValueError(f"{text!r} is longer than a hundred years")
    return period


def shorter(one: Period, other: Period) -> bool:
    """Whether *one* is certainly shorter than *other*: months of *one* count as 31 days, months of *other* as 28."""
    return one.months * 31 + one.days < other.months * 28 + other.days


def add(day: date, period: Period, times: int = 1) -> date:
    """*day* plus *times* durations (minus one, with *times* -1).

    The day of the month is clamped to the month's last day.
    """
    months = day.year * 12 + day.month - 1 + times * period.months
    year, month = divmod(months, 12)
    if not 1 <= year <= 9998:
        return date.max if times > 0 else date.min
    clamped = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    return shifted(clamped, times * period.days)


def shifted(day: date, days: int) -> date:
    """*day* moved by a number of *days*, but not beyond the first and the last day that there are."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def day_of(micros: int, zone: str) -> date:
    """The day on which *micros* (microseconds UTC, years 1 to 9999) lies in *zone*.

    Where that would be in the year 0 or 10000: the first or the last day that there is.
    """
    at = _EPOCH + timedelta(microseconds=micros)
    try:
        return at.astimezone(ZoneInfo(zone)).date()
    except OverflowError:
        return at.date()


def midnight(day: date, zone: str) -> int:
    """The start of *day* in *zone*, in microseconds UTC."""
    return (datetime.combine(day, time(), ZoneInfo(zone)) - _EPOCH) // _MICROSECOND


def micros_in(timestamp: str) -> int | None:
    """*timestamp* in microseconds UTC, as ``lrs.kernel.times`` reads it; ``None`` if it is not valid."""
    try:
        return micros_of_timestamp(timestamp)
    except ValueError:
        return None
