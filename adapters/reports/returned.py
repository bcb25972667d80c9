"""The files that an import returns: the report, or the provider's own file with the outcome of each row.

The process that runs the import writes them; the server only sends them.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import msgspec

from adapters.reports.repairs import shown_rows, write_rows
from adapters.reports.report import ADDED, ADDED_BESIDE, NOTHING_USABLE, Report, added_to
from adapters.reports.workbooks import NumberedLine, WrittenSheet, write_workbook
from lrs.kernel.tables.cell import clean, neutral
from lrs.kernel.tables.package import Package, SheetPart, open_package
from lrs.kernel.tables.row import FileLine
from lrs.kernel.tables.table import lines_of
from lrs.kernel.tables.workbook import HIDDEN, Sheet
from lrs.storage.private import private_file

_TOKEN = re.compile(r"[A-Za-z0-9_.-]+")
"""A charset that a header can name; a mapping profile may write it in another way."""
JSON = "application/json"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


Wrote = Callable[[int], None]
"""Is told how many lines are written."""


class WrittenAnswers(msgspec.Struct, frozen=True):
    """The *names* of the files that were written, and the media type of the one that has the sort of the sent one."""

    names: tuple[str, ...]
    media_type: str


def write_answers(report: Report, job: str, folder: Path, wrote: Wrote = lambda _: None) -> WrittenAnswers:
    """Writes to *folder* what goes back of the import *job*. Only its owner may read it: it has learners' rows.

    ``report`` is JSON about every row, ``returned`` the sent file with outcomes; where rows wait for repair,
    ``repairs`` is a file of these; where rows have a reason, ``shown`` is what a page lists (JSON).

    *wrote* is called at every line of ``returned``.
    """
    names = ["report", "returned"]
    problem = {} if report.usable else {"error": "nothing_usable", "message": NOTHING_USABLE}
    _write_json(folder / "report", problem | report.shown())
    media_type = _write_returned(report, job, folder / "returned", wrote)
    if write_rows(report, job, folder / "repairs", "faulty"):
        names.append("repairs")
    if rows := shown_rows(report):
        _write_json(folder / "shown", rows)
        names.append("shown")
    return WrittenAnswers(tuple(names), media_type)


def _write_json(path: Path, told: object) -> None:
    private_file(path)
    path.write_bytes(msgspec.json.encode(told))


def _write_returned(report: Report, job: str, path: Path, wrote: Wrote) -> str:
    """Writes the sent file with outcomes; where it repairs rows of others, all rows as they are now."""
    private_file(path)
    dialect = report.table.dialect
    if report.read is not report.table:
        write_rows(report, job, path, "all")
    elif dialect is None:
        return_workbook(report, path, wrote)
    else:
        return_csv(report, path, wrote)
    if dialect is None:
        return WORKBOOK
    named = dialect.encoding if _TOKEN.fullmatch(dialect.encoding) else codecs.lookup(dialect.encoding).name
    return f"text/csv; charset={named.removesuffix('-sig')}"


def return_csv(report: Report, to: Path, wrote: Wrote) -> None:
    """Writes the provider's file to *to*, in its own encoding and delimiter, with the outcome of each row.

    Cells are made harmless for spreadsheets. Columns that an earlier return added are replaced.
    """
    dialect = report.table.dialect
    if dialect is None:
        raise TypeError(report.file)
    told = _Told(report, "")
    with to.open("w", encoding=dialect.encoding, errors="replace", newline="") as made:
        writer = csv.writer(made, delimiter=dialect.delimiter)
        for number, line in enumerate(lines_of(report.table.file, dialect), 1):
            writer.writerow(told.row(line))
            wrote(number)


def return_workbook(report: Report, to: Path, wrote: Wrote = lambda _: None) -> None:
    """Writes the provider's workbook to *to*, with the outcome of each row in every sheet; cells are harmless text.

    Hidden sheets and rows stay hidden. Otherwise they would be read when the file comes back.
    """
    counted = count(1)

    def lines(package: Package, part: SheetPart) -> Iterator[NumberedLine]:
        told = _Told(report, part.title)
        for line in Sheet(package, part).lines():
            yield NumberedLine(line.number, told.row(line), line.trouble == HIDDEN)
            wrote(next(counted))

    with open_package(report.table.file) as package:
        parts = package.sheets
        write_workbook(to, (WrittenSheet(part.title, lines(package, part), part.hidden) for part in parts))


class _Told:
    """The rows of one sheet with their outcomes. Rows above the header, and sheets without one, have none."""

    def __init__(self, report: Report, title: str) -> None:
        self._report = report
        self._by_row = {row.row: row for row in report.rows if row.sheet == title}
        self._header = next((one.header.row for one in report.table.sheets if one.title == title), None)
        self._width = 0
        self._added = ADDED

    def row(self, line: FileLine) -> list[str]:
        """The cells of *line*, made harmless, and its outcome after the last column of the header."""
        if self._header is None or line.number < self._header:
            return list(map(neutral, line.cells))
        if line.number == self._header:
            self._width = _own_width(line.cells)
            self._added = added_to(line.cells[: self._width])
        told = self._added if line.number == self._header else self._became(line.number)
        own = line.cells[: self._width] + [""] * (self._width - len(line.cells))
        return [*map(neutral, own), *told]

    def _became(self, number: int) -> tuple[str, str]:
        row = self._by_row.get(number)
        if row is None:
            return "", ""
        return row.outcome, neutral(self._report.said(row)) if row.reason else ""


def _own_width(header: list[str]) -> int:
    folded = [clean(cell).casefold() for cell in header]
    while folded and not folded[-1]:
        folded.pop()
    return len(folded) - len(ADDED) if tuple(folded[-2:]) in {ADDED, ADDED_BESIDE} else len(folded)
