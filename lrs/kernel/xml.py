"""XML documents, read by lxml behind one hardened reader, and checked against a schema. Knows no vocabulary.

A document type is refused before lxml sees the text, so there are no entities at all; nothing is fetched. Tables have a
reader of their own (``lrs.kernel.tables.elements``), which never holds a document as a whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.parsers import expat

from lxml import etree

from lrs.kernel.errors import Refused

Element = Any
"""An element of lxml, which has no types of its own."""
_PIECE = 64 * 1024


class _HasDocumentType(Exception):
    pass


def parse_xml(text: bytes, what: str) -> Element:
    """The root of the document *text*, called *what* in refusals. Comments and processing instructions are left out.

    Refuses (400) what is not well-formed, with the line, and any document type.
    """
    _refuse_document_type(text, what)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refused(f"{what} is not well-formed XML: {error}", error="bad_xml") from error


def _refuse_document_type(text: bytes, what: str) -> None:
    def found(*_: object) -> None:
        raise _HasDocumentType

    reader = expat.ParserCreate()
    reader.StartDoctypeDeclHandler = found
    try:
        for start in range(0, len(text), _PIECE):
            reader.Parse(text[start : start + _PIECE], False)
        reader.Parse(b"", True)
    except _HasDocumentType as error:
        message = f"{what} has a document type (<!DOCTYPE …>): take it out, entities and external files are not read"
        raise Refused(message, error="bad_xml") from error
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Refused(f"{what} is not well-formed XML: {error}", error="bad_xml") from error


class XmlSchema:
    """A schema (XSD) of ours, in the file *path*."""

    def __init__(self, path: Path) -> None:
        self._schema = etree.XMLSchema(etree.fromstring(path.read_bytes()))

    def faults(self, root: Element) -> list[str]:
        """What the document breaks, each with its line; empty for a valid one."""
        if self._schema.validate(root):
            return []
        return [f"line {fault.line}: {fault.message}" for fault in self._schema.error_log]
