"""Reading records from one SQLite connection, inside a transaction or not. Knows no writer."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from lrs import storage
from lrs.storage import NEWEST, Page, Record
from lrs.storage.sizes import check_found

WALK_CAP = 10_000
"""How many entries of the first key one call looks at when further keys must hold as well."""

_COLUMNS = "r.row, r.seq, r.rev, r.meta, r.keys, r.body, r.id"
_BY_ID = f"SELECT {_COLUMNS} FROM record r WHERE r.id = ? AND r.kind = ?"
_IDS_AT_ONCE = 500
_ROWS_AT_ONCE, _FEW_ROWS = 16, 4
"""Rows between two looks at how large a page has become: the first of a whole page, the others of a small one."""
SHORT_META = 128
_meta = msgspec.json.Decoder(dict[str, Any])


class Bounds(NamedTuple):
    """Of a page: records and bytes."""

    limit: int
    most: int


class SqliteReader:
    """The questions of ``Reader`` on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._kinds: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def kind_number(self, kind: str) -> int:
        """The number of *kind*; 0, which no record has, if nothing of that kind was ever stored."""
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
        """After a rollback: a kind first seen in it was never stored."""
        self._kinds.clear()
        self._names.clear()

    def get(self, kind: str, id: str) -> Record | None:
        """See ``Reader.get``."""
        row = self.connection.execute(_BY_ID, (id, self.kind_number(kind))).fetchone()
        return None if row is None else record_of(kind, row)

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
            for row in self.connection.execute(
                f"SELECT {_COLUMNS}, r.kind FROM record r WHERE r.id IN ({marks})", some
            ):
                kind = self._kind_name(row[7])
                if (kind, row[6]) in names:
                    found[kind, row[6]] = record_of(kind, row[:7])
                    check_found(size := size + len(row[5]))
        return found

    def find(
        self,
        kind: str,
        keys: Sequence[int] = (),
        *,
        after: int = 0,
        until: int = NEWEST,
        newest_first: bool = False,
        limit: int = 100,
        start: str | None = None,
        most: int | None = None,
    ) -> Page:
        """See ``Reader.find``."""
        low, high = (after, NEWEST), (until, NEWEST)
        if start is not None:
            seq, _, row = start.partition(".")
            if newest_first:
                high = min(high, (int(seq), int(row)))
            else:
                low = max(low, (int(seq), int(row)))
        span = (*low, *high)
        order = "DESC" if newest_first else "ASC"
        number = self.kind_number(kind)
        if len(keys) > 1:
            return self._find_all(kind, keys, span, order, Bounds(limit, most or storage.PAGE_BYTES))
        if keys:
            query = (
                f"SELECT {_COLUMNS} FROM ref f CROSS JOIN record r ON r.row = f.row WHERE f.key = ?"
                " AND (f.seq, f.row) > (?, ?) AND (f.seq, f.row) < (?, ?) AND r.kind = ?"
                f" ORDER BY f.seq {order}, f.row {order} LIMIT ?"
            )
            rows = self.connection.execute(query, (keys[0], *span, number, limit + 1))
        else:
            query = (
                f"SELECT {_COLUMNS} FROM record r WHERE r.kind = ? AND (r.seq, r.row) > (?, ?)"
                f" AND (r.seq, r.row) < (?, ?) ORDER BY r.seq {order}, r.row {order} LIMIT ?"
            )
            rows = self.connection.execute(query, (number, *span, limit + 1))
        return _page(kind, rows, Bounds(limit, most or storage.PAGE_BYTES))

    def _find_all(self, kind: str, keys: Sequence[int], span: tuple[int, ...], order: str, bounds: Bounds) -> Page:
        """Walks the first key and looks each entry up under the others, at most ``WALK_CAP`` entries a call."""
        also = " AND ".join(map(_carries, keys[1:]))
        walk = self.connection.execute(
            f"SELECT f.seq, f.row, {also} FROM ref f WHERE f.key = ? AND (f.seq, f.row) > (?, ?)"
            f" AND (f.seq, f.row) < (?, ?) ORDER BY f.seq {order}, f.row {order} LIMIT ?",
            (*map(plain_key, keys[1:]), keys[0], *span, WALK_CAP + 1),
        )
        hits: list[Record] = []
        more: str | None = None
        last = ""
        size = 0
        for walked, (seq, row, holds) in enumerate(walk, 1):
            record = self._record(kind, row) if holds else None
            if walked > WALK_CAP or size > bounds.most or (record and len(hits) == bounds.limit):
                more = last
                break
            if record:
                hits.append(record)
                size += _size_of(record)
            last = f"{seq}.{row}"
        return Page(tuple(hits), more)

    def _record(self, kind: str, row: int) -> Record | None:
        """The record of *row*, ``None`` if it is of another kind."""
        found = self.connection.execute(
            f"SELECT {_COLUMNS} FROM record r WHERE r.row = ? AND r.kind = ?", (row, self.kind_number(kind))
        ).fetchone()
        return None if found is None else record_of(kind, found)

    def count(self, kind: str, keys: Sequence[int] = ()) -> int:
        """See ``Store.count``."""
        number = self.kind_number(kind)
        if not keys:
            found = self.connection.execute("SELECT count(*) FROM record WHERE kind = ?", (number,))
        else:
            found = self.connection.execute(
                "SELECT count(*) FROM ref f JOIN record r ON r.row = f.row WHERE f.key = ? AND r.kind = ?"
                + "".join(f" AND {_carries(key)}" for key in keys[1:]),
                (keys[0], number, *map(plain_key, keys[1:])),
            )
        return int(found.fetchone()[0])


def _carries(key: int) -> str:
    """The condition that an entry's record carries *key*, or does not, for ``~key``."""
    exists = "EXISTS (SELECT 1 FROM ref g WHERE g.key = ? AND g.seq = f.seq AND g.row = f.row)"
    return exists if key >= 0 else f"NOT {exists}"


def plain_key(key: int) -> int:
    """The key that is carried or, as ``~key``, not carried."""
    return key if key >= 0 else ~key


def _page(kind: str, cursor: sqlite3.Cursor, bounds: Bounds) -> Page:
    """The first ``limit`` rows, or as many as have ``most`` bytes, and whether there are more."""
    limit, most = bounds
    at_once = _ROWS_AT_ONCE if most >= storage.PAGE_BYTES else _FEW_ROWS
    rows: list[tuple[Any, ...]] = []
    size = 0
    while size <= most and (some := cursor.fetchmany(at_once)):
        rows += some
        size += sum(len(row[3]) + len(row[4]) + len(row[5]) for row in some)
    cursor.close()  # one that was not read to its end would hold on to the state it reads
    if len(rows) <= limit and size <= most:
        return Page(tuple(record_of(kind, row) for row in rows))
    del rows[limit:]
    return Page(tuple(record_of(kind, row) for row in rows), f"{rows[-1][1]}.{rows[-1][0]}")


def _size_of(record: Record) -> int:
    return len(record.body) + 8 * len(record.keys)


def record_of(kind: str, row: Sequence[Any]) -> Record:
    """The record in a row of ``_COLUMNS``."""
    _, seq, rev, meta, keys, body, id = row
    known = _short_meta(meta) if len(meta) < SHORT_META else _meta.decode(meta)
    return Record(kind, id, body, known, tuple(array("q", keys)), (), seq, rev)


@lru_cache(maxsize=1_024)
def _short_meta(meta: bytes) -> dict[str, Any]:
    """Most statements of a source say the same of themselves. Never changed by anybody: a ``meta`` is replaced."""
    return _meta.decode(meta)
