"""Which entry of the ledger a fact is about, where its key alone does not say so. Pure.

Two off-the-job sessions of one day are two things if each has its time of day. Without one, two rows of one day may be
two sessions, or one and its correction: nobody but a person can tell, so nothing is withdrawn on a guess.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from adapters.diff import GONE, Entry, hash_of, key_of
from adapters.source import Fact, Loose
from lrs.kernel.tables.row import Unusable

EXACT = "at "
"""How a fact's *kept* begins if it says what tells the fact from others under the looser key."""
EXACTLY = "exactly"
"""The kind of facts that say that things like them were told exactly; their key is a loose fact's *exact*."""
EntryOf = Callable[[str], Entry | None]


class Known(msgspec.Struct, frozen=True):
    """The ledger's *key* for a fact, what is *before* known of it, and the hash that is *wanted* to stand."""

    key: str
    before: Entry | None
    wanted: str


class Seen:
    """What this file has said so far, so that saying it again is noticed, and contradicting it too."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, int]] = {}
        self._taken: set[str] = set()

    def row(self, fact: Fact, template: int) -> int:
        """The row that said the same as *fact*, or 0. ``Unusable`` if it said something else."""
        wanted = hash_of(fact, template)
        hashed, row = self._said.get(key_of(fact.kind, fact.key), (wanted, 0))
        if hashed != wanted:
            told = f"row {row} of this file says otherwise about the same thing"
            if fact.loose:
                raise Unusable("told_twice", fact.loose.column, "", f"{told}: {fact.loose.advice}")
            raise Unusable("told_twice", "", "", told)
        return row

    def add(self, fact: Fact, template: int, known: Known, row: int) -> None:
        """Keeps that *row* said *fact*, which is what the ledger knows as *known*."""
        self._said.setdefault(key_of(fact.kind, fact.key), (hash_of(fact, template), row))
        self._taken.add(known.key)

    def has(self, key: str) -> bool:
        """Whether a row of this file was about the ledger's *key*."""
        return key in self._taken


def recognise(fact: Fact, template: int, entry_of: EntryOf, seen: Seen) -> Known:
    """What the ledger knows of *fact*. ``Unusable`` if that is for a person to say."""
    key = key_of(fact.kind, fact.key)
    known = Known(key, entry_of(key), hash_of(fact, template))
    loose = fact.loose
    if loose is None:
        return known
    if loose.key == fact.key:
        return _of_its_key(fact, loose, template, known, exactly=_told_exactly(loose, entry_of, seen))
    key = key_of(fact.kind, loose.key)
    if known.before is not None or seen.has(key):
        return known
    return _told_less_exactly(fact, loose, template, known, Known(key, entry_of(key), ""))


def _told_exactly(loose: Loose, entry_of: EntryOf, seen: Seen) -> bool:
    """Whether earlier files, and not this one, told such things exactly."""
    key = key_of(EXACTLY, loose.exact)
    return bool(loose.exact) and entry_of(key) is not None and not seen.has(key)


def _of_its_key(fact: Fact, loose: Loose, template: int, known: Known, *, exactly: bool) -> Known:
    """What is known under a key that may be several things' key: the same told again, or a correction that says so."""
    newest = known.before.newest if known.before and known.before.stands else None
    if newest is None:
        if exactly and loose.corrects != "no":
            raise _doubt(loose, loose.further)
        return known
    if newest.hash == known.wanted or (newest.kept and newest.kept == fact.kept) or loose.corrects == "yes":
        return known
    if not newest.kept and newest.hash in _hashes(fact, loose.alike, template):
        return known
    raise _doubt(loose, loose.advice)


def _told_less_exactly(fact: Fact, loose: Loose, template: int, known: Known, looser: Known) -> Known:
    """*known*, or *looser* if an earlier file, or version of ours, told *fact* under the key without its time."""
    before = looser.before
    if before is None or not before.stands or before.newest is None or loose.corrects == "no":
        return known
    told = before.newest
    if told.kept.startswith(EXACT) and told.kept != fact.kept:
        return known
    if told.kept in {"", fact.kept} and told.hash in _hashes(fact, loose.same, template):
        return Known(looser.key, before, told.hash)
    if told.kept == fact.kept or loose.corrects == "yes":
        return Known(looser.key, before, known.wanted)
    if not told.kept:
        alike = told.hash in _hashes(fact, loose.alike, template)
        return Known(looser.key, before, known.wanted) if alike else known
    raise _doubt(loose, loose.advice)


def _hashes(fact: Fact, contents: tuple[msgspec.Struct, ...], template: int) -> set[str]:
    return {hash_of(msgspec.structs.replace(fact, content=content), template) for content in contents} - {GONE}


def _doubt(loose: Loose, advice: str) -> Unusable:
    told = "an earlier file told something else of this: is the row a correction of it, or a further one?"
    return Unusable("not_told_apart", loose.column, "", f"{told} Nothing was changed. To decide it, {advice}")
