"""A chain of what people did: each entry holds the keyed hash of the one before, so that none is changed or taken out.

The key is the store's secret (``Store.mac``), which does not lie in the store: whoever can write the store alone cannot
make an entry that fits. Entries of version 1, from before there was a key, are kept; the first keyed entry after them
holds their hash. Knows what an entry looks like, not what actions there are. Entries hold ids, no names or addresses.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from hashlib import sha256

import msgspec

from lrs.storage import Record, Store, Tx, micros_of
from lrs.storage.kinds import Kind, Subjects, subjects

KIND = "audit"
SEALED, RESTORED = "audit.sealed", "store.restored"
"""The actions of the entry that seals unkeyed ones, and of the first entry after a restore."""
START = "0" * 64
HEAD_KIND = "audit-head"
_HEAD = (HEAD_KIND, "head")
PERSONS, IDENTIFIER = ("person", "one", "other"), "identifier"
"""Words of ``Entry.about`` under which an id of a person, and the name of an identifier, stand."""
_AT_ONCE = 500


class Entry(msgspec.Struct, frozen=True):
    """One action: its number from 1, when (microseconds UTC), who, what, on what, and the hash of the entry before."""

    v: int
    number: int
    at: int
    by: str
    action: str
    about: dict[str, str]
    previous: str


class Head(msgspec.Struct, frozen=True):
    """The number and the hash of the last entry; number 0 where there is none."""

    number: int = 0
    hash: str = START


class Broken(Exception):
    """The chain does not hold; ``number`` is the first entry that is missing or was changed."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(why)
        self.number = number


def append(tx: Tx, by: str, action: str, about: Mapping[str, str]) -> Entry:
    """Adds one entry in the transaction of the action itself: either both are kept, or neither."""
    record = tx.get(*_HEAD)
    head = _read(record)
    seq = tx.next_seq()
    entry = Entry(2, head.number + 1, micros_of(seq), by, action, dict(about), head.hash)
    body = msgspec.json.encode(entry)
    tx.insert(Record(KIND, _id(entry.number), body, seq=seq))
    _put_head(tx, record, Head(entry.number, _hash(tx, entry, body)))
    return entry


def begin(tx: Tx) -> None:
    """Starts the chain of a store, or seals with one keyed entry what was put down before entries were keyed.

    Only a store that was not begun may be begun: a chain whose seal was taken away would be sealed anew.
    """
    record = tx.get(*_HEAD)
    head = _read(record)
    if record is None:
        _put_head(tx, None, head)
    elif "seal" not in record.meta:
        append(tx, "lrs", SEALED, {"entries": str(head.number), "hash": head.hash})


def head_of(store: Store) -> Head | None:
    """The head as it stands, unchecked; ``None`` where the chain was never begun."""
    record = store.get(*_HEAD)
    return None if record is None else _read(record)


def walk(store: Store) -> Iterator[tuple[Entry, str]]:
    """Every entry, oldest first, with its hash. Raises ``Broken`` where the chain does not hold, also at its end."""
    record = store.get(*_HEAD)
    head = _read(record)
    previous, keyed = START, False
    for start in range(1, head.number + 1, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, head.number + 1))
        found = store.get_many(KIND, map(_id, numbers))
        for number in numbers:
            entry, body = _entry(found.get(_id(number)), number)
            if not _follows(entry, previous, keyed=keyed):
                raise Broken(number, f"entry {number} was changed or taken out, or the one before it was")
            keyed = entry.v > 1
            previous = _hash(store, entry, body)
            yield entry, previous
    if record is not None and not (head.hash == previous and _is_sealed(store, record, head)):
        raise Broken(head.number, f"entry {head.number} was changed, or entries after it were cut off")


def broken_at(store: Store) -> int | None:
    """The number of the first entry that is missing or was changed; ``None`` if the chain is whole."""
    try:
        for _ in walk(store):
            pass
    except Broken as broken:
        return broken.number
    return None


def _follows(entry: Entry, previous: str, *, keyed: bool) -> bool:
    """Unkeyed entries come before all keyed ones, and the first keyed one after them is the one that seals them."""
    if not hmac.compare_digest(entry.previous.encode(), previous.encode()):
        return False
    if entry.v == 1:
        return not keyed
    return keyed or entry.number == 1 or entry.action == SEALED


def _entry(record: Record | None, number: int) -> tuple[Entry, bytes]:
    """The entry in *record*. Raises ``Broken`` unless it is there and has that number."""
    try:
        entry = msgspec.json.decode(record.body, type=Entry) if record else None
    except msgspec.MsgspecError:
        entry = None
    if record is None or entry is None or entry.number != number:
        raise Broken(number, f"entry {number} was changed or taken out")
    return entry, record.body


def _hash(store: Store | Tx, entry: Entry, body: bytes) -> str:
    return sha256(body).hexdigest() if entry.v == 1 else store.mac(b"audit entry\n" + body).hex()


def _read(record: Record | None) -> Head:
    return Head(record.meta["number"], record.meta["hash"]) if record else Head()


def _put_head(tx: Tx, record: Record | None, head: Head) -> None:
    meta = {"number": head.number, "hash": head.hash, "seal": _seal(tx, head)}
    tx.put(msgspec.structs.replace(record or Record(*_HEAD), meta=meta))


def _is_sealed(store: Store, record: Record, head: Head) -> bool:
    return hmac.compare_digest(str(record.meta.get("seal", "")).encode(), _seal(store, head).encode())


def _seal(store: Store | Tx, head: Head) -> str:
    """Without it, an end that was cut off would have the head of its last entry: its hash stands in the next one."""
    return store.mac(f"audit head\n{head.number}\n{head.hash}".encode()).hex()


def _id(number: int) -> str:
    return f"{number:012d}"


def _about(record: Record) -> Subjects:
    told = msgspec.json.decode(record.body, type=Entry).about
    return subjects(
        persons=(told[word] for word in PERSONS if word in told),
        identifiers=[told[IDENTIFIER]] if IDENTIFIER in told else (),
    )


KINDS = (
    Kind(KIND, "effect", Entry, 2, subjects=_about, retention="audit", exported=True),
    Kind(HEAD_KIND, "effect", subjects=None, retention="audit", exported=True),
)
