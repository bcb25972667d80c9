"""What every source of rows hands to the pipeline, and what it gets back. Knows no file format and no network.

A ``Source`` is pure: it reads a ``Table`` and yields ``Mapped``, row by row, in the order of the table. The pipeline
compares each ``Fact`` with the ledger and asks the source for the statements of those that are new or changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, Protocol

import msgspec
from tincan import Statement

from adapters.profile import Terms
from adapters.words import Words
from lrs.kernel.tables.row import Place, Row, Unusable

Result = Literal["new", "updated", "unchanged", "skipped", "quarantined", "error"]
RESULTS: tuple[Result, ...] = ("new", "updated", "unchanged", "skipped", "quarantined", "error")
STRUCTURAL = frozenset({"too_many_cells", "cell_too_long", "open_quote", "cut_off", "second_table"})
"""Codes of rows that cannot be read as rows: an ``error``, where a cell that cannot be believed is quarantined."""


class Table(Protocol):
    """Rows that can be walked more than once, with flat memory."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns there are, each once."""

    def rows(self) -> Iterator[Row]:
        """All rows from the first; blank ones are left out."""


class Loose(msgspec.Struct, frozen=True):
    """How else a fact may be known: earlier files, and versions of ours, told such things less exactly.

    *key* is the fact's key without what tells it from others like it; where it is the fact's own key, nothing does.
    *same* are other contents that say the same, *alike* those of the same thing with something corrected in them.
    *corrects* is what the row says of itself: whether it puts right what was told, or is a further one (``no``).
    *advice* says what a person can add to the row, in *column* or beside it, so that it can be told apart; *unsure*,
    that two rows of one file that say the same may be two things. *exact* is the key of the fact that says that earlier
    files told such things exactly, and *further* what a person can do about a row that then does not.
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


class Fact(msgspec.Struct, frozen=True):
    """One thing the file says, and by which key it will be recognised when it says otherwise.

    *key* is the natural key. *content* decides whether anything changed, and is all that the statements are built
    from; ``None`` says the thing does not hold (any more). *parts* is how many statements it makes; it may be 0.
    *kept* is what later files may need to know of it; the ledger keeps it as it is, so it must name nobody.
    *partial* is a fact of which something could not be read: it is told only where nothing stands yet. *loose* is set
    where the key alone may not tell the thing from others.
    """

    kind: str
    key: tuple[str, ...]
    content: msgspec.Struct | None
    parts: int = 1
    kept: str = ""
    partial: bool = False
    loose: Loose | None = None


Earlier = Callable[[str, tuple[str, ...]], str]
"""What the provider's earlier files *kept* of the fact with this kind and key, or ``""``."""


class Mapped(msgspec.Struct, frozen=True):
    """What some rows came to (several where only together they say something, as the steps of a checklist do).

    Without facts it is a *problem* or a reason to skip; a reason to skip may stand beside a fact that no longer holds.
    A *remark* says what was left out of a row that counts. *code* names the reason to skip.
    """

    places: tuple[Place, ...]
    facts: tuple[Fact, ...] = ()
    problem: Unusable | None = None
    skipped: str = ""
    remark: str = ""
    code: str = ""


class Source(Protocol):
    """One kind of file, made anew for each run. ``docs/adding-a-source.md`` says how to add one.

    *template* goes up when the same content is to make other statements than before.

    *columns* are the canonical ones it knows; of those, *free* hold free text, *dated* days or instants, and *worded*
    says what each word of a vocabulary means.
    """

    name: str
    template: int
    columns: frozenset[str]
    free: frozenset[str]
    dated: frozenset[str]
    worded: Mapping[str, Words]

    def __init__(self, terms: Terms) -> None:
        """*terms* say how the cells of this provider's file are read."""

    def read(self, table: Table, earlier: Earlier, /) -> Iterator[Mapped]:
        """Every row of *table*, in some order, exactly once."""

    def statements(self, fact: Fact) -> list[Statement]:
        """The ``fact.parts`` statements of a fact that holds, without ids."""


class Outcome(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What became of one row. *value* is masked, *statements* are the ids that now stand for it."""

    sheet: str
    row: int
    outcome: Result
    code: str = ""
    column: str = ""
    value: str = ""
    reason: str = ""
    statements: tuple[str, ...] = ()


def masked(value: str) -> str:
    """The shape of *value* without its content: ``1.23E+09`` becomes ``9.99x+99``. At most 40 characters, one line."""
    printable = "".join(sign if sign.isprintable() else " " for sign in value[:41])
    shape = re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", printable))
    return shape if len(shape) <= 40 else shape[:39] + "…"
