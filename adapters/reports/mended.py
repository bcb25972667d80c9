"""A file some of whose rows a later file repairs: the whole table, with the repaired rows in their places.

Rows are understood together: a roster needs its sessions, a checklist all its steps, and two rows may contradict each
other. So a file of repaired rows is read in its place among the rows that it was taken from, and the ledger sees that
those have not changed. Knows no adapter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from adapters.reports.report import ADDED, ADDED_BESIDE
from lrs.kernel.errors import Refused
from lrs.kernel.tables.header import KnownHeaders, fold
from lrs.kernel.tables.heads import heads_of
from lrs.kernel.tables.row import Row, RowPlace
from lrs.kernel.tables.table import Table

ROW = "row to repair"
"""The column with the number of a row in the file that it was taken from."""
ROW_OF = "row of import "
"""How its header begins in a file; the id of the import follows."""
_ADDED = {tuple(map(fold, names)) for names in (ADDED, ADDED_BESIDE)}
_ROW_OF = re.compile(f"{fold(ROW_OF)}([0-9a-f]{{32}})")


class MendedTable:
    """The rows of *base*, each as the last of *tables* has it that has it at all.

    Raises ``Refused`` for a row that has no number, or the number of no row of *base*.
    """

    def __init__(self, base: Table, tables: Sequence[Table]) -> None:
        self.columns = base.columns
        self._base = base
        self._repaired: dict[RowPlace, Row] = {}
        for table in tables:
            self._repaired |= {_place(row): row for row in table.rows()}
        missing = self._repaired.keys() - {row.place for row in base.rows()}
        if missing:
            place = min(missing)
            where = f"{place.sheet} row {place.row}".strip()
            message = f"there is no {where} in the file that these rows were taken from: leave the numbers as they are"
            raise Refused(message, error="bad_repairs")

    def rows(self) -> Iterator[Row]:
        """All rows from the first."""
        for row in self._base.rows():
            found = self._repaired.get(row.place)
            yield msgspec.structs.replace(found, place=row.place) if found else row


def _place(row: Row) -> RowPlace:
    number = row.cells.get(ROW, "")
    if not (number.isascii() and number.isdigit() and len(number) < 8):
        where = f"{row.place.sheet} row {row.place.row}".strip()
        told = (
            f"the number of the row that it repairs is missing or is no number: leave the column '{ROW_OF}…' as it is"
        )
        raise Refused(f"{where} of the file: {told}", error="bad_repairs")
    return RowPlace(row.place.sheet, int(number))


def repaired_import(headers: Sequence[str]) -> str:
    """The id of the import whose rows a file with these *headers* repairs, or ``""``."""
    return next((found[1] for one in headers if (found := _ROW_OF.fullmatch(fold(one)))), "")


def own_headers(headers: Sequence[str]) -> tuple[str, ...]:
    """*headers* of a file without those that we add to what goes back: they come last.

    An ``outcome`` that stands elsewhere is the provider's.
    """
    kept = list(headers)
    if tuple(map(fold, kept[-2:])) in _ADDED:
        del kept[-2:]
    return tuple(one for one in kept if not _ROW_OF.fullmatch(fold(one)))


def row_header(path: Path, known: Mapping[str, str]) -> str:
    """The folded header of the column of row numbers in the file at *path*. Raises ``Refused`` if it has none."""
    found = next((fold(one) for one in heads_of(path, KnownHeaders(known)).headers if _ROW_OF.fullmatch(fold(one))), "")
    if not found:
        raise Refused(f"the column '{ROW_OF}…' is not there: leave it as it is", error="bad_repairs")
    return found
