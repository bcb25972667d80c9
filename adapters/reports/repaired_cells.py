"""Cells that somebody repaired on a page, as the file of repaired rows that they could have sent instead.

So there is one way in which rows are repaired (see ``mended``). Knows no page and no store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from adapters.reports.mended import ROW, ROW_OF
from adapters.reports.repairs import write_csv
from adapters.reports.workbooks import from_first, write_workbook
from lrs.kernel.errors import Refused
from lrs.kernel.tables.cell import neutral
from lrs.kernel.tables.header import KnownHeaders, fold
from lrs.kernel.tables.opening import open_table
from lrs.kernel.tables.row import RowPlace
from lrs.kernel.tables.table import FoundSheet, Table

RepairedCells = Mapping[RowPlace, Mapping[str, str]]
"""For each row of the file that is repaired, what its cells say now, by the header of the file."""


def write_repaired(repairs: Path, job: str, cells: RepairedCells, to: Path) -> None:
    """Writes to *to* the rows with *cells*, out of the file of *repairs* of the import *job*, as the same sort of file.

    Raises ``Refused`` (400) for a cell that the encoding of the file cannot hold.
    """
    table = open_table(repairs, KnownHeaders({fold(f"{ROW_OF}{job}"): ROW}))
    by_header = {place: {fold(header): cell for header, cell in told.items()} for place, told in cells.items()}
    if table.dialect is None:
        write_workbook(to, (from_first(one.title, _lines(table, one, by_header)) for one in table.sheets))
        return
    try:
        write_csv(to, table.dialect, _lines(table, table.sheets[0], by_header), errors="strict")
    except UnicodeEncodeError as error:
        sign = error.object[error.start : error.start + 1]
        message = f"“{sign}” is no sign of the encoding of your file ({error.encoding}): repair that cell in the file."
        raise Refused(message, error="bad_repairs") from error


def _lines(table: Table, of: FoundSheet, cells: RepairedCells) -> Iterator[list[str]]:
    """The header of a sheet, and its rows that are repaired; a column that the file has not comes first."""
    columns = [name for name in dict.fromkeys(of.header.columns) if name]
    written = [of.header.written.get(name, name) for name in columns]
    there = set(map(fold, written))
    own = {place: told for place, told in cells.items() if place.sheet == of.title}
    added = sorted({header for told in own.values() for header in told} - there)
    yield [neutral(header) for header in (*added, *written)]
    for row in table.rows():
        said = own.get(RowPlace(of.title, int(row.cells[ROW])), {}) if row.place.sheet == of.title else {}
        if said:
            yield [neutral(said.get(header, "")) for header in added] + [
                neutral(said.get(fold(header), row.cells.get(name, "")))
                for header, name in zip(written, columns, strict=True)
            ]
