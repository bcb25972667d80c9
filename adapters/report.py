"""What a run came to: counts, row by row, as JSON and as text. Knows no adapter.

Nothing here shows a cell's content: values are masked (``source.masked``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from adapters.source import RESULTS, Outcome
from lrs.kernel.tables.header import fold
from lrs.kernel.tables.notes import worth_saying
from lrs.kernel.tables.table import Table

ADDED = ("outcome", "reason")
"""The columns that a returned file has more than the sent one."""
LISTED = 50
NOTHING_USABLE = "Nothing of this file could be used."
_TAKEN = frozenset({"new", "updated", "unchanged"})
_UNDERSTOOD = frozenset({"repeated", "not_yet"})
"""Codes of skipped rows that say something all the same: it is known, or does not count yet."""
QUARANTINE = 200


class Report(msgspec.Struct, frozen=True):
    """One run over one file; *rows* in the order of the file.

    *notes* say how the file was read, each once: which row is the header, which headers and sheets were left out.
    *table* is the file as it was read.
    """

    adapter: str
    provider: str
    file: str
    sha256: str
    dry_run: bool
    rows: tuple[Outcome, ...]
    notes: tuple[str, ...]
    table: Table

    @property
    def usable(self) -> bool:
        """Whether anything of the file could be used; a file that only says what is known already could."""
        return any(row.outcome in _TAKEN or row.code in _UNDERSTOOD for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows came to what; every outcome is named."""
        counted = Counter(row.outcome for row in self.rows)
        return {result: counted[result] for result in RESULTS}

    def shown(self) -> dict[str, Any]:
        """The report, for ``msgspec`` to encode."""
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
        """The first rows that wait to be repaired, masked as all values are; the job's record keeps them."""
        waiting = [row for row in self.rows if row.outcome in {"quarantined", "error"}]
        kept = [msgspec.structs.replace(row, statements=()) for row in waiting[:QUARANTINE]]
        found: list[dict[str, Any]] = msgspec.to_builtins(kept)
        return found

    def called(self, row: Outcome) -> str:
        """The column of *row* as its file calls it, with our name for it where that is another."""
        sheets = {one.title: one.header.written for one in self.table.sheets}
        written = sheets.get(row.sheet, {}).get(row.column, row.column)
        return written if fold(written) == fold(row.column) else f"{written} [{row.column}]"

    def text(self) -> str:
        """The report for people: a line of counts, then the rows that need somebody, and those that were left out."""
        counts = ", ".join(f"{count} {result}" for result, count in self.counts.items() if count)
        lines = [f"{self.file}: {counts}{' (dry run: nothing was written)' if self.dry_run else ''}"]
        lines += [f"  {note}" for note in worth_saying(self.notes)]
        waiting = [row for row in self.rows if row.outcome in {"quarantined", "error"}]
        lines += self._listed(waiting)
        lines += self._listed([row for row in self.rows if row.outcome not in {"quarantined", "error"} and row.reason])
        if waiting:
            lines.append("Repair these rows and run the file again: what is in already will not change.")
        if not self.usable:
            lines.append(NOTHING_USABLE)
        return "\n".join(lines)

    def _listed(self, rows: Sequence[Outcome]) -> list[str]:
        """A line for all rows to which the same happened for the same reason; at most ``LISTED``."""
        alike: dict[Outcome, list[int]] = {}
        for row in rows:
            alike.setdefault(msgspec.structs.replace(row, row=0, statements=()), []).append(row.row)
        lines = [f"  {self._line(row, numbers)}" for row, numbers in list(alike.items())[:LISTED]]
        left = sum(len(numbers) for numbers in list(alike.values())[LISTED:])
        return [*lines, f"  … and {left} more rows: use --json for all"] if left else lines

    def _line(self, row: Outcome, numbers: Sequence[int]) -> str:
        where = f"{row.sheet} row{'s' if len(numbers) > 1 else ''} {_ranges(numbers)}".strip()
        value = f" ({row.value})" if row.value else ""
        cell = f"{self.called(row)}{value}: " if row.column else ""
        return f"{where}: {f'{row.outcome} {row.code}'.strip()}: {cell}{row.reason}"


def in_order(rows: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """*rows* in the order of the file, sheets in the order they are met."""
    sheets: dict[str, int] = {}
    found = list(rows)
    for row in found:
        sheets.setdefault(row.sheet, len(sheets))
    return tuple(sorted(found, key=lambda row: (sheets[row.sheet], row.row)))


def _ranges(numbers: Sequence[int]) -> str:
    """Row numbers as people list them: ``3, 5-9``; at most ``LISTED`` of them."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    told = [f"{first}-{last}" if last > first else str(first) for first, last in found[:LISTED]]
    left = sum(last - first + 1 for first, last in found[LISTED:])
    return ", ".join([*told, f"and {left} more"] if left else told)
