"""Finds the ledger entry of a fact whose key alone does not identify it. Pure.

Two off-the-job sessions of one day are two facts if each has its time of day. Without times, two rows of one day may be
two sessions, or one and its correction. Only a person can tell, so nothing is withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from adapters.ledger.diff import GONE, LedgerEntry, hash_of, key_of
from adapters.reading.source import Fact, Loose
from lrs.kernel.tables.row import Unusable

EXACT = "at "
"""Prefix of a fact's *kept* that identifies the fact among others with the same loose key."""
EXACTLY = "exactly"
"""The kind of facts that say that such facts were told with their times. Their key is a loose fact's *exact*."""
_TOLD_TWICE = "earlier files told this twice: it counts once now"
_NOT_CHANGED = "Nothing was changed. To decide it,"
_EXACTLY_TOLD = "earlier files told these with their times: is the row one of them, or a further one?"
EntryOf = Callable[[str], LedgerEntry | None]


class KnownFact(msgspec.Struct, frozen=True):
    """The ledger *key* of a fact, the entry *before*, and the hash of the content that is *wanted*."""

    key: str
    before: LedgerEntry | None
    wanted: str


class FactsOfFile:
    """The facts of this file so far, to notice rows that repeat or contradict an earlier one."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, int]] = {}
        self._by_uln: dict[str, tuple[str, int]] = {}
        self._taken: dict[str, int] = {}

    def row(self, fact: Fact, template: int) -> int:
        """The row with the same *fact*, or 0. Raises ``Unusable`` if a row has another content for it."""
        wanted = hash_of(fact, template)
        key, by_uln = _own_keys(fact)
        told = self._said.get(key) or self._by_uln.get(key) or self._said.get(by_uln)
        hashed, row = told or (wanted, 0)
        if hashed != wanted:
            why = f"row {row} of this file says otherwise about the same thing"
            if fact.loose:
                raise Unusable("told_twice", fact.loose.column, "", f"{why}: {fact.loose.advice}")
            raise Unusable("told_twice", "", "", why)
        return row

    def add(self, fact: Fact, template: int, known: KnownFact, row: int) -> None:
        """Remembers that *row* has *fact*, whose ledger entry is *known*."""
        told = (hash_of(fact, template), row)
        key, by_uln = _own_keys(fact)
        self._said.setdefault(key, told)
        if by_uln != key:
            self._by_uln.setdefault(by_uln, told)
        self._taken.setdefault(known.key, row)

    def has(self, key: str) -> bool:
        """Whether a row of this file has the ledger's *key*."""
        return key in self._taken

    def check_free(self, known: KnownFact) -> None:
        """Raises ``Unusable`` if a row of this file took the key: by another name of the learner, or with its time."""
        if row := self._taken.get(known.key):
            told = f"row {row} of this file says this already, by another name of the learner or with its time"
            raise Unusable("told_twice", "", "", f"{told}: leave one of the two in the file")


def _own_keys(fact: Fact) -> tuple[str, str]:
    """The ledger key of *fact*, and the one that it has in rows with the learner's ULN alone."""
    return key_of(fact.kind, fact.key), key_of(fact.kind, fact.by_uln or fact.key)


def as_told(fact: Fact, template: int, entry_of: EntryOf, seen: FactsOfFile) -> tuple[Fact, list[Fact]]:
    """*fact* under the key under which it stands, and what stands of it under others and is to be withdrawn.

    If it stands with the same content, nothing is withdrawn: a row that says nothing new changes nothing. What another
    row of this file says under an older key is that row's.
    """
    older = [one for one in fact.older if not seen.has(key_of(one.kind, one.key))]
    if not older:
        return fact, []
    entries = [(one, entry_of(key_of(one.kind, one.key))) for one in (fact, *older)]
    standing = [(one, entry.newest) for one, entry in entries if entry is not None and entry.stands]
    same = [one for one, told in standing if told and told.hash == hash_of(one, template)]
    if same:
        return same[0], []
    first, *others = [one for one, _ in standing] or [_nearest(fact, older, entry_of)]
    return first, [msgspec.structs.replace(one, content=None, taken_back=_TOLD_TWICE) for one in others]


