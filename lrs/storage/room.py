"""Whether the store can be written to. A change is logged once, and not with each request. Knows no engine."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import structlog

from lrs.kernel.errors import StoreFull, StoreReadOnly

FULL, READ_ONLY = "full", "read-only"
ENOUGH = 2 * 1024 * 1024
"""Bytes: two of the largest statements."""
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM}

_log = structlog.get_logger()


class Room:
    """The result of the latest write at *where*: ``lacks`` is ``FULL``, ``READ_ONLY``, or ``None`` if it was stored."""

    def __init__(self, where: str, folder: Path | None = None) -> None:
        self._where = where
        self._folder = folder
        self.lacks: str | None = None

    def kept(self) -> None:
        """A write was stored. A full disk counts as full until there is room for more than a small write."""
        if self.lacks is not None and not (self.lacks == FULL and self._is_tight()):
            self.lacks = None
            _log.warning("the store can be written to again", where=self._where)

    def _is_tight(self) -> bool:
        if self._folder is None:
            return False
        try:
            disk = os.statvfs(self._folder)
        except OSError:  # what was written is written, whatever became of the folder's name
            return False
        return disk.f_bavail * disk.f_frsize < ENOUGH

    def missed(self, lacks: str) -> None:
        """A write failed."""
        if self.lacks != lacks:
            self.lacks = lacks
            todo = "make room on the disk" if lacks == FULL else "let this user write there"
            said = "the store cannot be written to: writes are refused, reads go on"
            _log.error(said, why=lacks, where=self._where, todo=todo)

    def failure(self, error: OSError) -> Exception:
        """The exception for the caller; the error itself if it has nothing to do with room."""
        if error.errno in NO_ROOM:
            self.missed(FULL)
            return StoreFull("the disk is full: nothing of this request was stored")
        if error.errno in _REFUSED:
            self.missed(READ_ONLY)
            return StoreReadOnly("the store's folder is read-only: nothing of this request was stored")
        return error
