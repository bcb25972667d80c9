"""Whether the dates of a file agree on what comes first, day or month. Pure; knows no adapter.

03/04/2026 alone is 3 April for one reader and 4 March for another. Beside 03/14/2026, which can only be month first,
nobody can say what it was: then the whole file is stopped, since every other date in it may be wrong as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from lrs.errors import Refused
from lrs.tables.row import Place, Row

_NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/.-])")
_FORMATS = re.compile(r"%([dm])([/.-])%[dm]\2%[Yy]")
_WORDS = {"d": "day", "m": "month"}


class _Found(NamedTuple):
    place: Place
    column: str
    order: str

    def __str__(self) -> str:
        return f"{self.column} in {self.place.sheet + ' ' if self.place.sheet else ''}row {self.place.row}"


def check_day_order(rows: Iterable[Row], columns: Collection[str], formats: Sequence[str]) -> None:
    """Refuses *rows* whose dates in *columns* cannot all have the order that *formats* names first."""
    orders: dict[str, str] = {}
    for named in filter(None, map(_FORMATS.match, formats)):
        orders.setdefault(named[2], named[1])
    as_named: _Found | None = None
    otherwise: _Found | None = None
    for row in rows:
        for column in columns:
            if row.values.get(column) is not None:
                continue
            expected, possible = _orders(row.cells.get(column, ""), orders)
            if expected in possible:
                as_named = as_named or _Found(row.place, column, expected)
            elif possible:
                otherwise = otherwise or _Found(row.place, column, possible)
        if as_named and otherwise:
            raise _contradiction(as_named, otherwise)


def _orders(cell: str, orders: Mapping[str, str]) -> tuple[str, str]:
    """What comes first in a date written like *cell*: as the formats say, and what is possible (``d``, ``m``, both)."""
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
        f' order, best as 2026-11-20, or name the one that the file has under "dates" in a mapping profile',
        error="dates_contradict",
    )
