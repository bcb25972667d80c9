"""The interface between a source of rows and the pipeline. Knows no file format and no network.

A ``Source`` is pure: it reads a ``RowTable`` and yields ``Mapped``, row by row, in the order of the table. The pipeline
compares each ``Fact`` with the ledger and asks the source for the statements of facts that are new or changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal, Protocol

import msgspec
from tincan import Agent, Statement

from adapters.reading.columns import ColumnWords
from adapters.reading.profile import ReadingTerms
from adapters.reading.words import Words
from lrs.kernel.tables.row import Row, RowPlace, Unusable

RowResult = Literal["new", "updated", "unchanged", "skipped", "quarantined", "error"]
RESULTS: tuple[RowResult, ...] = ("new", "updated", "unchanged", "skipped", "quarantined", "error")
STRUCTURAL = frozenset({"too_many_cells", "cell_too_long", "open_quote", "cut_off", "second_table"})
"""Codes of rows that cannot be read as rows. Their outcome is ``error``; a cell that cannot be used is quarantined."""

TABLES: Mapping[str, str] = {".csv": "CSV", ".tsv": "TSV", ".txt": "", ".xlsx": "Excel (.xlsx)", ".json": "JSON"}
"""The files of a source that reads tables."""


class RowTable(Protocol):
    """Rows that can be read several times, without holding all of them in memory."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, without duplicates."""

    def rows(self) -> Iterator[Row]:
        """All rows from the first, without blank ones."""


class Loose(msgspec.Struct, frozen=True):
    """Other ways in which a fact may be known: earlier files, or versions of the program, had less exact data.

    *key* is the fact's key without the part that identifies it among similar ones; it may be the fact's own key. *same*
    are other contents that mean the same, *alike* those of the same thing with something corrected. *corrects* is the
    row's own statement whether it corrects an earlier one (``yes``) or is a further one (``no``). *advice* says what a
    person can add to the row, in *column* or another one, to identify it. *unsure* says that two rows of one file with
    the same content may be two things. *exact* is the key of the fact that says that earlier files had such facts with
    exact data, and *further* what a person can do about a row that then has not. *both* says, with a place for what the
    ledger kept, what was told and what this row tells.
    """

    key: tuple[str, ...]
    same: tuple[msgspec.Struct, ...] = ()
    alike: tuple[msgspec.Struct, ...] = ()
    corrects: Literal["yes", "no", ""] = ""
    advice: str = ""
    column: str = ""
    unsure: bool = False
    exact: tuple[str, ...] = ()
    further: str = ""
    both: str = ""


class Fact(msgspec.Struct, frozen=True):
    """One thing that the file says, and the key by which it is recognised in later files.

    *key* is the natural key. *content* decides whether anything changed, and the statements are built from it alone;
    ``None`` says that the thing does not hold, or no longer. *parts* is the number of its statements; it may be 0.
    *kept* is what later files may need to know; the ledger stores it, so it must name nobody. *partial* is a fact of
    which a part could not be read: it is told only if nothing stands yet. *loose* is set if the key alone may not
    identify the thing. *older* is the same thing under keys of earlier releases, or of earlier files that had fewer
    names of the learner: what stands is changed under its key, and counts once. *by_uln* is the key that it has in rows
    with the learner's ULN alone, if it is another. *taken_back* is the remark on the row if it was told before and
    holds no longer.
    """

    kind: str
    key: tuple[str, ...]
    content: msgspec.Struct | None
    parts: int = 1
    kept: str = ""
    partial: bool = False
    loose: Loose | None = None
    older: tuple[Fact, ...] = ()
    by_uln: tuple[str, ...] = ()
    taken_back: str = ""


Earlier = Callable[[str, Collection[tuple[str, ...]]], Mapping[tuple[str, ...], str]]
"""What earlier files of the provider *kept* for facts of this kind, by key; ``""`` if nothing. Ask for many at once."""


class Agented(Protocol):
    """An identifier that can be written as an xAPI Agent (``adapters.reading.people.Ifi``)."""

    def agent(self) -> Agent:
        """The identifier as an Agent."""


class LedgerNote(msgspec.Struct, frozen=True):
    """What the ledger keeps with a fact that a row has, although the row cannot be used: the fact stays as it is."""

    kind: str
    key: tuple[str, ...]
    kept: str


class Mapped(msgspec.Struct, frozen=True):
    """What some rows say. They are several if they only say something together, as the steps of a checklist do.

    Without facts it is a *problem* or a reason to skip. A reason to skip may come with a fact that no longer holds. A
    *remark* says what of a row was left out. *code* names the reason to skip. *called* are the names that the rows give
    to learners, by identifier: they are kept for staff, and are in no statement. *noted* come with a
    problem.
    """

    places: tuple[RowPlace, ...]
    facts: tuple[Fact, ...] = ()
    problem: Unusable | None = None
    skipped: str = ""
    remark: str = ""
    code: str = ""
    called: tuple[tuple[Agented, str], ...] = ()
    noted: tuple[LedgerNote, ...] = ()


class Source(Protocol):
    """One kind of file, made anew for each run. ``docs/adding-a-source.md`` says how to add one.

    *about* says in a few words, to whoever sends a file, what is in it. Increase *template* when the same content gives
    other statements than before. *columns* are the canonical ones that it knows; of these, *free* hold free text,
    *dated* days or instants, *hours* durations of which a bare number is hours, and *worded* has the meanings of words
    by column. *named* has the columns that no other source has, in words. *files* are the endings of its files, each
    with what people call such a file (``""``: as another one).
    """

    name: str
    about: str
    files: Mapping[str, str]
    template: int
    columns: frozenset[str]
    named: Mapping[str, ColumnWords]
    free: frozenset[str]
    dated: frozenset[str]
    hours: frozenset[str]
    worded: Mapping[str, Words]

    def __init__(self, terms: ReadingTerms) -> None:
        """*terms* say how the cells of this provider's file are read."""

    def read(self, table: RowTable, earlier: Earlier, /) -> Iterator[Mapped]:
        """Every row of *table*, in any order, exactly once."""

    def statements(self, fact: Fact) -> list[Statement]:
        """The ``fact.parts`` statements of a fact that holds, without ids."""


class CellFault(msgspec.Struct, frozen=True, gc=False):
    """A cell that cannot be used; *value* is masked."""

    code: str
    column: str
    value: str
    reason: str


class RowOutcome(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The outcome of one row. *value* is masked, *statements* are the ids of its present statements.

    *also* are further cells of the row that cannot be used.
    """

    sheet: str
    row: int
    outcome: RowResult
    code: str = ""
    column: str = ""
    value: str = ""
    reason: str = ""
    statements: tuple[str, ...] = ()
    also: tuple[CellFault, ...] = ()

    @property
    def cells(self) -> tuple[CellFault, ...]:
        """The cells that cannot be used; without a column it is the row. Of a row that is taken, what is said of it."""
        return (CellFault(self.code, self.column, self.value, self.reason), *self.also)


def masked(value: str) -> str:
    """The shape of *value* without its content: ``1.23E+09`` becomes ``9.99x+99``. At most 40 characters, one line."""
    printable = "".join(sign if sign.isprintable() else " " for sign in value[:41])
    shape = re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", printable))
    return shape if len(shape) <= 40 else shape[:39] + "…"
