"""Checks that all dates of a file have the same order of day and month. Pure; knows no adapter.

03/04/2026 alone is 3 April for one reader and 4 March for another. If the file also has 03/14/2026, which can only have
the month first, the order is not certain. Then the whole file is refused, because every other date may be wrong too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import Row, RowPlace

OF_DAYS = 'name the one that the file has under "dates" in a mapping profile'
"""What to do where another order is meant."""
_NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/.-])")
_FORMATS = re.compile(r"%([dm])([/.-])%[dm]\2%[Yy]")
_WORDS = {"d": "day", "m": "month"}
_MONTHS = 12
_KEPT = 2


class _Found(NamedTuple):
    place: RowPlace
    column: str
    order: str

    def __str__(self) -> str:
        return f"{self.column} in {self.place.sheet + ' ' if self.place.sheet else ''}row {self.place.row}"


class _Column:
    """The dates of one column: date cells of a workbook, and texts that can be read in one order or in both."""

    def __init__(self) -> None:
        self.cells_to_12th: list[_Found] = []
        self.cells_later = 0
        self.only_as_named: list[_Found] = []
        self.either: list[_Found] = []
        self.only_otherwise: list[_Found] = []

    def add(self, row: Row, column: str, orders: Mapping[str, str]) -> None:
        """Counts one cell. The first two of each type are kept."""
        held = row.values.get(column)
        if isinstance(held, date):
            if held.day > _MONTHS:
                self.cells_later += 1
            else:
                _keep(self.cells_to_12th, _Found(row.place, column, "d"))
        elif held is None:
            expected, possible = _orders(row.cells.get(column, ""), orders)
            if possible:
                of_sort = self.only_otherwise if expected not in possible else self.only_as_named
                of_sort = self.either if len(possible) > 1 else of_sort
                _keep(of_sort, _Found(row.place, column, expected if expected in possible else possible))

    def were_swapped(self) -> bool:
        """Whether a program read days up to the 12th as months, and left later days as text."""
        texts, cells = len(self.only_as_named), len(self.cells_to_12th)
        return texts > 1 and cells > 1 and not self.cells_later and not self.either


def check_day_order(rows: Iterable[Row], columns: Collection[str], formats: Sequence[str]) -> None:
    """Refuses *rows* whose dates in *columns* cannot all have the order of the first of *formats*."""
    orders: dict[str, str] = {}
    for named in filter(None, map(_FORMATS.match, formats)):
        orders.setdefault(named[2], named[1])
    found = {column: _Column() for column in sorted(columns)}
    for row in rows:
        for name, column in found.items():
            column.add(row, name, orders)
    otherwise = next((one for column in found.values() for one in column.only_otherwise), None)
    for column in found.values():
        as_named = [*column.only_as_named, *column.either, *(column.cells_to_12th if column.only_otherwise else ())]
        if otherwise and as_named:
            raise _contradiction(as_named[0], otherwise)
        if column.were_swapped():
            raise _swapped(column.cells_to_12th[0], column.only_as_named[0])


def _keep(found: list[_Found], one: _Found) -> None:
    if len(found) < _KEPT:
        found.append(one)


def _orders(cell: str, orders: Mapping[str, str]) -> tuple[str, str]:
    """The order of a date written like *cell*: the one by the formats, and those possible (``d``, ``m``, or both)."""
    found = _NUMBERS.match(cell)
    if not found or found[2] not in orders:
        return "-", ""
    one, two, year = int(found[1]), int(found[3]), int(found[4])
    return orders[found[2]], ("d" if _is_date(year, two, one) else "") + ("m" if _is_date(year, one, two) else "")


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return False
    return True


def _contradiction(as_named: _Found, otherwise: _Found) -> Refused:
    return Refused(
        f"the file's dates contradict each other: {otherwise} can only have the {_WORDS[otherwise.order]} first, while"
        f" {as_named} is read with the {_WORDS[as_named.order]} first. Nothing was taken in: write all dates in one"
        f" order, best as 2026-11-20, or {OF_DAYS}",
        error="dates_contradict",
    )


def _swapped(cell: _Found, text: _Found) -> Refused:
    return Refused(
        f"day and month of some dates seem to be swapped: {cell.column} has date cells up to the 12th of a month"
        f" ({cell}) and later days as text ({text}), as a program leaves them that reads dates the other way round."
        f" Nothing was taken in: take the file as it was exported, or write all dates as 2026-11-20",
        error="dates_contradict",
    )
