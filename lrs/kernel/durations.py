"""ISO 8601 durations as seconds, and as people say them. A year counts 365 days, a month 30."""

from __future__ import annotations

import re

_SECONDS = (365 * 86_400, 30 * 86_400, 7 * 86_400, 86_400, 3_600, 60, 1)
_NUMBER = r"(\d+(?:[.,]\d+)?)"
_DURATION = re.compile(
    rf"P(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)
LONGEST = 100 * 365 * 86_400.0
"""Seconds of the longest duration that is told apart. So sums of what content says stay numbers, which JSON has."""


def seconds_of(duration: str) -> float:
    """The seconds of a *duration* that xAPI allows, at most ``LONGEST``; 0 for another."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        return 0.0
    seconds = sum(
        float(number.replace(",", ".")) * seconds
        for number, seconds in zip(found.groups(), _SECONDS, strict=True)
        if number
    )
    return min(seconds, LONGEST)


def duration_of(micros: int) -> str:
    """*micros* microseconds as a duration, to the hundredth of a second."""
    return f"PT{max(0, micros) / 1e6:.2f}S"


def hours_and_minutes(duration: str) -> str:
    """*duration* as people say it, such as ``3 h 30 min``; empty for less than a minute, or for what is none."""
    hours, minutes = divmod(round(seconds_of(duration)) // 60, 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes))
