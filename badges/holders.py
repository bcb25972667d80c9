"""Whose wallet holds a badge: the DID that a wallet proved to have the key of. The badge then names it as its subject.

A fact, so every later issue of the badge names the same DID. Another wallet of the learner can take its place.

kind ``badge-holder``, id that of the badge.
"""

from __future__ import annotations

import msgspec

from lrs.kernel.keys import key
from lrs.storage import Reader, Record, Tx
from lrs.storage.about import by_keys
from lrs.storage.kinds import Kind, Subjects, subjects

KIND = "badge-holder"


class BadgeHolder(msgspec.Struct, frozen=True):
    """The body of a ``badge-holder`` record: the *did*, by what *way* it was proven, when (microseconds UTC)."""

    did: str
    way: str
    at: int
    v: int = 1


def holder_of(reader: Reader, badge: str) -> str | None:
    """The DID that holds the *badge* (id); ``None`` if no wallet does."""
    record = reader.get(KIND, badge)
    return msgspec.json.decode(record.body, type=BadgeHolder).did if record else None


def hold(tx: Tx, badge: Record, holder: BadgeHolder) -> None:
    """Notes with this commit who holds *badge* (a ``credential`` record)."""
    person = str(badge.meta["person"])
    keys = (key("badge-holder.person", person),)
    tx.put(Record(KIND, badge.id, msgspec.json.encode(holder), meta={"person": person}, keys=keys))


def _about(record: Record) -> Subjects:
    return subjects(persons=[record.meta["person"]])


KINDS = (
    Kind(
        KIND,
        "fact",
        BadgeHolder,
        1,
        subjects=_about,
        retention="evidence",
        exported=True,
        find=by_keys(KIND, lambda whose: (key("badge-holder.person", one) for one in whose.persons)),
    ),
)
