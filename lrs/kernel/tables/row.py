"""One row of a table: its place, what its cells show, and the values they hold. Knows no file format and no column."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec

DIRECTIONS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Marks of the direction of writing. Windows puts them around the parts of a date."""
BLANKS = " \t\r\n\f\v\u00a0\u00ad\u2007\u200b\u202f\u2060\u3000\ufeff\x00" + DIRECTIONS
"""Characters around a cell's text that are removed."""


class RowPlace(NamedTuple):
    """The place of a row as a spreadsheet shows it: the first row is 1; *sheet* is empty for CSV."""

    sheet: str
    row: int


class Unusable(Exception):
    """A cell or a row that cannot be used. The row is set aside and can be sent again once it is repaired.

    ``code`` is short and stable, ``column`` is the column's own name, ``value`` the cell's text (shown masked only).
    """

    def __init__(self, code: str, column: str, value: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.column = column
        self.value = value
        self.message = message


class Percent(NamedTuple):
    """The value of a cell with a percent format: 80 for 80 %."""

    number: Decimal


Value = date | datetime | time | timedelta | Decimal | Percent
"""The value of a cell of a workbook when it is more than text."""


class Fault(NamedTuple):
    """Why a cell, or a whole line, cannot be used."""

    code: str
    message: str


class FileLine(NamedTuple):
    """One line of a file before its columns are known: *values* and *faults* by position."""

    number: int
    cells: list[str]
    values: Mapping[int, Value] = {}
    faults: Mapping[int, Fault] = {}
    trouble: Fault | None = None

    @property
    def blank(self) -> bool:
        """Whether the line shows nothing and has no fault."""
        if any(cell.strip(BLANKS) for cell in filter(None, reversed(self.cells))):
            return False
        return self.trouble is None and all(fault.code == "merged" for fault in self.faults.values())


class Row(msgspec.Struct, frozen=True):
    """One row by canonical column name.

    The package's docstring says what *cells*, *values*, *faults* and *trouble* are. *doubled* names columns that the
    file has twice with different content.
    """

    place: RowPlace
    cells: Mapping[str, str]
    doubled: tuple[str, ...] = ()
    trouble: Unusable | None = None
    values: Mapping[str, Value] = {}
    faults: Mapping[str, Unusable] = {}

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")
