"""Files and folders that only their owner may use, whatever the umask is. Knows no store."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
_OTHERS = 0o077


def private_folder(folder: Path) -> None:
    """Makes *folder*, and missing parents, for its owner alone. An existing folder is not changed.

    Raises ``OSError``, also if a file is in its place.
    """
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        with suppress(FileExistsError):  # another process has just made it
            each.mkdir(FOLDER)
            each.chmod(FOLDER)
    (missing[0] if missing else folder).mkdir(exist_ok=True)


def private_file(path: Path) -> None:
    """Makes an empty file for its owner alone. If *path* exists and is ours, takes the rights of others away."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
    except FileExistsError:
        close_to_others(path)
        return
    os.fchmod(descriptor, FILE)
    os.close(descriptor)


def close_to_others(path: Path) -> None:
    """Takes every right of others on *path* away, if it exists and is ours. Earlier versions left them to the umask."""
    with suppress(FileNotFoundError):
        told = path.stat()
        if told.st_mode & _OTHERS and told.st_uid == os.geteuid():
            path.chmod(told.st_mode & ~_OTHERS & 0o777)
