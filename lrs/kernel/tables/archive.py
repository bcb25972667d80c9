"""Opens a zip archive that somebody sent, with a limit on its directory. Knows no workbook."""

from __future__ import annotations

import zipfile
from typing import IO, BinaryIO, cast

from lrs.kernel.tables.elements import damaged

MAX_DIRECTORY = 1 << 20
"""Bytes of an archive's directory: more than 10,000 entries. ``zipfile`` reads it at once, with an object for each."""


def archive_in(file: BinaryIO) -> zipfile.ZipFile:
    """The archive in *file*. Refuses a directory of more than ``MAX_DIRECTORY``, and raises as ``zipfile`` does."""
    return zipfile.ZipFile(cast("IO[bytes]", _InPieces(file)))


class _InPieces:
    """A file that gives at most ``MAX_DIRECTORY`` bytes at once: nothing but a directory is read in one piece."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        """As of any file."""
        if size > MAX_DIRECTORY:
            raise damaged("the archive that it is has too many entries")
        return self._file.read(size)
