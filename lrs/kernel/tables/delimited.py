"""Reads CSV and similar text as lines of cells. Knows no column by name.

Between cells: ``,`` ``;`` tab or ``|``. Reads Excel's ``sep=`` line, cells over several lines, and blank lines. Lines
are streamed: memory does not grow with the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, TextIO

from lrs.kernel.errors import Refused
from lrs.kernel.tables.cell import FORMULA, clean
from lrs.kernel.tables.file import File
from lrs.kernel.tables.row import Fault, FileLine
from lrs.kernel.tables.text import doubtful

DELIMITERS = ",;\t|"
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MAX_LINE = 4 * 1024 * 1024
"""Characters between two line ends. A longer line is refused, because it would have to be held in memory."""
_SEP = re.compile(rf"\ufeff?sep=([{DELIMITERS}])\s*", re.IGNORECASE)
OPEN_QUOTE = Fault("open_quote", "a quotation mark is never closed: the rows below it have become part of this one")
_ENDLESS = Fault("cell_too_long", "a cell is longer than 131072 characters: a quotation mark may be open")
_CUT_OFF = Fault("cut_off", "the file ends in the middle of this row: it was cut off, save or download it again")


class Dialect(NamedTuple):
    """How one file is written. *skip* is the number of lines before the first row (Excel's ``sep=`` line).

    With *is_json* the file is a list in JSON, and the rest is how a file is written that goes back: as CSV.
    """

    encoding: str
    delimiter: str
    skip: int = 0
    is_json: bool = False


class TextLines:
    """Lines for ``csv.reader``; notices quotation marks that are never closed, which ``csv.reader`` does not report.

    The reader asks for one line more than there are, and then still gives a record, only inside an open quotation. So a
    record that comes while *unclosed* is true has an open quotation mark. *raw* is the text of the record, *ended*
    whether its last line has a line end.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.unclosed = False
        self.ended = True
        self.raw: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE)
        if not line:
            self.unclosed = True
            raise StopIteration
        if len(line) >= MAX_LINE:
            raise Refused(f"a line is longer than {MAX_LINE} characters: this is no table", error="no_table")
        self.ended = line.endswith(("\n", "\r"))
        self.raw.append(line)
        return line

    def taken(self) -> str:
        """The text of the records since the last call."""
        text = "".join(self.raw)
        self.raw.clear()
        return text


class Delimited:
    """The one sheet of a CSV file."""

    title = ""

    def __init__(self, file: File, dialect: Dialect) -> None:
        self._file = file
        self.dialect = dialect

    def lines(self) -> Iterator[FileLine]:
        """Every record with its number as a spreadsheet counts: a cell over several lines is one row."""
        with text_of(self._file, self.dialect.encoding) as file:
            for _ in range(self.dialect.skip):
                file.readline(MAX_LINE)
            yield from _records(TextLines(file), self.dialect)


@contextmanager
def text_of(file: File, encoding: str) -> Iterator[TextIO]:
    """The text of *file*; bytes that are invalid in *encoding* become U+FFFD.

    Raises ``Refused`` if nothing can be decoded.
    """
    try:
        with file.open() as opened, io.TextIOWrapper(opened, encoding, "replace", newline="") as text:
            yield text
    except UnicodeError as error:
        message = f"the file cannot be read as {encoding}: name another encoding in the mapping profile, or none"
        raise Refused(message, error="bad_encoding") from error


def sep_line(file: File, encoding: str) -> str:
    """The separator that Excel's ``sep=`` line names, or ``""``; any other than those of ``DELIMITERS`` is none."""
    with text_of(file, encoding) as text:
        named = _SEP.fullmatch(text.readline(16))
    return named[1] if named else ""


def _records(lines: TextLines, dialect: Dialect) -> Iterator[FileLine]:
    reader = csv.reader(lines, delimiter=dialect.delimiter)
    number = dialect.skip
    most = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines.taken()
            yield FileLine(number, [], trouble=_ENDLESS)
            continue
        raw = lines.taken()
        trouble = OPEN_QUOTE if lines.unclosed else doubtful(raw, dialect.encoding)
        if not lines.ended and not trouble and 1 < len(cells) < most:
            trouble = _CUT_OFF
        most = max(most, len(cells))
        yield FileLine(number, cells, faults=_formulas(cells) if "=" in raw else {}, trouble=trouble)


def _formulas(cells: list[str]) -> dict[int, Fault]:
    return {at: FORMULA for at, cell in enumerate(cells) if "=" in cell[:4] and clean(cell)[:1] == "="}
