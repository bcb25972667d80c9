"""Scores in per cent, exactly. Pure; knows no rule."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

from lrs.competency.seen import Score


@lru_cache(maxsize=4_096)
def exact(number: float) -> Fraction:
    """The number of the shortest text of *number*: 57/100 for 0.57, and not the binary fraction next to it."""
    return Fraction(repr(number))


def percent(score: Score, scaled_range: tuple[float, float] = (0.0, 1.0)) -> Fraction | None:
    """A score in per cent of its range. ``None`` if it is unknown, which is not a failure.

    ``(raw - min) / (max - min)`` if all three are there and max is above min; else ``scaled`` in the range that its
    source uses: Moodle's plugin writes 2p - 1, so its 0.0 is 50 % (docs: xAPI-vle/moodle-logstore_xapi).
    """
    raw, low, high = score.raw, score.min, score.max
    if raw is None or low is None or high is None or not low < high:
        raw, (low, high) = score.scaled, scaled_range
    if raw is None or not all(math.isfinite(number) for number in (raw, low, high)):
        return None
    return _between(raw, low, high)


@lru_cache(maxsize=4_096)
def _between(raw: float, low: float, high: float) -> Fraction:
    return 100 * (exact(raw) - exact(low)) / (exact(high) - exact(low))


def shown(value: Fraction | None) -> float | None:
    """Per cent for people, with two decimals, rounded down so that 79.999 is never shown as a pass at 80."""
    return None if value is None else math.floor(value * 100) / 100
