"""The record of actions: a chain in which each entry has the keyed hash of the one before, so that changes are noticed.

The key is the store's secret (``Store.mac``), which is not in the store: whoever can only write the store cannot make a
valid entry. Entries of version 1, from before there was a key, are kept; the first keyed entry after them has their
hash. Knows the form of an entry, not the actions. Entries have ids, no names or addresses.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from lrs.kernel.keys import key
from lrs.storage import Reader, Record, Store, Tx, Walk, first_seq, micros_of
from lrs.storage.about import Whose, by_keys, shown_as, sort_of
from lrs.storage.kinds import Kind, Subjects, subjects

KIND = "audit"
SEALED, RESTORED = "audit.sealed", "store.restored"
"""The action of the entry that seals unkeyed entries, and of the first entry after a restore."""
BY_COMMAND = "operator"
"""Who did something by a command on the server: that is whoever operates it."""
START = "0" * 64
HEAD_KIND = "audit-head"
HEAD = (HEAD_KIND, "head")
"""The name of the record that each new entry reads."""
_KEPT, _KEPT_SEAL = "hash", "seal"
"""In the meta of a renamed entry: its hash in the chain, and the seal on both."""
PERSONS, IDENTIFIER = ("person", "one", "other"), "identifier"
"""The keys in ``AuditEntry.about`` whose value is the id of a person, and the one whose value is that of an identifier.
"""
_ABOUT = "audit.about"
_AT_ONCE = 500


class AuditEntry(msgspec.Struct, frozen=True):
    """One action: its number from 1, the time (microseconds UTC), who did what, and about what.

    *previous* is the hash of the entry before.
    """

    v: int
    number: int
    at: int
    by: str
    action: str
    about: dict[str, str]
    previous: str


class Head(msgspec.Struct, frozen=True):
    """The number and the hash of the last entry; number 0 if there is none."""

    number: int = 0
    hash: str = START


class Broken(Exception):
    """The chain is not intact. ``number`` is the first entry that is missing or was changed."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(why)
        self.number = number


def append(tx: Tx, by: str, action: str, about: Mapping[str, str]) -> AuditEntry:
    """Adds one entry, in the transaction of the action itself, so that both are stored or neither is."""
    record = tx.get(*HEAD)
    head = _read(record)
    seq = tx.next_seq()
    entry = AuditEntry(2, head.number + 1, micros_of(seq), by, action, dict(about), head.hash)
    body = msgspec.json.encode(entry)
    tx.insert(Record(KIND, _id(entry.number), body, keys=keys_of(entry), seq=seq))
    _put_head(tx, record, Head(entry.number, _computed(tx, entry, body)))
    return entry


def begin(tx: Tx) -> None:
    """Starts the chain of a store, or seals with one keyed entry what was written before entries were keyed.

    Call it only for a store whose chain was not started. Otherwise a chain whose seal was removed would be sealed
    again.
    """
    record = tx.get(*HEAD)
    head = _read(record)
    if record is None:
        _put_head(tx, None, head)
    elif "seal" not in record.meta:
        append(tx, "lrs", SEALED, {"entries": str(head.number), "hash": head.hash})


def head_of(store: Store) -> Head | None:
    """The stored head, unchecked; ``None`` if the chain was never started."""
    record = store.get(*HEAD)
    return None if record is None else _read(record)


def walk(store: Store) -> Iterator[tuple[AuditEntry, str]]:
    """Every entry with its hash, oldest first. Raises ``Broken`` if the chain is not intact, also at its end."""
    record = store.get(*HEAD)
    head = _read(record)
    previous, keyed = START, False
    for start in range(1, head.number + 1, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, head.number + 1))
        found = store.get_many(KIND, map(_id, numbers))
        for number in numbers:
            entry, there = _entry(found.get(_id(number)), number)
            if not (_follows(entry, previous, keyed=keyed) and _has_kept_hash(store, there)):
                raise Broken(number, f"entry {number} was changed or taken out, or the one before it was")
            keyed = entry.v > 1
            previous = hash_of(store, entry, there)
            yield entry, previous
    if record is not None and not (head.hash == previous and _is_sealed(store, record, head)):
        raise Broken(head.number, f"entry {head.number} was changed, or entries after it were cut off")


def newest(store: Store, count: int) -> list[AuditEntry]:
    """The last *count* entries, newest first; whether the chain is whole is not looked at."""
    head = head_of(store)
    numbers = range(head.number, max(0, head.number - count), -1) if head is not None else ()
    found = store.get_many(KIND, map(_id, numbers))
    return [_entry(found.get(_id(number)), number)[0] for number in numbers if _id(number) in found]


def of_person(reader: Reader, person: str, action: str, after: int, limit: int) -> list[AuditEntry]:
    """The last *limit* entries about *person*, if they say *action* and are not before *after* (microseconds UTC)."""
    walk = Walk(KIND, [key(_ABOUT, person, action)], after=first_seq(after) - 1, newest_first=True, limit=limit)
    return [msgspec.json.decode(record.body, type=AuditEntry) for record in reader.find(walk).records]


