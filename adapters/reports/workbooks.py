"""Writes workbooks of plain text, row by row. Knows no report."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_NOT_IN_TITLES = re.compile(r"[\\*?:/\[\]]")
_NOT_IN_CELLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LONGEST_TITLE = 31


class NumberedLine(NamedTuple):
    """The texts of one row, and its number from 1. Rows that are left out are empty."""

    number: int
    cells: Sequence[str]
    hidden: bool = False


class WrittenSheet(NamedTuple):
    """A sheet: its title, its rows in order, and whether it is hidden."""

    title: str
    lines: Iterable[NumberedLine]
    hidden: bool = False


def from_first(title: str, lines: Iterable[Sequence[str]]) -> WrittenSheet:
    """A sheet of *lines* that begin in its first row."""
    return WrittenSheet(title, (NumberedLine(number, cells) for number, cells in enumerate(lines, 1)))


def write_workbook(path: Path, sheets: Iterable[WrittenSheet]) -> None:
    """Writes *sheets* to *path*, one after the other, in memory that does not grow with them."""
    import openpyxl  # noqa: PLC0415 (25 MB that only a workbook is worth)

    book = openpyxl.Workbook(write_only=True)
    for sheet in sheets:
        target: Any = book.create_sheet(_title(sheet.title, {title.casefold() for title in book.sheetnames}))
        target.sheet_state = "hidden" if sheet.hidden else "visible"
        target._get_writer()  # noqa: SLF001 (see _by_numbers)
        target._rows = _by_numbers(target)  # noqa: SLF001 (see _by_numbers)
        next(target._rows)  # noqa: SLF001 (see _by_numbers)
        for line in sheet.lines:
            if line.hidden:
                target.row_dimensions[line.number].hidden = True
            target.append((line.number, [_NOT_IN_CELLS.sub("", cell) for cell in line.cells]))
    book.save(path)


def _title(title: str, taken: set[str]) -> str:
    """*title* as a sheet may be called, and as none of those *taken* is."""
    allowed = _NOT_IN_TITLES.sub("_", title)[:_LONGEST_TITLE] or "Sheet"
    ends = ("", *map(str, range(1, len(taken) + 1)))
    made = (allowed[: _LONGEST_TITLE - len(end)] + end for end in ends)
    return next(one for one in made if one.casefold() not in taken)


def _by_numbers(sheet: Any) -> Generator[None, tuple[int, list[str]], None]:
    """As ``_write_rows`` of openpyxl's ``WriteOnlyWorksheet``, but each row has its number.

    openpyxl 3.1 writes every row above the one that is meant, and a row may be the 1,048,576th.
    """
    rows = sheet._writer.xf.send(True)  # noqa: SLF001
    with rows.element("sheetData"):
        try:
            while True:
                number, cells = yield
                sheet._writer.write_row(rows, sheet._values_to_row(cells, number), number)  # noqa: SLF001
        except GeneratorExit:
            pass
    sheet._writer.xf.send(None)  # noqa: SLF001
