"""Finding the line that names the columns, however its words are joined. Knows no file format."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import zip_longest
from typing import Literal, NamedTuple

from lrs.kernel.tables.cell import spoken
from lrs.kernel.tables.row import Fault, Line, Value

SEARCHED = 50
"""Lines with something in them among which the header is looked for."""
_OTHER = 3
"""Headers, and nothing else, that make a line the header of another table."""


_LONGEST = 200
"""Characters of a cell that may be a header."""
_MADE_DATE = Fault("date_value", "the cell holds a date: format the column as text and type it again")


class Headers(NamedTuple):
    """What a reader knows: the column that each folded header stands for.

    *own* are headers that are neither read nor worth a word. *comments* says whether ``#`` lines are comments. In a
    column that is none of *dated*, a date is something that the spreadsheet has made of a reference, such as ``1-2``.
    """

    known: Mapping[str, str]
    own: frozenset[str] = frozenset()
    comments: bool = False
    dated: frozenset[str] = frozenset()

    def fault_of(self, column: str, value: Value | None) -> Fault | None:
        """Why *column* cannot hold *value*, if it cannot."""
        wrong = isinstance(value, date) and column not in self.dated and column in self.known.values()
        return _MADE_DATE if wrong else None


class Header(NamedTuple):
    """The header of one sheet: its row, and for each position the column's name (``""`` for a blank one).

    *unknown* are the headers nobody knows, as they are written; *written* is how the file calls each column. *names*
    are all *columns*, *read* those that are known.
    """

    row: int
    columns: tuple[str, ...]
    unknown: tuple[str, ...]
    written: Mapping[str, str] = {}
    names: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()


def headers_of(aliases: Mapping[str, Sequence[str]], *, comments: bool = False) -> Headers:
    """What is known by *aliases*: each column's name, and the headers it goes by besides."""
    known = {fold(word): column for column, words in aliases.items() for word in (column, *words)}
    return Headers(known, comments=comments)


def fold(header: str) -> str:
    """One header without the differences people make: ``Start Date``, ``start_date`` and ``StartDate`` are one."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", header).casefold() if letter.isalnum())


_folded = lru_cache(maxsize=4096)(fold)


def known_in(line: Line, headers: Headers) -> int:
    """How many columns *line* names as a header."""
    found = {headers.known.get(fold(cell)) for cell in line.cells if len(cell) <= _LONGEST}
    return len(found - {None})


def find_header(lines: Iterable[Line], headers: Headers) -> Header | None:
    """The first of *lines* that names most columns, or ``None`` if none names any."""
    best, most = None, 0
    for line in lines:
        if line.trouble and line.trouble.code != "encoding":
            continue
        found = known_in(line, headers)
        if found > most:
            best, most = line, found
    return read_header(best, headers) if best else None


def read_header(line: Line, headers: Headers) -> Header:
    """*line* as a header. An unknown column goes by its folded header, so that its cells are still there."""
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
    return Header(line.number, columns, unknown, written, names, names & set(headers.known.values()))


def comes_again(line: Line, header: Header, headers: Headers) -> Literal["", "same", "other"]:
    """Whether *line*, below *header*, is that header again, as on every page of a report, or that of another table."""
    first = next((cell for cell in line.cells if cell), "")
    if len(first) > _LONGEST or not (_folded(first) in headers.known or _folded(first) in header.names):
        return ""
    found = read_header(line, headers)
    enough = len(found.names) >= min(_OTHER, len(header.names))
    in_place = zip_longest(found.columns, header.columns, fillvalue="")
    if enough and all(name in {"", column} for name, column in in_place):
        return "same"
    return "other" if len(found.names) >= _OTHER and found.names <= header.names | found.read else ""
