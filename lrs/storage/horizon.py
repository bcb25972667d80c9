"""The horizon: up to which time everything stored is visible to a reader. Knows no engine.

A file that every process maps has three numbers of the writer: the lowest time that the present commit may store, the
place in the order that it will reach, and the place that the last commit reached; and one number for each process: the
highest time that it has promised. A writer announces itself while it holds the write lock, reads the promises
afterwards and stores nothing up to them. A reader promises first and reads the announcement afterwards. So a reader
that sees no commit has promised before any later place was drawn, and one that sees a commit stays below it, whatever
their clocks say.

If a process dies during a commit, its announcement stays. It looks like that of a process that was halted and will
continue, so its time stays reserved until somebody holds the lock: after some time a reader asks for an empty commit.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lrs.storage.private import private_file
from lrs.storage.records import NEWEST, Clock, micros_of

_FLOOR, _TARGET, _COMMITTED, _PROMISES = range(4)
_SLOTS = 64
_SIZE = 8 * (_PROMISES + _SLOTS)
_OVERDUE_S = 0.25


class Announcement:
    """The mapped cells: floor (microseconds), target (seq), committed (seq), then the promises (microseconds).

    *overdue* is called if the same commit has been announced for longer than commits take.
    """

    def __init__(self, path: Path, clock: Clock, overdue: Callable[[], None]) -> None:
        self._clock = clock
        self._overdue = overdue
        self._lock = threading.Lock()
        self._told = 0
        self._watched = (0, 0.0)
        private_file(path)
        with path.open("r+b") as file:
            missing = _SIZE - file.seek(0, 2)
            if missing > 0:
                file.write(bytes(missing))
                file.flush()
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self._cells = memoryview(self._map).cast("q")
        # Two processes whose numbers meet share a slot: each then sees the other's promise as its own.
        self._slot = _PROMISES + os.getpid() % _SLOTS

    def begin(self, seq: int) -> int:
        """Call it with the write lock held and the order at *seq*.

        Gives the lowest time (microseconds) this commit may store.
        """
        free = micros_of(seq) + 1
        with self._lock:  # letting go of it makes the announcement visible to other cores before promises are read
            self._cells[_FLOOR] = free
            self._cells[_TARGET] = NEWEST
        floor = max(self._clock(), free, max(self._cells[_PROMISES:]) + 1)
        self._cells[_FLOOR] = floor
        return floor

    def reach(self, seq: int) -> None:
        """Call it with the write lock held: the commit will bring the order to *seq*.

        After a rollback this is the place where the order was.
        """
        self._cells[_TARGET] = seq

    def reached(self, seq: int) -> None:
        """Call it after the commit or the rollback. A late call must not lower what a later commit has set."""
        if seq > self._cells[_COMMITTED]:  # noqa: PLR1730 (`max` would also write where nothing is to change)
            self._cells[_COMMITTED] = seq

    def horizon(self) -> int:
        """See ``Store.horizon``. The clock's present microsecond may still be drawn, so it is not promised.

        What was promised once stays true, so a later answer of this process is never lower: not even while a commit
        has announced itself and does not know its floor yet.
        """
        cells = self._cells
        with self._lock:  # letting go of it makes the promise visible to other cores before the announcement is read
            promise = cells[self._slot] = max(cells[self._slot], self._clock() - 1)
        floor, target, committed = cells[_FLOOR], cells[_TARGET], cells[_COMMITTED]
        if target > committed:
            self._watch(floor)
            promise = min(promise, floor - 1)
        with self._lock:
            self._told = max(self._told, promise)
            return self._told

    def close(self) -> None:
        """Closes the mapping."""
        self._cells.release()
        self._map.close()

    def _watch(self, floor: int) -> None:
        seen, since = self._watched
        now = time.monotonic()
        if seen != floor:
            self._watched = (floor, now)
        elif now - since > _OVERDUE_S:
            self._watched = (floor, now)
            self._overdue()
