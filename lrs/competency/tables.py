"""Reads our own tables (frameworks, rules, roles) from a file. A row is taken whole, or reported with the reason.

``lrs.kernel.tables`` reads the file. This module has what our tables have in common: one sheet, ``#`` comment lines, a
header that names no column twice, and no doubtful cell in a known column.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from pathlib import Path

from lrs.kernel.errors import Refused
from lrs.kernel.tables.header import headers_of
from lrs.kernel.tables.notes import notes_on
from lrs.kernel.tables.opening import open_table
from lrs.kernel.tables.row import Row
from lrs.kernel.tables.table import Table


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row (1 is the sheet's first) was left out, or, as a *warning*, what is unusual about it.

    *also* are further columns of it, each with its reason. *says* are the cells of a row that was left out, in the
    columns that name something; ``""`` for an unreadable cell.
    """

    row: int
    column: str | None
    reason: str
    warning: bool = False
    says: tuple[tuple[str, str], ...] = ()
    also: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        where = f"row {self.row}" + (f", {self.column}" if self.column else "")
        more = "".join(f"; {column}: {reason}" for column, reason in self.also)
        return f"{where}: {self.reason}{more}" + (" (warning)" if self.warning else "")


def read_table(
    content: Path | bytes,
    aliases: Mapping[str, Sequence[str]],
    *,
    above: Collection[str] = (),
    needed: Collection[str] = (),
    naming: Collection[str] = (),
) -> tuple[list[Row], list[RowFault]]:
    """The rows of the first visible sheet with known headers, under our column names, and the faults of other rows.

    *aliases* maps each column's name to its other headers. In the columns *above*, a cell that is merged with the one
    above it counts as empty. *naming* are columns, beside those *above* and *needed*, that faults say. Raises
    ``Refused`` for a file that is no table or too large, has a header twice or lacks one of the columns *needed*, and
    if a quotation mark is never closed.
    """
    table = _opened(content, aliases)
    named = [column for column in table.sheets[0].header.columns if column in aliases]
    twice = sorted({column for column in named if named.count(column) > 1})
    if twice:
        raise Refused(f"the header has the column {twice[0]!r} twice", error="bad_file")
    for column in needed:
        if column not in named:
            raise Refused(f"the file needs a column {column}", error="bad_file")
    rows: list[Row] = []
    faults: list[RowFault] = []
    for row in table.rows():
        fault = _fault(row, named, above)
        if fault:
            faults.append(replace(fault, says=said(row, (*above, *needed, *naming))))
        else:
            rows.append(row)
    return rows, faults


def said(row: Row, columns: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The cells of *row* in *columns* without empty ones; ``""`` for a cell that cannot be read."""
    unread = {column for column in columns if column in row.faults and row.faults[column].code != "merged"}
    return tuple((name, "" if name in unread else row[name]) for name in columns if row[name] or name in unread)


def told_of(content: Path | bytes, aliases: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Sentences about how the table in *content* is read, and which parts of the file are not."""
    return notes_on(_opened(content, aliases))


def _opened(content: Path | bytes, aliases: Mapping[str, Sequence[str]]) -> Table:
    return open_table(content, headers_of(aliases, comments=True)).first_sheet()


def _fault(row: Row, columns: Sequence[str], above: Collection[str]) -> RowFault | None:
    number = row.place.row
    if row.trouble:
        if not row.cells:
            raise Refused(f"row {number}: {row.trouble.message}", error="bad_file")
        return RowFault(number, None, row.trouble.message)
    for column in columns:
        fault = row.faults.get(column)
        if fault and not (fault.code == "merged" and column in above):
            return RowFault(number, column, fault.message)
        if isinstance(row.values.get(column), time | timedelta):
            return RowFault(number, column, "the cell holds a time: format the column as text and type it again")
    return None
