"""Days and calendar durations: what "valid for P12M" means. Knows no rule, no clock and no store.

Days are days in the centre's time zone (``LRS_ZONE``), never UTC instants. A thing valid until a day is valid for the
whole of it, and no longer from the following midnight there. Months clamp: 31 January + P1M is 28 or 29 February.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lrs.kernel.times import micros_of_timestamp

_DURATION = re.compile(r"P(?:([0-9]{1,4})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Period(NamedTuple):
    """A calendar duration: whole months, then whole days."""

    months: int
    days: int


def parse_period(text: str) -> Period:
    """An ISO 8601 duration of years, months, weeks and days, such as ``P12M``. Raises ``ValueError``, saying why."""
    found = _DURATION.fullmatch(text.strip().upper())
    if not found or not any(found.groups()):
        raise ValueError(f"{text!r} is no duration in years, months, weeks or days, such as P12M or P30D")
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    period = Period(12 * years + months, 7 * weeks + days)
    if period == (0, 0):
        raise ValueError(f"{text!r} lasts no time")
    if period.months > 1200 or period.days > 36_500:
        raise ValueError(f"{text!r} is longer than a hundred years")
    return period


def shorter(one: Period, other: Period) -> bool:
    """Whether *one* is certainly shorter than *other* (a month counted as 31 days, against 28)."""
    return one.months * 31 + one.days < other.months * 28 + other.days


def add(day: date, period: Period, times: int = 1) -> date:
    """*day* plus (or, with *times* -1, minus) a duration; the day of the month is clamped to the month's last."""
    months = day.year * 12 + day.month - 1 + times * period.months
    year, month = divmod(months, 12)
    if not 1 <= year <= 9998:
        return date.max if times > 0 else date.min
    clamped = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    return clamped + timedelta(days=times * period.days)


def day_of(micros: int, zone: str) -> date:
    """The day on which *micros* (microseconds UTC) lies in *zone*."""
    return (_EPOCH + timedelta(microseconds=micros)).astimezone(ZoneInfo(zone)).date()


def moment(micros: int, zone: str) -> str:
    """A time in microseconds UTC as people in *zone* read it, to the minute."""
    return datetime.fromtimestamp(micros / 1_000_000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %Z")


def midnight(day: date, zone: str) -> int:
    """When *day* begins in *zone*, in microseconds UTC."""
    return (datetime.combine(day, time(), ZoneInfo(zone)) - _EPOCH) // _MICROSECOND


def micros_in(timestamp: str) -> int | None:
    """A timestamp in microseconds UTC, as ``lrs.kernel.times`` reads it; ``None`` if it is none."""
    try:
        return micros_of_timestamp(timestamp)
    except ValueError:
        return None
