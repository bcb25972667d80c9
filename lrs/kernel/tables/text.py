"""Finds the encoding of a text file. Knows no separator and no column.

UTF-8 with or without its mark, UTF-16, Windows-1252. The whole file is read once, because the first byte of another
encoding may be its last. A file that is not valid as a whole is read in the encoding that fits most of it; ``doubtful``
finds the lines that do not fit, and only those are left to a person.
"""

from __future__ import annotations

import codecs
import re

from lrs.kernel.tables.file import File
from lrs.kernel.tables.row import Fault

_BLOCK = 1 << 20
_SAMPLE = 4096
_WESTERN = "windows-1252"
_NO_WESTERN_WORD = re.compile("[\u00c0-\u00ff]{4,}")
_LOST = Fault("encoding", "this row holds bytes that are no text in the file's encoding: save the file as CSV UTF-8")
_ZEROS = Fault("encoding", "this row holds zero bytes: the file is damaged here, save or download it again")
_OTHER = Fault("encoding", "this row may be in another encoding than the rest: save the file as CSV UTF-8")


def encoding_of(file: File) -> str:
    """The encoding of *file*. A byte order mark decides, then the zero bytes of UTF-16.

    A file with neither is UTF-8 or Windows-1252, whichever fits more of its bytes.
    """
    start = file.start(_SAMPLE)
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    wide = wide_encoding(start)
    if wide:
        return wide
    if _more_foreign_than_not(file):
        return _WESTERN
    return "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else "utf-8"


def wide_encoding(start: bytes) -> str:
    """UTF-16 without a mark, recognised by zero bytes at every other place; else ``""``."""
    sample = start.rstrip(b"\x00")
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if (even and odd) or max(even, odd) * 20 < len(sample):
        return ""
    return "utf-16-be" if even else "utf-16-le"


def _more_foreign_than_not(file: File) -> bool:
    """Whether *file* has more bytes that are invalid in UTF-8 than valid characters beyond ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    foreign = good = 0
    with file.open() as opened:
        while block := opened.read(_BLOCK):
            text = decoder.decode(block)
            if text.isascii():
                continue
            lost = text.count("\ufffd")
            foreign += lost
            good += len(text) - lost - len(text.encode("ascii", "ignore"))
        foreign += len(decoder.decode(b"", final=True))
    return foreign > good


def doubtful(line: str, encoding: str) -> Fault | None:
    """Why *line* may not be what the file means; ``None`` if it is certain."""
    if line.isascii():
        return _ZEROS if "\x00" in line and line.strip("\x00\r\n") else None
    if "\ufffd" in line:
        return _LOST
    if encoding != _WESTERN:
        return None
    if _NO_WESTERN_WORD.search(line) or _utf8(line):
        return _OTHER
    return None


def _utf8(line: str) -> bool:
    """Whether *line*, read as Windows-1252, was UTF-8."""
    try:
        line.encode(_WESTERN).decode("utf-8")
    except UnicodeError:
        return False
    return True
