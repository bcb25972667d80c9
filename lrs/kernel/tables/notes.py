"""Sentences for a person about a table: how it was read, and what of the file was not read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lrs.kernel.tables.cell import spoken
from lrs.kernel.tables.delimited import NAMES
from lrs.kernel.tables.table import FoundSheet, Table

_MOST_NAMED = 300

PLAIN = "read as utf-8, comma between cells, header in row 1"
"""The first sentence about a plain file. Programs may want it; people are not shown it."""


def notes_on(table: Table) -> tuple[str, ...]:
    """The sentences on *table*; the first says how it was read."""
    return (_how(table), *_not_read(table), *(note for found in table.sheets for note in _of_sheet(found)))


def worth_saying(notes: Iterable[str]) -> tuple[str, ...]:
    """*notes* without ``PLAIN``."""
    return tuple(note for note in notes if note != PLAIN)


def _how(table: Table) -> str:
    if table.dialect and table.dialect.is_json:
        return "read as JSON, one row for each record of its list: row 1 is the first record"
    if table.dialect:
        row = table.sheets[0].header.row
        separator = NAMES.get(table.dialect.delimiter, repr(table.dialect.delimiter))
        return f"read as {table.dialect.encoding}, {separator} between cells, header in row {row}"
    return "read " + ", ".join(
        f"sheet {spoken(one.title)} with its header in row {one.header.row}" for one in table.sheets
    )


def _not_read(table: Table) -> Iterator[str]:
    if table.hidden:
        yield f"hidden sheets are not read: {_named(table.hidden)}"
    if table.left_out:
        yield f"sheets whose headers are not those of this table are not read: {_named(table.left_out)}"
    if table.spare:
        yield f"only one sheet is read; these have such a header too: {_named(table.spare)}"
    unknown = dict.fromkeys(name for found in table.sheets for name in found.header.unknown)
    if unknown:
        yield f"headers that are not known here, so their columns are not read: {_named(unknown)}"
    if table.padded:
        yield "the file ends in zero bytes, as after a save that was cut off: look whether its last rows are there"


def _of_sheet(found: FoundSheet) -> Iterator[str]:
    where = f"sheet {spoken(found.title)}: " if found.title else ""
    if found.above:
        yield f"{where}{_counted(found.above, 'row')} above the header not read"
    if found.comments:
        yield f"{where}{_counted(found.comments, 'comment line')} (#) not read"
    if found.again:
        yield f"{where}{_counted(found.again, 'row')} with the header again not read"
    if found.part and found.beside:
        yield f"{where}cells right of the header not read in {_counted(found.beside, 'row')}"
    if found.hidden_columns:
        yield f"{where}hidden columns are read like any other: {_named(found.hidden_columns)}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _named(words: Iterable[str]) -> str:
    listed = [spoken(word) for word in words]
    more = f" and {len(listed) - _MOST_NAMED} more" if len(listed) > _MOST_NAMED else ""
    return ", ".join(listed[:_MOST_NAMED]) + more
