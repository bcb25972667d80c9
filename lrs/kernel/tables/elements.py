"""XML as events, with limits on depth and on the size of a tag, without document types and entities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any
from xml.parsers import expat

from lrs.kernel.errors import Refused
from lrs.kernel.tables.cell import spoken

MAX_DEPTH = 256
"""Levels of nested elements. expat keeps the name of each open element."""
MAX_TAG = 1 << 20
"""Bytes of one tag or comment. expat scans an unfinished one again with every block."""
_BLOCK = 1 << 16


class Elements:
    """The elements of one XML part as events, named without prefix. Subclasses override the events they need."""

    def start(self, name: str, attributes: Mapping[str, str], /) -> None:
        """Called at the start of an element."""

    def end(self, name: str, /) -> None:
        """Called at the end of an element."""

    def text(self, text: str, /) -> None:
        """Called with the text between tags."""

    def feed(self, part: IO[bytes]) -> Iterator[None]:
        """Reads *part* block by block. Yields after each block, so that the caller can take what was found."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        depth = 0

        def began(name: str, attributes: Mapping[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > MAX_DEPTH:
                raise damaged(f"its elements are nested more than {MAX_DEPTH} deep")
            self.start(_local(name), attributes)

        def ended(name: str) -> None:
            nonlocal depth
            depth -= 1
            self.end(_local(name))

        parser.StartElementHandler = began
        parser.EndElementHandler = ended
        parser.CharacterDataHandler = self.text
        parser.StartDoctypeDeclHandler = _no_document_type
        fed = 0
        while block := part.read(_BLOCK):
            parser.Parse(block, False)
            fed += len(block)
            if fed - max(parser.CurrentByteIndex, 0) > MAX_TAG:
                raise damaged(f"it holds a tag or a comment of more than {MAX_TAG} bytes")
            yield
        parser.Parse(b"", True)
        yield


def _local(name: str) -> str:
    return name.rpartition(":")[2] if ":" in name else name


def _no_document_type(*_: Any) -> None:
    raise damaged("it holds a document type, which no workbook has")


def damaged(why: str = "it is damaged", sheet: str = "") -> Refused:
    """The refusal of a workbook, or one *sheet* of it, that cannot be read."""
    what = f"the sheet {spoken(sheet)}" if sheet else "the workbook"
    return Refused(f"{what} cannot be read: {why}, save the workbook again", error="bad_workbook")
