"""Durations as people read them. Pure; knows no page."""

from __future__ import annotations

from lrs.kernel.times import SECOND


def lasting(micros: int) -> str:
    """A duration in microseconds, in the largest unit that fits."""
    seconds = micros // SECOND
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
