"""A chain of what people did: each entry holds the hash of the one before, so that none can be changed or taken out.

Knows what an entry looks like, not what actions there are. Entries hold ids, never names or addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from lrs.storage import Reader, Record, Tx, micros_of

_START = "0" * 64


class Entry(msgspec.Struct, frozen=True):
    """One action: its number from 1, when (microseconds UTC), who, what, on what, and the hash of the entry before."""

    v: int
    number: int
    at: int
    by: str
    action: str
    about: dict[str, str]
    previous: str


def append(tx: Tx, by: str, action: str, about: Mapping[str, str]) -> Entry:
    """Adds one entry in the transaction of the action itself: either both are kept, or neither."""
    head = tx.get("audit-head", "head")
    number, previous = (head.meta["number"], head.meta["hash"]) if head else (0, _START)
    seq = tx.next_seq()
    entry = Entry(1, number + 1, micros_of(seq), by, action, dict(about), previous)
    body = msgspec.json.encode(entry)
    tx.insert(Record("audit", _id(number + 1), body, seq=seq))
    meta = {"number": number + 1, "hash": sha256(body).hexdigest()}
    if head:
        tx.replace(msgspec.structs.replace(head, meta=meta))
    else:
        tx.insert(Record("audit-head", "head", meta=meta))
    return entry


def broken_at(reader: Reader) -> int | None:
    """The number of the first entry that is missing or was changed; ``None`` if the chain is whole."""
    head = reader.get("audit-head", "head")
    previous, count = _START, head.meta["number"] if head else 0
    for number in range(1, count + 1):
        record = reader.get("audit", _id(number))
        if record is None or msgspec.json.decode(record.body, type=Entry).previous != previous:
            return number
        previous = sha256(record.body).hexdigest()
    return count if head and previous != head.meta["hash"] else None


def _id(number: int) -> str:
    return f"{number:012d}"
