"""What a run came to: counts, row by row, as JSON and as text. Knows no adapter.

Nothing here shows a cell's content: values are masked (``source.masked``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from adapters.source import RESULTS, Outcome

LISTED = 50
QUARANTINE = 200


class Report(msgspec.Struct, frozen=True):
    """One run over one file; *rows* in the order of the file."""

    adapter: str
    provider: str
    file: str
    sha256: str
    dry_run: bool
    rows: tuple[Outcome, ...]

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
            "rows": self.rows,
        }

    def noted(self, at: str) -> dict[str, Any]:
        """What the ledger keeps of the run: counts, and the first rows that wait to be repaired."""
        waiting = [row for row in self.rows if row.outcome in {"quarantined", "error"}]
        kept = [msgspec.structs.replace(row, statements=()) for row in waiting[:QUARANTINE]]
        return {
            "sha256": self.sha256,
            "at": at,
            "counts": self.counts,
            "quarantine": msgspec.to_builtins(kept),
        }

    def text(self) -> str:
        """The report for people: a line of counts, then the rows that need somebody."""
        counts = ", ".join(f"{count} {result}" for result, count in self.counts.items() if count) or "no rows"
        lines = [f"{self.file}: {counts}{' (dry run: nothing was written)' if self.dry_run else ''}"]
        waiting = [row for row in self.rows if row.outcome in {"quarantined", "error"}]
        lines += [f"  {_line(row)}" for row in waiting[:LISTED]]
        if len(waiting) > LISTED:
            lines.append(f"  … and {len(waiting) - LISTED} more: use --json for all")
        if waiting:
            lines.append("Repair these rows and run the file again: what is in already will not change.")
        return "\n".join(lines)


def in_order(rows: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """*rows* in the order of the file, sheets in the order they are met."""
    sheets: dict[str, int] = {}
    found = list(rows)
    for row in found:
        sheets.setdefault(row.sheet, len(sheets))
    return tuple(sorted(found, key=lambda row: (sheets[row.sheet], row.row)))


def _line(row: Outcome) -> str:
    where = f"{row.sheet} row {row.row}".strip()
    cell = f"{row.column} ({row.value}): " if row.value else f"{row.column}: " if row.column else ""
    return f"{where}: {row.outcome} {row.code}: {cell}{row.reason}"
