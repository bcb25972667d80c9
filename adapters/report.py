"""What a run came to: counts, row by row, as JSON, as text, and as the provider's own file. Knows no adapter.

Nothing here shows a cell's content: values are masked (``source.masked``). The returned file is the sender's own.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec

from adapters.sheets import open_workbook, shown
from adapters.source import RESULTS, Outcome, Unusable
from adapters.tables import Dialect, clean, neutral, records

ADDED = ("outcome", "reason")
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
        """The report as JSON-able data."""
        return {
            "adapter": self.adapter,
            "provider": self.provider,
            "file": {"name": self.file, "sha256": self.sha256},
            "dryRun": self.dry_run,
            "counts": self.counts,
            "rows": msgspec.to_builtins(self.rows),
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


def returned_csv(path: Path, dialect: Dialect, report: Report) -> Iterator[bytes]:
    """The provider's file, row by row in its own encoding and delimiter, with what became of each row.

    Every cell is made harmless for spreadsheets. Columns that an earlier return added are replaced.
    """
    by_row = {row.row: row for row in report.rows}
    encoding = {"utf-8-sig": "utf-8"}.get(dialect.encoding, dialect.encoding)
    encoding = "utf-16-le" if encoding == "utf-16" else encoding
    if dialect.encoding in {"utf-8-sig", "utf-16"}:
        yield "\ufeff".encode(encoding)
    with path.open(encoding=dialect.encoding, errors="replace", newline="") as file:
        width = None
        for number, line in records(file, dialect):
            cells = [] if isinstance(line, Unusable) else line
            if width is None and any(clean(cell) for cell in cells):
                width = _own_width(cells)
                told: tuple[str, ...] = ADDED
            else:
                told = _told(by_row.get(number))
            own = cells[:width] + [""] * ((width or 0) - len(cells))
            yield _csv_line([*map(neutral, own), *told], dialect.delimiter).encode(encoding, "replace")


def returned_workbook(path: Path, report: Report, to: Path) -> None:
    """Writes the provider's workbook to *to*, every sheet with what became of each row, cells as harmless text."""
    import openpyxl  # noqa: PLC0415 (25 MB that only a workbook is worth)

    by_place = {(row.sheet, row.row): row for row in report.rows}
    book = openpyxl.Workbook(write_only=True)
    with open_workbook(path) as source:
        for sheet in source.worksheets:
            target = book.create_sheet(sheet.title)
            width = None
            for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
                cells = [shown(value) for value in values]
                if width is None and any(clean(cell) for cell in cells):
                    width = _own_width(cells)
                    told: tuple[str, ...] = ADDED
                else:
                    told = _told(by_place.get((sheet.title, number)))
                own = cells[:width] + [""] * ((width or 0) - len(cells))
                target.append([*map(neutral, own), *told])
    book.save(to)


def _own_width(header: list[str]) -> int:
    folded = [clean(cell).casefold() for cell in header]
    while folded and not folded[-1]:
        folded.pop()
    return len(folded) - len(ADDED) if tuple(folded[-2:]) == ADDED else len(folded)


def _told(row: Outcome | None) -> tuple[str, str]:
    if row is None:
        return "", ""
    cell = f"{row.column}: " if row.column else ""
    return row.outcome, neutral(f"{cell}{row.reason}") if row.reason else ""


def _csv_line(cells: list[str], delimiter: str) -> str:
    line = StringIO()
    csv.writer(line, delimiter=delimiter).writerow(cells)
    return line.getvalue()
