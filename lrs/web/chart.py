"""The positions of the bars of a chart. Pure. ``shared/ui.html`` draws them as SVG, with the same data as a table."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

WIDTH, ROW, THICK = 360, 48, 16
_LABEL, _UNDER = 16, 22
"""The line of a label, and the top of the bar below it. So a label is as long as the chart is wide, also on a phone."""
_RIGHT = 80
_LONGEST_LABEL = 48


class Bar(msgspec.Struct, frozen=True):
    """One bar. *label* is *whole*, shortened, at *above*; *text* is the value in words, to the right of *end*."""

    label: str
    whole: str
    text: str
    above: int
    top: int
    middle: int
    length: int
    end: int


class Bars(msgspec.Struct, frozen=True):
    """A chart of horizontal bars, in units of its view box."""

    bars: tuple[Bar, ...]
    height: int
    width: int = WIDTH
    thick: int = THICK


def bars(values: Sequence[tuple[str, float, str]]) -> Bars:
    """A bar for each of *values*: label, value (not negative), and the value in words."""
    most = max((value for _, value, _ in values), default=0) or 1
    return Bars(tuple(_bar(row, most, *one) for row, one in enumerate(values)), len(values) * ROW)


def _bar(row: int, most: float, whole: str, value: float, text: str) -> Bar:
    label = whole if len(whole) <= _LONGEST_LABEL else f"{whole[: _LONGEST_LABEL - 1]}…"
    length = round((WIDTH - _RIGHT) * value / most)
    top = row * ROW + _UNDER
    return Bar(label, whole, text, row * ROW + _LABEL, top, top + THICK - 3, length, length + 8)
