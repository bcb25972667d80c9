"""Files and folders that are their owner's alone, whatever the umask says. Knows no store."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
_OTHERS = 0o077


def private_folder(folder: Path) -> None:
    """Makes *folder*, and what is missing above it, for its owner alone; one that is there stays as it is.

    Raises ``OSError``, also if a file is in its place.
    """
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        with suppress(FileExistsError):  # made by somebody else a moment ago
            each.mkdir(FOLDER)
            each.chmod(FOLDER)
    (missing[0] if missing else folder).mkdir(exist_ok=True)


def private_file(path: Path) -> None:
    """Makes *path*, empty, for its owner alone. One of ours that is there is closed to others."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
    except FileExistsError:
        close_to_others(path)
        return
    os.fchmod(descriptor, FILE)
    os.close(descriptor)


def close_to_others(path: Path) -> None:
    """Takes every right of others on *path* away, if it is there and ours: earlier versions left them to the umask."""
    with suppress(FileNotFoundError):
        told = path.stat()
        if told.st_mode & _OTHERS and told.st_uid == os.geteuid():
            path.chmod(told.st_mode & ~_OTHERS & 0o777)
