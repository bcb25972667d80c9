"""Declarations of kinds of records, and the table of all kinds. Knows no room.

Code that goes through everything stored (a rebuild, the sweep of blobs, a backup) is given the table and names no kind
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, NamedTuple, Protocol

from lrs.storage.about import FindRecords, ShownTo, body_shown
from lrs.storage.records import Record

Class = Literal["fact", "derived", "effect", "working"]
"""How a record relates to others.

``fact``: was received or decided, and does not follow from other records. ``derived``: follows from facts alone and can
be worked out again, byte for byte. ``effect``: what the product did or said because of facts; it is not worked out
again, and nothing takes it back automatically. ``working``: what the program notes for its own work; without it
something is done again, or later, and nothing is lost.
"""

Retention = Literal["evidence", "derived", "consent", "document", "configuration", "audit", "upload", "operational"]
"""Why a record is kept, and by which rule it may be deleted. A legal hold on a person stops all of them.

``evidence``: to prove what somebody can do and to explain it, for years. May go when its subjects are erased, or after
the years that the organisation sets for training records; one about nobody, after the last record that depends on it.

``derived``: as long as what it follows from. It goes in the same commit.

``consent``: to show what a learner agreed to, and who was told because of it. May go some years after the consent
ended, all of it together.

``document``: what content and systems stored for themselves. May go some time after its last change.

``configuration``: what the organisation has set up. Goes when somebody removes it.

``audit``: the record of actions. Single entries are never removed, only the oldest years as a whole.

``upload``: files as providers sent them, to look at rows again. May go soon after they were read.

``operational``: for the work in progress. Goes when that is done, or is overwritten.
"""


class Subjects(NamedTuple):
    """Whom a record is about: ids of persons, and ids of identifiers.

    For what was received these are names of identifiers; ``lrs.people.ids`` makes ids of both.
    """

    persons: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset()


def subjects(*, persons: Iterable[str] = (), identifiers: Iterable[str] = ()) -> Subjects:
    """``Subjects`` from any iterables."""
    return Subjects(frozenset(persons), frozenset(identifiers))


class _OfPerson(Protocol):
    @property
    def person(self) -> str: ...


def of_person(decode: Callable[[bytes], _OfPerson]) -> Callable[[Record], Subjects]:
    """Whom a record is about whose body, read by *decode*, names one *person*."""
    return lambda record: subjects(persons=[decode(record.body).person])


def of_person_in_meta(record: Record) -> Subjects:
    """Whom *record* is about, whose ``meta`` names one ``person``."""
    return subjects(persons=[record.meta["person"]])


def of_person_by_id(record: Record) -> Subjects:
    """Whom *record* is about, whose id is that of a person."""
    return subjects(persons=[record.id])


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record.

    *body* is the struct of a body that the product writes; ``None`` for received text, for JSON without a struct, and
    if there is no body. *version* is the ``v`` of bodies that are written now, 0 if they have none.

    *subjects* gives whom a record is about; ``None`` means nobody. It raises ``msgspec.MsgspecError`` for a body that
    it cannot read. *blobs* gives the names of a record's blobs, from its ``meta`` alone, because a backup reads no
    bodies; ``None`` means no blobs. *exported* says whether it is part of an export of a tenant's data. *basis* says
    whether derived records are worked out from it, so that a rebuild reads it.

    *ends* gives when a record is over (microseconds UTC), for a kind whose records last equally long: upkeep deletes
    them then.

    *find* gives the records that may be about somebody, and *shown* what that somebody is shown of one; a kind with
    *subjects* has both.
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
    find: FindRecords | None = None
    shown: ShownTo = body_shown
    ends: Callable[[Record], int] | None = None


Kinds = Mapping[str, Kind]
"""A table of kinds, by name."""


def collected(declared: Iterable[Sequence[Kind]]) -> Kinds:
    """The table of all *declared* kinds, in their order. Raises ``ValueError`` if one is declared twice."""
    table: dict[str, Kind] = {}
    for kind in (kind for kinds in declared for kind in kinds):
        if kind.name in table:
            raise ValueError(f"the kind {kind.name!r} is declared twice")
        table[kind.name] = kind
    return table
