"""The files of a store: one database, and what stands beside it. Knows no table."""

from __future__ import annotations

import shutil
from pathlib import Path

from lrs.storage.blobs import blobs_beside
from lrs.storage.private import close_to_others, private_file, private_folder

_BESIDE = ("-wal", "-shm", "-horizon", "-turn", "-journal")


def drop_files(path: Path) -> None:
    """Deletes the store at *path*, the files beside it, and its folder if nothing else is in it."""
    for more in ("", *_BESIDE):
        path.with_name(path.name + more).unlink(missing_ok=True)
    blobs = blobs_beside(path)
    if blobs.is_dir():
        shutil.rmtree(blobs)
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def make_private(path: Path) -> None:
    """Makes the files private. The database comes first, because SQLite gives its log and index the same rights."""
    private_folder(path.parent)
    private_file(path)
    for more in _BESIDE:
        close_to_others(path.with_name(path.name + more))
    close_to_others(blobs_beside(path))
