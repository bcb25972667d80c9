"""The text of questions by search keys: each segment in the order of places, then what stands before the first one.

Each question is one statement, so its answer is of one moment, whatever is merged meanwhile. SQLite runs the two halves
of a ``UNION ALL`` one after the other, and reads only as far as it is asked. Knows no record.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

_SPAN = "(f.seq, f.row) > (?2, ?3) AND (f.seq, f.row) < (?4, ?5)"
_SEGMENTS = "segment s CROSS JOIN segment_key f ON f.segment = s.number AND f.key = ?1"
_FROM = "s.first >= (SELECT coalesce(max(b.first), 0) FROM segment b WHERE b.first <= ?2)"
"""From the segment with the beginning of the span on: those before it have nothing of it, and may be thousands."""
_EARLY = "early_key f"


@lru_cache
def of_one_key(columns: str, *, newest_first: bool) -> str:
    """Gives *columns* of the records ``r`` with a key. Values: key, span (four), kind, limit.

    Only entries pass through the walk. The record of each is looked up behind it, so its body is copied once.
    """
    entries = _walk("f.row", newest_first=newest_first)
    return f"SELECT {columns} FROM ({entries}) f CROSS JOIN record r ON r.row = f.row AND r.kind = ?6 LIMIT ?7"


@lru_cache
def of_any_key(columns: str) -> str:
    """Gives the key and *columns* of the records ``r`` with one of several keys, in no order. Values: keys, kind."""
    each = "SELECT f.key, f.row FROM json_each(?1) k CROSS JOIN"
    segments = "segment s CROSS JOIN segment_key f ON f.segment = s.number AND f.key = k.value"
    entries = f"{each} {_EARLY} ON f.key = k.value UNION ALL {each} {segments}"
    return f"SELECT f.key, {columns} FROM ({entries}) f CROSS JOIN record r ON r.row = f.row AND r.kind = ?2"


@lru_cache
def joined_of_one_key(*, newest_first: bool) -> str:
    """Gives one row about the records with a key.

    Their number, the bytes of their bodies, how many of these are compressed and how many small; then the small ones as
    they are kept (joined by commas if not compressed), and lists: seqs, rows and the bytes of each body. Values: key,
    span (four), kind, limit, the most bytes of a small body. SQLite joins in the order in which the records come.
    """
    entries = _walk("f.seq, f.row", newest_first=newest_first)
    records = (
        "SELECT f.seq, f.row, r.size compressed, CASE WHEN r.size THEN r.size ELSE length(r.kept) END size,"
        " CASE WHEN r.size OR length(r.kept) <= ?8 THEN r.kept END kept"
        f" FROM ({entries}) f CROSS JOIN record r ON r.row = f.row AND r.kind = ?6 LIMIT ?7"
    )
    return (
        "SELECT count(*), sum(size), sum(compressed > 0), count(kept),"
        " CAST(group_concat(kept, CASE WHEN compressed THEN '' ELSE ',' END) AS BLOB),"
        f" group_concat(seq), group_concat(row), group_concat(size) FROM ({records})"
    )


@lru_cache
def of_several_keys(wanted: Sequence[bool], *, newest_first: bool) -> str:
    """Gives (seq, row, whether it has the other keys) of the entries of a key.

    *wanted* says of each other key whether it must be there. Values: key, span (four), limit, the other keys.
    """
    also = {table: _also(table, wanted, 7) for table in ("segment_key", "early_key")}
    columns = "f.seq, f.row, {also}"
    return _walk(columns, newest_first=newest_first, also=also) + " LIMIT ?6"


@lru_cache
def count_of(wanted: Sequence[bool]) -> str:
    """Counts records with a key and the other keys as *wanted*. Values: key, kind, the other keys."""
    record = "CROSS JOIN record r ON r.row = f.row AND r.kind = ?2"
    segments, early = (_also(table, wanted, 3) for table in ("segment_key", "early_key"))
    return (
        f"SELECT (SELECT count(*) FROM {_SEGMENTS} {record} WHERE {segments})"
        f" + (SELECT count(*) FROM {_EARLY} {record} WHERE f.key = ?1 AND {early})"
    )


def _walk(columns: str, *, newest_first: bool, also: dict[str, str] | None = None) -> str:
    also = also or {"segment_key": "", "early_key": ""}
    order = "DESC" if newest_first else "ASC"
    # A half with an order has to stand in brackets. SQLite keeps that order because it has a limit, -1 for none.
    segments = (
        f"SELECT * FROM (SELECT {columns.format(also=also['segment_key'])} FROM {_SEGMENTS} AND {_SPAN}"
        f" WHERE {_FROM} AND s.first <= ?4 ORDER BY s.first {order}, f.seq {order}, f.row {order} LIMIT -1)"
    )
    early = (
        f"SELECT * FROM (SELECT {columns.format(also=also['early_key'])} FROM {_EARLY}"
        f" WHERE f.key = ?1 AND {_SPAN} ORDER BY f.seq {order}, f.row {order} LIMIT -1)"
    )
    return f"{segments} UNION ALL {early}" if newest_first else f"{early} UNION ALL {segments}"


def _also(table: str, wanted: Sequence[bool], first: int) -> str:
    """The condition that an entry's record has or has not the other keys, whose values begin at number *first*."""
    same = "g.segment = f.segment AND " if table == "segment_key" else ""
    looks = [
        f"{'' if is_wanted else 'NOT '}EXISTS (SELECT 1 FROM {table} g WHERE {same}g.key = ?{first + place}"
        " AND g.seq = f.seq AND g.row = f.row)"
        for place, is_wanted in enumerate(wanted)
    ]
    return " AND ".join(looks) or "TRUE"
