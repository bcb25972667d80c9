"""What goes back of rows that need repair: a file of the same sort with these rows alone, and what a page shows.

The file has the columns of the sent one, and three more: the number of each row in the file that it was taken from,
what became of it, and why. Repaired, it is read in the place of those rows (see ``mended``).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from adapters.reading.source import CellFault, RowOutcome, RowResult
from adapters.reports.mended import ROW_OF
from adapters.reports.report import FAULTY, Report, added_to
from adapters.reports.workbooks import from_first, write_workbook
from lrs.kernel.tables.cell import neutral
from lrs.kernel.tables.delimited import Dialect
from lrs.kernel.tables.row import Row, RowPlace
from lrs.kernel.tables.table import FoundSheet
from lrs.storage.private import private_file

SHOWN = 1_000
"""Rows with a reason that a page lists: those to repair first."""
_LONGEST = 300
_WHO = (("given_names", "family_name"), ("learner_ref",), ("email",), ("uln",), ("student_id",))
Choice = Literal["faulty", "all"]


class ShownRow(msgspec.Struct, frozen=True):
    """A row with a reason: *column* as the file calls it, *cell* what stands there, *who* the learner in the row.

    There is one for each cell of the row that cannot be used.
    """

    sheet: str
    row: int
    outcome: RowResult
    code: str
    column: str
    cell: str
    reason: str
    who: str


def shown_rows(report: Report) -> list[ShownRow]:
    """The first ``SHOWN`` rows of *report* that have a reason, in the order of the file; those to repair first."""
    told = [row for row in report.rows if row.reason]
    chosen = islice((*_faulty(told, True), *_faulty(told, False)), SHOWN)
    outcomes = {RowPlace(one.sheet, one.row): one for one in chosen}
    cells = {row.place: row for row in report.read.rows() if row.place in outcomes} if outcomes else {}
    return [_shown(report, one, cell, cells.get(place)) for place, one in outcomes.items() for cell in one.cells]


def write_rows(report: Report, job: str, path: Path, choice: Choice) -> bool:
    """Writes the rows to repair, or all rows, of the import *job* to *path*.

    ``False``, and no file, if there are none.
    """
    outcomes = {RowPlace(one.sheet, one.row): one for one in report.rows}
    wanted = {place for place, one in outcomes.items() if choice == "all" or one.outcome in FAULTY}
    if not wanted:
        return False
    private_file(path)
    sheets = {one.title: one for one in report.table.sheets}

    def lines(of: FoundSheet) -> Iterator[list[str]]:
        columns = [name for name in dict.fromkeys(of.header.columns) if name]
        written = [of.header.written.get(name, name) for name in columns]
        yield [*map(neutral, written), f"{ROW_OF}{job}", *added_to(written)]
        for row in report.read.rows():
            if row.place.sheet == of.title and row.place in wanted:
                yield [*(neutral(_cell(row, name)) for name in columns), *_told(report, outcomes[row.place])]

    if report.table.dialect is None:
        needed = {place.sheet for place in wanted}
        write_workbook(path, (from_first(title, lines(one)) for title, one in sheets.items() if title in needed))
    else:
        write_csv(path, report.table.dialect, lines(report.table.sheets[0]))
    return True


def _told(report: Report, one: RowOutcome) -> tuple[str, str, str]:
    return str(one.row), one.outcome, neutral(report.said(one)) if one.reason else ""


def _cell(row: Row, column: str) -> str:
    """What stands in a cell. Nothing if the file has the column twice with different values: one has to be chosen."""
    return "" if column in row.doubled else row.cells.get(column, "")


def write_csv(path: Path, dialect: Dialect, lines: Iterable[list[str]], errors: str = "replace") -> None:
    """Writes *lines* as a file that is written as the provider's is."""
    with path.open("w", encoding=dialect.encoding, errors=errors, newline="") as made:
        csv.writer(made, delimiter=dialect.delimiter).writerows(lines)


def _faulty(rows: Iterable[RowOutcome], wanted: bool) -> Iterator[RowOutcome]:  # noqa: FBT001 (which half of them)
    return (row for row in rows if (row.outcome in FAULTY) is wanted)


def _shown(report: Report, one: RowOutcome, of: CellFault, row: Row | None) -> ShownRow:
    cells: Mapping[str, str] = row.cells if row else {}
    written = next((sheet.header.written for sheet in report.table.sheets if sheet.title == one.sheet), {})
    column, cell = written.get(of.column, of.column), cells.get(of.column, "")[:_LONGEST]
    return ShownRow(one.sheet, one.row, one.outcome, of.code, column, cell, of.reason, _who(cells.get))


def _who(cell: Callable[[str, str], str]) -> str:
    named = (" ".join(filter(None, (cell(column, "") for column in columns))) for columns in _WHO)
    return next(filter(None, named), "")[:_LONGEST]
