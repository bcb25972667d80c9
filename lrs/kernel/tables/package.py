"""The parts of a workbook (ECMA-376, transitional and strict): its sheets, strings and number formats.

openpyxl is not used for reading: it gives the value of a cell or its formula, never both, knows no hidden rows when it
streams, and refuses workbooks for their fonts and fills. XML is read without document types and entities, and nothing
is fetched.
"""

from __future__ import annotations

import lzma
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO, NamedTuple
from xml.parsers import expat

from lrs.kernel.errors import Refused
from lrs.kernel.tables.archive import archive_in
from lrs.kernel.tables.built_in import BUILT_IN
from lrs.kernel.tables.cell import MAX_CELL
from lrs.kernel.tables.elements import Elements, damaged
from lrs.kernel.tables.file import File

MAX_UNPACKED = 512 * 1024 * 1024
MOST_RATIO = 200
"""How many times larger than the file its parts may be. A workbook packs ten to one, and a bomb a thousand to one."""
UNPACKED_ANYWAY = 8 * 1024 * 1024
"""Bytes that a workbook may unpack to whatever its size: small ones of one word over and over pack better."""
MAX_SHEETS = 256
MAX_ELEMENTS = 1_000_000
"""Elements in the list of sheets, of relationships, or of styles: Excel has at most 65,490 formats of cells."""
MAX_KEPT = 16 * 1024 * 1024
"""Bytes of memory that each of these lists may need: about 128 for an entry, and its letters."""
MAX_TEXTS = 256 * 1024 * 1024
"""Bytes of memory that the shared strings of a workbook may need: about 64 for each, and its letters."""
MAX_TEXT = 8 * MAX_CELL
"""Characters that are kept of one string: eight times the length of a cell, because ``_x000D_`` stands for one
character.
"""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, expat.ExpatError, RuntimeError, OSError, EOFError),
    *(LookupError, ValueError),
)
"""What a damaged archive or damaged XML raises, also for invalid numbers and references in it."""


class SheetPart(NamedTuple):
    """One sheet: its title, its path in the archive, and whether it is hidden."""

    title: str
    path: str
    hidden: bool


