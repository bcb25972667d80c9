"""Writes many rows with few, large SQL statements.

For each row of ``executemany`` SQLite releases the interpreter lock and must get it back, which takes up to 5 ms if
another thread computes. So many rows go into one statement. Beside a thread that computes, a group of 100 takes 34 ms
this way, and 1,400 ms row by row. Knows no transaction.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from lrs.storage.records import NEWEST

_encode = msgspec.json.Encoder().encode
_MOST_VALUES = 1_536
"""Values in one statement. SQLite accepts 32,766, but keeps up to half a megabyte for each prepared one."""


class Rows(NamedTuple):
    """A statement for any number of rows: the text before them, one row with *columns* values, the text after."""

    start: str
    row: str
    columns: int
    end: str = ""


RECORDS = Rows(
    "INSERT INTO record (row, kind, id, seq, rev, meta, keys, size, kept) VALUES ", "(?, ?, ?, ?, ?, ?, ?, ?, ?)", 9
)
OWED = Rows(
    "INSERT INTO owed (row, step, at, due, tries, token, error) VALUES ",
    "(?, ?, ?, ?, ?, NULL, ?)",
    6,
    f" ON CONFLICT DO UPDATE SET at = CASE WHEN {NEWEST} IN (at, excluded.at) THEN excluded.at"
    " ELSE min(due, excluded.at) END,"
    f" due = CASE WHEN {NEWEST} IN (at, excluded.at) THEN excluded.due ELSE min(due, excluded.due) END,"
    " tries = excluded.tries, token = NULL, error = excluded.error",
)
_EARLY_KEYS = Rows("INSERT OR IGNORE INTO early_key (key, seq, row) VALUES ", "(?, ?, ?)", 3)
_SEGMENT_KEYS = Rows("INSERT OR IGNORE INTO segment_key (segment, key, seq, row) VALUES ", "(?1, ?, ?, ?)", 3)


def insert_rows(connection: sqlite3.Connection, rows: Rows, values: Sequence[Any], same: tuple[Any, ...] = ()) -> None:
    """Inserts rows. *values* are those of all rows, one row after the other; *same* are those that all share."""
    most = _MOST_VALUES // rows.columns * rows.columns
    for start in range(0, len(values), most):
        some = values[start : start + most]
        connection.execute(_of_rows(rows, len(some) // rows.columns), (*same, *some))


def insert_keys(
    connection: sqlite3.Connection, segment: int | None, records: Iterable[tuple[Iterable[int], int, int]]
) -> None:
    """Inserts the search keys of *records* (keys, seq, row) into *segment*, ``None`` for before the first.

    Neighbours are written one after the other. They are grouped by key, because many records share keys. Sorting all
    entries would cost three times as much.
    """
    by_key: defaultdict[int, list[int]] = defaultdict(list)
    for keys, seq, row in records:
        for key in keys:
            by_key[key] += (key, seq, row)
    values = list(chain.from_iterable(by_key[key] for key in sorted(by_key)))
    # The last entry is repeated, which changes nothing, so that there are few different statements to prepare.
    count = len(values) // 3
    values += values[-3:] * (_rounded(count) - count)
    if segment is None:
        insert_rows(connection, _EARLY_KEYS, values)
    else:
        insert_rows(connection, _SEGMENT_KEYS, values, (segment,))


def json_list(values: Sequence[int | str]) -> str:
    """*values* as a parameter for ``json_each``."""
    return _encode(values).decode()


def packed(keys: Sequence[int]) -> bytes:
    """*keys* as they are stored in a record."""
    return array("q", keys).tobytes()


def _rounded(count: int) -> int:
    """*count*, rounded up by at most an eighth."""
    step = 1 << max(0, count.bit_length() - 4)
    return -(-count // step) * step


@lru_cache(maxsize=64)
def _of_rows(rows: Rows, count: int) -> str:
    return rows.start + ", ".join([rows.row] * count) + rows.end
