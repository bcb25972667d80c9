"""Opens a file as a table. The first walk finds the header of every sheet, counts rows, and refuses other files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path

from msgspec.structs import replace

from lrs.kernel.errors import Refused
from lrs.kernel.tables.cell import is_comment, spoken
from lrs.kernel.tables.delimited import DELIMITERS, OPEN_QUOTE, Delimited, Dialect, sep_line
from lrs.kernel.tables.file import File
from lrs.kernel.tables.header import SEARCHED, KnownHeaders, comes_again, find_header, known_in
from lrs.kernel.tables.json_rows import JsonRows
from lrs.kernel.tables.package import check_unpacked, open_package
from lrs.kernel.tables.row import FileLine
from lrs.kernel.tables.sort import sort_of
from lrs.kernel.tables.table import FoundSheet, Table, beside
from lrs.kernel.tables.text import encoding_of
from lrs.kernel.tables.workbook import Sheet

MAX_ROWS = 500_000
"""Rows of one file. A report, and the comparison with earlier files, take about 950 bytes of memory a row: at the limit
about half a gigabyte.
"""
_SURELY = 3
"""If one sheet has at least this many known headers, a sheet with a single one is taken for a cover or a list of words.
"""
MAX_LEADING = 1_000
"""Lines, blank ones included, that are read to find the separator."""
MAX_LINES = 4 * 1_048_576
"""Lines of one file, blank ones included."""
MAX_CELLS = 128 * 1_048_576
"""Cells of one file, with the empty ones left of a filled one: one cell far right makes a long row."""


def open_table(
    source: Path | bytes,
    headers: KnownHeaders,
    *,
    constants: Mapping[str, str] | None = None,
    encoding: str = "",
    delimiter: str = "",
) -> Table:
    """*source* as a table with *headers*. *encoding* and *delimiter* of a CSV file are detected unless they are given.

    Raises ``Refused`` for a file that is no table, is damaged or too large, or has no known header.
    """
    file = File(source)
    sort = sort_of(file)
    if sort == "workbook":
        return _of_workbook(file, headers, constants or {})
    if sort == "json":
        return _of_records(file, headers, constants or {})
    return _of_text(file, headers, constants or {}, encoding, delimiter)


def _of_text(file: File, headers: KnownHeaders, constants: Mapping[str, str], encoding: str, delimiter: str) -> Table:
    encoding = encoding or encoding_of(file)
    named = sep_line(file, encoding)
    skip = 1 if named else 0
    tried = [Dialect(encoding, separator, skip) for separator in delimiter or named or DELIMITERS]
    dialect = max(tried, key=lambda one: _most_known(Delimited(file, one), headers))
    found = _walk(Delimited(file, dialect), headers, _Budget(file.size))
    unread = _unread(Delimited(file, dialect), found.header.row if found else None)
    if unread or found is None:
        raise unread or _no_header(headers, ())
    padded = not encoding.startswith(("utf-16", "utf-32")) and file.ends_in_zeros()
    return Table(file, headers, constants, dialect, (found,), padded=padded)


def _of_records(file: File, headers: KnownHeaders, constants: Mapping[str, str]) -> Table:
    found = _walk(JsonRows(file), headers, _Budget(file.size), searched=1)
    if found is None:
        raise _no_header(headers, (), "no record has a member that is known")
    return Table(file, headers, constants, Dialect("utf-8", ",", is_json=True), (found,))


def _most_known(sheet: Delimited, headers: KnownHeaders) -> int:
    lines = islice((line for line in islice(sheet.lines(), MAX_LEADING) if not line.blank), SEARCHED)
    return max((known_in(line, headers) for line in lines), default=0)


def _unread(sheet: Delimited, header: int | None) -> Refused | None:
    """Why a line above the header cannot be read; without a *header*, why one of the searched lines cannot.

    A quotation mark that is not closed joins many lines to one.
    """
    for line in islice(sheet.lines(), MAX_LEADING):
        if line.number == header:
            return None
        if (line.trouble and not line.cells) or line.trouble == OPEN_QUOTE:
            return Refused(f"row {line.number} of the file: {line.trouble.message}", error="bad_header")
    return None


def _of_workbook(file: File, headers: KnownHeaders, constants: Mapping[str, str]) -> Table:
    sheets: list[FoundSheet] = []
    left_out: list[str] = []
    with open_package(file) as package:
        budget = _Budget(file.size)
        for part in (part for part in package.sheets if not part.hidden):
            budget.take(package.size(part.path))
            sheet = Sheet(package, part)
            found = _walk(sheet, headers, budget)
            if found:
                merged, columns = sheet.merged, tuple(sheet.hidden_columns)
                sheets.append(replace(found, part=part, merged=merged, hidden_columns=columns))
            else:
                left_out.append(part.title)
        hidden = tuple(part.title for part in package.sheets if part.hidden)
    sheets, others = _alike(sheets, headers)
    left_out += others
    if not sheets:
        raise _no_header(headers, hidden)
    return Table(file, headers, constants, None, tuple(sheets), hidden, tuple(left_out))


def _alike(sheets: Sequence[FoundSheet], headers: KnownHeaders) -> tuple[list[FoundSheet], list[str]]:
    """The *sheets* that belong to the table, and the titles of those that have a known header only by chance."""
    columns = set(headers.known.values())
    known = [len(columns.intersection(found.header.columns)) for found in sheets]
    least = 2 if max(known, default=0) >= _SURELY else 1
    taken = [found for found, count in zip(sheets, known, strict=True) if count >= least]
    return taken, [found.title for found, count in zip(sheets, known, strict=True) if count < least]


class _Budget:
    """What reading one file of *packed* bytes may cost: rows, blank lines, cells, and bytes of all its sheets.

    A small archive can contain one part as many sheets.
    """

    def __init__(self, packed: int) -> None:
        self._packed = packed
        self._rows = self._lines = self._cells = self._bytes = 0

    def take(self, size: int) -> None:
        """Adds the bytes of a sheet. Raises ``Refused`` over the limit."""
        self._bytes += size
        check_unpacked(self._bytes, self._packed)

    def count_line(self, cells: int) -> None:
        """Adds a line of *cells*, blank or not. Raises ``Refused`` over the limit."""
        self._lines += 1
        self._cells += cells
        if self._lines > MAX_LINES:
            raise _too_many(MAX_LINES)
        if self._cells > MAX_CELLS:
            message = f"the file has more than {MAX_CELLS} cells, empty ones included: clear what stands far right of"
            raise Refused(f"{message} the table, or split the file", status=413, error="file_too_large")

    def count_row(self) -> None:
        """Adds a row below a header. Raises ``Refused`` over the limit."""
        self._rows += 1
        if self._rows > MAX_ROWS:
            raise _too_many(MAX_ROWS)


def _too_many(most: int) -> Refused:
    message = f"the file has more than {most} rows: split it, each part with the header"
    return Refused(message, status=413, error="file_too_large")


def _walk(
    sheet: Delimited | Sheet | JsonRows, headers: KnownHeaders, budget: _Budget, searched: int = SEARCHED
) -> FoundSheet | None:
    """The header and the counts of *sheet*, which is read to its end; ``None`` if the searched lines have no header."""
    lines = _filled(sheet.lines(), budget)
    head = list(islice(lines, searched))
    header = find_header((line for line in head if not _is_comment(line, headers)), headers)
    if header is None:
        return None
    rows = above = right = comments = again = 0
    for line in chain(head, lines):
        if _is_comment(line, headers):
            comments += 1
        elif line.number < header.row:
            above += 1
        elif comes_again(line, header, headers) == "same":
            again += line.number > header.row
        elif line.number > header.row:
            budget.count_row()
            rows += 1
            right += beside(line, header.columns)
    return FoundSheet(sheet.title, header, rows=rows, above=above, beside=right, comments=comments, again=again)


def _filled(lines: Iterable[FileLine], budget: _Budget) -> Iterator[FileLine]:
    for line in lines:
        budget.count_line(len(line.cells))
        if not line.blank:
            yield line


def _is_comment(line: FileLine, headers: KnownHeaders) -> bool:
    return headers.comments and is_comment(line.cells)


_NONE_NAMED = f"no header is known: none of the first {SEARCHED} rows names a column"


def _no_header(headers: KnownHeaders, hidden: Sequence[str], told: str = _NONE_NAMED) -> Refused:
    message = f"{told}; expected some of: {', '.join(sorted(set(headers.known.values())))}"
    if hidden:
        message += "; hidden sheets are not read: " + ", ".join(map(spoken, hidden))
    return Refused(message, error="no_header")
