"""Compares a fact with its ledger entry, and decides what to store: new statements, voiding ones, or nothing. Pure.

A ``LedgerEntry`` holds for one key the version that stands (*live*). Ids follow from provider, key, revision and
content alone, so deciding again after a crash gives the same ids, and storing them again changes nothing.

Up to version 0.2 statements were sent before the entry was stored. So an old entry may have further versions, of a run
that did not end (*maybe*). Another content voids every version that may have been sent, also one that never arrived:
xAPI accepts a voiding statement before its target.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal
from uuid import UUID

import msgspec

from adapters.reading.source import Fact
from adapters.reading.vocabulary import canonical, ours

GONE = ""
"""The hash of a fact that does not hold, or no longer holds."""


class Version(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One content of a key. *revision* counts from 1, *parts* is the number of its statements, *kept* is the fact's."""

    revision: int
    hash: str
    parts: int
    kept: str = ""


class LedgerEntry(msgspec.Struct, frozen=True, array_like=True):
    """What is known about one key."""

    live: Version | None = None
    maybe: tuple[Version, ...] = ()

    @property
    def newest(self) -> Version | None:
        """The version that stands, or that may stand if a run was interrupted."""
        return self.maybe[-1] if self.maybe else self.live

    @property
    def kept(self) -> str:
        """What the newest version keeps."""
        return self.newest.kept if self.newest else ""

    @property
    def stands(self) -> bool:
        """Whether the fact was told and was not withdrawn."""
        return self.newest is not None and self.newest.hash != GONE


class Decision(msgspec.Struct, frozen=True):
    """What to store for a fact: *voids* are the versions to void, *target* the one that then stands.

    *settled* is the ledger entry that is stored with them. *noted* says that only the entry is stored, because it keeps
    more than before.
    """

    status: Literal["new", "updated", "unchanged", "absent"]
    target: Version | None = None
    voids: tuple[Version, ...] = ()
    settled: LedgerEntry = LedgerEntry()
    noted: bool = False

    @property
    def changes(self) -> bool:
        """Whether anything is to be stored."""
        return self.status in {"new", "updated"}


def key_of(kind: str, key: tuple[str, ...]) -> str:
    """The ledger's key of a fact: a hash, so that the ledger itself names nobody."""
    return sha256(canonical([kind, *key])).hexdigest()[:32]


def hash_of(fact: Fact, template: int) -> str:
    """The hash of the content of a fact; ``GONE`` if the fact does not hold."""
    return sha256(canonical([template, fact.content])).hexdigest()[:32] if fact.content is not None else GONE


def decide(entry: LedgerEntry | None, wanted: str, parts: int, kept: str = "") -> Decision:
    """What to do so that the content with the hash *wanted* stands. A new version keeps *kept*."""
    entry = entry or LedgerEntry()
    known = (*((entry.live,) if entry.live else ()), *entry.maybe)
    if not known and wanted == GONE:
        return Decision("absent")
    if not entry.maybe and entry.live and entry.live.hash == wanted:
        live = msgspec.structs.replace(entry.live, kept=kept or entry.live.kept)
        status: Literal["absent", "unchanged"] = "absent" if wanted == GONE else "unchanged"
        return Decision(status, live, settled=LedgerEntry(live), noted=live != entry.live)
    if entry.maybe and entry.maybe[-1].hash == wanted:
        target, older = entry.maybe[-1], known[:-1]
    else:
        target = Version(max((v.revision for v in known), default=0) + 1, wanted, parts if wanted else 0, kept)
        older = known
    voids = tuple(version for version in older if version.parts)
    return Decision("updated" if older else "new", target, voids, LedgerEntry(target))


def statement_id(source: str, key: str, version: Version, part: int) -> UUID:
    """The id of one statement of a version; *source* names adapter and provider."""
    return ours("statement", source, key, version.revision, version.hash, part)


def void_id(target: str) -> UUID:
    """The id of the statement that voids *target*."""
    return ours("void", target)
