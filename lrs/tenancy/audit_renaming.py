"""Changes ids in entries of the record of actions; the chain and its head stay intact.

A keyed entry that changes keeps its hash in its meta, with a keyed seal (``audit.keep_hash``). Entries of version 1
have hashes without a key, from which anybody could guess their content by trying, so they are chained again up to the
entry that sealed them. Between two pages the last entry of the first page keeps the hash that the next page still has.
Knows neither what is renamed nor why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from lrs.storage import Record, Tx
from lrs.tenancy import audit
from lrs.tenancy.audit import AuditEntry

RenameAbout = Callable[[Mapping[str, str]], dict[str, str]]
"""From an entry's ``about`` to the same with other ids. One that is already right is returned unchanged."""


def rename_entries(tx: Tx, records: Sequence[Record], about: RenameAbout) -> None:
    """Rewrites *records*, a page of ``audit`` in its order, and gives each its search keys.

    The page before it must have been rewritten.
    """
    entries = [msgspec.json.decode(record.body, type=AuditEntry) for record in records]
    previous = _end_of_page_before(tx, entries[0]) if entries else None
    for place, (record, entry) in enumerate(zip(records, entries, strict=True)):
        new = _renamed(entry, about, previous)
        previous = None
        keyed = msgspec.structs.replace(record, keys=audit.keys_of(new))
        if new == entry:
            if keyed != record:  # entries of 0.2.0 have no keys
                tx.replace(keyed)
            continue
        changed = msgspec.structs.replace(keyed, body=msgspec.json.encode(new))
        if entry.v > 1 or place == len(records) - 1:
            changed = audit.keep_hash(tx, changed, audit.hash_of(tx, entry, record))
        else:
            previous = audit.hash_of(tx, new, changed)
        tx.replace(changed)


def _renamed(entry: AuditEntry, about: RenameAbout, previous: str | None) -> AuditEntry:
    told = about(entry.about)
    if previous is None:
        return msgspec.structs.replace(entry, about=told)
    if entry.action == audit.SEALED:
        told = {**told, "hash": previous}
    return msgspec.structs.replace(entry, about=told, previous=previous)


def _end_of_page_before(tx: Tx, first: AuditEntry) -> str | None:
    """The hash that the entry before *first* has now, if the chain still has its former one. Stops keeping it."""
    record = audit.record_at(tx, first.number - 1)
    if record is None or not record.meta:
        return None
    entry = msgspec.json.decode(record.body, type=AuditEntry)
    if entry.v > 1:
        return None
    plain = msgspec.structs.replace(record, meta={})
    tx.replace(plain)
    return audit.hash_of(tx, entry, plain)
