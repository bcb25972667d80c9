"""The positions of the bars of a chart. Pure. ``shared/ui.html`` draws them as SVG, with the same data as a table."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

WIDTH, ROW, THICK = 640, 32, 20
LEFT = 200
"""The left end of the bars; their labels are to the left of it."""
_RIGHT = 70
_LONGEST_LABEL = 26


class Bar(msgspec.Struct, frozen=True):
    """One bar. *label* is *whole*, shortened; *text* is the value in words, to the right of *end*."""

    label: str
    whole: str
    text: str
    top: int
    middle: int
    length: int
    end: int


class Bars(msgspec.Struct, frozen=True):
    """A chart of horizontal bars, in units of its view box."""

    bars: tuple[Bar, ...]
    height: int
    width: int = WIDTH
    left: int = LEFT
    label_end: int = LEFT - 8
    thick: int = THICK


def bars(values: Sequence[tuple[str, float, str]]) -> Bars:
    """A bar for each of *values*: label, value (not negative), and the value in words."""
    most = max((value for _, value, _ in values), default=0) or 1
    return Bars(tuple(_bar(row, most, *one) for row, one in enumerate(values)), len(values) * ROW)


def _bar(row: int, most: float, whole: str, value: float, text: str) -> Bar:
    label = whole if len(whole) <= _LONGEST_LABEL else f"{whole[: _LONGEST_LABEL - 1]}…"
    length = round((WIDTH - LEFT - _RIGHT) * value / most)
    top = row * ROW + (ROW - THICK) // 2
    return Bar(label, whole, text, top, row * ROW + 21, length, LEFT + length + 8)
