"""A table that somebody sent: its columns and its rows, which can be walked several times.

``opening.open_table`` makes one; ``notes`` describes in sentences what was found. Knows no meaning of a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from lrs.kernel.plain_text import counted
from lrs.kernel.tables.cell import clean, fault_of, is_comment
from lrs.kernel.tables.delimited import OPEN_QUOTE, Delimited, Dialect
from lrs.kernel.tables.file import File
from lrs.kernel.tables.header import KnownHeaders, SheetHeader, comes_again
from lrs.kernel.tables.json_rows import JsonRows
from lrs.kernel.tables.package import SheetPart, open_package
from lrs.kernel.tables.row import Fault, FileLine, Row, RowPlace, Unusable, Value
from lrs.kernel.tables.workbook import Range, Sheet

_SECOND = (
    "row {} names other columns than the header above it: give the table that begins there a file or a sheet of its own"
)


class FoundSheet(msgspec.Struct, frozen=True):
    """One sheet with a header, and what the first walk has counted; only rows that are not blank count.

    *rows* are below the header, *above* above it; *beside* have cells right of the header; *again* repeat the header.
    *part* is the sheet's part of a workbook, ``None`` for CSV.
    """

    title: str
    header: SheetHeader
    part: SheetPart | None = None
    rows: int = 0
    above: int = 0
    beside: int = 0
    comments: int = 0
    again: int = 0
    merged: tuple[Range, ...] = ()
    hidden_columns: tuple[str, ...] = ()


class Table(msgspec.Struct, frozen=True):
    """An open table.

    *constants* fill empty cells. *dialect* describes a CSV file or JSON, ``None`` for a workbook. *hidden* and
    *left_out* are titles of sheets that are not read: hidden ones, and those without a known header. *spare* are titles
    of sheets that have a known header too, where only one sheet was asked for. *padded* says that zero bytes at the end
    were ignored.
    """

    file: File
    headers: KnownHeaders
    constants: Mapping[str, str]
    dialect: Dialect | None
    sheets: tuple[FoundSheet, ...]
    hidden: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()
    padded: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of all sheets, without duplicates."""
        return tuple(dict.fromkeys(name for found in self.sheets for name in found.header.columns if name))

    def first_sheet(self) -> Table:
        """The table with its first sheet only."""
        return replace(self, sheets=self.sheets[:1], spare=tuple(found.title for found in self.sheets[1:]))

    def rows(self) -> Iterator[Row]:
        """All rows below the headers, sheet by sheet. A row that cannot be used comes with its trouble."""
        for found, lines in self._walks():
            below = (line for line in lines if line.number > found.header.row and not line.blank)
            for line in own_lines((line for line in below if not self._is_comment(line)), found.header, self.headers):
                yield to_row(found, line, self.headers, self.constants)

    def _walks(self) -> Iterator[tuple[FoundSheet, Iterator[FileLine]]]:
        if self.dialect:
            yield self.sheets[0], lines_of(self.file, self.dialect)
            return
        with open_package(self.file) as package:
            for found in self.sheets:
                if found.part:
                    yield found, Sheet(package, found.part, found.merged).lines()

    def _is_comment(self, line: FileLine) -> bool:
        return self.headers.comments and is_comment(line.cells)


def lines_of(file: File, dialect: Dialect) -> Iterator[FileLine]:
    """The lines of a *file* that is no workbook."""
    return (JsonRows(file) if dialect.is_json else Delimited(file, dialect)).lines()


def own_lines(lines: Iterable[FileLine], header: SheetHeader, headers: KnownHeaders) -> Iterator[FileLine]:
    """*lines* without repeated headers. Lines below the header of another table get a trouble."""
    other = 0
    for line in lines:
        again = comes_again(line, header, headers)
        if again:
            other = line.number if again == "other" else 0
        if other and not line.trouble:
            yield line._replace(trouble=Fault("second_table", _SECOND.format(other)))
        elif again != "same":
            yield line


def to_row(found: FoundSheet, line: FileLine, headers: KnownHeaders, constants: Mapping[str, str]) -> Row:
    """*line* as a row of its sheet. A column that comes twice is one column unless its cells differ.

    In CSV, cells right of the header are trouble, because they show that a cell was not quoted. In a workbook they are
    not read.
    """
    place = RowPlace(found.title, line.number)
    columns = found.header.columns
    trouble = Unusable(line.trouble.code, "", "", line.trouble.message) if line.trouble else None
    if line.trouble == OPEN_QUOTE or (not line.cells and trouble):
        return Row(place, {}, trouble=trouble)
    if not trouble and not found.part and beside(line, columns):
        message = f"{len(line.cells)} cells stand under {counted(len(columns), 'header')}"
        message += ": quote the one with a separator in it"
        trouble = Unusable("too_many_cells", "", "", message)
    cells: dict[str, str] = {}
    values: dict[str, Value] = {}
    faults: dict[str, Unusable] = {}
    doubled = []
    here = min(len(line.cells), len(columns))
    for at in (*range(here), *(at for at in line.faults if here <= at < len(columns))):
        name = columns[at]
        cell = clean(line.cells[at]) if at < len(line.cells) else ""
        value = line.values.get(at)
        if cell and cells.get(name, cell) not in {cell, ""}:
            doubled.append(name)
        if cell or name not in cells:
            cells[name] = cell
            if value is not None:
                values[name] = value
        fault = (fault_of(cell) if cell else None) or line.faults.get(at) or headers.fault_of(name, value)
        if fault:
            faults[name] = Unusable(fault.code, name, cell, fault.message)
    for name in found.header.read:
        cells.setdefault(name, "")
    for name, constant in constants.items():
        cells[name] = cells.get(name) or constant
    return Row(place, cells, tuple(doubled), trouble, values, faults)


def beside(line: FileLine, columns: Sequence[str]) -> bool:
    """Whether *line* has text right of its header."""
    return any(clean(cell) for cell in filter(None, reversed(line.cells[len(columns) :])))
