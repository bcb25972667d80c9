"""The lock by which processes that write one SQLite file take turns. Knows no database.

SQLite waits for its write lock by sleeping and trying again, up to 25 ms at a time, so two busy processes sleep most of
the time. The kernel wakes the next process as soon as a file lock is released, and releases the lock of a process that
dies.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from types import TracebackType

from lrs.storage.private import private_file


class Turn:
    """A lock on the file at *path*.

    The writer's thread of a process uses it as a context manager, its event loop, which must not wait, by
    ``take_at_once``.
    """

    def __init__(self, path: Path) -> None:
        private_file(path)
        self._file = path.open("ab")

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def take_at_once(self) -> bool:
        """Takes it if nobody has it. Whether it was taken: then ``end`` must be called."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def end(self) -> None:
        """Gives it back."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
