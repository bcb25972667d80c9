"""Reads the headers of a file and no more, to show somebody which columns it has. Knows no meaning of a column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lrs.kernel.tables.cell import clean
from lrs.kernel.tables.delimited import DELIMITERS, Delimited, Dialect, sep_line
from lrs.kernel.tables.file import File
from lrs.kernel.tables.header import SEARCHED, KnownHeaders, find_header
from lrs.kernel.tables.json_rows import JsonRows
from lrs.kernel.tables.package import open_package
from lrs.kernel.tables.row import FileLine
from lrs.kernel.tables.sort import Sort, sort_of
from lrs.kernel.tables.text import encoding_of
from lrs.kernel.tables.workbook import Sheet

MAX_LEADING = 1_000
"""Lines, blank ones included, that are read of each sheet."""
MOST_SHEETS = 20
MOST_HEADERS = 300
_LONGEST = 200
SAMPLES = 3
"""How many different values of a column are given, of those in the lines that are looked at."""
_LONGEST_SAMPLE = 40


class SheetHead(NamedTuple):
    """The header of one sheet: its row, and its cells as the file writes them, without empty ones.

    *samples* are the first values beneath each of them.
    """

    title: str
    row: int
    cells: tuple[str, ...]
    samples: Mapping[str, tuple[str, ...]] = {}


class FileHeads(NamedTuple):
    """The sort of a file, and the headers of its visible sheets."""

    sort: Sort
    sheets: tuple[SheetHead, ...]

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers of all sheets, each once."""
        return tuple(dict.fromkeys(cell for head in self.sheets for cell in head.cells))[:MOST_HEADERS]

    @property
    def samples(self) -> dict[str, tuple[str, ...]]:
        """The first values beneath each header, in the first sheet that has any."""
        return {name: some for head in reversed(self.sheets) for name, some in head.samples.items() if some}


def heads_of(source: Path | bytes, headers: KnownHeaders, *, hidden: bool = False) -> FileHeads:
    """The headers of *source*: in each sheet, also a *hidden* one if that is asked, the line with the most known ones.

    Where none is known, the line with the most cells that are filled: somebody has to say what they mean. Raises
    ``Refused`` for a file that is no table.
    """
    file = File(source)
    sort = sort_of(file)
    if sort != "workbook":
        found = _of_records(file, headers) if sort == "json" else _of_text(file, headers)
        return FileHeads(sort, (found,) if found else ())
    with open_package(file) as package:
        looked_at = [part for part in package.sheets if hidden or not part.hidden][:MOST_SHEETS]
        sheets = [_head(part.title, list(_first(Sheet(package, part).lines())), headers) for part in looked_at]
    return FileHeads("workbook", tuple(head for head in sheets if head))


def _of_records(file: File, headers: KnownHeaders) -> SheetHead | None:
    names, *records = islice(JsonRows(file).lines(), SEARCHED)
    found = _head("", [names], headers)
    return found._replace(samples=_samples(names, records)) if found else None


def _of_text(file: File, headers: KnownHeaders) -> SheetHead | None:
    encoding = encoding_of(file)
    named = sep_line(file, encoding)
    tried = [Dialect(encoding, separator, 1 if named else 0) for separator in named or DELIMITERS]
    lines = [list(_first(Delimited(file, dialect).lines())) for dialect in tried]
    heads = [head for some in lines if (head := _head("", some, headers))]
    return max(heads, key=lambda head: (_known(head, headers), len(head.cells)), default=None)


def _head(title: str, lines: list[FileLine], headers: KnownHeaders) -> SheetHead | None:
    known = find_header(lines, headers)
    row = known.row if known else _fullest(lines)
    beneath = [line for line in lines if line.number > row]
    found = (line for line in lines if line.number == row)
    return next((SheetHead(title, row, _cells(line), _samples(line, beneath)) for line in found), None)


def _samples(head: FileLine, lines: Iterable[FileLine]) -> dict[str, tuple[str, ...]]:
    values: dict[str, dict[str, None]] = {}
    for line in lines:
        for name, value in zip(map(_told, head.cells), map(_told, line.cells), strict=False):
            if name and value:
                values.setdefault(name, {})[value[:_LONGEST_SAMPLE]] = None
    return {name: tuple(some)[:SAMPLES] for name, some in values.items()}


def _fullest(lines: Iterable[FileLine]) -> int:
    best = max(lines, key=lambda line: len(_cells(line)), default=None)
    return best.number if best else 0


def _cells(line: FileLine) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cell for cell in map(_told, line.cells) if cell))


def _told(cell: str) -> str:
    return " ".join(clean(cell).split())[:_LONGEST]


def _known(head: SheetHead, headers: KnownHeaders) -> int:
    found = find_header([FileLine(head.row, list(head.cells))], headers)
    return len(found.read) if found else 0


def _first(lines: Iterable[FileLine]) -> Iterator[FileLine]:
    return islice((line for line in islice(lines, MAX_LEADING) if not line.blank), SEARCHED)
