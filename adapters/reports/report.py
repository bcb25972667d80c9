"""The result of a run: counts, and each row, as JSON and as text. Knows no adapter.

It shows no content of a cell: values are masked (``source.masked``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from adapters.reading.day_order import DayQuestion
from adapters.reading.source import RESULTS, CellFault, RowOutcome, RowTable
from lrs.kernel.plain_text import counted
from lrs.kernel.tables.header import fold
from lrs.kernel.tables.notes import worth_saying
from lrs.kernel.tables.table import Table

ADDED = ("outcome", "reason")
"""The columns that a returned file has in addition."""
ADDED_BESIDE = ("import outcome", "import reason")
"""The same, in a file that has an ``outcome`` or a ``reason`` of its own."""
FAULTY = frozenset({"quarantined", "error"})
"""Outcomes of rows that wait for repair."""
LISTED = 50
NOTHING_USABLE = "Nothing of this file could be used."
_TAKEN = frozenset({"new", "updated", "unchanged"})
_UNDERSTOOD = frozenset({"repeated", "not_yet"})
"""Codes of skipped rows that were understood: already known, or not counted yet."""
QUARANTINE = 200


class Report(msgspec.Struct, frozen=True):
    """One run over one file, with *rows* in the order of the file.

    *notes* say how the file was read: the row of the header, headers and sheets that were left out. *asks* is what only
    a person can say of its dates. *table* is the file, *read* its rows as they were read: rows that a later file
    repairs, as that one has them.
    """

    adapter: str
    provider: str
    file: str
    sha256: str
    dry_run: bool
    rows: tuple[RowOutcome, ...]
    notes: tuple[str, ...]
    table: Table
    read: RowTable
    asks: DayQuestion | None = None

    @property
    def usable(self) -> bool:
        """Whether anything of the file could be used. A file with only known content was usable."""
        return any(row.outcome in _TAKEN or row.code in _UNDERSTOOD for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows by outcome; every outcome has one."""
        counted = Counter(row.outcome for row in self.rows)
        return {result: counted[result] for result in RESULTS}

    def shown(self) -> dict[str, Any]:
        """The report as a dictionary for ``msgspec`` to encode."""
        return {
            "adapter": self.adapter,
            "provider": self.provider,
            "file": {"name": self.file, "sha256": self.sha256},
            "dryRun": self.dry_run,
            "counts": self.counts,
            "usable": self.usable,
            "notes": self.notes,
            "rows": self.rows,
        }

    def waiting(self) -> list[dict[str, Any]]:
        """The first rows that wait for repair, with masked values, for the record of the job."""
        waiting = [row for row in self.rows if row.outcome in FAULTY]
        kept = [msgspec.structs.replace(row, statements=()) for row in waiting[:QUARANTINE]]
        found: list[dict[str, Any]] = msgspec.to_builtins(kept)
        return found

    def said(self, row: RowOutcome, *, values: bool = False) -> str:
        """Why *row* is not taken, or what of it was left out: each cell with its reason, and its masked value.

        Cells with one reason are told together.
        """
        cells: dict[str, list[str]] = {}
        for one in row.cells:
            value = f" ({one.value})" if values and one.value else ""
            cells.setdefault(one.reason, []).extend([f"{self._called(row, one)}{value}"] if one.column else [])
        told = (f"{' and '.join(named)}: {reason}" if named else reason for reason, named in cells.items())
        return "; ".join(filter(None, told))

    def _called(self, row: RowOutcome, cell: CellFault) -> str:
        """The column of *cell* as the file names it, with our name if that differs."""
        sheets = {one.title: one.header.written for one in self.table.sheets}
        written = sheets.get(row.sheet, {}).get(cell.column, cell.column)
        return written if fold(written) == fold(cell.column) else f"{written} [{cell.column}]"

    def text(self) -> str:
        """The report for people: a line of counts, then the rows that need attention, and those that were left out."""
        counts = ", ".join(f"{count} {result}" for result, count in self.counts.items() if count)
        lines = [f"{self.file}: {counts}{' (dry run: nothing was written)' if self.dry_run else ''}"]
        lines += [f"  {note}" for note in worth_saying(self.notes)]
        waiting = [row for row in self.rows if row.outcome in FAULTY]
        lines += self._listed(waiting)
        lines += self._listed([row for row in self.rows if row.outcome not in FAULTY and row.reason])
        if waiting:
            lines.append("Repair these rows and run the file again: what is in already will not change.")
        if not self.usable:
            lines.append(NOTHING_USABLE)
        return "\n".join(lines)

    def _listed(self, rows: Sequence[RowOutcome]) -> list[str]:
        """One line for all rows with the same outcome and reason; at most ``LISTED`` lines."""
        alike: dict[RowOutcome, list[int]] = {}
        for row in rows:
            alike.setdefault(msgspec.structs.replace(row, row=0, statements=()), []).append(row.row)
        lines = [f"  {self._line(row, numbers)}" for row, numbers in list(alike.items())[:LISTED]]
        left = sum(len(numbers) for numbers in list(alike.values())[LISTED:])
        return [*lines, f"  … and {counted(left, 'more row')}: use --json for all"] if left else lines

    def _line(self, row: RowOutcome, numbers: Sequence[int]) -> str:
        where = f"{row.sheet} row{'s' if len(numbers) > 1 else ''} {_ranges(numbers)}".strip()
        return f"{where}: {f'{row.outcome} {row.code}'.strip()}: {self.said(row, values=True)}"


def added_to(headers: Iterable[str]) -> tuple[str, str]:
    """What the columns are called that are added to a file with *headers*."""
    return ADDED_BESIDE if {fold(one) for one in headers}.intersection(ADDED) else ADDED


def in_order(rows: Iterable[RowOutcome]) -> tuple[RowOutcome, ...]:
    """*rows* in the order of the file, sheets in the order they come."""
    sheets: dict[str, int] = {}
    found = list(rows)
    for row in found:
        sheets.setdefault(row.sheet, len(sheets))
    return tuple(sorted(found, key=lambda row: (sheets[row.sheet], row.row)))


def _ranges(numbers: Sequence[int]) -> str:
    """Row numbers as ``3, 5-9``; at most ``LISTED`` of them."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    told = [f"{first}-{last}" if last > first else str(first) for first, last in found[:LISTED]]
    left = sum(last - first + 1 for first, last in found[LISTED:])
    return ", ".join([*told, f"and {left} more"] if left else told)