class Package:
    """An open workbook. Raises ``Refused`` if it is damaged or too large when unpacked."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {name.replace("\\", "/").lstrip("/").casefold(): name for name in archive.namelist()}
        book = self._main("_rels/.rels", "officeDocument") or "xl/workbook.xml"
        found = _Book()
        self._read(book, found)
        related = self._relations(book)
        self.from_1904 = found.from_1904
        if any(id not in related or related[id][1].casefold() not in self._names for _, id, _ in found.sheets):
            raise damaged("one of its sheets is missing")
        self.sheets = [
            SheetPart(title, related[id][1], hidden)
            for title, id, hidden in found.sheets
            if related[id][0].endswith("/worksheet")
        ]
        kinds = {kind.rpartition("/")[2]: target for kind, target in related.values()}
        self.formats = self._formats(kinds.get("styles"))
        self._shared = self._strings(kinds.get("sharedStrings"))

    def string(self, number: int) -> str:
        """A shared string, by its number from 0. Raises ``LookupError``."""
        if number < 0:
            raise LookupError(number)
        return self._shared[number]

    def open(self, path: str) -> IO[bytes]:
        """A reader of the part at *path*."""
        return self._archive.open(self._names[path.casefold()])

    def size(self, path: str) -> int:
        """The unpacked size of the part at *path* in bytes."""
        return self._archive.getinfo(self._names[path.casefold()]).file_size

    def _read(self, path: str, elements: Elements) -> None:
        with self.open(path) as part:
            for _ in elements.feed(part):
                pass

    def _relations(self, path: str) -> dict[str, tuple[str, str]]:
        folder, _, name = path.rpartition("/")
        found = _Relations(folder)
        at = posixpath.join(folder, "_rels", f"{name}.rels")
        if at.casefold() in self._names:
            self._read(at, found)
        return found.by_id

    def _main(self, path: str, kind: str) -> str:
        found = _Relations("")
        self._read(path, found)
        return next((target for type, target in found.by_id.values() if type.endswith("/" + kind)), "")

    def _formats(self, path: str | None) -> list[str]:
        found = _Styles()
        if path and path.casefold() in self._names:
            self._read(path, found)
        return [found.named.get(id) or BUILT_IN.get(id, f'"built-in format {id}"') for id in found.of_cells] or [
            "General"
        ]

    def _strings(self, path: str | None) -> list[str]:
        found = _Strings()
        if path and path.casefold() in self._names:
            self._read(path, found)
        return found.strings


@contextmanager
def open_package(file: File) -> Iterator[Package]:
    """The workbook in *file*, open as long as the block lasts. Raises ``Refused`` if it cannot be read."""
    with ExitStack() as closing:
        try:
            archive = closing.enter_context(archive_in(closing.enter_context(file.open())))
            unpacked = sum(member.file_size for member in archive.infolist())
            check_unpacked(unpacked, file.size)
            package = Package(archive)
        except BROKEN as error:
            raise damaged() from error
        yield package


def check_unpacked(unpacked: int, packed: int) -> None:
    """Refuses (413) parts of so many bytes *unpacked* in a workbook of *packed* bytes: cost follows what was sent."""
    if unpacked > MAX_UNPACKED:
        message = f"the workbook unpacks to {unpacked} bytes: split it"
    elif unpacked > max(UNPACKED_ANYWAY, MOST_RATIO * packed):
        message = f"the workbook unpacks to {unpacked} bytes, more than {MOST_RATIO} times its size: delete the empty"
        message += " rows and columns below and beside the table, and save it again"
    else:
        return
    raise Refused(message, status=413, error="file_too_large")


class _Kept(Elements):
    """A list that is kept as a whole, as large as it may be."""

    def __init__(self) -> None:
        self._elements = self._bytes = 0

    def start(self, _: str, __: Mapping[str, str], /) -> None:
        """Counts an element. Raises ``Refused`` beyond ``MAX_ELEMENTS``."""
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise damaged(f"one of its lists has more than {MAX_ELEMENTS} elements")

    def keep(self, *texts: str) -> None:
        """Counts an entry of *texts*. Raises ``Refused`` beyond ``MAX_KEPT``."""
        self._bytes += 128 + sum(map(len, texts))
        if self._bytes > MAX_KEPT:
            raise damaged("its lists of sheets, relationships or styles are too long")


class _Book(_Kept):
    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, str, bool]] = []
        self.from_1904 = False

    def start(self, name: str, attributes: Mapping[str, str], /) -> None:
        super().start(name, attributes)
        if name == "sheet":
            if len(self.sheets) == MAX_SHEETS:
                raise damaged(f"it has more than {MAX_SHEETS} sheets")
            id = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            title = attributes.get("name", "")
            self.keep(title, id)
            self.sheets.append((title, id, attributes.get("state", "visible") != "visible"))
        elif name == "workbookPr":
            self.from_1904 = attributes.get("date1904", "0") in {"1", "true"}


class _Relations(_Kept):
    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder
        self.by_id: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: Mapping[str, str], /) -> None:
        super().start(name, attributes)
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else posixpath.join(self._folder, target)
            id, kind = attributes.get("Id", ""), attributes.get("Type", "")
            self.keep(id, kind, path)
            self.by_id[id] = (kind, posixpath.normpath(path))


class _Styles(_Kept):
    """The number formats of cells.

    *of_cells* has them by the number of the style, *named* the text of those that are not built in. Formats of
    conditions and tables (``dxfs``) are left out: their numbers may be those of other formats.
    """

    def __init__(self) -> None:
        super().__init__()
        self.named: dict[int, str] = {}
        self.of_cells: list[int] = []
        self._within = ""

    def start(self, name: str, attributes: Mapping[str, str], /) -> None:
        super().start(name, attributes)
        if name in {"numFmts", "cellXfs"}:
            self._within = name
        elif name == "numFmt" and self._within == "numFmts" and "numFmtId" in attributes:
            code = attributes.get("formatCode", "")
            self.keep(code)
            self.named[int(attributes["numFmtId"])] = code
        elif name == "xf" and self._within == "cellXfs":
            self.keep()
            self.of_cells.append(int(attributes.get("numFmtId", "0")))

    def end(self, name: str, /) -> None:
        if name == self._within:
            self._within = ""


class Texts(Elements):
    """Collects the text of plain and rich strings, without phonetic readings."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._taking = False
        self._beside = 0

    def start(self, name: str, _: Mapping[str, str], /) -> None:
        """The element ``t`` starts a text."""
        if name == "rPh":
            self._beside += 1
        elif name == "t":
            self._taking = not self._beside

    def end(self, name: str, /) -> None:
        """The end of ``t`` ends it."""
        if name == "rPh":
            self._beside -= 1
        elif name == "t":
            self._taking = False

    def text(self, text: str, /) -> None:
        """Collects the characters within ``t``."""
        if self._taking and self._length < MAX_TEXT:
            self._pieces.append(text)
            self._length += len(text)

    def taken(self) -> str:
        """The text that was collected since the last call."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return unescaped(text)


class _Strings(Texts):
    def __init__(self) -> None:
        super().__init__()
        self.strings: list[str] = []
        self._bytes = 0

    def end(self, name: str, /) -> None:
        super().end(name)
        if name == "si":
            text = self.taken()
            self.strings.append(text)
            self._bytes += 64 + len(text)
            if self._bytes > MAX_TEXTS:
                raise Refused("the workbook holds too much text: split it", status=413, error="file_too_large")


def unescaped(text: str) -> str:
    """*text* with each escape such as ``_x000D_`` replaced by its character (ECMA-376 part 1, 22.9.2.19).

    Escapes are units of UTF-16; a lone surrogate becomes U+FFFD.
    """
    if "_x" not in text:
        return text
    units = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
