"""The files that are attached to a PDF, such as the badge of a certificate. Nothing of the PDF is drawn or run.

Only streams that say that they are attached files are looked at, wherever they stand: no table of objects is believed.
Source: ISO 32000-2, 7.3.8 (streams) and 7.11.4 (embedded files).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from badges.verifying.verdict import Invalid

MOST_FILES = 20
_LONGEST_ENTRY = 2_048
"""Bytes of the dictionary before a stream."""
_MARK = re.compile(rb"/EmbeddedFile\b")
_STREAM = re.compile(rb"\bstream\r?\n")
_LENGTH = re.compile(rb"/Length\s++(\d{1,9}+)(?!\s++\d++\s++R)")
_FILTER = re.compile(rb"/Filter\s*+(?:\[\s*+((?:/\w++\s*+)++)|(/\w++))")
"""An array of names, or one name: what stands behind that is the next key of the dictionary."""
_ENCRYPTED = re.compile(rb"/Encrypt\s++\d++\s++\d++\s++R")
_FLATE = {b"/FlateDecode", b"/Fl"}


def attached_files(pdf: bytes, most: int) -> Iterator[bytes]:
    """Each attached file, cut off behind *most* bytes. Raises ``Invalid`` for a PDF that is encrypted, or damaged."""
    if _ENCRYPTED.search(pdf):
        raise Invalid("the PDF is encrypted: hand in the badge.json that is attached to it", "no_badge_in_file")
    for number, mark in enumerate(_MARK.finditer(pdf)):
        if number >= MOST_FILES:
            raise Invalid(f"more than {MOST_FILES} files are attached to the PDF", "too_complex")
        begun = _STREAM.search(pdf, mark.end(), mark.end() + _LONGEST_ENTRY)
        if begun is None:
            continue
        entry = pdf[max(0, pdf.rfind(b"obj", 0, mark.start())) : begun.start()]
        if b"endobj" not in entry and len(entry) <= 2 * _LONGEST_ENTRY:
            yield _unpacked(entry, pdf[begun.end() :], most)


def _unpacked(entry: bytes, data: bytes, most: int) -> bytes:
    named = _FILTER.search(entry)
    filters = (named[1] or named[2]).split() if named else []
    if not filters:
        told = _LENGTH.search(entry)
        size = int(told[1]) if told else max(0, data.find(b"endstream"))
        return data[: min(size, most + 1)]
    if len(filters) > 1 or filters[0] not in _FLATE:
        raise Invalid("a file is attached to the PDF in a form that is not read here", "no_badge_in_file")
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(data, most + 1)
    except zlib.error as error:
        raise Invalid("the file that is attached to the PDF is damaged", "bad_image") from error
    if not unpacker.eof and len(plain) <= most:
        raise Invalid("the file that is attached to the PDF is cut off", "bad_image")
    return plain
