"""Temporary folders with personal data. What a process that was killed left of them is removed later.

Beside each folder is a file that is locked as long as the folder is used. The kernel releases the lock of a process
that dies, so whoever gets the lock of another's file knows that nobody uses the folder.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lrs.storage.private import FILE, FOLDER, private_folder

_PREFIX, _LOCK = ".lrs-draft-", ".lock"


def drafts_in(data: Path) -> Path:
    """The folder for drafts below *data* (LRS_DATA). A worker empties it when it starts."""
    folder = data / "drafts"
    private_folder(folder)
    return folder


@contextmanager
def draft_folder(parent: Path) -> Iterator[Path]:
    """A new folder in *parent* for its owner alone, which is removed at the end. Removes those left there first.

    Raises ``OSError``.
    """
    remove_left(parent)
    lock, descriptor = _locked(parent)
    folder = lock.with_suffix("")
    try:
        folder.mkdir(FOLDER)
        yield folder
    finally:
        _remove(lock)
        os.close(descriptor)


def remove_left(parent: Path) -> None:
    """Removes the folders in *parent* that nobody uses any more."""
    for lock in parent.glob(f"{_PREFIX}*{_LOCK}"):
        with suppress(FileNotFoundError):
            descriptor = os.open(lock, os.O_RDWR)
            try:
                if _is_free(descriptor):
                    _remove(lock)
            finally:
                os.close(descriptor)


def _locked(parent: Path) -> tuple[Path, int]:
    """A new file and its descriptor, which holds the lock. Between the two somebody may take it for a left one."""
    while True:
        path = parent / f"{_PREFIX}{secrets.token_hex(8)}{_LOCK}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE)
        if _is_free(descriptor) and os.fstat(descriptor).st_nlink:
            return path, descriptor
        os.close(descriptor)


def _is_free(descriptor: int) -> bool:
    """Takes the lock; ``False`` if somebody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(lock: Path) -> None:
    """Removes a folder, then its lock; if something of the folder stays, the lock shows it to the next look."""
    folder = lock.with_suffix("")
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        lock.unlink(missing_ok=True)
