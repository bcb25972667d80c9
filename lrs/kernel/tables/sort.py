"""Finds the type of a file by its content, not by its name. A file that is no table is refused with its type.

``.xls`` and ``.ods`` are refused too: the libraries that read them give no number formats, so it is not known what a
cell shows.
"""

from __future__ import annotations

import re
from typing import Literal

from lrs.kernel.errors import Refused
from lrs.kernel.tables.archive import archive_in
from lrs.kernel.tables.file import File
from lrs.kernel.tables.package import BROKEN
from lrs.kernel.tables.text import wide_encoding

Sort = Literal["text", "workbook", "json"]
_START = 8192
_BLOCK = 1 << 20
_SAVE = "open it in the program that made it and save it as .xlsx or as CSV"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_IN_OLE = (
    ("EncryptedPackage", "a workbook with a password", "save it without the password"),
    ("Workbook", "an old Excel workbook (.xls)", "open it and save it as .xlsx"),
    ("Book", "an old Excel workbook (.xls)", "open it and save it as .xlsx"),
    ("WordDocument", "a Word document (.doc)", _SAVE),
)
_BY_START: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF", "ask for the table itself, as .xlsx or CSV"),
    (b"{\\rtf", "a text document (RTF)", _SAVE),
    (b"MIME-Version:", "a web page (MHTML), whatever its name says", _SAVE),
    (b"\x1f\x8b", "a compressed file (gzip)", "unpack it and send the table that is in it"),
    (b"7z\xbc\xaf\x27\x1c", "a compressed file (7z)", "unpack it and send the table that is in it"),
    (b"Rar!", "a compressed file (RAR)", "unpack it and send the table that is in it"),
    (b"BZh", "a compressed file (bzip2)", "unpack it and send the table that is in it"),
    (b"\xfd7zXZ", "a compressed file (xz)", "unpack it and send the table that is in it"),
    (b"\x28\xb5\x2f\xfd", "a compressed file (zstd)", "unpack it and send the table that is in it"),
    (b"\x89PNG", "a picture (PNG)", "send the table itself, as .xlsx or CSV"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "send the table itself, as .xlsx or CSV"),
    (b"GIF8", "a picture (GIF)", "send the table itself, as .xlsx or CSV"),
    (b"PAR1", "a Parquet file", "export it as CSV"),
    (b"SQLite format 3\x00", "a database (SQLite)", "export the table as CSV"),
)
_OLDEST_EXCEL = (
    b"\x09\x08\x10\x00",
    b"\x09\x08\x08\x00",
    b"\x09\x04\x06\x00",
    b"\x09\x02\x06\x00",
    b"\x09\x00\x04\x00",
)
_MARKUP = re.compile(rb"<(!doctype html|html|table|head|body|meta|div|style|script)\b", re.IGNORECASE)
_TAG = re.compile(rb"<!--|<[!?A-Za-z][^,;\t|]{0,200}>", re.DOTALL)
_JSON = re.compile(rb'(\{\s*["}]|\[\s*[\[{"\d])')
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x19\x1b-\x1f\x7f]")
_NAME_AT = 30
"""Where the name of the first file of a zip archive begins."""
_OFFICE = re.compile(rb"(xl|word|ppt|docprops|_rels|customxml)/|(content|meta|styles|settings|manifest)\.xml$")
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."


def sort_of(file: File) -> Sort:
    """Whether *file* is text, a workbook or JSON.

    Raises ``Refused``; its message says what the file is instead and what to do.
    """
    start = file.start(_START)
    bare = _bare(start)
    if not bare and file.size <= len(start):
        raise Refused("the file is empty: its first row must name the columns", error="empty_file")
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(file)
    if start.startswith(_OLE):
        raise _compound(file)
    if start.startswith(_OLDEST_EXCEL):
        raise _refused("an old Excel workbook (.xls)", "open it and save it as .xlsx")
    for signature, what, todo in _BY_START:
        if bare.startswith(signature):
            raise _refused(what, todo)
    if bare.startswith(b"<") and (_MARKUP.match(bare) or _TAG.match(bare)):
        raise _markup(bare)
    if _JSON.match(bare):
        return "json"
    if not _is_text(start):
        raise _refused("no text and no workbook that is known here", "save the table as .xlsx or as CSV")
    return "text"


