"""A row of the result, what it is held to, and how the result is printed and kept. Measures nothing."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """What a row is measured in and against, and the ratio it has to reach at least and should reach."""

    unit: str
    against: str
    least: float
    aim: float


TARGETS = {
    "post-single-c16": Target("statements/s", "raw SQLite, single-row commits", 0.20, 0.35),
    "post-batch-c4": Target("statements/s", "raw SQLite, 100-row transactions", 0.28, 0.45),
    "written-bytes": Target("KB written a statement", "45 KB, batches 35 KB", 1.00, 1.40),
    "query-50k": Target("queries/s", "the same query in raw SQLite", 0.10, 0.16),
    "by-id-c16": Target("requests/s", "an application that does nothing", 0.30, 0.50),
    "filters-2m": Target("ms p95 at 2 million", "p95 at 50,000", 0.50, 0.80),
    "arrivals-2m": Target("ms p95 of a page", "300 ms", 1.00, 3.00),
    "memory": Target("MB at peak", "220 MB", 1.00, 1.50),
    "read-under-write": Target("ms p95 under write", "p95 idle", 0.33, 0.60),
    "chained-1000": Target("ms CPU, 1,000 that refer", "1,000 plain statements", 0.20, 0.50),
    "widest": Target("ms CPU, the widest one", "plain ones of as many bytes", 0.20, 0.50),
    "writer-held": Target("ms CPU, longest decision", "500 ms", 1.00, 2.00),
    "loop-stall": Target("ms p99 beside large pages", "50 ms", 1.00, 2.00),
    "evaluated": Target("statements/s", "post-single-c16 without rules", 0.50, 0.80),
    "learners-10k": Target("us CPU a statement", "the same with 100 learners", 0.77, 0.95),
    "rules-200": Target("us CPU a statement", "the same with 10 rules", 0.33, 0.80),
    "badge-issued": Target("ms CPU, award to stored", "one canonical form by PyLD", 0.62, 1.00),
    "badge-verified": Target("ms CPU a badge", "one canonical form by PyLD", 0.31, 1.50),
    "learner-page": Target("ms p95, 5,000 pieces", "300 ms", 1.00, 3.00),
    "launch": Target("ms CPU a launch", "50 ms", 1.00, 5.00),
    "content-c16": Target("statements/s of content", "the plain endpoint", 0.70, 0.90),
    "receipt-one": Target("ms p50 from 200 to profile", "100 ms", 1.00, 2.00),
    "receipt-p95": Target("s from 200 to receipt", "5 s", 1.00, 5.00),
    "awards-500": Target("s until a badge is had", "30 s", 1.00, 5.00),
}
"""In the order they are printed. A new row is a line here and a function in ``rows.ROWS``, or in ``work``."""
WITH_RULES = "-with-rules"
AGAIN = ("post-single-c16", "post-batch-c4", "query-50k", "by-id-c16", "read-under-write")
"""Measured once more with rules in force and evidence coming in, and held to the same."""
TARGETS |= {name + WITH_RULES: TARGETS[name] for name in AGAIN}


@dataclass(frozen=True, slots=True)
class Row:
    """One measured row. *ratio* is the better the higher; *invalid* says why it must not be believed."""

    name: str
    value: float
    yardstick: float
    ratio: float
    note: str = ""
    invalid: str = ""

    def shown(self) -> dict[str, object]:
        """As it stands in the result file."""
        target = TARGETS[self.name]
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": target.unit,
            "yardstick": _rounded(self.yardstick),
            "ratio": round(self.ratio, 3),
            "min": target.least,
            "aim": target.aim,
            "against": target.against,
            "note": self.note,
            "invalid": self.invalid,
        }

    @property
    def verdict(self) -> str:
        """Where the ratio stands between what is the least and what is aimed at."""
        if self.invalid:
            return "INVALID"
        target = TARGETS[self.name]
        if self.ratio < target.least:
            return "BELOW"
        return "ok" if self.ratio < target.aim else "aim"


def row_of(name: str, pairs: Sequence[tuple[float, float]], *, note: str, invalid: str = "", less: bool = False) -> Row:
    """Medians over rounds of (value, yardstick); *less* says that a lower value is the better one."""
    ratios = [(yard / value if less else value / yard) if value and yard else 0.0 for value, yard in pairs]
    value, yard, ratio = (
        statistics.median(column) for column in ([p[0] for p in pairs], [p[1] for p in pairs], ratios)
    )
    spread = f"ratio {min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds"
    return Row(name, value, yard, ratio, f"{note}; {spread}" if len(ratios) > 1 else note, invalid)


def in_order(rows: Iterable[Row]) -> list[Row]:
    """*rows* as they are printed."""
    return sorted(rows, key=lambda row: list(TARGETS).index(row.name))


def table(rows: Sequence[Row], shown: Sequence[tuple[str, str]]) -> str:
    """The result as text: the rows with their targets, their notes, and what else was measured."""
    width = max(len(row.name) for row in rows)
    lines = [f"{'row':{width}} {'value':>10} {'unit':22} {'yardstick':>10} {'ratio':>7} {'least':>6} {'aim':>6}"]
    for row in rows:
        target = TARGETS[row.name]
        numbers = f"{_short(row.value):>10} {target.unit:22} {_short(row.yardstick):>10} {row.ratio:7.3f}"
        lines.append(f"{row.name:{width}} {numbers} {target.least:6.2f} {target.aim:6.2f}  {row.verdict}")
    lines.append("")
    for row in rows:
        lines.append(f"{row.name:{width}} against {TARGETS[row.name].against}; {row.note}")
        if row.invalid:
            lines.append(f"{'':{width}} INVALID: {row.invalid}")
    lines.append("")
    lines.extend(f"{name:28} {text}" for name, text in shown)
    return "\n".join(lines)


def keep(path: Path, rows: Sequence[Row]) -> None:
    """The result file: an array with one object for each row."""
    path.write_text(json.dumps([row.shown() for row in rows], indent=2) + "\n")


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}"


def _rounded(number: float) -> float:
    return round(number, 1 if number >= 100 else 3)
