"""``python -m tests.bench``: measures, prints the table, writes ``bench-result.json``."""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

from tests.bench.bounds import bounds
from tests.bench.hotspots import profile, shares
from tests.bench.large import Size, large
from tests.bench.report import Row, in_order, keep, table
from tests.bench.rows import ROWS, Bench, Plan
from tests.bench.server import create_key, doing_nothing, serving
from tests.bench.shown import cold_start, slow_disk
from tests.bench.statements import statements
from tests.bench.work import owed_work, with_rules
from tests.bench.yardsticks import RawSqlite

SMALL = Plan(
    rounds=2,
    warm=100,
    singles=100,
    batches=2,
    seconds=0.05,
    starts=0,
    stored=700,
    learners=200,
    turns=1,
    evidence=40,
    offered=10,
    burst=10,
    alone=4,
    again=1,
    bounded=60,
    profiled=100,
    proofs=100,
    badges=4,
)
"""Enough to see that everything works; its figures mean nothing."""
SMALL_SIZE = Size(few=300, many=900, pages=10, turns=1, requests=3)


def main(given: list[str]) -> int:
    """Runs as *given* says; 1 if a row is invalid."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--large", action="store_true", help="also the rows with 2 million statements")
    parser.add_argument("--profile", action="store_true", help="only show where the time goes, in process")
    parser.add_argument("--small", action="store_true", help="tiny counts: shows that it works, not how fast it is")
    parser.add_argument("--out", type=Path, default=Path("bench-result.json"), help="the result file")
    parser.add_argument("--dir", type=Path, help="where the temporary stores go: a folder on a real disk")
    parser.add_argument("--no-worker", action="store_true", help="without the worker process: shows what it costs")
    options = parser.parse_args(given)
    plan = SMALL if options.small else Plan()
    with tempfile.TemporaryDirectory(prefix="engraft-bench-", dir=options.dir or disk()) as name:
        folder = Path(name)
        if options.profile:
            say(profile(folder, 300 if options.small else 3_000))
            return 0
        rows, shown = measure(folder, plan, {"LRS_WORKER": "false"} if options.no_worker else {})
        if options.large:
            rows.extend(large(folder, SMALL_SIZE if options.small else Size()))
    rows = in_order(rows)
    say(table(rows, shown))
    keep(options.out, rows)
    return 1 if any(row.invalid for row in rows) else 0


def measure(folder: Path, plan: Plan, settings: dict[str, str]) -> tuple[list[Row], list[tuple[str, str]]]:
    """All rows of *plan*, and what is shown beside them.

    *settings* are the server's, empty for its defaults; with others, the rows of owed work are left out.
    """
    begun = time.monotonic()
    made = list(statements(plan.stored))
    headers = create_key(folder / "store")
    shown = [("cold start, empty", cold_start(folder / "store", headers, plan.starts))]
    raw = RawSqlite(folder / "raw.db")
    rows: list[Row] = []
    try:
        with doing_nothing(folder) as nothing:
            with serving(folder / "store", headers, settings) as server:
                bench = Bench(plan, server, nothing, raw, made)
                rows.extend(told(measured(bench)) for measured in ROWS)
                rows.extend(map(told, bounds(bench, folder / "bounds")))
                rows.extend(map(told, () if settings else owed_work(bench, folder)))
            rows.extend(map(told, () if settings else with_rules(bench, folder)))
    finally:
        raw.close()
    shown.append(("cold start, filled", cold_start(folder / "store", headers, plan.starts)))
    shown.extend(slow_disk(folder, made, plan))
    shown.extend(shares(folder, plan.profiled))
    shown.append(
        ("load client alone", f"{statistics.median(bench.costs):.0f} us CPU a request, doing-nothing app, c16")
    )
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    shown.append(("machine", f"{os.cpu_count()} cores, load {load}; took {time.monotonic() - begun:.0f} s"))
    return rows, shown


def told(row: Row) -> Row:
    """*row*, once it has been said how it came out."""
    say(f"{row.name}: {row.ratio:.3f}", sys.stderr)
    return row


def say(text: str, where: TextIO | None = None) -> None:
    """A line for whoever watches; flushed, for a long run is watched."""
    stream = where or sys.stdout
    stream.write(f"{text}\n")
    stream.flush()


def disk() -> Path | None:
    """The usual temporary folder, unless it is memory: then the current one, for fsync has to mean something."""
    usual = Path(tempfile.gettempdir()).resolve()
    best, kind = "", ""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, filesystem, *_ = line.split()
        if usual.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, filesystem
    return Path.cwd() if kind in {"tmpfs", "ramfs"} else None


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    sys.exit(main(sys.argv[1:]))