def keys_of(entry: AuditEntry) -> tuple[int, ...]:
    """The search keys of an entry: whom it is about, alone and with what was done."""
    about = [entry.about[word] for word in (*PERSONS, IDENTIFIER) if word in entry.about]
    return tuple(dict.fromkeys(index for one in about for index in (key(_ABOUT, one), key(_ABOUT, one, entry.action))))


def record_at(tx: Tx, number: int) -> Record | None:
    """The record of the entry *number*."""
    return tx.get(KIND, _id(number))


def hash_of(store: Store | Tx, entry: AuditEntry, record: Record) -> str:
    """The hash of *entry*, whose record is *record*, in the chain."""
    kept = record.meta.get(_KEPT)
    return _computed(store, entry, record.body) if kept is None else str(kept)


def keep_hash(tx: Tx, record: Record, hash: str) -> Record:
    """*record*, whose body was changed, with *hash* as the hash of its entry. Needs the key."""
    return msgspec.structs.replace(record, meta={_KEPT: hash, _KEPT_SEAL: _seal_of_kept(tx, hash, record.body)})


def _has_kept_hash(store: Store, record: Record) -> bool:
    """Whether the hash in the meta of *record* was written with the key."""
    kept = record.meta.get(_KEPT)
    if kept is None:
        return True
    return hmac.compare_digest(str(record.meta.get(_KEPT_SEAL, "")), _seal_of_kept(store, str(kept), record.body))


def _seal_of_kept(store: Store | Tx, hash: str, body: bytes) -> str:
    return store.mac(f"audit entry renamed\n{hash}\n".encode() + body).hex()


def _follows(entry: AuditEntry, previous: str, *, keyed: bool) -> bool:
    """Whether *entry* may follow: unkeyed entries come before all keyed ones, and the first keyed one seals them."""
    if not hmac.compare_digest(entry.previous.encode(), previous.encode()):
        return False
    if entry.v == 1:
        return not keyed
    return keyed or entry.number == 1 or entry.action == SEALED


def _entry(record: Record | None, number: int) -> tuple[AuditEntry, Record]:
    """The entry in *record*. Raises ``Broken`` unless it exists and has that number."""
    try:
        entry = msgspec.json.decode(record.body, type=AuditEntry) if record else None
    except msgspec.MsgspecError:
        entry = None
    if record is None or entry is None or entry.number != number:
        raise Broken(number, f"entry {number} was changed or taken out")
    return entry, record


def _computed(store: Store | Tx, entry: AuditEntry, body: bytes) -> str:
    return sha256(body).hexdigest() if entry.v == 1 else store.mac(b"audit entry\n" + body).hex()


def _read(record: Record | None) -> Head:
    return Head(record.meta["number"], record.meta["hash"]) if record else Head()


def _put_head(tx: Tx, record: Record | None, head: Head) -> None:
    meta = {"number": head.number, "hash": head.hash, "seal": _seal(tx, head)}
    tx.put(msgspec.structs.replace(record or Record(*HEAD), meta=meta))


def _is_sealed(store: Store, record: Record, head: Head) -> bool:
    return hmac.compare_digest(str(record.meta.get("seal", "")).encode(), _seal(store, head).encode())


def _seal(store: Store | Tx, head: Head) -> str:
    """The MAC of the head. Without it, somebody could cut entries off and make the last one left the head."""
    return store.mac(f"audit head\n{head.number}\n{head.hash}".encode()).hex()


def _id(number: int) -> str:
    return f"{number:012d}"


def _about(record: Record) -> Subjects:
    told = msgspec.json.decode(record.body, type=AuditEntry).about
    return subjects(
        persons=(told[word] for word in PERSONS if word in told),
        identifiers=[told[IDENTIFIER]] if IDENTIFIER in told else (),
    )


def _shown(record: Record, whose: Whose) -> dict[str, Any]:
    """The action, by which sort of subject, and what it was about but for other people."""
    entry = msgspec.json.decode(record.body, type=AuditEntry)
    mine = {*whose.persons, *whose.identifiers}
    about = {word: text for word, text in entry.about.items() if word not in {*PERSONS, IDENTIFIER} or text in mine}
    told = {"number": entry.number, "action": entry.action, "by": sort_of(entry.by), "about": about}
    return shown_as(record, told)


KINDS = (
    Kind(
        KIND,
        "effect",
        AuditEntry,
        2,
        subjects=_about,
        retention="audit",
        exported=True,
        find=by_keys(KIND, lambda whose: (key(_ABOUT, one) for one in (*whose.persons, *whose.identifiers))),
        shown=_shown,
    ),
    Kind(HEAD_KIND, "effect", subjects=None, retention="audit", exported=True),
)