def is_xml(start: bytes) -> bool:
    """Whether a file that begins so is XML, and no web page."""
    bare = _bare(start)
    return bare.startswith(b"<") and bool(_TAG.match(bare)) and not _MARKUP.match(bare)


def zipped_xml(start: bytes) -> bool:
    """Whether a file that begins so is an archive whose first file is XML, and no Office document.

    The first part of an Office document is in a folder, or is ``[Content_Types].xml`` (Open Packaging Conventions).
    """
    if not start.startswith(b"PK\x03\x04") or len(start) < _NAME_AT:
        return False
    name = start[_NAME_AT : _NAME_AT + int.from_bytes(start[26:28], "little")].lower()
    return name.endswith(b".xml") and name.rpartition(b"/")[2] != b"[content_types].xml" and not _OFFICE.match(name)


def _bare(start: bytes) -> bytes:
    """*start* as UTF-8, without byte order mark, blanks and zero bytes in front."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start.decode("utf-16", "ignore").encode()
    return start.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x00")


def _refused(what: str, todo: str) -> Refused:
    return Refused(f"the file is {what}: {todo}", error="no_table")


def _markup(start: bytes) -> Refused:
    if b"urn:schemas-microsoft-com:office:spreadsheet" in start:
        return _refused("an XML spreadsheet of 2003", "open it in Excel and save it as .xlsx")
    if b"/ILR/" in start or b'"ILR/' in start:
        return _refused("an ILR return (XML)", "send it for the adapter ilr")
    if _MARKUP.search(start):
        return _refused("a web page (HTML), whatever its name says", "open it in Excel and save it as .xlsx or as CSV")
    return _refused("XML", "send the table as .xlsx or CSV")


def _compound(file: File) -> Refused:
    with file.open() as opened:
        before = b""
        found: set[str] = set()
        while block := opened.read(_BLOCK):
            found |= {name for name, _, _ in _IN_OLE if name.encode("utf-16-le") in before + block}
            before = block[-64:]
    for name, what, todo in _IN_OLE:
        if name in found:
            return _refused(what, todo)
    return _refused("an Office document of an old sort", _SAVE)


def _archive(file: File) -> Sort:
    try:
        with file.open() as opened, archive_in(opened) as archive:
            names = archive.namelist()
            mime = archive.open("mimetype").read(100).decode("ascii", "replace") if "mimetype" in names else ""
    except BROKEN as error:
        message = "the workbook cannot be opened: it is damaged or was cut off, save or download it again"
        raise Refused(message, error="bad_workbook") from error
    if mime.startswith(_OPEN_DOCUMENT):
        what = "an OpenDocument spreadsheet (.ods)" if "spreadsheet" in mime else "an OpenDocument file"
        raise _refused(what, "open it and save it as .xlsx")
    if any(name.endswith("workbook.bin") for name in names):
        raise _refused("a binary workbook (.xlsb)", "open it and save it as .xlsx")
    if any(name.startswith("word/") for name in names):
        raise _refused("a Word document (.docx)", "copy its table into a workbook and save that as .xlsx")
    if any(name.startswith("ppt/") for name in names):
        raise _refused("a presentation (.pptx)", "copy its table into a workbook and save that as .xlsx")
    if any(name.endswith(".iwa") or name == "Index.zip" for name in names):
        raise _refused("a Numbers document", "export it as .xlsx or CSV")
    if "[Content_Types].xml" not in names:
        raise _refused("a zip archive without a workbook", "unpack it and send the table that is in it")
    return "workbook"


def _is_text(start: bytes) -> bool:
    """Whether *start* can be text: almost no control characters, except every other byte in UTF-16."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or wide_encoding(start):
        return True
    return len(_CONTROL.findall(start)) * 50 <= len(start)
