"""What a reader may promise: up to which time everything stored is visible. Knows no engine.

Three numbers in a file that every process maps: the lowest time the commit under way may store, the place in the order
it will reach, and the place the last commit reached. A writer announces itself with the write lock held and draws
places afterwards; a reader takes the time first and reads the announcement second. So a reader that sees no commit
under way took its time before any later place was drawn, and one that sees it stays below. Two processes may overwrite
each other's last number with a lower one: that only makes the promise more careful, until the next commit.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from lrs.storage import NEWEST, Clock

_CELLS = struct.Struct("<qqq")
_ONE = struct.Struct("<q")
_DEAD_AFTER = 10_000_000
"""Commits take less than 50 ms: an announcement ten seconds old is of a process that died."""


class Announcement:
    """The mapped cells: floor (microseconds), target (seq), committed (seq)."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        path.touch()
        with path.open("r+b") as file:
            if file.seek(0, 2) < _CELLS.size:
                file.write(bytes(_CELLS.size))
                file.flush()
            self._map = mmap.mmap(file.fileno(), _CELLS.size)

    def begin(self) -> None:
        """With the write lock held, before any place in the order is drawn."""
        self._map[:16] = struct.pack("<qq", self._clock(), NEWEST)

    def reach(self, seq: int) -> None:
        """With the write lock still held: the commit will bring the order to *seq* (rolled back: to where it was)."""
        self._map[8:16] = _ONE.pack(seq)

    def reached(self, seq: int) -> None:
        """After the commit or the rollback."""
        self._map[16:24] = _ONE.pack(seq)

    def horizon(self) -> int:
        """See ``Store.horizon``."""
        now = self._clock()
        floor, target, committed = _CELLS.unpack(self._map[:])
        under_way = target > committed and now - floor < _DEAD_AFTER
        return floor - 1 if under_way else now

    def close(self) -> None:
        """Lets go of the mapping."""
        self._map.close()
