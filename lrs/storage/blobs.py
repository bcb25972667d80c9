"""Blobs as files: content-addressed, durable before they are named. Knows no record.

The time of a file is when it was last touched. A sweep takes a file aside before it drops it and looks at that time
again: whoever touched it in between gets it back, whoever comes later writes it anew.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path

from lrs.storage import Clock
from lrs.storage.ending import end_process
from lrs.storage.private import private_folder
from lrs.storage.room import NO_ROOM, Room

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
        """Writes to a draft, syncs, then renames: a blob is whole or not there.

        Raises ``StoreFull`` or ``StoreReadOnly``. A failed fsync ends the process: the kernel tells of it once, and the
        next one would succeed whatever was lost.
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
        """The bytes, 64 KiB at a time; the file is opened at once, so a missing blob is a ``KeyError`` here."""
        try:
            file = self.path_of(sha256).open("rb")
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
            return self.path_of(sha256).stat().st_size
        except FileNotFoundError as error:
            raise KeyError(sha256) from error

    def sweep(self, keep: Callable[[str], bool], older_than: int) -> int:
        """Drops old blobs nobody keeps, and what a crash left behind."""
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
        """All files, those of one folder read at a time."""
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
        """A name may be lost. *made* is taken back: whoever puts the bytes again makes it anew, and syncs that."""
        if made:
            made.unlink(missing_ok=True)
        self._fatal(f"{folder}: {error}")

    def path_of(self, name: str) -> Path:
        """Where the blob of this name is, if it is there."""
        return self._root / name[:2] / name[2:4] / name


def _drop(path: Path, older_than: int) -> int:
    aside = path.with_name(_ASIDE + path.name)
    with suppress(FileNotFoundError):
        path.rename(aside)
    if not _older(aside, older_than):
        _bring_back(aside)
        return 0
    aside.unlink(missing_ok=True)
    return 1


def _bring_back(aside: Path) -> None:
    """Unless the same bytes were put meanwhile: those were touched later."""
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
    """Makes what names a file in *folder* durable, as a sync of the file makes what is in it.

    *failed* is told of an fsync that failed, before that is raised: it must not be tried again.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        failed(error)
        raise
    finally:
        os.close(descriptor)
