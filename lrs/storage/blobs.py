"""Blobs as files, named by their content and durable before records name them. Knows no record.

The time of a file is when its blob was last put. A sweep moves a file aside before it deletes it, and then looks at the
time again. If the blob was put meanwhile the file is moved back; if it is put later it is written again. Readers find a
file that is aside, too: a sweep that was killed may have left it there.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from lrs.storage.ending import end_process
from lrs.storage.private import private_folder
from lrs.storage.records import Clock
from lrs.storage.room import NO_ROOM, Room

T = TypeVar("T")
CHUNK = 64 * 1024
_DRAFT, _ASIDE = ".draft-", ".aside-"


def blobs_beside(store: Path) -> Path:
    """The folder of the blobs of the store in the file *store*."""
    return store.with_suffix(".blobs")


class FileBlobs:
    """Blobs under *root*, two levels deep by the first digits of their name."""

    def __init__(
        self, root: Path, clock: Clock, room: Room | None = None, fatal: Callable[[str], None] = end_process
    ) -> None:
        self._root = root
        self._clock = clock
        self._room = room or Room(str(root))
        self._fatal = fatal

    def put(self, chunks: Iterable[bytes]) -> str:
        """Writes to a draft, syncs, then renames, so a blob is complete or not there.

        Raises ``StoreFull`` or ``StoreReadOnly``. A failed fsync ends the process, because the kernel reports it only
        once: the next fsync would succeed although data is lost.
        """
        try:
            name = self._put(chunks)
        except OSError as error:
            raise self._room.failure(error) from error
        self._room.kept()
        return name

    def _put(self, chunks: Iterable[bytes]) -> str:
        private_folder(self._root)
        descriptor, draft = tempfile.mkstemp(dir=self._root, prefix=_DRAFT)
        digest = sha256()
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                self._sync_file(file.fileno())
            name = digest.hexdigest()
            self._place(Path(draft), self.path_of(name))
        finally:
            Path(draft).unlink(missing_ok=True)
        return name

    def open(self, sha256: str) -> Iterator[bytes]:
        """The bytes, 64 KiB at a time. The file is opened at once, so a missing blob raises ``KeyError`` here."""
        file = self._found(sha256, lambda path: path.open("rb"))

        def chunks() -> Iterator[bytes]:
            with file:
                while chunk := file.read(CHUNK):
                    yield chunk

        return chunks()

    def size(self, sha256: str) -> int:
        """The length in bytes."""
        return self._found(sha256, lambda path: path.stat().st_size)

    def _found(self, name: str, read: Callable[[Path], T]) -> T:
        """What *read* gives for the file. The last look is for one that was moved back meanwhile."""
        path = self.path_of(name)
        for one in (path, _aside(path), path):
            with suppress(FileNotFoundError):
                return read(one)
        raise KeyError(name)

    def sweep(self, keep: Callable[[str], bool], older_than: int) -> int:
        """Deletes old blobs that *keep* does not hold, and files left by a crash."""
        dropped = 0
        for path in self._files():
            if path.name.startswith(_ASIDE):
                _bring_back(path)
            elif not _older(path, older_than):
                continue
            elif path.name.startswith(_DRAFT):
                path.unlink(missing_ok=True)
            elif not keep(path.name):
                dropped += _drop(path, older_than)
        return dropped

    def _files(self) -> Iterator[Path]:
        """All files, one folder at a time."""
        folders = [self._root]
        while folders:
            try:
                entries = list(os.scandir(folders.pop()))
            except FileNotFoundError:
                continue
            folders.extend(Path(entry.path) for entry in entries if entry.is_dir())
            yield from (Path(entry.path) for entry in entries if entry.is_file())

    def _place(self, draft: Path, target: Path) -> None:
        now = self._clock() * 1_000
        made = False
        try:
            os.utime(target, ns=(now, now))
        except FileNotFoundError:
            made = True
            os.utime(draft, ns=(now, now))
            private_folder(target.parent)
            draft.rename(target)
        # Also when it was there: whoever put it a moment ago may not have come to this yet.
        for folder in (target.parent, target.parent.parent, self._root, self._root.parent):
            sync_folder(folder, partial(self._failed, folder, target if made else None))

    def _sync_file(self, descriptor: int) -> None:
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in NO_ROOM:  # then nothing was kept, and the draft is dropped
                self._fatal(f"{self._root}: {error}")
            raise

    def _failed(self, folder: Path, made: Path | None, error: OSError) -> None:
        """The new name may be lost. Deletes *made*, so that the next put makes the file again and syncs it."""
        if made:
            made.unlink(missing_ok=True)
        self._fatal(f"{folder}: {error}")

    def path_of(self, name: str) -> Path:
        """The path of the blob with this name, if it exists."""
        return self._root / name[:2] / name[2:4] / name


def _drop(path: Path, older_than: int) -> int:
    aside = _aside(path)
    with suppress(FileNotFoundError):
        path.rename(aside)
    if not _older(aside, older_than):
        _bring_back(aside)
        return 0
    aside.unlink(missing_ok=True)
    return 1


def _aside(path: Path) -> Path:
    return path.with_name(_ASIDE + path.name)


def _bring_back(aside: Path) -> None:
    """Moves the file back, unless the same bytes were put meanwhile: that file is newer."""
    with suppress(FileNotFoundError):
        with suppress(FileExistsError):
            os.link(aside, aside.with_name(aside.name.removeprefix(_ASIDE)))
        aside.unlink(missing_ok=True)


def _older(path: Path, micros: int) -> bool:
    try:
        return path.stat().st_mtime_ns // 1_000 < micros
    except FileNotFoundError:
        return False


def sync_folder(folder: Path, failed: Callable[[OSError], None] = lambda _: None) -> None:
    """Makes the names in *folder* durable, as fsync of a file does for its content.

    *failed* is called with the error of a failed fsync before it is raised. It must not be tried again.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        failed(error)
        raise
    finally:
        os.close(descriptor)
