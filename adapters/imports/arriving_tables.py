"""A table as text (CSV) while it arrives: what stands in columns that are never kept is taken out of its rows.

A row with nothing in such a column, and a file without one, pass as they were sent, byte for byte. Knows no store.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from adapters.reading.never_kept import is_never_kept
from lrs.kernel.errors import Refused
from lrs.kernel.tables.text import wide_encoding

_SEARCHED = 100
"""Rows among which the header is."""
_LONGEST = 1 << 20
"""Characters of a row. A quotation mark that is never closed makes one of all that follows."""
_ENDLESS = "a row of the file does not end: a quotation mark is not closed. Save the table anew"
_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def is_text(start: bytes) -> bool:
    """Whether a file that begins with *start* is text: a table, if it is one at all."""
    return start[:2] in _MARKS or bool(wide_encoding(start)) or (b"\0" not in start and not start.startswith(b"PK"))


class TableFilter:
    """A table in blocks, the first of which begins with *start*."""

    def __init__(self, start: bytes) -> None:
        self._encoding = _MARKS.get(start[:2]) or wide_encoding(start) or "latin-1"  # ASCII is what matters in others
        self._decoder = codecs.getincrementaldecoder(self._encoding)(
            "surrogatepass" if "16" in self._encoding else "strict"
        )
        self._pending = ""
        self._searched = 0
        self._columns: frozenset[int] = frozenset()
        self._delimiter = ""

    def feed(self, block: bytes) -> bytes:
        """What is to be kept of the rows that end in *block*."""
        return self._given(self._decoder.decode(block))

    def close(self) -> bytes:
        """What is to be kept of the last row."""
        rest, self._pending = self._pending, ""
        return self._encoded(self._kept(rest) if rest else "") + self._decoder.getstate()[0]

    def _given(self, text: str) -> bytes:
        if not self._columns and self._searched >= _SEARCHED:
            rest, self._pending = self._pending, ""
            return self._encoded(rest + text)
        return self._encoded("".join(self._kept(row) for row in self._rows(text)))

    def _rows(self, text: str) -> Iterator[str]:
        """The rows that end in *text*; a line break between quotation marks ends none."""
        lines = (self._pending + text).splitlines(keepends=True)
        last = lines.pop() if lines and (not lines[-1].endswith("\n")) else ""
        row, is_open = list[str](), False
        for line in lines:
            row.append(line)
            is_open ^= line.count('"') % 2 == 1
            if not is_open:
                yield "".join(row)
                row.clear()
        self._pending = "".join(row) + last
        if len(self._pending) > _LONGEST:
            self._searched = _SEARCHED
            if self._columns:
                raise Refused(_ENDLESS, error="no_table")

    def _kept(self, row: str) -> str:
        if not self._columns:
            self._find(row)
            return row
        cells = _cells(row, self._delimiter)
        if not cells and row.strip():
            raise Refused(_ENDLESS, error="no_table")
        if not any(cells[at].strip() for at in self._columns if at < len(cells)):
            return row
        made = io.StringIO(newline="")
        end = row[len(row.rstrip("\r\n")) :]
        kept = ["" if at in self._columns else cell for at, cell in enumerate(cells)]
        csv.writer(made, delimiter=self._delimiter, lineterminator=end).writerow(kept)
        return made.getvalue()

    def _find(self, row: str) -> None:
        """Whether *row* is a header with such columns, and which they are."""
        self._searched += 1
        for delimiter in ",;\t|":
            cells = _cells(row, delimiter)
            found = frozenset(at for at, cell in enumerate(cells) if is_never_kept(cell))
            if found and len(cells) > 1:
                self._columns, self._delimiter = found, delimiter
                return

    def _encoded(self, text: str) -> bytes:
        return text.encode(self._encoding, "surrogatepass" if "16" in self._encoding else "strict")


def _cells(row: str, delimiter: str) -> list[str]:
    """The cells of *row*; none if one is longer than a cell may be."""
    try:
        return next(csv.reader(io.StringIO(row, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []
