"""What is shown beside the rows: how long a start takes, and what a slow disk does. Held to no target."""

from __future__ import annotations

import shutil
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.load import run, within
from tests.bench.rows import BATCH, Plan, body, faults
from tests.bench.server import create_key, serving
from tests.bench.statements import Made

SLOW_MS = 4
_SOURCE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static void wait_for_disk(void) { struct timespec t = {0, %d}; nanosleep(&t, 0); }
int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fsync");
    wait_for_disk();
    return real(fd);
}
int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
    wait_for_disk();
    return real(fd);
}
"""


def cold_start(data: Path, headers: bytes, times: int) -> str:
    """From the start of the process until it answers ``/health``, the median of *times* starts."""
    if not times:
        return "not measured"
    starts = []
    for _ in range(times):
        with serving(data, headers) as server:
            starts.append(server.started)
    return f"{statistics.median(starts):.2f} s ({min(starts):.2f} to {max(starts):.2f})"


def slow_disk(folder: Path, made: Sequence[Made], plan: Plan) -> list[tuple[str, str]]:
    """What is left of the write rows when every fsync takes 4 ms longer, as on cloud volumes."""
    name = f"slow disk ({SLOW_MS} ms a fsync)"
    library = slow_library(folder)
    if library is None:
        return [(name, "skipped: there is no gcc to build the library that slows fsync down")]
    data = folder / "slow"
    headers = create_key(data)
    shown = []
    with serving(data, headers, {"LD_PRELOAD": str(library)}) as server:
        at = 0
        for text, count, size, connections in (
            ("POST, 1 connection", plan.singles // 4, 1, 1),
            ("POST, 16 connections", plan.singles, 1, 16),
            ("POST of 100, 4 connections", plan.batches * BATCH, BATCH, 4),
        ):
            groups = [made[start : start + size] for start in range(at, at + count, size)]
            load = run(server.port, within(plan.longest, [server.post(body(group)) for group in groups]), connections)
            at += count
            figures = f"{load.rate * size:,.0f} statements/s, p50 {load.percentile(0.5):.1f} ms"
            shown.append((name, f"{text}: {figures}, p95 {load.percentile(0.95):.1f} ms {faults([load])}"))
    return shown


def slow_library(folder: Path) -> Path | None:
    """A library to preload that adds ``SLOW_MS`` to fsync and fdatasync, or ``None`` without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    source, library = folder / "slow.c", folder / "slow.so"
    source.write_text(_SOURCE % (SLOW_MS * 1_000_000))
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True, timeout=60)
    return library
