"""Days and times as people write them: "17 November 2027", "17 November 2027, 14:05 GMT". Pure.

Commands and JSON have them as ISO 8601; only pages and mails have them like this.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lrs.kernel.times import SECOND, zoned_micros
from lrs.web.language import ENGLISH

_MIDNIGHT = re.compile(r"[Tt ]00:00:00(\.0+)?([Zz]|[+-]\d\d:\d\d)")
_PART = re.compile("([0-9]+)([YMWD])")
_UNITS = {"Y": "duration-year", "M": "duration-month", "W": "duration-week", "D": "duration-day"}
_LOCALES = {ENGLISH: "en_GB"}


class Dates(NamedTuple):
    """How the dates of one page are written: in which *zone*, and in which *language*."""

    zone: str
    language: str = ENGLISH

    def day(self, day: date | str) -> str:
        """See ``written_day``."""
        return written_day(day, self.language)

    def period(self, duration: str) -> str:
        """See ``written_period``."""
        return written_period(duration, self.language)

    def moment(self, micros: int) -> str:
        """See ``written_moment``."""
        return written_moment(micros, self.zone, self.language)

    def result_time(self, timestamp: str) -> str:
        """See ``written_result_time``."""
        return written_result_time(timestamp, self.zone, self.language)


def written_day(day: date | str, language: str = ENGLISH) -> str:
    """*day*, a date or ISO 8601 text, in words. Any other text is returned unchanged."""
    if isinstance(day, str):
        try:
            day = date.fromisoformat(day[:10])
        except ValueError:
            return str(day)
    from babel.dates import format_date  # noqa: PLC0415 (Babel is loaded for the first date)

    return format_date(day, "d MMMM y", locale=_LOCALES.get(language, language))


def written_period(duration: str, language: str = ENGLISH) -> str:
    """An ISO 8601 *duration* of years, months, weeks and days in words: "2 years", "1 year, 6 months"."""
    from babel.units import format_unit  # noqa: PLC0415 (Babel is loaded for the first date)

    locale = _LOCALES.get(language, language)
    parts = [(int(count), _UNITS[letter]) for count, letter in _PART.findall(duration)]
    return ", ".join(format_unit(count, unit, "long", locale=locale) for count, unit in parts if count)


def written_moment(micros: int, zone: str, language: str = ENGLISH) -> str:
    """A time in microseconds UTC as people in *zone* write it, to the minute."""
    there = datetime.fromtimestamp(micros / SECOND, ZoneInfo(zone))
    return f"{written_day(there.date(), language)}, {there:%H:%M %Z}"


def written_timestamp(timestamp: str, zone: str, language: str = ENGLISH) -> str:
    """An RFC 3339 *timestamp* as people in *zone* write it. Any other text is returned unchanged."""
    try:
        return written_moment(zoned_micros(timestamp), zone, language)
    except (ValueError, OverflowError):  # a year that the zone would move out of the calendar
        return timestamp


def written_result_time(timestamp: str, zone: str, language: str = ENGLISH) -> str:
    """When a result came about: as ``written_timestamp``, but midnight, as it is written or in *zone*, is only a day.

    Files of providers often have days without times; their results are stored with the start of the day.
    """
    try:
        there = datetime.fromtimestamp(zoned_micros(timestamp) / SECOND, ZoneInfo(zone))
    except (ValueError, OverflowError):
        return timestamp
    if _MIDNIGHT.fullmatch(timestamp[10:]):
        return written_day(timestamp, language)
    if there.time() == time():
        return written_day(there.date(), language)
    return written_timestamp(timestamp, zone, language)
