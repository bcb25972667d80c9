"""Forms with a file, as they arrive: the file is filtered (``arriving_files``) before any of it is on a disk.

Starlette's own parser writes a large file to a temporary file as it comes.
"""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from adapters.imports.arriving_files import ArrivingFile

FILE = "file"
"""The field of a form that has the file."""


async def read_form(request: Request, adapter: str, *, max_files: int, max_fields: int) -> FormData:
    """The form in *request*, whose file is one for *adapter* (``""``: still to be found). Close it after use.

    It is empty if the request is of another type, as Starlette has it. Raises ``Refused`` as ``ArrivingFile`` does, and
    400 for a form that cannot be read, as Starlette does.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return FormData()
    parser = _FilteringParser(request.headers, request.stream(), max_files=max_files, max_fields=max_fields)
    parser.adapter = adapter
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise HTTPException(status_code=400, detail=error.message) from error


class _FilteringParser(MultiPartParser):
    adapter = ""

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        part = self._current_part
        if part.file is not None and part.field_name == FILE:
            arriving = ArrivingFile(self.adapter, (part.file.filename or "").replace("\\", "/").rpartition("/")[2])
            part.file.file = cast("BinaryIO", _FilteredDraft(part.file.file, arriving))


class _FilteredDraft:
    """A temporary file that has only what is to be kept of what is written to it.

    Starlette writes it in a thread, seeks its start once all was written, and then reads.
    """

    def __init__(self, draft: Any, arriving: ArrivingFile) -> None:
        self._draft: SpooledTemporaryFile[bytes] = draft
        self._arriving: ArrivingFile | None = arriving

    def write(self, block: bytes) -> int:
        """Writes what is to be kept of *block*."""
        if self._arriving is None:
            raise ValueError("the file has arrived")
        self._draft.write(self._arriving.feed(block))
        return len(block)

    def seek(self, offset: int, whence: int = 0) -> int:
        """The first time, writes what is still to come; then as any file does."""
        if self._arriving is not None:
            arriving, self._arriving = self._arriving, None
            self._draft.write(arriving.close())
        return self._draft.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        """As any file does."""
        return self._draft.read(size)

    def close(self) -> None:
        """As any file does."""
        self._draft.close()
