"""One row of a table: where it stands, what its cells show, what they hold. Knows no file format and no column."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec

DIRECTIONS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Marks of the direction of writing: Windows puts them around the parts of a date."""
BLANKS = " \t\r\n\f\v\u00a0\u00ad\u2007\u200b\u202f\u2060\u3000\ufeff\x00" + DIRECTIONS
"""What stands around a cell and says nothing."""


class Place(NamedTuple):
    """Where a row stands, as a spreadsheet shows it: the first row is 1; *sheet* is empty for CSV."""

    sheet: str
    row: int


class Unusable(Exception):
    """A cell or a row that cannot be taken as it is; the row is left aside and can be read again once repaired.

    ``code`` is short and stable, ``column`` the column's own name, ``value`` what stood there (shown masked only).
    """

    def __init__(self, code: str, column: str, value: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.column = column
        self.value = value
        self.message = message


class Percent(NamedTuple):
    """What a cell with a format of per cent holds: 80 for 80 %."""

    number: Decimal


Value = date | datetime | time | timedelta | Decimal | Percent
"""What a cell of a workbook holds when it is more than text."""


class Fault(NamedTuple):
    """Why a cell, or a whole line, cannot be believed."""

    code: str
    message: str


class Line(NamedTuple):
    """One line of a file as it stands there, before anybody knows its columns: *values* and *faults* by position."""

    number: int
    cells: list[str]
    values: Mapping[int, Value] = {}
    faults: Mapping[int, Fault] = {}
    trouble: Fault | None = None

    @property
    def blank(self) -> bool:
        """Whether the line shows nothing, and hides nothing."""
        if any(cell.strip(BLANKS) for cell in reversed(self.cells)):
            return False
        return self.trouble is None and all(fault.code == "merged" for fault in self.faults.values())


class Row(msgspec.Struct, frozen=True):
    """One row by canonical column name; see the package's docstring for *cells*, *values*, *faults* and *trouble*.

    *doubled* names columns that came twice and said two things.
    """

    place: Place
    cells: Mapping[str, str]
    doubled: tuple[str, ...] = ()
    trouble: Unusable | None = None
    values: Mapping[str, Value] = {}
    faults: Mapping[str, Unusable] = {}

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")
