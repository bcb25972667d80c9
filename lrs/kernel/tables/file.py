"""The bytes of a table, which can be read several times: a file on disk, or bytes in memory. Knows no format."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

from lrs.kernel.errors import Refused

MAX_BYTES = 256 * 1024 * 1024


class File:
    """Bytes that somebody sent as a table. Raises ``Refused`` (413) for more than ``MAX_BYTES``."""

    def __init__(self, source: Path | bytes) -> None:
        self._source = source
        self.size = source.stat().st_size if isinstance(source, Path) else len(source)
        if self.size > MAX_BYTES:
            message = f"the file has {self.size} bytes, the limit is {MAX_BYTES}: split it"
            raise Refused(message, status=413, error="file_too_large")

    def open(self) -> BinaryIO:
        """A new reader that starts at the first byte."""
        return self._source.open("rb") if isinstance(self._source, Path) else io.BytesIO(self._source)

    def ends_in_zeros(self) -> bool:
        """Whether the last byte is zero, as after a save that was interrupted."""
        with self.open() as file:
            file.seek(max(0, self.size - 1))
            return file.read(1) == b"\x00"

    def start(self, size: int) -> bytes:
        """The first *size* bytes."""
        with self.open() as file:
            return file.read(size)
