"""Finds the line that names the columns. Knows no file format."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import zip_longest
from typing import Literal, NamedTuple

from lrs.kernel.tables.cell import spoken
from lrs.kernel.tables.row import Fault, FileLine, Value

SEARCHED = 50
"""How many non-blank lines are searched for the header."""
_OTHER = 3
"""A line of at least this many known headers, and of nothing else, is the header of another table."""


_LONGEST = 200
"""Characters of the longest cell that can be a header."""
_MADE_DATE = Fault("date_value", "the cell holds a date: format the column as text and type it again")


class KnownHeaders(NamedTuple):
    """The headers that a reader knows: each folded header with its column.

    *own* are headers that are neither read nor reported as unknown. *comments* says whether lines with ``#`` are
    comments. A date in a column that is not in *dated* is a reference, such as ``1-2``, that the spreadsheet has turned
    into a date.
    """

    known: Mapping[str, str]
    own: frozenset[str] = frozenset()
    comments: bool = False
    dated: frozenset[str] = frozenset()

    def fault_of(self, column: str, value: Value | None) -> Fault | None:
        """Why *column* cannot hold *value*; ``None`` if it can."""
        wrong = isinstance(value, date) and column not in self.dated and column in self.known.values()
        return _MADE_DATE if wrong else None


class SheetHeader(NamedTuple):
    """The header of one sheet: its row, and for each position the column's name (``""`` for a blank one).

    *unknown* are unknown headers as the file writes them; *written* is the file's header for each column. *names* are
    all *columns*, *read* those that are known.
    """

    row: int
    columns: tuple[str, ...]
    unknown: tuple[str, ...]
    written: Mapping[str, str] = {}
    names: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()


def headers_of(aliases: Mapping[str, Sequence[str]], *, comments: bool = False) -> KnownHeaders:
    """The known headers by *aliases*: each column's name, with its other headers."""
    known = {fold(word): column for column, words in aliases.items() for word in (column, *words)}
    return KnownHeaders(known, comments=comments)


def fold(header: str) -> str:
    """A header without differences of writing: ``Start Date``, ``start_date`` and ``StartDate`` give the same."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", header).casefold() if letter.isalnum())


_folded = lru_cache(maxsize=4096)(fold)


def known_in(line: FileLine, headers: KnownHeaders) -> int:
    """How many known headers *line* has."""
    found = {headers.known.get(fold(cell)) for cell in filter(None, line.cells) if len(cell) <= _LONGEST}
    return len(found - {None})


def find_header(lines: Iterable[FileLine], headers: KnownHeaders) -> SheetHeader | None:
    """The line with the most known headers, the first one of several; ``None`` if no line has any."""
    best, most = None, 0
    for line in lines:
        if line.trouble and line.trouble.code != "encoding":
            continue
        found = known_in(line, headers)
        if found > most:
            best, most = line, found
    return read_header(best, headers) if best else None


def read_header(line: FileLine, headers: KnownHeaders) -> SheetHeader:
    """*line* as a header. The name of an unknown column is its folded header."""
    folded = [fold(cell) for cell in line.cells]
    while folded and not folded[-1]:
        folded.pop()
    columns = tuple(headers.known.get(name, name) for name in folded)
    unknown = tuple(
        spoken(cell)
        for cell, name in zip(line.cells, folded, strict=False)
        if name and name not in headers.known and name not in headers.own
    )
    written: dict[str, str] = {}
    for name, cell in zip(columns, line.cells, strict=False):
        written.setdefault(name, spoken(cell))
    names = frozenset(columns) - {""}
    return SheetHeader(line.number, columns, unknown, written, names, names & set(headers.known.values()))


def comes_again(line: FileLine, header: SheetHeader, headers: KnownHeaders) -> Literal["", "same", "other"]:
    """Whether *line*, which is below *header*, is the same header again, or the header of another table.

    Reports print their header again on every page.
    """
    first = next(filter(None, line.cells), "")
    if len(first) > _LONGEST or not (_folded(first) in headers.known or _folded(first) in header.names):
        return ""
    found = read_header(line, headers)
    enough = len(found.names) >= min(_OTHER, len(header.names))
    in_place = zip_longest(found.columns, header.columns, fillvalue="")
    if enough and all(name in {"", column} for name, column in in_place):
        return "same"
    return "other" if len(found.names) >= _OTHER and found.names <= header.names | found.read else ""