def known_by(fact: Fact, template: int, entry_of: EntryOf) -> KnownFact:
    """The ledger entry under the key of *fact*."""
    key = key_of(fact.kind, fact.key)
    return KnownFact(key, entry_of(key), hash_of(fact, template))


def _nearest(fact: Fact, older: Sequence[Fact], entry_of: EntryOf) -> Fact:
    """*fact*, or what is *older* of it if something stands under the key that it may share there: see ``Loose``."""
    every = [(one, one.loose) for one in (fact, *older) if one.loose is not None]
    shared = [(one, key_of(one.kind, loose.key)) for one, loose in every]
    timed = [(one, key_of(EXACTLY, loose.exact)) for one, loose in every if loose.exact and loose.key == one.key]
    return next((one for one, key in shared + timed if (entry := entry_of(key)) and entry.stands), fact)


def recognise(fact: Fact, template: int, entry_of: EntryOf, seen: FactsOfFile) -> KnownFact:
    """The ledger entry of *fact*. Raises ``Unusable`` if a person has to decide."""
    known = known_by(fact, template, entry_of)
    loose = fact.loose
    if loose is None:
        return known
    if loose.key == fact.key:
        return _of_its_key(fact, loose, template, known, exactly=_told_exactly(loose, entry_of, seen))
    key = key_of(fact.kind, loose.key)
    if known.before is not None or seen.has(key):
        return known
    return _told_less_exactly(fact, loose, template, known, KnownFact(key, entry_of(key), ""))


def _told_exactly(loose: Loose, entry_of: EntryOf, seen: FactsOfFile) -> bool:
    """Whether earlier files, and not this one, gave such facts with their times."""
    key = key_of(EXACTLY, loose.exact)
    return bool(loose.exact) and entry_of(key) is not None and not seen.has(key)


def _of_its_key(fact: Fact, loose: Loose, template: int, known: KnownFact, *, exactly: bool) -> KnownFact:
    """The entry under a key that several facts may share.

    The fact is the known one if it has the same content, or if its row says that it is a correction.
    """
    newest = known.before.newest if known.before and known.before.stands else None
    if newest is None:
        if exactly and loose.corrects != "no":
            raise Unusable("not_told_exactly", loose.column, "", f"{_EXACTLY_TOLD} {_NOT_CHANGED} {loose.further}")
        return known
    if newest.hash == known.wanted or (newest.kept and newest.kept == fact.kept) or loose.corrects == "yes":
        return known
    if not newest.kept and newest.hash in _hashes(fact, loose.alike, template):
        return known
    raise _doubt(loose, newest.kept)


def _told_less_exactly(fact: Fact, loose: Loose, template: int, known: KnownFact, looser: KnownFact) -> KnownFact:
    """*known*, or *looser* if *fact* was stored earlier under the key without its time."""
    before = looser.before
    if before is None or not before.stands or before.newest is None or loose.corrects == "no":
        return known
    told = before.newest
    if told.kept.startswith(EXACT) and told.kept != fact.kept:
        return known
    if told.kept in {"", fact.kept} and told.hash in _hashes(fact, loose.same, template):
        return KnownFact(looser.key, before, told.hash)
    if told.kept == fact.kept or loose.corrects == "yes":
        return KnownFact(looser.key, before, known.wanted)
    if not told.kept:
        alike = told.hash in _hashes(fact, loose.alike, template)
        return KnownFact(looser.key, before, known.wanted) if alike else known
    raise _doubt(loose, told.kept)


def _hashes(fact: Fact, contents: tuple[msgspec.Struct, ...], template: int) -> set[str]:
    return {hash_of(msgspec.structs.replace(fact, content=content), template) for content in contents} - {GONE}


def _doubt(loose: Loose, kept: str) -> Unusable:
    """The problem of a fact of which an earlier file told something else; the ledger *kept* that."""
    both = f" ({loose.both.format(kept)})" if kept and loose.both else ""
    told = f"an earlier file told something else of this{both}: is the row a correction of it, or a further one?"
    return Unusable("not_told_apart", loose.column, "", f"{told} {_NOT_CHANGED} {loose.advice}")
