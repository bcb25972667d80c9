"""Times and durations as people read them. Pure; knows no page."""

from __future__ import annotations

from lrs.competency.dates import moment
from lrs.kernel.times import zoned_micros

__all__ = ["lasting", "moment", "moment_of"]

SECOND = 1_000_000


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
