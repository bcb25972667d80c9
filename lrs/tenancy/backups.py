"""Which backups were taken: a record of each in the control store, for who wonders whether there is a recent one.

A backup is a file that somebody puts elsewhere: the record says that it was written whole, not that it is still there.
"""

from __future__ import annotations

import msgspec

from lrs.storage import Reader, Record, Tx, Walk
from lrs.storage.kinds import Kind

KIND = "backup"
KEPT = 20
"""Backups that are remembered: the newest."""


class BackupTaken(msgspec.Struct, frozen=True):
    """A backup of *bytes* that was written at *at* (microseconds UTC).

    *sealed*: the master key is in it. *missing* are blobs that records name and that the store lacks.
    """

    at: int
    bytes: int
    sealed: bool
    missing: int = 0
    v: int = 1


def note(tx: Tx, id: str, taken: BackupTaken) -> None:
    """Remembers the backup *id*; the oldest go."""
    tx.put(Record(KIND, id, msgspec.json.encode(taken)))
    for old in tx.find(Walk(KIND, newest_first=True, limit=KEPT + 10)).records[KEPT:]:
        tx.delete(KIND, old.id)


def newest(reader: Reader) -> list[BackupTaken]:
    """Those that are remembered, newest first."""
    found = reader.find(Walk(KIND, newest_first=True, limit=KEPT)).records
    return [msgspec.json.decode(record.body, type=BackupTaken) for record in found]


KINDS = (Kind(KIND, "working", BackupTaken, 1, subjects=None, retention="operational", exported=False),)
