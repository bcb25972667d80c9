"""XML documents, read by lxml behind one hardened reader, and checked against a schema. Knows no vocabulary.

A document type is refused before lxml sees the text, so there are no entities at all; nothing is fetched. A document is
read as a whole (``parse_xml``), or in the blocks in which it arrives, an element at a time (``XmlFeed``). Tables have a
reader of their own (``lrs.kernel.tables.elements``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

from lrs.kernel.errors import Refused

Element = Any
"""An element of lxml, which has no types of its own."""
_PIECE = 64 * 1024
_PLACE = re.compile(r",? line [0-9]+, column [0-9]+$")
"""How lxml ends its sentences."""
_HALF = 500
"""Characters at the beginning and at the end of what a schema says that are kept."""
_HARDENED: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


class _HasDocumentType(Exception):
    pass


def parse_xml(text: bytes, what: str) -> Element:
    """The root of the document *text*, called *what* in refusals. Comments and processing instructions are left out.

    Refuses (400) what is not well-formed, with the line, and any document type.
    """
    from lxml import etree  # noqa: PLC0415 (4 MB that only a document is worth)

    guard = _Guard(what)
    for start in range(0, len(text), _PIECE):
        guard.feed(text[start : start + _PIECE])
    guard.close()
    try:
        return etree.fromstring(text, etree.XMLParser(**_HARDENED))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _not_xml(what, error) from error


class XmlFeed:
    """The document *what*, given in blocks. Each element that is named in *tags* is given once it is complete.

    At most *most* bytes come between the ends of two such elements, so memory does not grow with the document, if
    whoever takes the elements removes them from the tree. *root* is told the name of the root (``{namespace}name``)
    before any of the document is kept, and may refuse it.
    """

    def __init__(self, what: str, tags: Sequence[str], most: int, root: Callable[[str], None]) -> None:
        from lxml import etree  # noqa: PLC0415 (as above)

        self._what = what
        self._most = most
        self._since = 0
        self._guard = _Guard(what, root)
        self._parser = etree.XMLPullParser(events=("end",), tag=list(tags), **_HARDENED)

    def feed(self, block: bytes) -> Iterator[Element]:
        """The elements that end in *block*. Refuses (400) as ``parse_xml`` does."""
        for start in range(0, len(block), _PIECE):
            piece = block[start : start + _PIECE]
            self._guard.feed(piece)
            self._since += len(piece)
            yield from self._told(partial(self._parser.feed, piece))
            if self._since > self._most:
                message = f"one part of {self._what} has more than {self._most} bytes: it is no such document"
                raise Refused(message, status=413, error="file_too_large")

    def close(self) -> Iterator[Element]:
        """The last elements. Refuses a document that ends too early."""
        self._guard.close()
        yield from self._told(self._parser.close)

    def _told(self, do: Callable[[], object]) -> Iterator[Element]:
        from lxml import etree  # noqa: PLC0415 (as above)

        try:
            do()
            for _, element in self._parser.read_events():
                self._since = 0
                yield element
        except (etree.XMLSyntaxError, ValueError) as error:
            message = f"{self._what} is not well-formed XML: it breaks off or is damaged{_line_of(error)}"
            raise Refused(message, error="bad_xml") from error


def _line_of(error: Exception) -> str:
    """Where a document is damaged, without the parser's own words, which repeat what stands there."""
    line = getattr(error, "lineno", None)
    return f" in line {line}" if line else ""


def _not_xml(what: str, error: Exception) -> Refused:
    """The refusal of *what*, which is not well-formed: the line once, and why, without the parser's name for a text."""
    why = expat.ErrorString(error.code) if isinstance(error, expat.ExpatError) else getattr(error, "msg", str(error))
    said = _cut(_PLACE.sub("", str(why)).strip())
    return Refused(f"{what} is not well-formed XML{_line_of(error)}: {said}", error="bad_xml")


class _Guard:
    """Refuses a document type before anything else reads the document; tells the name of the root once.

    After the start of the root element there can be no document type (XML 1.0, 2.8), so lxml alone reads on.
    """

    def __init__(self, what: str, root: Callable[[str], None] | None = None) -> None:
        self._what = what
        self._root = root
        self._name = ""
        self._reader = expat.ParserCreate(namespace_separator="}")
        self._reader.StartDoctypeDeclHandler = self._found
        self._reader.StartElementHandler = self._began

    def feed(self, piece: bytes) -> None:
        """Refuses (400) a document type, and what is not well-formed up to the root element."""
        if not self._name:
            self._parse(piece, is_last=False)

    def close(self) -> None:
        """Refuses (400) a document without a root element."""
        if not self._name:
            self._parse(b"", is_last=True)

    def _parse(self, piece: bytes, *, is_last: bool) -> None:
        try:
            self._reader.Parse(piece, is_last)
        except _HasDocumentType as error:
            advice = "take it out, entities and external files are not read"
            message = f"{self._what} has a document type (<!DOCTYPE …>): {advice}"
            raise Refused(message, error="bad_xml") from error
        except (expat.ExpatError, LookupError, ValueError) as error:
            if not self._name:  # what is wrong behind the start of the root, lxml says, with the line
                raise _not_xml(self._what, error) from error
        if self._name and self._root:
            self._root(f"{{{self._name}" if "}" in self._name else self._name)

    def _found(self, *_: object) -> None:
        raise _HasDocumentType

    def _began(self, name: str, _: object) -> None:
        self._name = self._name or name


def _cut(message: str) -> str:
    """*message* without the middle of a long value in it: a document chooses how long that is."""
    return message if len(message) <= 2 * _HALF else f"{message[:_HALF]} … {message[-_HALF:]}"


class SchemaFault(NamedTuple):
    """What a document breaks. *message* repeats what stands in it, cut short; *kind* is libxml2's name of the fault."""

    line: int
    message: str
    kind: str


class XmlSchema:
    """A schema (XSD) of ours, in the file *path*."""

    def __init__(self, path: Path) -> None:
        from lxml import etree  # noqa: PLC0415 (as above)

        self._schema = etree.XMLSchema(etree.fromstring(path.read_bytes()))

    def found(self, root: Element) -> list[SchemaFault]:
        """What the document breaks; empty for a valid one."""
        if self._schema.validate(root):
            return []
        return [SchemaFault(fault.line, _cut(fault.message), fault.type_name) for fault in self._schema.error_log]
