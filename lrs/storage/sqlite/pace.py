"""How long commits take, and so who makes them: the writer's thread, or a caller that must not wait."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

BUSY_MS = 10_000
"""How long the writer's thread waits for the lock of another process."""
PAGES_BETWEEN_CHECKPOINTS = 8_000
"""32 MB of log, so that pages that many commits change are written back once. At the default of 4 MB a statement cost a
third more bytes (97 KB instead of 74, groups of 8).
"""
QUICK_S = 0.002
"""Seconds. Where commits take longer, the loop would keep others waiting, and a thread costs little beside the disk."""
LOOKED_AT = 15
RUN = 64
"""Commits in a row that callers make: the next one is the thread's, which writes the log back where that is due."""


class Pace:
    """The times of the last commits of one connection."""

    def __init__(self) -> None:
        self._took: deque[float] = deque(maxlen=LOOKED_AT)
        self._brief = False
        self._run = 0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """A block that is a commit and nothing else."""
        begun = time.perf_counter()
        yield
        self._took.append(time.perf_counter() - begun)

    def is_quick(self) -> bool:
        """Whether a caller may commit: the last commit was quick, most before it were, and the run is not over."""
        took = self._took
        return self._run < RUN and bool(took) and took[-1] < QUICK_S and median(took) < QUICK_S

    def use(self, connection: sqlite3.Connection, *, brief: bool) -> None:
        """Makes *connection* one that never waits and never writes its log back, if *brief*; else as the thread's."""
        self._run = self._run + 1 if brief else 0
        if self._brief is not brief:
            self._brief = brief
            connection.execute(f"PRAGMA busy_timeout = {0 if brief else BUSY_MS}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {0 if brief else PAGES_BETWEEN_CHECKPOINTS}")
