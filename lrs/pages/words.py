"""Times and durations as people read them. Pure; knows no page."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from lrs.times import zoned_micros

SECOND = 1_000_000


def moment(micros: int, zone: str) -> str:
    """A time in microseconds UTC as people in *zone* read it, to the minute."""
    return datetime.fromtimestamp(micros / SECOND, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %Z")


def moment_of(timestamp: str, zone: str) -> str:
    """An RFC 3339 *timestamp* as people in *zone* read it; what is none, as it stands."""
    try:
        return moment(zoned_micros(timestamp), zone)
    except (ValueError, OverflowError):  # a year that the zone would move out of the calendar
        return timestamp


def lasting(micros: int) -> str:
    """A duration in microseconds, in the largest unit that fits."""
    seconds = micros // SECOND
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
