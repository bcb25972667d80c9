"""The one reader and writer of timestamps: from text to microseconds UTC since 1970, and back. Knows no clock.

All parts of the product use it for timestamps in statements, badges and parameters, so they all understand a timestamp
alike. The time of every pattern is linear in the length of the text.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
"""Microseconds."""

_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_FIRST = (1 - _EPOCH_DAY) * DAY
_LAST = (dt.date.max.toordinal() + 1 - _EPOCH_DAY) * DAY - 1
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)

# What nearly every client sends, but for 29 February. Such a text needs no further check.
_match_plain_timestamp = re.compile(
    r"(?!0000)[0-9]{4}-"
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?Z"
).fullmatch
_match_timestamp = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]++))?)?"
    r"(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
).fullmatch
_has_zone = re.compile(r"(?:[Zz]|[+-][0-9:]++)\Z").search
_match_basic_timestamp = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})[Tt]([0-9]{2})([0-9]{2})(?:([0-9]{2})(?:[.,]([0-9]++))?)?"
    r"(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
).fullmatch


def is_iso_timestamp(text: str) -> bool:
    """Whether ``micros_of_timestamp`` understands *text*."""
    if _match_plain_timestamp(text):
        return True
    try:
        _micros_of_any(text)
    except ValueError:
        return False
    return True


def micros_of_timestamp(text: str) -> int:
    """The instant that *text* names, in microseconds UTC since 1970. Digits beyond microseconds are cut off.

    ISO 8601 combined date and time, extended or basic, precise to minutes or seconds. ``t`` and ``z`` mean ``T`` and
    ``Z``, and a blank may replace ``T`` (RFC 3339 5.6). A missing offset means UTC: xAPI 1.0.3 Data 4.5 says the zone
    SHOULD be there, no test of either version refuses its absence, and content in the field omits it. A leap second,
    ``:60`` in the last minute of a UTC day, is the first second of the next day, as in POSIX; whether that day had one
    is not checked.

    Raises ``ValueError`` for ``:60`` anywhere else, a negative zero offset (RFC 3339 4.3; ISO 8601 forbids it), 24:00,
    days that do not exist, and instants outside the years 1 to 9999.
    """
    if _match_plain_timestamp(text):
        return (dt.datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND  # noqa: TID251 (checked to be plain)
    return _micros_of_any(text)


def _micros_of_any(text: str) -> int:
    match = _match_timestamp(text) or _match_basic_timestamp(text)
    if match is None:
        raise ValueError("not an ISO 8601 timestamp")
    year, month, day, hour, minute, second, fraction, sign, off_hour, off_minute = match.groups()
    seconds = int(second or 0)
    clock = int(hour) * 3600 + int(minute) * 60
    if int(hour) > 23 or int(minute) > 59 or seconds > 60:
        raise ValueError("not a time of day")
    if sign:
        offset = int(off_hour) * 3600 + int(off_minute or 0) * 60
        if int(off_hour) > 23 or int(off_minute or 0) > 59 or (sign == "-" and not offset):
            raise ValueError("not an offset from UTC")
        clock += offset if sign == "-" else -offset
    if seconds == 60 and clock % 86_400 != 86_340:
        raise ValueError("not a leap second")
    days = dt.date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    micros = days * DAY + (clock + seconds) * SECOND + (int(fraction[:6].ljust(6, "0")) if fraction else 0)
    if not _FIRST <= micros <= _LAST:
        raise ValueError("not within the years 1 to 9999")
    return micros


def timestamp_of_micros(micros: int) -> str:
    """*micros* (microseconds UTC since 1970, years 1 to 9999) as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``."""
    seconds, rest = divmod(micros, SECOND)
    return f"{_second(seconds)}.{rest:06}Z"


def short_timestamp(micros: int) -> str:
    """*micros* (microseconds UTC since 1970, years 1 to 9999) as ``YYYY-MM-DDTHH:MM:SSZ``."""
    return f"{_second(micros // SECOND)}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()[:19]


def zoned_micros(text: str) -> int:
    """As ``micros_of_timestamp``, but raises ``ValueError`` also for a text without an offset."""
    micros = micros_of_timestamp(text)
    if not _has_zone(text):
        raise ValueError("a timestamp without an offset")
    return micros
