"""Reads records from one SQLite connection, inside a transaction or not. Knows no writer."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec

from lrs.kernel.errors import Damaged
from lrs.storage import records
from lrs.storage.records import NEWEST, SMALL_BODY, JoinedPage, Page, Record, Stale, Walk
from lrs.storage.sizes import check_found
from lrs.storage.sqlite.bodies import body_of, joined_bodies
from lrs.storage.sqlite.rows import json_list
from lrs.storage.sqlite.walks import count_of, joined_of_one_key, of_any_key, of_one_key, of_several_keys

WALK_CAP = 10_000
"""How many entries of the first key one call looks at if further keys must match."""

COLUMNS = "r.row, r.seq, r.rev, r.meta, r.keys, r.kept, r.size, r.id"
"""What ``record_of`` makes a record of."""
_BARE = COLUMNS.replace("r.kept, r.size", "x'', 0")
_BY_ID = f"SELECT {COLUMNS} FROM record r WHERE r.id = ? AND r.kind = ?"
_IDS_AT_ONCE = 500
SHORT_META = 128
_meta = msgspec.json.Decoder(dict[str, Any])


RecordPlace = tuple[int, int, bytes]
"""Where a record and its search keys stand: row, seq, and the keys as they are stored."""


class SqliteReader:
    """The questions of ``Reader`` on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._places: dict[tuple[str, str], RecordPlace] | None = None
        self._kinds: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def kind_number(self, kind: str) -> int:
        """The number of *kind*; 0, which no record has, if no record of that kind was ever stored."""
        number = self._kinds.get(kind)
        if number is None:
            found = self.connection.execute("SELECT number FROM kind WHERE name = ?", (kind,)).fetchone()
            if found is None:
                return 0
            number = self._kinds[kind] = int(found[0])
        return number

    def _kind_name(self, number: int) -> str:
        name = self._names.get(number)
        if name is None:
            found = self.connection.execute("SELECT name FROM kind WHERE number = ?", (number,)).fetchone()
            name = self._names[number] = str(found[0])
        return name

    def forget_kinds(self) -> None:
        """Call it after a rollback: a kind that was new in it is not stored."""
        self._kinds.clear()
        self._names.clear()

    def get(self, kind: str, id: str) -> Record | None:
        """See ``Reader.get``."""
        row = self.connection.execute(_BY_ID, (id, self.kind_number(kind))).fetchone()
        if row is None:
            return None
        if self._places is not None:
            self._places[kind, id] = (row[0], row[1], row[4])
        return record_of(kind, row)

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """See ``Reader.get_many``."""
        return {id: record for (_, id), record in self.get_all((kind, id) for id in ids).items()}

    def get_all(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Record]:
        """The records of *wanted* (kind, id) that exist."""
        names = set(wanted)
        ids = list({id for _, id in names})
        found: dict[tuple[str, str], Record] = {}
        size = 0
        for start in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[start : start + _IDS_AT_ONCE]
            marks = ",".join("?" * len(some))
            for row in self.connection.execute(f"SELECT {COLUMNS}, r.kind FROM record r WHERE r.id IN ({marks})", some):
                kind, name = self._kind_name(row[8]), row[7]
                if (kind, name) in names:
                    if self._places is not None:
                        self._places[kind, name] = (row[0], row[1], row[4])
                    found[kind, name] = record_of(kind, row[:8])
                    check_found(size := size + len(found[kind, name].body))
        return found

    def note_places(self) -> dict[tuple[str, str], RecordPlace]:
        """Where the records stand that are read by id from now on, by kind and id."""
        self._places = {}
        return self._places

    def place_of(self, kind: str, id: str) -> RecordPlace:
        """Where the record stands. Raises ``Stale`` if there is none."""
        query = "SELECT row, seq, keys FROM record WHERE id = ? AND kind = ?"
        found: RecordPlace | None = self.connection.execute(query, (id, self.kind_number(kind))).fetchone()
        if found is None:
            raise Stale(kind, id)
        return found

    def find_any(self, kind: str, keys: Iterable[int]) -> dict[int, list[Record]]:
        """See ``Store.find_any``. Ordered here: the question looks for one key in all segments, then for the next."""
        found: dict[int, list[list[Any]]] = {key: [] for key in keys}
        size = 0
        query = of_any_key(COLUMNS)
        with closing(self.connection.execute(query, (json_list(list(found)), self.kind_number(kind)))) as rows:
            for key, *row in rows:
                found[key].append(row)
                check_found(size := size + size_of_body(row))
        return {
            key: [record_of(kind, row) for row in sorted(some, key=itemgetter(1, 0))] for key, some in found.items()
        }

    def find(self, walk: Walk) -> Page:
        """See ``Reader.find``."""
        span, number, columns = _span(walk), self.kind_number(walk.kind), _BARE if walk.bare else COLUMNS
        if len(walk.keys) > 1:
            return self._find_all(walk, span)
        if walk.keys:
            query = of_one_key(columns, newest_first=walk.newest_first)
            return _page(walk, self.connection.execute(query, (walk.keys[0], *span, number, walk.limit + 1)))
        order = "DESC" if walk.newest_first else "ASC"
        query = (
            f"SELECT {columns} FROM record r WHERE r.kind = ? AND (r.seq, r.row) > (?, ?)"
            f" AND (r.seq, r.row) < (?, ?) ORDER BY r.seq {order}, r.row {order} LIMIT ?"
        )
        return _page(walk, self.connection.execute(query, (number, *span, walk.limit + 1)))

    def joined(self, walk: Walk) -> JoinedPage | None:
        """See ``Store.joined``. SQLite gives one row, so the interpreter's lock is let go once, not for each record."""
        query = joined_of_one_key(newest_first=walk.newest_first)
        values = (walk.keys[0], *_span(walk), self.kind_number(walk.kind), walk.limit + 1, SMALL_BODY)
        count, size, compressed, small, bodies, *lists = self.connection.execute(query, values).fetchone()
        if not count:
            return JoinedPage(b"")
        if small < count or compressed not in {0, count} or size > (walk.most or records.PAGE_BYTES):
            return None
        size, after = size + count - 1, None
        if count > walk.limit:
            seqs, rows, sizes = (list_of.rsplit(",", 2) for list_of in lists)
            size, after = size - 1 - int(sizes[-1]), f"{seqs[-2]}.{rows[-2]}"  # without the last record
        joined = joined_bodies(bodies, size) if compressed else bodies[:size]
        return None if joined is None else JoinedPage(joined, after)

    def _find_all(self, walk: Walk, span: tuple[int, ...]) -> Page:
        """Walks the first key and looks each entry up under the others, at most ``WALK_CAP`` entries in one call."""
        keys, most = walk.keys, walk.most or records.PAGE_BYTES
        query = of_several_keys(tuple(key >= 0 for key in keys[1:]), newest_first=walk.newest_first)
        entries = self.connection.execute(query, (keys[0], *span, WALK_CAP + 1, *map(plain_key, keys[1:])))
        hits: list[Record] = []
        more: str | None = None
        last = ""
        size = 0
        for walked, (seq, row, holds) in enumerate(entries, 1):
            record = self._record(walk, row) if holds else None
            if walked > WALK_CAP or size > most or (record and len(hits) == walk.limit):
                more = last
                break
            if record:
                hits.append(record)
                size += _size_of(record)
            last = f"{seq}.{row}"
        entries.close()
        return Page(tuple(hits), more)

    def _record(self, walk: Walk, row: int) -> Record | None:
        """The record of *row*, as *walk* asks for it, ``None`` if it is of another kind."""
        found = self.connection.execute(
            f"SELECT {_BARE if walk.bare else COLUMNS} FROM record r WHERE r.row = ? AND r.kind = ?",
            (row, self.kind_number(walk.kind)),
        ).fetchone()
        return None if found is None else record_of(walk.kind, found)

    def count(self, kind: str, keys: Sequence[int] = ()) -> int:
        """See ``Store.count``."""
        number = self.kind_number(kind)
        if not keys:
            found = self.connection.execute("SELECT count(*) FROM record WHERE kind = ?", (number,))
        else:
            query = count_of(tuple(key >= 0 for key in keys[1:]))
            found = self.connection.execute(query, (keys[0], number, *map(plain_key, keys[1:])))
        return int(found.fetchone()[0])


