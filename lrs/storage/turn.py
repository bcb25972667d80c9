"""Whose turn it is to write, among the processes of one SQLite file. Knows no database.

SQLite itself waits for its write lock by sleeping and looking again, up to 25 ms at a time; two busy processes then
spend most of their time asleep. The kernel wakes the next one the moment a file lock is let go of, and lets go of the
lock of a process that dies.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from types import TracebackType

from lrs.storage.private import private_file


class Turn:
    """A lock on the file at *path*; one process's writer thread uses it as a context manager."""

    def __init__(self, path: Path) -> None:
        private_file(path)
        self._file = path.open("ab")

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()
