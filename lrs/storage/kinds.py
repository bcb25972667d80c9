"""Kinds of records: what is declared of each beside the code that writes it, and the table of all. Knows no room.

Whoever goes through all that is stored (a rebuild, the sweep of blobs, a backup, an export, an erasure) is given the
table and asks it; it names no kind itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, NamedTuple

from lrs.storage.records import Record

Class = Literal["fact", "derived", "effect", "working"]
"""What a record is to the others.

``fact``: was received or decided, and follows from nothing else that is stored. ``derived``: follows from facts alone,
and can be worked out again, byte for byte. ``effect``: what the product did or said because of facts; it is neither
worked out again nor taken back by itself. ``working``: what the program notes for its own course; without it something
is done once more, or later, and nothing is lost.
"""

Retention = Literal["evidence", "derived", "consent", "document", "configuration", "audit", "upload", "operational"]
"""What a record is kept for, and by which rule it may go. A legal hold on a person stops all of them.

``evidence``: to prove what somebody can do, and to say why, for years. May go when its subjects are erased, or after
the years that the organisation has set for training records; one about nobody, after the last that rests on it.
``derived``: as long as what it follows from; it goes in the commit in which that goes.
``consent``: to show what a learner agreed to, and who was told what because of it. May go some years after the consent
has ended, all of it together.
``document``: what content and systems put down for themselves. May go some time after its last change.
``configuration``: what the organisation has set up. Goes when somebody takes it away.
``audit``: the record of actions. Entries are never taken out one by one: only the oldest years, as a whole.
``upload``: files as providers sent them, to look at rows again. May go soon after they were read.
``operational``: for the course of the work. Goes by itself once that is done, or is written over.
"""


class Subjects(NamedTuple):
    """Whom a record is about: ids of persons, and of identifiers, whoever has them.

    Of what was received there are names of identifiers; ``lrs.people.ids`` makes ids of both.
    """

    persons: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset()


def subjects(*, persons: Iterable[str] = (), identifiers: Iterable[str] = ()) -> Subjects:
    """``Subjects`` of any iterables."""
    return Subjects(frozenset(persons), frozenset(identifiers))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record.

    *body* is the struct of a body that is ours, ``None`` for received text, for JSON without a struct and where there
    is no body; *version* is the ``v`` of bodies that are written now, 0 where they have none.

    *subjects* says whom a record is about, whoever else may be worked out from ids in it; ``None``: nobody. It raises
    ``msgspec.MsgspecError`` for a body it cannot read. *blobs* gives the names of the blobs that a record names, from
    its ``meta`` alone, for a backup reads no bodies; ``None``: it names none. *exported*: whether it leaves with an
    export of a tenant's data. *basis*: whether derived records are worked out from it, so that a rebuild reads it.
    """

    name: str
    class_: Class
    body: type[Any] | None = None
    version: int = 0
    _: KW_ONLY
    subjects: Callable[[Record], Subjects] | None
    retention: Retention
    exported: bool
    blobs: Callable[[Record], Iterable[str]] | None = None
    basis: bool = False


Kinds = Mapping[str, Kind]
"""A table of kinds, by name."""


def collected(declared: Iterable[Sequence[Kind]]) -> Kinds:
    """The table of all *declared* kinds, in their order. Raises ``ValueError`` for one that is declared twice."""
    table: dict[str, Kind] = {}
    for kind in (kind for kinds in declared for kind in kinds):
        if kind.name in table:
            raise ValueError(f"the kind {kind.name!r} is declared twice")
        table[kind.name] = kind
    return table
