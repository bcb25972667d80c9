"""Reading a table out of a CSV or XLSX file that people made, row by row. Knows no column's meaning.

Tolerated: a byte order mark, Windows-1252, ``;`` or tab between cells, blank lines, ``#`` comment lines, headers in any
case and with stray blanks. Not tolerated, with the row and the column: formula cells, in either kind of file.
"""

from __future__ import annotations

import csv
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from lrs.csv_lines import UNCLOSED, CsvLines
from lrs.errors import Refused

MAX_FILE = 50 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_CELL = 32_767
MAX_SHEET_ROWS = 1_048_576
"""What Excel allows; a row that claims a higher number would be reached through as many empty ones."""
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, SyntaxError, RuntimeError, OSError, EOFError),
    *(LookupError, ValueError, TypeError, AttributeError, ArithmeticError),
)
"""What openpyxl raises on a damaged workbook: it checks little, and trips over what is not there."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row (1 is the file's first line) was left out, or, as a *warning*, what is odd about it."""

    row: int
    column: str | None
    reason: str
    warning: bool = False

    def __str__(self) -> str:
        where = f"row {self.row}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.reason}" + (" (warning)" if self.warning else "")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its number in the file, and its cells by column name, blanks around them gone."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def read_table(content: bytes, aliases: Mapping[str, Sequence[str]]) -> tuple[list[Row], list[Fault]]:
    """The rows of a CSV or XLSX file (its first sheet) under our column names, and the rows that are no data.

    *aliases* maps each column's name to the headers it goes by. Raises ``Refused`` for a file that is no table, too
    large, or has a header twice.
    """
    if len(content) > MAX_FILE:
        raise Refused(f"the file is larger than {MAX_FILE // 1024**2} MiB", status=413, error="too_large")
    is_workbook = content[:4] == b"PK\x03\x04"
    lines = _xlsx(content) if is_workbook else _csv(content)
    columns: list[str | None] | None = None
    rows: list[Row] = []
    faults: list[Fault] = []
    for number, cells in lines:
        if not any(cells) or cells[0].startswith("#"):
            continue
        if columns is None:
            columns = _columns(cells, aliases)
            continue
        named = {column: cell for column, cell in zip(columns, cells, strict=False) if column}
        spilled = not is_workbook and any(cells[len(columns) :])
        fault = _spilled(number, cells, columns) if spilled else _fault(number, named)
        if fault:
            faults.append(fault)
        else:
            rows.append(Row(number, named))
    if columns is None:
        raise Refused("the file has no header line")
    return rows, faults


def _spilled(number: int, cells: Sequence[str], columns: Sequence[str | None]) -> Fault:
    return Fault(number, None, f"{len(cells)} cells stand under {len(columns)} headers: quote the one with a delimiter")


def _fault(number: int, cells: Mapping[str, str]) -> Fault | None:
    for column, cell in cells.items():
        if cell.startswith("="):
            return Fault(number, column, "a formula, not a value")
        if len(cell) > MAX_CELL:
            return Fault(number, column, f"longer than {MAX_CELL} characters")
    return None


def _columns(cells: Sequence[str], aliases: Mapping[str, Sequence[str]]) -> list[str | None]:
    known = {_plain(word): column for column, words in aliases.items() for word in (column, *words)}
    columns = [known.get(_plain(cell)) for cell in cells]
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise Refused(f"the header has the column {twice[0]!r} twice")
    if not any(columns):
        raise Refused("no header is known; expected some of: " + ", ".join(aliases))
    return columns


def _plain(header: str) -> str:
    return "".join(letter for letter in header.casefold() if letter.isalnum())


def text_of(content: bytes) -> str:
    """The text of a CSV file: UTF-8, with its mark or without, else Windows-1252. Raises ``Refused`` for no text."""
    if b"\x00" in content:
        raise Refused("the file is neither a CSV nor an XLSX table")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    text = text_of(content)
    header = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    delimiter = max(",;\t", key=header.count)
    lines = CsvLines(io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        last = 0
        for cells in reader:
            if lines.unclosed:
                raise Refused(f"row {last + 1}: {UNCLOSED}")
            yield last + 1, [cell.strip() for cell in cells] or [""]
            last = reader.line_num
    except csv.Error as error:
        raise Refused(f"line {reader.line_num}: {error}") from error


def _xlsx(content: bytes) -> Iterator[tuple[int, list[str]]]:
    import openpyxl  # noqa: PLC0415 (25 MB that only a workbook is worth)

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_UNPACKED:
                raise Refused("the workbook unpacks to more than 200 MiB", status=413, error="too_large")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        sheet = book.worksheets[0]
    except UNREADABLE as error:
        raise Refused("the file is no readable XLSX workbook") from error
    with closing(book):
        yield from _lines(sheet)


def _lines(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """The rows of *sheet* by number, also those beyond the size it claims. Refuses a sheet that is damaged."""
    sheet.reset_dimensions()
    rows = enumerate(sheet.iter_rows(values_only=True), 1)
    while True:
        try:
            number, values = next(rows, (0, ()))
        except UNREADABLE as error:
            raise Refused(f"the sheet {sheet.title} cannot be read: it is damaged, save the workbook again") from error
        if not number:
            return
        if number > MAX_SHEET_ROWS:
            raise Refused(f"the sheet {sheet.title} claims more than {MAX_SHEET_ROWS} rows: it is damaged")
        yield number, [_text(cell) for cell in values] or [""]


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
