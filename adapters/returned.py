"""The answer to an import, as a file: the report, or the provider's own file with what became of each row.

It is written by the process that ran the import, so that the one that serves only passes it on.
"""

from __future__ import annotations

import codecs
import csv
import re
from pathlib import Path

import msgspec

from adapters.report import ADDED, NOTHING_USABLE, Report
from lrs.kernel.tables.cell import clean, neutral
from lrs.kernel.tables.delimited import Delimited
from lrs.kernel.tables.package import open_package
from lrs.kernel.tables.row import Line
from lrs.kernel.tables.workbook import HIDDEN, Sheet
from lrs.storage.private import private_file

_TOKEN = re.compile(r"[A-Za-z0-9_.-]+")
"""A charset as a header can say it; a mapping profile may write it otherwise."""
_NOT_IN_TITLES = re.compile(r"[\\*?:/\[\]]")
_NOT_IN_CELLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Read in others' workbooks, but not to be written."""
JSON = "application/json"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Answer(msgspec.Struct, frozen=True):
    """What is to be answered: a report *as_json*, or else the sent file returned. It is written to *path*."""

    path: Path
    as_json: bool


class Written(msgspec.Struct, frozen=True):
    """The media type of a written answer, and whether anything of the file was *usable*."""

    media_type: str
    usable: bool


def write_answer(answer: Answer, report: Report) -> Written:
    """Writes the answer that is *report*, or the file with it, for its owner alone: it holds learners' rows."""
    private_file(answer.path)
    return Written(_write(answer, report), report.usable)


def _write(answer: Answer, report: Report) -> str:
    if answer.as_json:
        problem = {} if report.usable else {"error": "nothing_usable", "message": NOTHING_USABLE}
        answer.path.write_bytes(msgspec.json.encode(problem | report.shown()))
        return JSON
    dialect = report.table.dialect
    if dialect is None:
        return_workbook(report, answer.path)
        return WORKBOOK
    return_csv(report, answer.path)
    named = dialect.encoding if _TOKEN.fullmatch(dialect.encoding) else codecs.lookup(dialect.encoding).name
    return f"text/csv; charset={named.removesuffix('-sig')}"


def return_csv(report: Report, to: Path) -> None:
    """Writes the provider's file to *to*, in its own encoding and delimiter, with what became of each row.

    Every cell is made harmless for spreadsheets. Columns that an earlier return added are replaced.
    """
    dialect = report.table.dialect
    if dialect is None:
        raise TypeError(report.file)
    told = _Told(report, "")
    with to.open("w", encoding=dialect.encoding, errors="replace", newline="") as made:
        writer = csv.writer(made, delimiter=dialect.delimiter)
        writer.writerows(told.row(line) for line in Delimited(report.table.file, dialect).lines())


def return_workbook(report: Report, to: Path) -> None:
    """Writes the provider's workbook to *to*, every sheet with what became of each row, cells as harmless text.

    What is hidden stays hidden: shown, it would be read when the file comes back.
    """
    import openpyxl  # noqa: PLC0415 (25 MB that only a workbook is worth)

    book = openpyxl.Workbook(write_only=True)
    with open_package(report.table.file) as package:
        for part in package.sheets:
            target = book.create_sheet(_NOT_IN_TITLES.sub("_", part.title)[:31])
            target.sheet_state = "hidden" if part.hidden else "visible"
            told = _Told(report, part.title)
            last = 0
            for line in Sheet(package, part).lines():
                for _ in range(line.number - last - 1):
                    target.append([])
                last = line.number
                if line.trouble == HIDDEN:
                    target.row_dimensions[last].hidden = True
                target.append([_NOT_IN_CELLS.sub("", cell) for cell in told.row(line)])
    book.save(to)


class _Told:
    """The rows of one sheet with what became of each; rows above the header, and of sheets without, have nothing."""

    def __init__(self, report: Report, title: str) -> None:
        self._report = report
        self._by_row = {row.row: row for row in report.rows if row.sheet == title}
        self._header = next((one.header.row for one in report.table.sheets if one.title == title), 0)
        self._width = 0

    def row(self, line: Line) -> list[str]:
        """The cells of *line*, harmless, and after the last column of the header what became of it."""
        if line.number < self._header or not self._header:
            return list(map(neutral, line.cells))
        if line.number == self._header:
            self._width = _own_width(line.cells)
        told = ADDED if line.number == self._header else self._became(line.number)
        own = line.cells[: self._width] + [""] * (self._width - len(line.cells))
        return [*map(neutral, own), *told]

    def _became(self, number: int) -> tuple[str, str]:
        row = self._by_row.get(number)
        if row is None:
            return "", ""
        cell = f"{self._report.called(row)}: " if row.column else ""
        return row.outcome, neutral(f"{cell}{row.reason}") if row.reason else ""


def _own_width(header: list[str]) -> int:
    folded = [clean(cell).casefold() for cell in header]
    while folded and not folded[-1]:
        folded.pop()
    return len(folded) - len(ADDED) if tuple(folded[-2:]) == ADDED else len(folded)