def plain_key(key: int) -> int:
    """The key itself, without ``~``."""
    return key if key >= 0 else ~key


def _span(walk: Walk) -> tuple[int, int, int, int]:
    """The places (seq, row) between which the rest of *walk* lies, both exclusive."""
    low, high = (walk.after, NEWEST), (walk.until, NEWEST)
    if walk.start is not None:
        seq, _, row = walk.start.partition(".")
        if walk.newest_first:
            high = min(high, (int(seq), int(row)))
        else:
            low = max(low, (int(seq), int(row)))
    return (*low, *high)


def _page(walk: Walk, cursor: sqlite3.Cursor) -> Page:
    """The first ``limit`` rows, or as many as have ``most`` bytes, and whether there are more."""
    kind, limit, most = walk.kind, walk.limit, walk.most or records.PAGE_BYTES
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in cursor:
        rows.append(row)
        size += len(row[3]) + len(row[4]) + size_of_body(row)
        if size > most:
            break
    cursor.close()  # an unfinished cursor would keep its read transaction open
    if len(rows) <= limit and size <= most:
        return Page(tuple(record_of(kind, row) for row in rows))
    del rows[limit:]
    return Page(tuple(record_of(kind, row) for row in rows), f"{rows[-1][1]}.{rows[-1][0]}")


def _size_of(record: Record) -> int:
    return len(record.body) + 8 * len(record.keys)


def size_of_body(row: Sequence[Any]) -> int:
    """The bytes of the body in a row of ``COLUMNS``."""
    return row[6] or len(row[5])


def record_of(kind: str, row: Sequence[Any]) -> Record:
    """The record in a row of ``COLUMNS``. Raises ``Damaged``, which names it, if its body is."""
    _, seq, rev, meta, keys, kept, size, id = row
    known = _short_meta(meta) if len(meta) < SHORT_META else _meta.decode(meta)
    try:
        body = body_of(size, kept)
    except Damaged as damaged:
        raise Damaged(f"{kind} {id}: {damaged}") from damaged
    return Record(kind, id, body, known, tuple(array("q", keys)), (), seq, rev)


@lru_cache(maxsize=1_024)
def _short_meta(meta: bytes) -> dict[str, Any]:
    """*meta*, decoded and cached, because most statements of a source have the same. Nobody changes the result."""
    return _meta.decode(meta)
