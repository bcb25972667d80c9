"""Finds out whether all dates of a file have the same order of day and month. Pure; knows no adapter.

03/04/2026 alone is 3 April for one reader and 4 March for another. If the file also has 03/14/2026, which can only have
the month first, the order is not certain. Then the whole file is refused, because every other date may be wrong too.

With the year first, the month comes next by ISO 8601. Where a column has 2026-14-03 all the same, dates of the column
that could be read both ways are in doubt: a person is asked once for the file, and until then their rows wait.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import msgspec

from adapters.reading.times import DATES, YEARS
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import counted
from lrs.kernel.tables.row import Row, RowPlace, Unusable

OF_DAYS = 'name the one that the file has under "dates" in a mapping profile'
"""What to do where another order is meant."""
OF_YEARS_FIRST = 'name "%Y-%d-%m" first under "dates" in a mapping profile, or "%Y-%m-%d" if the month comes first'
"""What to do where the year comes first, and the order behind it is in doubt."""
IN_DOUBT = "date_order"
"""The code of a cell that may be two dates."""
_NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/.-])")
_YEAR_FIRST = re.compile(r"(\d{4})([/.-]?)(\d{1,2})\2(\d{1,2})(?![\d/.-])")
_FORMATS = re.compile(r"%([dm])([/.-])%[dm]\2%[Yy]")
_FORMATS_YEAR_FIRST = re.compile(r"%Y([/.-]?)%([dm])\1%[dm]")
_WORDS = {"d": "day", "m": "month"}
_ISO = "%Y-%m-%d"
_MONTHS = 12
_KEPT = 2
_HEAD = 12
"""Characters of a cell that decide on the order of day and month, and one more."""


class DayQuestion(msgspec.Struct, frozen=True):
    """What only a person can say of a file: *said* asks whether day and month are the other way round.

    *formats* read the dates so. *kept* read them as they are read now; without them nothing can be kept as it is.
    """

    said: str
    formats: tuple[str, ...]
    kept: tuple[str, ...] = ()


class DatesContradict(Refused):
    """The dates of a file contradict each other. *asks* is the question whose answer would read them all, if any."""

    def __init__(self, message: str, asks: DayQuestion | None = None) -> None:
        super().__init__(message, error="dates_contradict")
        self.asks = asks


class DayDoubt(msgspec.Struct, frozen=True):
    """Columns whose dates have the year first, some of which exist only with day and month the other way round."""

    columns: frozenset[str]
    orders: Mapping[str, str]
    asks: DayQuestion

    def note(self) -> str:
        """What is said of the whole file."""
        return f"{self.asks.said} If so, {OF_YEARS_FIRST}. Until then these rows wait"

    def marked(self, row: Row) -> Row:
        """*row* with a fault at each date that is in doubt."""
        found = {column: fault for column in self.columns if (fault := self._fault(row, column))}
        return msgspec.structs.replace(row, faults={**row.faults, **found}) if found else row

    def _fault(self, row: Row, column: str) -> Unusable | None:
        cell = row.cells.get(column, "")
        expected, possible = _year_first(cell[:_HEAD], self.orders) if column not in row.values else ("", "")
        if not possible or possible == expected:
            return None
        only = "this may be two dates, and others of the column" if len(possible) > 1 else "this date, as others here,"
        comes = f"the {_WORDS[_other(expected)]} before the {_WORDS[expected]}"
        code = IN_DOUBT if len(possible) > 1 else "impossible_date"
        return Unusable(code, column, cell, f"{only} can only be read with {comes}: {OF_YEARS_FIRST}")


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

    def add(self, row: Row, column: str, orders: Mapping[str, str]) -> bool:
        """Counts one cell, and says whether it exists only otherwise. The first two of each type are kept."""
        held = row.values.get(column)
        if isinstance(held, date):
            if held.day > _MONTHS:
                self.cells_later += 1
            else:
                _keep(self.cells_to_12th, _Found(row.place, column, "d"))
        elif held is None:
            expected, possible = _year_last(row.cells.get(column, "")[:_HEAD], orders)
            return self.take(_Found(row.place, column, expected), possible)
        return False

    def take(self, found: _Found, possible: str) -> bool:
        """Counts a text that can be read in the *possible* orders; whether it cannot in the one by the formats."""
        if not possible:
            return False
        of_sort = self.only_otherwise if found.order not in possible else self.only_as_named
        of_sort = self.either if len(possible) > 1 else of_sort
        _keep(of_sort, found if found.order in possible else found._replace(order=possible))
        return found.order not in possible

    def were_swapped(self) -> bool:
        """Whether a program read days up to the 12th as months, and left later days as text."""
        texts, cells = len(self.only_as_named), len(self.cells_to_12th)
        return texts > 1 and cells > 1 and not self.cells_later and not self.either


def check_day_order(
    rows: Iterable[Row], columns: Collection[str], formats: Sequence[str], called: Mapping[str, str] | None = None
) -> DayDoubt | None:
    """Refuses *rows* whose dates in *columns* cannot all have the order of the first of *formats*.

    Gives what is in doubt of dates with the year first, unless the first of *formats* is one that somebody named for
    them. *called* are the headers of the file by column.
    """
    orders, year_first = _orders_of(formats, _FORMATS), _orders_of([*formats, _ISO], _FORMATS_YEAR_FIRST)
    found = {column: _Column() for column in sorted(columns)}
    behind = {column: _Column() for column in found}
    contrary = [0, 0]
    for row in rows:
        contrary[0] += sum(column.add(row, name, orders) for name, column in found.items()) > 0
        contrary[1] += sum(_take(column, row, name, year_first) for name, column in behind.items()) > 0
    _check_years_last(found, _Asking(formats, called or {}, contrary[0]))
    is_named = tuple(formats) != DATES and any(map(_FORMATS_YEAR_FIRST.match, formats[:1]))
    doubtful = [name for name, column in behind.items() if column.only_otherwise]
    if is_named or not doubtful:
        return None
    asks = _Asking(formats, called or {}, contrary[1]).question(doubtful, behind[doubtful[0]].only_otherwise[0].order)
    return DayDoubt(frozenset(doubtful), year_first, asks)


class _Asking(NamedTuple):
    """What a question is made of: *formats* and headers of the file, and how many rows can be read in no other way."""

    formats: Sequence[str]
    called: Mapping[str, str]
    rows: int

    def question(self, columns: Sequence[str], order: str) -> DayQuestion:
        """Asks whether the dates in *columns* have the year first, and *order* behind it."""
        those, rest = _apart(self.formats, _FORMATS_YEAR_FIRST)
        those = those or [_ISO]
        return DayQuestion(self._said(columns, order), (*map(_turned, those), *rest), (*those, *rest))

    def question_of_file(self, columns: Sequence[str], order: str) -> DayQuestion:
        """Asks whether the dates in *columns* have *order* first, and the year last."""
        those, rest = _apart(self.formats, _FORMATS)
        return DayQuestion(self._said(columns, order), (*dict.fromkeys(map(_turned, those)), *rest))

    def _said(self, columns: Sequence[str], order: str) -> str:
        *others, last_one = self._headers(columns)
        where = f"{', '.join(others)} and {last_one}" if others else last_one
        so = "the column" if len(columns) == 1 else "the columns"
        first, last = _WORDS[order], _WORDS[_other(order)]
        rows = f"{counted(self.rows, 'row')} can be read in no other way"
        return f"{first.capitalize()}s seem to come before {last}s in {where} ({rows}): read {so} so?"

    def _headers(self, columns: Sequence[str]) -> Iterator[str]:
        """Those of *columns* in the order of the file."""
        order = list(self.called)
        for column in sorted(columns, key=lambda one: order.index(one) if one in self.called else -1):
            yield self.called.get(column, column)


def _check_years_last(found: Mapping[str, _Column], asking: _Asking) -> None:
    """Raises ``DatesContradict``."""
    otherwise = next((one for column in found.values() for one in column.only_otherwise), None)
    for column in found.values():
        cells = column.cells_to_12th if column.only_otherwise else ()
        as_named = [*column.only_as_named, *column.either, *cells]
        if otherwise and as_named:
            raise DatesContradict(_contradiction(as_named[0], otherwise), _way_out(found, otherwise, asking))
        if column.were_swapped():
            raise DatesContradict(_swapped(column.cells_to_12th[0], column.only_as_named[0]))


def _way_out(found: Mapping[str, _Column], otherwise: _Found, asking: _Asking) -> DayQuestion | None:
    """The question whose answer reads all dates; ``None`` if some exist only in the one order, some in the other."""
    contrary = [name for name, column in found.items() if column.only_otherwise]
    certain = (one for column in found.values() for one in (*column.only_as_named, *column.only_otherwise))
    if any(one.order != otherwise.order for one in certain) or any(found[name].cells_to_12th for name in contrary):
        return None
    return asking.question_of_file(contrary, otherwise.order)


def _take(column: _Column, row: Row, name: str, orders: Mapping[str, str]) -> bool:
    if name in row.values:
        return False
    expected, possible = _year_first(row.cells.get(name, "")[:_HEAD], orders)
    return column.take(_Found(row.place, name, expected), possible)


def _orders_of(formats: Iterable[str], pattern: re.Pattern[str]) -> Mapping[str, str]:
    """What comes first of day and month, by the sign between them: by the first of *formats* that has it."""
    orders: dict[str, str] = {}
    for found in filter(None, map(pattern.match, formats)):
        one, two = found.groups()
        order, sign = (one, two) if one in _WORDS else (two, one)
        orders.setdefault(sign, order)
    return orders


def _apart(formats: Iterable[str], pattern: re.Pattern[str]) -> tuple[list[str], list[str]]:
    """Those of *formats* that *pattern* matches, and the others."""
    return [one for one in formats if pattern.match(one)], [one for one in formats if not pattern.match(one)]


def _turned(form: str) -> str:
    """*form* with day and month the other way round."""
    return "%m".join(part.replace("%m", "%d") for part in form.split("%d"))


def _other(order: str) -> str:
    return "m" if order == "d" else "d"


def _keep(found: list[_Found], one: _Found) -> None:
    if len(found) < _KEPT:
        found.append(one)


def _year_last(cell: str, orders: Mapping[str, str]) -> tuple[str, str]:
    """The order of a date written like *cell*: the one by the formats, and those possible (``d``, ``m``, or both)."""
    found = _NUMBERS.match(cell)
    if not found or found[2] not in orders:
        return "-", ""
    return orders[found[2]], _possible(int(found[4]), int(found[1]), int(found[3]))


def _year_first(cell: str, orders: Mapping[str, str]) -> tuple[str, str]:
    """The same of a date with the year first."""
    found = _YEAR_FIRST.match(cell)
    if not found or found[2] not in orders or int(found[1]) not in YEARS or (not found[2] and len(found[0]) != 8):
        return "-", ""
    return orders[found[2]], _possible(int(found[1]), int(found[3]), int(found[4]))


@lru_cache(maxsize=4_096)
def _possible(year: int, one: int, two: int) -> str:
    return ("d" if _is_date(year, two, one) else "") + ("m" if _is_date(year, one, two) else "")


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return False
    return True


def _contradiction(as_named: _Found, otherwise: _Found) -> str:
    return (
        f"the file's dates contradict each other: {otherwise} can only have the {_WORDS[otherwise.order]} first, while"
        f" {as_named} is read with the {_WORDS[as_named.order]} first. Nothing was taken in: write all dates in one"
        f" order, best as 2026-11-20, or {OF_DAYS}"
    )


def _swapped(cell: _Found, text: _Found) -> str:
    return (
        f"day and month of some dates seem to be swapped: {cell.column} has date cells up to the 12th of a month"
        f" ({cell}) and later days as text ({text}), as a program leaves them that reads dates the other way round."
        f" Nothing was taken in: take the file as it was exported, or write all dates as 2026-11-20"
    )
