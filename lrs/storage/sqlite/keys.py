"""The search keys of records, in segments. Writes them; see ``read`` for questions and ``merge`` for what comes later.

An entry is (key, seq, row). A segment holds the entries of all places (``seq``) from its first one up to the first
place of the next segment; the newest one, which is open, holds all later ones. So all keys of a record stand in one
segment, and a walk takes one segment after the other and sorts nothing. Places before the first segment are those of a
store that was filled before there were segments; their entries stand in ``early_key``.

New records have the latest places, so their entries go to the open segment, which is small: a commit changes few pages.
When it has enough entries, a new one begins, at the first place that was not drawn yet; entries at later places (a time
to come) move to it. Segments are merged later. While one is merged, what changes in it is changed in the target too.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lrs.kernel.errors import Damaged
from lrs.storage.sqlite.rows import insert_keys, json_list

_HEAD = (
    "SELECT h.seq, h.row, h.entries, h.newest, s.first, s.number FROM head h LEFT JOIN segment s"
    " ORDER BY s.first DESC LIMIT 1"
)
Entry = tuple[int | None, int, int, int]
"""(segment, key, seq, row); the segment is ``None`` before the first one."""
_SEGMENTS = "SELECT number, target FROM segment WHERE first <= ? ORDER BY first DESC LIMIT 1"
_COUNT_AHEAD = "SELECT count(*), coalesce(sum(seq > ?), 0) FROM segment_key WHERE segment = ?"
_AT_PLACE = "key IN (SELECT value FROM json_each(?)) AND seq = ? AND row = ?"


class SegmentSizes(NamedTuple):
    """How segments are made.

    *entries* after which a new one begins, *fan_out* of a level that are merged into one of the next, *step* entries
    that one step of a merge copies or deletes at most.
    """

    entries: int = 2_048
    fan_out: int = 8
    step: int = 4_096


USUAL_SEGMENTS = SegmentSizes()


class SearchKeys:
    """The search keys that one write transaction changes. *seq* and *row* are the head's as it began."""

    def __init__(self, connection: sqlite3.Connection, sizes: SegmentSizes) -> None:
        self._connection = connection
        self._sizes = sizes
        self.seq, self.row, self._entries, self._newest, self._first, self._open = connection.execute(_HEAD).fetchone()
        if self._open is None:
            raise Damaged("the table of segments of the store is empty; restore it from a backup")
        self.written = 0
        self._entries_before = self._entries

    def insert(self, records: Iterable[tuple[Sequence[int], int, int]]) -> None:
        """Adds the *records* (keys, seq, row)."""
        by_segment: defaultdict[int | None, list[tuple[Sequence[int], int, int]]] = defaultdict(list)
        for record in records:
            keys, seq, _ = record
            if seq < self._first:
                for segment in self.segments_of(seq):
                    by_segment[segment].append(record)
            elif keys:
                by_segment[self._open].append(record)
                self._entries += len(keys)
                self._newest = max(self._newest, seq)
            self.written += len(keys)
        for segment, some in by_segment.items():
            insert_keys(self._connection, segment, some)

    def drop(self, keys: Iterable[int], seq: int, row: int) -> None:
        """Deletes the entries of *keys* at a place."""
        values = (json_list(list(keys)), seq, row)
        for segment in self.segments_of(seq):
            self._connection.execute(f"DELETE {_from(segment)}", (*_of(segment), *values))

    def delete(self, entries: Iterable[Entry]) -> None:
        """Deletes *entries*, wherever they stand."""
        for segment, key, seq, row in entries:
            self._connection.execute(f"DELETE {_from(segment)}", (*_of(segment), json_list([key]), seq, row))

    def there(self, keys: Iterable[int], seq: int, row: int) -> set[int]:
        """Those of *keys* that have an entry at a place, where questions look for them."""
        segment = self.segments_of(seq)[0]
        values = (*_of(segment), json_list(list(keys)), seq, row)
        return {key for (key,) in self._connection.execute(f"SELECT key {_from(segment)}", values)}

    def finish(self, seq: int, row: int) -> bool:
        """Writes the head, from which the next commit starts. Whether a new segment began.

        Entries at places that were not drawn yet belong to the new one. They are moved if they are at most half, so
        those that stay, each of them once, pay for the move. If they are more, it is tried again at twice the entries.
        """
        begins: bool = self._entries >= self._sizes.entries and self._first <= seq
        ahead = 0
        if begins and self._newest > seq:
            begins = False
            if self._doubled():
                count, ahead = self._connection.execute(_COUNT_AHEAD, (seq, self._open)).fetchone()
                begins = 2 * ahead <= count
        if begins:
            self._begin(seq + 1, ahead)
        self._connection.execute(
            "UPDATE head SET seq = ?, row = ?, segment = max(segment, ?), entries = ?, newest = ?",
            (seq, row, self._open, self._entries, self._newest),
        )
        return begins

    def _doubled(self) -> bool:
        """Whether this transaction brought the open segment to its usual size, or to 2, 4, 8, ... times that."""
        now, before = (entries // self._sizes.entries for entries in (self._entries, self._entries_before))
        return bool(now.bit_length() > before.bit_length())

    def _begin(self, first: int, ahead: int) -> None:
        """Begins a segment at place *first*; *ahead* entries of the open one are there or later."""
        former = self._open
        self._open = self._connection.execute("SELECT segment + 1 FROM head").fetchone()[0]
        self._connection.execute("INSERT INTO segment VALUES (?, ?, 0, NULL)", (first, self._open))
        if ahead:
            there = "FROM segment_key WHERE segment = ? AND seq >= ?"
            copy = f"INSERT INTO segment_key SELECT ?, key, seq, row {there} ORDER BY key, seq, row"
            self._connection.execute(copy, (self._open, former, first))
            self._connection.execute(f"DELETE {there}", (former, first))
        self._first, self._entries = first, ahead

    def segments_of(self, seq: int) -> tuple[int | None, ...]:
        """Where entries at *seq* stand, ``None`` for before the first segment; two while their segment is merged."""
        if seq >= self._first:
            return (self._open,)
        found = self._connection.execute(_SEGMENTS, (seq,)).fetchone()
        if found is None:
            return (None,)
        return (found[0],) if found[1] is None else (found[0], found[1])


def _from(segment: int | None) -> str:
    """The entries of some keys at a place in *segment*. Values: those of ``_of``, keys, seq, row."""
    if segment is None:
        return f"FROM early_key WHERE {_AT_PLACE}"
    return f"FROM segment_key WHERE segment = ? AND {_AT_PLACE}"


def _of(segment: int | None) -> tuple[int, ...]:
    return () if segment is None else (segment,)
