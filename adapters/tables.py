"""CSV as it really arrives: reading tolerantly, writing safely. Knows no adapter and no column by name.

Reads UTF-8 with or without BOM, UTF-16 and Windows-1252; ``,`` ``;`` tab and ``|``; Excel's ``sep=`` line; blanks
around headers and cells. Rows are streamed: memory does not grow with the file. The strict UTF-8 test walks the whole
file once, since a file may turn out to be Windows-1252 in its last row.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

from lrs.csv_lines import UNCLOSED, CsvLines
from lrs.errors import Refused
from lrs.tables.row import Place, Row, Unusable

MAX_BYTES = 256 * 1024 * 1024
MAX_CELL = 131_072
MAX_ROWS = 500_000
"""Of one file: what the report and the comparison with the ledger hold in memory, some 950 bytes a row (measured with
50,000 rows), grows with the rows alone: at the limit about half a gigabyte."""
DELIMITERS = ",;\t|"
_BLOCK = 1 << 20
_BLANKS = " \t\r\n\f\v\u00a0\u200b\ufeff\x00"
_ERRORS = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)", re.IGNORECASE)
_FORMULA = re.compile(r"=|[+\-@][\w.]+[(|!]")
_TEXT_FORMULA = re.compile(r'="([^"]*)"')
_TEXT_PREFIX = re.compile(r"'(?=[=+\-@\d\t\r])")


class Dialect(NamedTuple):
    """How one file is written. *skip* counts lines before the header (Excel's ``sep=`` line)."""

    encoding: str
    delimiter: str
    skip: int = 0


class Line(NamedTuple):
    """One record of a file, by its number as a spreadsheet counts; *trouble* is why it cannot be read as a row."""

    number: int
    cells: list[str]
    trouble: Unusable | None = None


class CsvTable:
    """A CSV file as a ``Table``. *aliases* turns normalised headers into canonical names, *constants* fill gaps."""

    def __init__(
        self,
        path: Path,
        *,
        dialect: Dialect | None = None,
        aliases: Mapping[str, str] | None = None,
        constants: Mapping[str, str] | None = None,
    ) -> None:
        self._path = path
        self._constants = constants or {}
        self.dialect = dialect or sniff(path)
        with self._open() as file:
            lines = _filled(records(file, self.dialect))
            header = next(lines, Line(0, []))
            check_rows(lines)
        if header.trouble:
            raise Refused(f"row {header.number} of the file: {header.trouble.message}", error="bad_header")
        self.columns = names(header.cells, aliases or {})
        if not any(self.columns):
            raise Refused("the file is empty: its first row must name the columns", error="empty_file")

    def rows(self) -> Iterator[Row]:
        """All rows after the header; what cannot be read is a row with its trouble."""
        with self._open() as file:
            lines = _filled(records(file, self.dialect))
            next(lines, None)
            for number, cells, trouble in lines:
                if trouble:
                    yield Row(Place("", number), {}, trouble=trouble)
                else:
                    yield to_row(Place("", number), self.columns, cells, self._constants)

    def _open(self) -> TextIO:
        return self._path.open(encoding=self.dialect.encoding, errors="replace", newline="")


def _filled(lines: Iterable[Line]) -> Iterator[Line]:
    return (line for line in lines if line.trouble or any(clean(cell) for cell in line.cells))


def records(file: TextIO, dialect: Dialect) -> Iterator[Line]:
    """Records with their numbers as a spreadsheet counts them: a cell over several lines is one row."""
    for _ in range(dialect.skip):
        file.readline()
    lines = CsvLines(file)
    reader = csv.reader(lines, delimiter=dialect.delimiter)
    number = dialect.skip
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            message = f"a cell is longer than {MAX_CELL} characters: a quotation mark may be open"
            yield Line(number, [], Unusable("cell_too_long", "", "", message))
            continue
        yield Line(number, cells, Unusable("open_quote", "", "", UNCLOSED) if lines.unclosed else None)


def check_rows(rows: Iterable[object]) -> None:
    """Refuses a file with more *rows* than ``MAX_ROWS`` before any of them goes in."""
    if next(islice(rows, MAX_ROWS, None), None) is not None:
        message = f"the file has more than {MAX_ROWS} rows: split it, each part with the header"
        raise Refused(message, status=413, error="file_too_large")


def sniff(path: Path, encoding: str = "") -> Dialect:
    """How *path* is written, in *encoding* if that is known. Raises ``Refused`` for a file that is too large."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise Refused(
            f"the file has {size} bytes, the limit is {MAX_BYTES}: split it", status=413, error="file_too_large"
        )
    encoding = encoding or encoding_of(path)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        first = file.readline(MAX_CELL)
        named = re.fullmatch(r"\ufeff?sep=(.)\s*", first)
        if named:
            return Dialect(encoding, named[1], 1)
    return Dialect(encoding, delimiter_of(first))


def encoding_of(path: Path) -> str:
    """The encoding *path* is in: by its BOM, by the zero bytes of UTF-16, else UTF-8 if all of it is, else 1252."""
    with path.open("rb") as file:
        start = file.read(4096)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        marked = start.startswith(codecs.BOM_UTF8)
        if not marked and start.count(0) > len(start) // 4:
            return "utf-16-be" if start[:1] == b"\0" else "utf-16-le"
        decoder = codecs.getincrementaldecoder("utf-8")()
        file.seek(0)
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "windows-1252"
    return "utf-8-sig" if marked else "utf-8"


def delimiter_of(line: str) -> str:
    """The delimiter that stands most often outside quotation marks; a comma where there is none."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max(DELIMITERS, key=bare.count)


def names(header: Sequence[str], aliases: Mapping[str, str]) -> tuple[str, ...]:
    """Canonical column names: trimmed, case-folded, inner blanks and punctuation as ``_``, then *aliases*."""
    folded = [fold(cell) for cell in header]
    return tuple(aliases.get(name, name) for name in folded)


def fold(header: str) -> str:
    """One header without the differences people make: ``"Evidence  Date "`` becomes ``evidence_date``."""
    return re.sub(r"[\W_]+", "_", header.strip(_BLANKS).casefold()).strip("_")


def to_row(place: Place, columns: Sequence[str], line: Sequence[str], constants: Mapping[str, str]) -> Row:
    """One record as a row. A column that comes twice is one column as long as it does not say two things."""
    cells: dict[str, str] = {}
    doubled = []
    for name, raw in zip(columns, line, strict=False):
        cell = clean(raw)
        if cell and cells.get(name, cell) not in {cell, ""}:
            doubled.append(name)
        if cell or name not in cells:
            cells[name] = cell
    for name, value in constants.items():
        cells[name] = cells.get(name) or value
    trouble = None
    if any(clean(cell) for cell in line[len(columns) :]):
        trouble = Unusable("too_many_cells", "", "", f"{len(line)} cells stand under {len(columns)} headers")
    return Row(place, cells, tuple(doubled), trouble)


def clean(cell: str) -> str:
    """A cell without what spreadsheets add: outer blanks, ``="0123"``, a leading ``'`` before digits or signs."""
    text = cell.strip(_BLANKS).replace("\x00", "")
    wrapped = _TEXT_FORMULA.fullmatch(text)
    if wrapped:
        return wrapped[1].strip(_BLANKS)
    return _TEXT_PREFIX.sub("", text, count=1)


def is_formula(cell: str) -> bool:
    """Whether a raw cell would be computed by a spreadsheet, or is what failed computing leaves behind."""
    return bool(_ERRORS.fullmatch(cell) or _FORMULA.match(cell))


def neutral(cell: str) -> str:
    """*cell* made harmless for spreadsheets: ``'`` before what they would compute (OWASP, CSV injection)."""
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
