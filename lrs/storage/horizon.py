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
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lrs.storage import NEWEST, Clock, micros_of

_SLOTS = 64
_CELLS = struct.Struct("<qqq")
_PROMISES = struct.Struct(f"<{_SLOTS}q")
_ONE = struct.Struct("<q")
_SIZE = _CELLS.size + _PROMISES.size
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
        path.touch()
        with path.open("r+b") as file:
            missing = _SIZE - file.seek(0, 2)
            if missing > 0:
                file.write(bytes(missing))
                file.flush()
            self._map = mmap.mmap(file.fileno(), _SIZE)
        # Two processes whose numbers meet share a slot: each then sees the other's promise as its own.
        self._slot = _CELLS.size + os.getpid() % _SLOTS * _ONE.size

    def begin(self, seq: int) -> int:
        """With the write lock held and the order at *seq*: the lowest time (microseconds) this commit may store."""
        free = micros_of(seq) + 1
        self._map[:16] = struct.pack("<qq", free, NEWEST)
        promised = max(_PROMISES.unpack(self._map[_CELLS.size :]))
        floor: int = max(self._clock(), free, promised + 1)
        self._map[:8] = _ONE.pack(floor)
        return floor

    def reach(self, seq: int) -> None:
        """With the write lock still held: the commit will bring the order to *seq* (rolled back: to where it was)."""
        self._map[8:16] = _ONE.pack(seq)

    def reached(self, seq: int) -> None:
        """After the commit or the rollback. One that comes late must not lower what a later commit has set."""
        if seq > self._number(16):
            self._map[16:24] = _ONE.pack(seq)

    def horizon(self) -> int:
        """See ``Store.horizon``. The microsecond of the clock itself may still be drawn, so it is not promised."""
        with self._lock:
            promise: int = max(self._number(self._slot), self._clock() - 1)
            self._map[self._slot : self._slot + 8] = _ONE.pack(promise)
        floor: int
        floor, target, committed = _CELLS.unpack(self._map[: _CELLS.size])
        if target <= committed:
            return promise
        self._watch(floor)
        return min(promise, floor - 1)

    def close(self) -> None:
        """Lets go of the mapping."""
        self._map.close()

    def _number(self, at: int) -> int:
        number: int = _ONE.unpack(self._map[at : at + 8])[0]
        return number

    def _watch(self, floor: int) -> None:
        seen, since = self._watched
        now = time.monotonic()
        if seen != floor:
            self._watched = (floor, now)
        elif now - since > _OVERDUE_S:
            self._watched = (floor, now)
            self._overdue()
