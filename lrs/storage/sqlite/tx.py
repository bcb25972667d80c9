"""A write transaction on SQLite: inserts are gathered and written together. Knows no queue and no thread."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec

from lrs.storage.contract import Tx
from lrs.storage.groups import TooLong
from lrs.storage.known import Known, in_its_place
from lrs.storage.records import NEWEST, TIE_BITS, Claim, Clock, Exists, Owed, Page, Record, Stale, Walk, mac_with
from lrs.storage.sizes import check_size
from lrs.storage.sqlite.bodies import kept
from lrs.storage.sqlite.keys import Entry, SearchKeys, SegmentSizes
from lrs.storage.sqlite.owing import OwingEntries, row_of, token_of
from lrs.storage.sqlite.read import RecordPlace, SqliteReader
from lrs.storage.sqlite.rows import RECORDS, insert_rows, json_list, packed

_encode = msgspec.json.Encoder().encode


class SqliteTx:
    """See ``Tx``.

    *connection* is the writer's. *flushed* counts what was written to the database, which cannot be undone alone.
    *floor* is the lowest time that the commit may store. *began* says whether it began a segment of search keys.
    If *brief*, its caller must not wait, so a decision that looks for records raises ``TooLong``.
    """

    def __init__(
        self,
        reader: SqliteReader,
        clock: Clock,
        secret: bytes | None,
        sizes: SegmentSizes,
        *,
        brief: bool = False,
    ) -> None:
        self._brief = brief
        self._reader = reader
        self._known = Known(reader)
        self._places = reader.note_places()
        self.connection = reader.connection
        self._clock = clock
        self._secret = secret
        self._pending: dict[tuple[str, str], tuple[int, Record]] = {}
        self.keys = SearchKeys(self.connection, sizes)
        self.seq, self._row = self.keys.seq, self.keys.row
        self.flushed = 0
        self.floor = 0
        self._owing = OwingEntries(self.connection, clock)
        self.began = False
        self._exists: Exists | None = None

    # -- reading ----------------------------------------------------------------------------------------------------

    def load(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Looks up *wanted* (kind, id) before the decisions ask for them."""
        self._known.load(wanted)

    def get(self, kind: str, id: str) -> Record | None:
        """See ``Reader.get``."""
        waiting = self._pending.get((kind, id))
        return msgspec.structs.replace(waiting[1], owed=()) if waiting else self._known.get(kind, id)

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """See ``Reader.get_many``."""
        found = {}
        rest = []
        for id in ids:
            if waiting := self._pending.get((kind, id)):
                found[id] = msgspec.structs.replace(waiting[1], owed=())
            else:
                rest.append(id)
        if rest:
            found.update(self._known.get_many(kind, rest))
        return found

    def find(self, walk: Walk) -> Page:
        """See ``Reader.find``."""
        self._take_time()
        self.flush()
        return self._reader.find(walk)

    def find_any(self, kind: str, keys: Iterable[int]) -> dict[int, list[Record]]:
        """See ``Store.find_any``."""
        self._take_time()
        self.flush()
        return self._reader.find_any(kind, keys)

    def mac(self, text: bytes) -> bytes:
        """See ``Store.mac``."""
        return mac_with(self._secret, text)

    def _take_time(self) -> None:
        if self._brief:
            raise TooLong

    # -- writing ----------------------------------------------------------------------------------------------------

    def next_seq(self) -> int:
        """See ``Tx.next_seq``: the next free microsecond, so that no two records share a ``stored``."""
        self.seq = max(self._clock(), (self.seq >> TIE_BITS) + 1, self.floor) << TIE_BITS
        return int(self.seq)

    def insert(self, record: Record) -> Record:
        """See ``Tx.insert``. A duplicate of a stored record is found when the group is flushed."""
        check_size(record)
        if (record.kind, record.id) in self._pending:
            self._exists = Exists(record.kind, record.id)
            raise self._exists
        self._known.forget(record.kind, record.id)
        self._row += 1
        stored = msgspec.structs.replace(record, seq=record.seq or self.next_seq(), rev=1)
        self._pending[record.kind, record.id] = (self._row, stored)
        for owed in stored.owed:
            self._owing.add(self._row, owed)
        return stored

    def replace(self, record: Record) -> Record:
        """See ``Tx.replace``."""
        check_size(record)
        self._change(record.kind, record.id)
        self._known.forget(record.kind, record.id)
        stored = msgspec.structs.replace(record, seq=record.seq or self.next_seq(), rev=record.rev + 1)
        row, seq, keys = self._place_of(record.kind, record.id)
        ((size, body),) = kept([stored.body])
        changed = self.connection.execute(
            "UPDATE record SET seq = ?, rev = ?, meta = ?, keys = ?, kept = ?, size = ? WHERE row = ? AND rev = ?",
            (stored.seq, stored.rev, _encode(stored.meta), packed(stored.keys), body, size, row, record.rev),
        ).rowcount
        if not changed:
            raise Stale(record.kind, record.id)
        self._change_keys(row, seq, keys, stored)
        self._places[record.kind, record.id] = (row, stored.seq, packed(stored.keys))
        for owed in stored.owed:
            self._owing.add(row, owed)
        return stored

    def put(self, record: Record) -> Record:
        """See ``Tx.put``."""
        record = in_its_place(self, record)
        return self.replace(record) if record.rev else self.insert(record)

    def delete(self, kind: str, id: str) -> bool:
        """See ``Tx.delete``."""
        if self._owing:
            self.flush()
        self._change(kind, id)
        self._known.forget(kind, id)
        try:
            row, seq, keys = self._place_of(kind, id)
        except Stale:
            return False
        del self._places[kind, id]
        self.keys.drop(array("q", keys), seq, row)
        self.connection.execute("DELETE FROM record WHERE row = ?", (row,))
        self.connection.execute("DELETE FROM owed WHERE row = ?", (row,))
        return True

    def owe(self, kind: str, id: str, owed: Owed) -> None:
        """See ``Tx.owe``."""
        waiting = self._pending.get((kind, id))
        self._owing.add(waiting[0] if waiting else self._place_of(kind, id)[0], owed)

    def retry(self, kind: str, id: str, step: str) -> bool:
        """See ``Tx.retry``."""
        change = (
            "UPDATE owed SET at = 0, due = ?, tries = 0 WHERE step = ? AND at = ? AND row ="
            " (SELECT row FROM record WHERE id = ? AND kind = ?)"
        )
        self._owing.called.add(step)
        return self.execute(change, (self._clock(), step, NEWEST, id, self._reader.kind_number(kind))) > 0

    def clear(self, claims: Sequence[Claim]) -> None:
        """Removes settled entries. Raises ``Stale`` if a token is no longer valid."""
        if self._owing.meets(claims):
            self.flush()
        rows: dict[tuple[str, bytes], list[int]] = {}
        for claim in claims:
            rows.setdefault((claim.owed.step, token_of(claim)), []).append(row_of(claim))
        self.flushed += 1
        done = sum(
            self.connection.execute(
                "DELETE FROM owed WHERE row IN (SELECT value FROM json_each(?)) AND step = ? AND token = ?",
                (json_list(some), step, token),
            ).rowcount
            for (step, token), some in rows.items()
        )
        if done != len(claims):
            raise Stale(f"{len(claims) - done} of {len(claims)} leases")

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any]) -> int:
        """The engine's own changes to owed entries. Gives the number of changed rows."""
        self.flush()
        self.flushed += 1
        return self.connection.execute(statement, values).rowcount

    def put_keys_right(self, lost: Sequence[tuple[Sequence[int], int, int]], stray: Iterable[Entry]) -> None:
        """Adds the search keys *lost* (keys, seq, row) and deletes those that are *stray*."""
        self.flush()
        self.flushed += 1
        self.keys.insert(lost)
        self.keys.delete(stray)

    # -- the group --------------------------------------------------------------------------------------------------

    @property
    def called(self) -> set[str]:
        """The steps that what was written owes at once."""
        return self._owing.called

    def mark(self) -> tuple[int, int, int, int, int, Exists | None]:
        """The present state, so that one decision's inserts can be undone."""
        return self.flushed, len(self._pending), len(self._owing), self.seq, self._row, self._exists

    def undo(self, mark: tuple[int, int, int, int, int, Exists | None]) -> bool:
        """Undoes what was inserted since *mark*. ``False`` if some of it was written."""
        if self.flushed != mark[0]:
            return False
        while len(self._pending) > mark[1]:
            self._pending.popitem()
        self._owing.undo(mark[2])
        self.seq, self._row, self._exists = mark[3:]
        return True

    def flush(self) -> None:
        """Writes what was gathered. Raises ``Exists`` for an insert of an existing record."""
        if not self._pending and not self._owing:
            return
        self.flushed += 1
        pending = list(self._pending.values())
        self._pending.clear()
        try:
            bodies = kept([record.body for _, record in pending])
            rows = ((*self._columns(*each), *body) for each, body in zip(pending, bodies, strict=True))
            insert_rows(self.connection, RECORDS, list(chain.from_iterable(rows)))
        except sqlite3.IntegrityError as error:
            self._exists = Exists(str(error))
            raise self._exists from error
        self.keys.insert((record.keys, record.seq, row) for row, record in pending)
        self._owing.write()

    def finish(self) -> None:
        """Writes the rest, and the head from which the next group of every process starts."""
        self.flush()
        if self._exists:  # a decision caught it and went on, so what it wrote may be incomplete
            raise self._exists
        self.began = self.keys.finish(self.seq, self._row)

    def _change_keys(self, row: int, seq: int, packed: bytes, stored: Record) -> None:
        """Changes only the entries that differ, as long as the record keeps its place."""
        old, new = set(array("q", packed)), set(stored.keys)
        if seq == stored.seq:
            old, new = old - new, new - old
        if old:
            self.keys.drop(old, seq, row)
        if new:
            self.keys.insert([(tuple(new), stored.seq, row)])

    def _change(self, kind: str, id: str) -> None:
        """Call it before a record is changed in the database: flushes if the record is among what was gathered."""
        if (kind, id) in self._pending:
            self.flush()
        self.flushed += 1

    def _columns(self, row: int, record: Record) -> tuple[Any, ...]:
        """The columns of ``RECORDS`` before the body."""
        kind, meta, keys = self._kind(record.kind), _encode(record.meta), packed(record.keys)
        return row, kind, record.id, record.seq, record.rev, meta, keys

    def _kind(self, kind: str) -> int:
        number = self._reader.kind_number(kind)
        if not number:
            self.connection.execute("INSERT INTO kind (name) VALUES (?)", (kind,))
            # Not cached here: the group may yet be rolled back.
            number = int(self.connection.execute("SELECT number FROM kind WHERE name = ?", (kind,)).fetchone()[0])
        return number

    def _place_of(self, kind: str, id: str) -> RecordPlace:
        place = self._places.get((kind, id))
        if place is None:
            place = self._places[kind, id] = self._reader.place_of(kind, id)
        return place


def ours(tx: Tx) -> SqliteTx:
    """*tx* as a transaction of this engine."""
    assert isinstance(tx, SqliteTx)  # noqa: S101 (this engine's decisions run in this engine's transactions)
    return tx
