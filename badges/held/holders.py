"""Whose wallet holds a badge: the DID that a wallet proved to have the key of. The badge then names it as its subject.

A fact, so every later issue of the badge names the same DID. Another wallet of the learner can take its place, and the
learner can take the badge back from a wallet, which revokes the copy there.

kind ``badge-holder``, id that of the badge.
"""

from __future__ import annotations

import msgspec

from badges.held.stops import award_of
from lrs.kernel.keys import key
from lrs.storage import Owed, Reader, Record, Tx
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, of_person_in_meta
from lrs.tenancy import audit

KIND = "badge-holder"


class BadgeHolder(msgspec.Struct, frozen=True):
    """The body of a ``badge-holder`` record: the *did*, by what *way* it was proven, when (microseconds UTC)."""

    did: str
    way: str
    at: int
    v: int = 1


def holder_of(reader: Reader, badge: str) -> str | None:
    """The DID that holds the *badge* (id); ``None`` if no wallet does."""
    held = held_by(reader, badge)
    return held.did if held else None


def held_by(reader: Reader, badge: str) -> BadgeHolder | None:
    """Who holds the *badge* (id), and by what way since when; ``None`` if no wallet does."""
    record = reader.get(KIND, badge)
    return msgspec.json.decode(record.body, type=BadgeHolder) if record else None


def release(tx: Tx, badge: str, *, by: str) -> bool:
    """Takes the *badge* (id) back from the wallet that holds it, with this commit; ``False`` if none did.

    The badge is issued anew for its holder's address, at another place: the copy in the wallet is revoked.
    """
    if not tx.delete(KIND, badge):
        return False
    tx.owe("award", award_of(tx, badge), Owed("issue"))
    audit.append(tx, by, "badge.taken_back_from_wallet", {"badge": badge})
    return True


def hold(tx: Tx, badge: Record, holder: BadgeHolder) -> None:
    """Notes with this commit who holds *badge* (a ``credential`` record)."""
    person = str(badge.meta["person"])
    keys = (key("badge-holder.person", person),)
    tx.put(Record(KIND, badge.id, msgspec.json.encode(holder), meta={"person": person}, keys=keys))


KINDS = (
    Kind(
        KIND,
        "fact",
        BadgeHolder,
        1,
        subjects=of_person_in_meta,
        retention="evidence",
        exported=True,
        find=by_person(KIND, "badge-holder.person"),
    ),
)
