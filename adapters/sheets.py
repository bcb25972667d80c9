"""XLSX as a ``Table``: every sheet, streamed, cells as the text they would have in a good CSV. Knows no adapter.

Formulas are read as formulas (not as the value some program left beside them), so that they get their own reason.
Dates become ISO text, also in workbooks with the 1904 base; whole numbers lose ``.0``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters import tables
from adapters.tables import MAX_BYTES, clean, names, to_row
from lrs.competencies.tables import MAX_SHEET_ROWS, UNREADABLE
from lrs.errors import Refused
from lrs.tables.row import Place, Row

MAX_UNPACKED = 512 * 1024 * 1024


class SheetTable:
    """All sheets of a workbook, one after the other; each has its own header row."""

    def __init__(
        self, path: Path, *, aliases: Mapping[str, str] | None = None, constants: Mapping[str, str] | None = None
    ) -> None:
        self._path = path
        self._aliases = aliases or {}
        self._constants = constants or {}
        check_size(path)
        tables.check_rows(self.rows())  # always: a small archive can show one part as many sheets
        with open_workbook(path) as book:
            first = [names(line, self._aliases) for sheet in book.worksheets for _, line in _filled(sheet, 1)]
        self.columns = tuple(dict.fromkeys(name for header in first for name in header))
        if not any(self.columns):
            raise Refused("the workbook is empty: the first row of a sheet must name the columns", error="empty_file")

    def rows(self) -> Iterator[Row]:
        """The rows of every sheet below its header."""
        with open_workbook(self._path) as book:
            for sheet in book.worksheets:
                columns: tuple[str, ...] = ()
                for number, line in _filled(sheet):
                    if not columns:
                        columns = names(line, self._aliases)
                        continue
                    yield to_row(Place(sheet.title, number), columns, line, self._constants)


def is_workbook(path: Path) -> bool:
    """Whether *path* begins as a zip archive does."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def check_size(path: Path) -> None:
    """Refuses an archive that is broken, too large, or grows too large when unpacked."""
    if path.stat().st_size > MAX_BYTES:
        raise Refused(f"the file is larger than {MAX_BYTES} bytes: split it", status=413, error="file_too_large")
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except UNREADABLE as error:
        raise Refused("the workbook cannot be opened: it is damaged", error="bad_workbook") from error
    if unpacked > MAX_UNPACKED:
        raise Refused(f"the workbook unpacks to {unpacked} bytes: split it", status=413, error="file_too_large")


@contextmanager
def open_workbook(path: Path) -> Iterator[Any]:
    """The workbook, for reading only, whatever its file is called. Refuses what is none, or has a password."""
    import openpyxl  # noqa: PLC0415 (25 MB that only a workbook is worth)
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415 (the same)

    with path.open("rb") as file:
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=False)
        except (InvalidFileException, *UNREADABLE) as error:
            message = "the workbook cannot be opened: save it as .xlsx without a password"
            raise Refused(message, error="bad_workbook") from error
        with closing(book):
            yield book


def lines(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Every row of *sheet* by its number, blank ones too, cells as text. Refuses a sheet that is damaged."""
    sheet.reset_dimensions()  # what a file says of its size is often wrong, and rows beyond it would be left out
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    while True:
        try:
            number, values = next(rows, (0, ()))
            line = [shown(value) for value in values]
        except UNREADABLE as error:
            message = f"the sheet {sheet.title} cannot be read: it is damaged, save the workbook again"
            raise Refused(message, error="bad_workbook") from error
        if not number:
            return
        if number > MAX_SHEET_ROWS:
            message = f"the sheet {sheet.title} claims more than {MAX_SHEET_ROWS} rows: it is damaged"
            raise Refused(message, error="bad_workbook")
        yield number, line


def _filled(sheet: Any, most: int | None = None) -> Iterator[tuple[int, list[str]]]:
    found = 0
    for number, line in lines(sheet):
        while line and not clean(line[-1]):
            line.pop()
        if line:
            yield number, line
            found += 1
        if found == most:
            return


def shown(value: object) -> str:
    """A cell's value as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else str(Decimal(repr(value)))
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
