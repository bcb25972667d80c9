"""The answer to an import, as a file: the report, or the provider's own file with what became of each row.

It is written by the process that ran the import, so that the one that serves only passes it on.
"""

from __future__ import annotations

import codecs
import csv
import re
from pathlib import Path

import msgspec

from adapters.report import NOTHING_USABLE, Report
from adapters.run import Order, dialect_of
from adapters.sheets import is_workbook, lines, open_workbook
from adapters.source import Outcome
from adapters.tables import Dialect, clean, neutral, records

ADDED = ("outcome", "reason")
_TOKEN = re.compile(r"[A-Za-z0-9_.-]+")
"""A charset as a header can say it; a mapping profile may write it otherwise."""
_NOT_IN_TITLES = re.compile(r"[\\*?:/\[\]]")
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


def write_answer(answer: Answer, order: Order, report: Report) -> Written:
    """Writes the answer to *order*, which came to *report*."""
    return Written(_write(answer, order, report), report.usable)


def _write(answer: Answer, order: Order, report: Report) -> str:
    if answer.as_json:
        problem = {} if report.usable else {"error": "nothing_usable", "message": NOTHING_USABLE}
        answer.path.write_bytes(msgspec.json.encode(problem | report.shown()))
        return JSON
    if is_workbook(order.path):
        return_workbook(order.path, report, answer.path)
        return WORKBOOK
    dialect = dialect_of(order.path, order.profile)
    return_csv(order.path, dialect, report, answer.path)
    named = dialect.encoding if _TOKEN.fullmatch(dialect.encoding) else codecs.lookup(dialect.encoding).name
    return f"text/csv; charset={named.removesuffix('-sig')}"


def return_csv(path: Path, dialect: Dialect, report: Report, to: Path) -> None:
    """Writes the provider's file to *to*, in its own encoding and delimiter, with what became of each row.

    Every cell is made harmless for spreadsheets. Columns that an earlier return added are replaced.
    """
    by_row = {row.row: row for row in report.rows}
    with (
        path.open(encoding=dialect.encoding, errors="replace", newline="") as file,
        to.open("w", encoding=dialect.encoding, errors="replace", newline="") as made,
    ):
        writer = csv.writer(made, delimiter=dialect.delimiter)
        width = None
        for number, cells, _ in records(file, dialect):
            if width is None and any(clean(cell) for cell in cells):
                width = _own_width(cells)
                told: tuple[str, ...] = ADDED
            else:
                told = _told(by_row.get(number))
            own = cells[:width] + [""] * ((width or 0) - len(cells))
            writer.writerow([*map(neutral, own), *told])


def return_workbook(path: Path, report: Report, to: Path) -> None:
    """Writes the provider's workbook to *to*, every sheet with what became of each row, cells as harmless text."""
    import openpyxl  # noqa: PLC0415 (25 MB that only a workbook is worth)

    by_place = {(row.sheet, row.row): row for row in report.rows}
    book = openpyxl.Workbook(write_only=True)
    with open_workbook(path) as source:
        for sheet in source.worksheets:
            target = book.create_sheet(_NOT_IN_TITLES.sub("_", sheet.title))
            width = None
            for number, cells in lines(sheet):
                if width is None and any(clean(cell) for cell in cells):
                    width = _own_width(cells)
                    told: tuple[str, ...] = ADDED
                else:
                    told = _told(by_place.get((sheet.title, number)))
                own = cells[:width] + [""] * ((width or 0) - len(cells))
                target.append([*map(neutral, own), *told])
    book.save(to)


def _own_width(header: list[str]) -> int:
    folded = [clean(cell).casefold() for cell in header]
    while folded and not folded[-1]:
        folded.pop()
    return len(folded) - len(ADDED) if tuple(folded[-2:]) == ADDED else len(folded)


def _told(row: Outcome | None) -> tuple[str, str]:
    if row is None:
        return "", ""
    cell = f"{row.column}: " if row.column else ""
    return row.outcome, neutral(f"{cell}{row.reason}") if row.reason else ""
