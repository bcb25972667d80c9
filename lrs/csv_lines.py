"""The lines of a CSV file, watched for a quotation that is never closed. Knows no file and no column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

UNCLOSED = "a quotation mark is never closed: the rows below it have become part of this one"


class CsvLines:
    """Lines for ``csv.reader``, which takes the end of the file for the end of an open quotation, and says nothing.

    A record that comes out while *unclosed* is one of those: only inside a quotation does the reader ask for one more
    line than there are and give a record all the same.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.unclosed = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for line in self._lines:
            return line
        self.unclosed = True
        raise StopIteration
