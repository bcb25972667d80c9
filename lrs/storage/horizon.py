"""What a reader may promise: up to which time everything stored is visible. Knows no engine.

A file that every process maps holds three numbers of the writer: the lowest time the commit under way may store, the
place in the order it will reach, and the place the last commit reached; and one number a process: the highest time it
has promised. A writer announces itself with the write lock held, reads the promises afterwards and stores nothing up
to them; a reader promises first and reads the announcement second. So a reader that sees no commit under way has
promised before any later place was drawn, and one that sees it stays below it, whatever their clocks say.

A process that dies in the middle of a commit leaves its announcement standing. Nobody can tell it from one that was
halted and will go on, so its time stays held until somebody holds the lock: an overdue one asks for an empty commit.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lrs.storage import NEWEST, Clock, micros_of
from lrs.storage.private import private_file

_FLOOR, _TARGET, _COMMITTED, _PROMISES = range(4)
_SLOTS = 64
_SIZE = 8 * (_PROMISES + _SLOTS)
_OVERDUE_S = 0.25


class Announcement:
    """The mapped cells: floor (microseconds), target (seq), committed (seq), then the promises (microseconds).

    *overdue* is called when one and the same commit has been under way for longer than commits take.
    """

    def __init__(self, path: Path, clock: Clock, overdue: Callable[[], None]) -> None:
        self._clock = clock
        self._overdue = overdue
        self._lock = threading.Lock()
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
        """With the write lock held and the order at *seq*: the lowest time (microseconds) this commit may store."""
        free = micros_of(seq) + 1
        with self._lock:  # letting go of it makes the announcement visible to other cores before promises are read
            self._cells[_FLOOR] = free
            self._cells[_TARGET] = NEWEST
        floor = max(self._clock(), free, max(self._cells[_PROMISES:]) + 1)
        self._cells[_FLOOR] = floor
        return floor

    def reach(self, seq: int) -> None:
        """With the write lock still held: the commit will bring the order to *seq* (rolled back: to where it was)."""
        self._cells[_TARGET] = seq

    def reached(self, seq: int) -> None:
        """After the commit or the rollback. One that comes late must not lower what a later commit has set."""
        if seq > self._cells[_COMMITTED]:  # noqa: PLR1730 (`max` would also write where nothing is to change)
            self._cells[_COMMITTED] = seq

    def horizon(self) -> int:
        """See ``Store.horizon``. The microsecond of the clock itself may still be drawn, so it is not promised."""
        cells = self._cells
        with self._lock:
            promise = cells[self._slot] = max(cells[self._slot], self._clock() - 1)
        floor, target, committed = cells[_FLOOR], cells[_TARGET], cells[_COMMITTED]
        if target <= committed:
            return promise
        self._watch(floor)
        return min(promise, floor - 1)

    def close(self) -> None:
        """Lets go of the mapping."""
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
