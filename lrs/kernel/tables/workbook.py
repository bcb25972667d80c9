"""The sheets of a workbook as lines of cells: what each cell shows, the value it holds, and its faults.

Lines are streamed: memory does not grow with the sheet, only with the workbook's shared strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from lrs.kernel.tables.cell import FORMULA
from lrs.kernel.tables.elements import damaged
from lrs.kernel.tables.formats import Doubt, ShownCell, check_text, shown, shown_iso
from lrs.kernel.tables.package import BROKEN, Package, SheetPart, Texts
from lrs.kernel.tables.row import Fault, FileLine, Value

MAX_ROW = 1_048_576
MAX_COLUMN = 16_384
"""Limits of Excel."""
MAX_MERGED = 10_000
"""Merged ranges of one sheet."""
HIDDEN = Fault("hidden_row", "the row is hidden, by a filter or by hand: show it, or delete it")
_NEVER_SAVED = Fault("formula", "the cell holds a formula that was saved without its value: type the value instead")
_MERGED = Fault("merged", "the cell is part of a merged one: unmerge it and fill in every row")
_MOST_COVERED = 255
"""Merged cells are ignored in columns further right."""
_SPILLING = frozenset({"array", "dataTable"})
"""Formulas whose values also fill cells beside and below them (18.3.1.40)."""
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


class Range(NamedTuple):
    """A merged range: first and last row from 1, first and last column from 0."""

    top: int
    bottom: int
    left: int
    right: int


class Sheet:
    """One sheet of an open workbook.

    *merged* are the merged ranges that an earlier walk found. ``merged`` and ``hidden_columns`` are complete after a
    walk.
    """

    def __init__(self, package: Package, part: SheetPart, merged: Sequence[Range] = ()) -> None:
        self.title = part.title
        self.hidden_columns: list[str] = []
        self.merged = tuple(merged)
        self._package = package
        self._part = part

    def lines(self) -> Iterator[FileLine]:
        """Every row in the file, with its number."""
        found = _Rows(self._package)
        covered = _Covered(self.merged)
        try:
            with self._package.open(self._part.path) as part:
                for _ in found.feed(part):
                    yield from map(covered.marked, found.lines())
        except BROKEN as error:
            raise damaged(sheet=self.title) from error
        self.merged = tuple(found.merged)
        self.hidden_columns = found.hidden_columns


class _Rows(Texts):
    """Collects rows: the texts between elements are those of ``v`` and ``t``."""

    def __init__(self, package: Package) -> None:
        super().__init__()
        self.merged: list[Range] = []
        self.hidden_columns: list[str] = []
        self._package = package
        self._lines: list[FileLine] = []
        self._number = 0
        self._hidden = False
        self._column = -1
        self._cell: Mapping[str, str] = {}
        self._formula = ""
        self._spilling = 0
        self._spilled: dict[int, int] = {}
        self._texts: dict[int, str] = {}
        self._values: dict[int, Value] = {}
        self._faults: dict[int, Fault] = {}

    def lines(self) -> list[FileLine]:
        """The lines that were completed since the last call."""
        ready, self._lines = self._lines, []
        return ready

    def start(self, name: str, attributes: Mapping[str, str], /) -> None:
        if name == "c":
            self._start_cell(attributes)
        elif name == "v":
            self._taking = True
        elif name == "f":
            self._taking = True
            self._spill(attributes.get("ref", "") if attributes.get("t") in _SPILLING else "")
        elif name == "row":
            self._start_row(attributes)
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif name == "col" and attributes.get("hidden") in {"1", "true"}:
            self._hide(int(attributes["min"]) - 1)
        else:
            super().start(name, attributes)

    def end(self, name: str, /) -> None:
        if name == "f":
            self._taking = False
            self._formula = "=" + self.taken()
        elif name == "v":
            self._taking = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self._end_row()
        else:
            super().end(name)

    def _start_row(self, attributes: Mapping[str, str]) -> None:
        number = int(attributes.get("r", self._number + 1))
        if not self._number < number <= MAX_ROW:
            raise ValueError(number)
        self._number = number
        self._hidden = attributes.get("hidden") in {"1", "true"}
        self._column = -1

    def _start_cell(self, attributes: Mapping[str, str]) -> None:
        self._cell = attributes
        self._column = position(attributes["r"])[1] if "r" in attributes else self._column + 1
        if not 0 <= self._column < MAX_COLUMN or self._column in self._texts:
            raise ValueError(self._column)
        self._formula = ""

    def _end_cell(self) -> None:
        text = self.taken()
        at = self._column
        if not text:
            if self._formula and self._cell.get("t") != "str":
                self._texts[at] = self._formula
                self._faults[at] = _NEVER_SAVED
            return
        if self._formula or self._spilled.get(at, 0) >= self._number:
            self._faults[at] = FORMULA
        if self._cell.get("t") == "s":
            text = self._package.string(int(text))
        try:
            told = self._shown(text)
        except Doubt as doubt:
            told = ShownCell(text)
            self._faults[at] = Fault("number_format", str(doubt))
        self._texts[at] = told.text
        if told.value is not None:
            self._values[at] = told.value

    def _shown(self, text: str) -> ShownCell:
        kind = self._cell.get("t", "n")
        if kind == "b":
            return ShownCell("TRUE" if text.strip() in {"1", "true"} else "FALSE")
        if kind == "n":
            return shown(text.strip(), self._form(), from_1904=self._package.from_1904)
        if kind == "d":
            return shown_iso(text, self._form())
        if kind != "e" and int(self._cell.get("s", "0")) < len(self._package.formats):
            check_text(self._form())
        return ShownCell(text)

    def _form(self) -> str:
        return self._package.formats[int(self._cell.get("s", "0"))]

    def _spill(self, reference: str) -> None:
        """Notes which cells a formula fills: these cells hold a value of a formula, and no formula."""
        first, _, last = reference.partition(":")
        if not last:
            return
        self._spilling += 1
        if self._spilling > MAX_MERGED:
            raise damaged(f"it has more than {MAX_MERGED} array formulas: paste their values over them")
        (_, left), (bottom, right) = position(first), position(last)
        for at in range(left, min(right, _MOST_COVERED) + 1):
            self._spilled[at] = max(bottom, self._spilled.get(at, 0))

    def _end_row(self) -> None:
        cells = [""] * (1 + max(self._texts, default=-1))
        for at, text in self._texts.items():
            cells[at] = text
        trouble = HIDDEN if self._hidden and self._texts else None
        self._lines.append(FileLine(self._number, cells, self._values, self._faults, trouble))
        self._texts, self._values, self._faults = {}, {}, {}

    def _hide(self, column: int) -> None:
        if len(self.hidden_columns) == MAX_COLUMN or not 0 <= column < MAX_COLUMN:
            raise ValueError(column)
        self.hidden_columns.append(letters(column))

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        if len(self.merged) == MAX_MERGED:
            raise damaged(f"it has more than {MAX_MERGED} merged cells: unmerge them")
        if last:
            (top, left), (bottom, right) = position(first), position(last)
            self.merged.append(Range(top, bottom, left, min(right, _MOST_COVERED)))


class _Covered:
    """Adds a fault to empty cells inside a merged range: a spreadsheet shows the range's text there."""

    def __init__(self, merged: Sequence[Range]) -> None:
        self._ahead = sorted(merged, reverse=True)
        self._here: list[tuple[int, Range]] = []
        self._ranges = [0] * (_MOST_COVERED + 1)
        self._columns: set[int] = set()

    def marked(self, line: FileLine) -> FileLine:
        """*line* with these faults. Lines must come in order."""
        if not self._ahead and not self._here:
            return line
        own = self._move(line.number)
        covered = {at: _MERGED for at in self._columns - own if at >= len(line.cells) or not line.cells[at]}
        return line._replace(faults={**covered, **line.faults}) if covered else line

    def _move(self, row: int) -> set[int]:
        """Goes on to *row*. Gives the columns in which a merged range starts there."""
        while self._here and self._here[0][0] < row:
            self._count(heappop(self._here)[1], -1)
        own = set()
        while self._ahead and self._ahead[-1].top <= row:
            one = self._ahead.pop()
            if one.bottom >= row:
                heappush(self._here, (one.bottom, one))
                self._count(one, 1)
            if one.top == row:
                own.add(one.left)
        return own

    def _count(self, one: Range, by: int) -> None:
        """One range more, or less, in each of its columns: the work for a range does not grow with the others."""
        for at in range(one.left, one.right + 1):
            self._ranges[at] += by
            if self._ranges[at]:
                self._columns.add(at)
            else:
                self._columns.discard(at)


def position(reference: str) -> tuple[int, int]:
    """Row from 1 and column from 0 of a reference such as ``B12``. Raises ``ValueError``."""
    found = _REFERENCE.fullmatch(reference.replace("$", ""))
    if not found:
        raise ValueError(reference)
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column - 1


def letters(column: int) -> str:
    """The name of a column from 0: ``A``, …, ``AA``."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
