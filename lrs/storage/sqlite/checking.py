"""Compares search keys with the records that they are made from, and puts them right. Knows no meaning of a key.

A record has its keys in itself, so whatever happened to their entries can be mended. Entries that belong to no record
are found too: by them a walk would give a record under a key that it does not have.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

import msgspec

from lrs.storage.contract import Tx
from lrs.storage.records import ROWS
from lrs.storage.sqlite.keys import USUAL_SEGMENTS, Entry, SearchKeys
from lrs.storage.sqlite.readers import Asks
from lrs.storage.sqlite.tx import ours

T = TypeVar("T")
LostKeys = tuple[Sequence[int], int, int]
"""Keys, seq and row of a record."""
NEWEST_RECORDS = 2_000
"""Records whose search keys ``wrong_keys`` looks up."""
_AT_ONCE, _KEYS_AT_ONCE = 500, 8_000
"""Records and keys that one transaction looks at: some 20 ms."""
_FIRST = (-1, -(1 << 63), 0, 0)

_RECORDS = "SELECT row, seq, keys FROM record"
_OLDEST = f"{_RECORDS} WHERE row > ? ORDER BY row LIMIT ?"
_NEWEST = f"{_RECORDS} ORDER BY row DESC LIMIT ?"
_ENTRIES = (
    "SELECT f.segment, f.key, f.seq, f.row, r.seq, r.keys FROM segment_key f LEFT JOIN record r ON r.row = f.row WHERE"
    " f.segment NOT IN (SELECT number FROM merged) AND"
)
_ALL_ENTRIES = f"{_ENTRIES} (f.segment, f.key, f.seq, f.row) > (?, ?, ?, ?) ORDER BY 1, 2, 3, 4 LIMIT ?"
_UNMERGED = f"{_ENTRIES} f.segment IN (SELECT number FROM segment WHERE level = 0)"
_EARLY = (
    "SELECT NULL, f.key, f.seq, f.row, r.seq, r.keys FROM early_key f LEFT JOIN record r ON r.row = f.row"
    " WHERE (f.key, f.seq, f.row) > (?, ?, ?) ORDER BY 2, 3, 4 LIMIT ?"
)


class Wrong(msgspec.Struct, frozen=True):
    """Search keys that are not as their records say, and where the look ended, ``None`` at the end.

    *lost* are (keys, seq, row) of a record that stand nowhere, *stray* are entries that belong to no record.
    """

    lost: list[LostKeys]
    stray: list[Entry]
    end: tuple[int, ...] | None = None

    @property
    def count(self) -> int:
        """How many keys."""
        return sum(len(keys) for keys, _, _ in self.lost) + len(self.stray)


def _lost(keys: SearchKeys, records: Iterable[tuple[int, int, bytes]]) -> list[LostKeys]:
    found: list[LostKeys] = []
    for row, seq, packed in records:
        wanted = set(array("q", packed))
        if missing := wanted - keys.there(wanted, seq, row):
            found.append((sorted(missing), seq, row))
    return found


def _stray(
    keys: SearchKeys, entries: Iterable[tuple[int | None, int, int, int, int | None, bytes | None]]
) -> list[Entry]:
    found: list[Entry] = []
    of_record: dict[int, set[int]] = {}
    for segment, key, seq, row, place, packed in entries:
        if row not in of_record:
            of_record[row] = set(array("q", packed or b""))
        if place != seq or key not in of_record[row] or segment not in keys.segments_of(seq):
            found.append((segment, key, seq, row))
    return found


def _of_records(connection: sqlite3.Connection, keys: SearchKeys, at: tuple[int, ...]) -> Wrong:
    records = []
    size = 0
    for record in connection.execute(_OLDEST, (at[-1], _AT_ONCE)):
        records.append(record)
        size += len(record[2]) // 8
        if size > _KEYS_AT_ONCE:
            break
    return Wrong(_lost(keys, records), [], records[-1][:1] if records else None)


def _of_entries(connection: sqlite3.Connection, keys: SearchKeys, at: tuple[int, ...]) -> Wrong:
    entries = connection.execute(_ALL_ENTRIES, (*at, _KEYS_AT_ONCE)).fetchall()
    return Wrong([], _stray(keys, entries), entries[-1][:4] if entries else None)


def _of_early(connection: sqlite3.Connection, keys: SearchKeys, at: tuple[int, ...]) -> Wrong:
    entries = connection.execute(_EARLY, (*at[1:], _KEYS_AT_ONCE)).fetchall()
    return Wrong([], _stray(keys, entries), entries[-1][:4] if entries else None)


_LOOKS = (_of_records, _of_entries, _of_early)


class SqliteChecking(Asks):
    """The part of ``Store`` about search keys that are wrong."""

    def write(
        self, decide: Callable[[Tx], T], *, weight: int = ROWS, reads: Sequence[tuple[str, str]] = ()
    ) -> Future[T]:
        """See ``Store.write``."""
        raise NotImplementedError

    def wrong_keys(self) -> int:
        """See ``Store.wrong_keys``. Looks at one moment of the store."""
        reader = self._reader()
        connection = reader.connection
        connection.execute("BEGIN")
        try:
            keys = SearchKeys(connection, USUAL_SEGMENTS)
            records = connection.execute(_NEWEST, (NEWEST_RECORDS,)).fetchall()
            return Wrong(_lost(keys, records), _stray(keys, connection.execute(_UNMERGED))).count
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def mend_keys(self) -> int:
        """See ``Store.mend_keys``. Each transaction looks at some hundred records, so others go on."""
        mended = 0
        for look in _LOOKS:
            at: tuple[int, ...] | None = _FIRST
            while at is not None:
                wrong = self.write(partial(_mended, look=look, at=at)).result()
                mended, at = mended + wrong.count, wrong.end
        return mended


KeyLook = Callable[[sqlite3.Connection, SearchKeys, tuple[int, ...]], Wrong]


def _mended(tx: Tx, look: KeyLook, at: tuple[int, ...]) -> Wrong:
    ours(tx).flush()
    wrong = look(ours(tx).connection, ours(tx).keys, at)
    ours(tx).put_keys_right(wrong.lost, wrong.stray)
    return wrong
