"""Blobs as files: content-addressed, durable before they are named. Knows no record."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path

CHUNK = 64 * 1024


class FileBlobs:
    """Blobs under *root*, two levels deep by the first digits of their name."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, chunks: Iterable[bytes]) -> str:
        """Writes to a draft, syncs, then renames: a blob is whole or not there."""
        self._root.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=self._root, prefix=".draft-")
        digest = sha256()
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            name = digest.hexdigest()
            target = self._path(name)
            if target.exists():
                os.utime(target)
                Path(draft).unlink()
                return name
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(draft).rename(target)
            for folder in (target.parent, target.parent.parent, self._root):
                _sync_folder(folder)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
        return name

    def open(self, sha256: str) -> Iterator[bytes]:
        """The bytes, 64 KiB at a time; the file is opened at once, so a missing blob is a ``KeyError`` here."""
        try:
            file = self._path(sha256).open("rb")
        except FileNotFoundError as error:
            raise KeyError(sha256) from error

        def chunks() -> Iterator[bytes]:
            with file:
                while chunk := file.read(CHUNK):
                    yield chunk

        return chunks()

    def size(self, sha256: str) -> int:
        """The length in bytes."""
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError as error:
            raise KeyError(sha256) from error

    def sweep(self, keep: Callable[[str], bool], older_than: int) -> int:
        """Drops old blobs nobody keeps, and drafts a crash left behind."""
        dropped = 0
        for path in self._root.glob("**/*"):
            if not path.is_file() or path.stat().st_mtime_ns // 1_000 >= older_than:
                continue
            if path.name.startswith(".draft-") or not keep(path.name):
                path.unlink(missing_ok=True)
                dropped += 1
        return dropped

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / name[2:4] / name


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
