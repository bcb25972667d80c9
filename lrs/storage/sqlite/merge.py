"""Merges segments of search keys in steps. Each is a short transaction of its own; any process may do the next.

What comes next follows from the tables, so there is no lease, and a kill costs the step that was not committed.
Segments of one level are neighbours, and those of a higher level are older. The oldest ``fan_out`` of a level get a
target. Their entries are copied to it in the order of the index, up to the place in ``merge``. Questions do not look at
the target before all is copied; then it takes the place of its sources, at the next level, and their entries are
deleted. The lowest level comes first, so a large merge does not let small segments pile up.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

import structlog

from lrs.storage.sqlite.keys import SegmentSizes
from lrs.storage.turn import Turn

LONGEST_S = 0.03
"""Seconds of merging between two commits while decisions wait. A step takes some 5 ms."""
PACE = 24
"""Entries copied or deleted for each that was written, while decisions wait. Each level costs two of them."""

_START = (-(1 << 63), 0, 0)
_LEFT, _BEGUN, _NEW = range(3)
"""What comes next on a level: entries of merged segments to delete, a merge to go on with, or one to begin."""
_NEXT = (
    f"SELECT level, {_LEFT}, number FROM merged UNION ALL SELECT level, {_BEGUN}, target FROM merge UNION ALL"
    f" SELECT level, {_NEW}, NULL FROM segment WHERE target IS NULL AND first < (SELECT max(first) FROM segment)"
    " GROUP BY level HAVING count(*) >= ? ORDER BY 1, 2 LIMIT 1"
)
_CHOOSE = (
    "UPDATE segment SET target = ?1 WHERE first IN (SELECT first FROM segment WHERE level = ?2 AND target IS NULL"
    " ORDER BY first LIMIT ?3)"
)
_NTH = (
    "SELECT key, seq, row FROM segment_key WHERE segment = ? AND (key, seq, row) > (?, ?, ?)"
    " ORDER BY key, seq, row LIMIT 1 OFFSET ?"
)
_COPY = (
    "INSERT OR IGNORE INTO segment_key SELECT ?1, key, seq, row FROM segment_key WHERE segment IN"
    " (SELECT number FROM segment WHERE target = ?1) AND (key, seq, row) > (?2, ?3, ?4)"
)
_UP_TO = " AND (key, seq, row) <= (?5, ?6, ?7)"
_IN_ORDER = " ORDER BY key, seq, row"

_log = structlog.get_logger()


def merge_step(connection: sqlite3.Connection, sizes: SegmentSizes) -> int:
    """Does the next step in the present transaction. Gives the number of entries copied or deleted, at least 1.

    0 if nothing is due.
    """
    found = connection.execute(_NEXT, (sizes.fan_out,)).fetchone()
    if found is None:
        return 0
    level, what, number = found
    if what == _LEFT:
        return 1 + _delete(connection, number, sizes.step)
    if what == _NEW:
        number = _begin(connection, level, sizes.fan_out)
    return 1 + _copy(connection, number, sizes.step // sizes.fan_out)


def _begin(connection: sqlite3.Connection, level: int, fan_out: int) -> int:
    """Gives the oldest segments of *level* a target, and its number."""
    connection.execute("UPDATE head SET segment = segment + 1")
    target = int(connection.execute("SELECT segment FROM head").fetchone()[0])
    connection.execute(_CHOOSE, (target, level, fan_out))
    connection.execute("INSERT INTO merge VALUES (?, ?, ?, ?, ?)", (target, level, *_START))
    return target


def _copy(connection: sqlite3.Connection, target: int, each: int) -> int:
    """Copies at most *each* entries of each source to *target*, and at least as many together unless they end."""
    at = connection.execute("SELECT key, seq, row FROM merge WHERE target = ?", (target,)).fetchone()
    sources = connection.execute("SELECT number FROM segment WHERE target = ?", (target,)).fetchall()
    bounds = [connection.execute(_NTH, (*source, *at, each - 1)).fetchone() for source in sources]
    bound = min((found for found in bounds if found is not None), default=None)
    if bound is None:
        copied = connection.execute(_COPY + _IN_ORDER, (target, *at)).rowcount
        _finish(connection, target)
    else:
        copied = connection.execute(_COPY + _UP_TO + _IN_ORDER, (target, *at, *bound)).rowcount
        connection.execute("UPDATE merge SET key = ?, seq = ?, row = ? WHERE target = ?", (*bound, target))
    return copied


def _finish(connection: sqlite3.Connection, target: int) -> None:
    """Puts *target* in the place of its sources."""
    first, level = connection.execute(
        "SELECT min(first), max(level) FROM segment WHERE target = ?", (target,)
    ).fetchone()
    connection.execute("INSERT INTO merged SELECT number, level FROM segment WHERE target = ?", (target,))
    connection.execute("DELETE FROM segment WHERE target = ?", (target,))
    connection.execute("INSERT INTO segment VALUES (?, ?, ?, NULL)", (first, target, level + 1))
    connection.execute("DELETE FROM merge WHERE target = ?", (target,))


def _delete(connection: sqlite3.Connection, number: int, most: int) -> int:
    """Deletes at most *most* entries of the merged segment *number*."""
    bound = connection.execute(_NTH, (number, *_START, most - 1)).fetchone()
    if bound is not None:
        up_to = "DELETE FROM segment_key WHERE segment = ? AND (key, seq, row) <= (?, ?, ?)"
        return connection.execute(up_to, (number, *bound)).rowcount
    connection.execute("DELETE FROM merged WHERE number = ?", (number,))
    return connection.execute("DELETE FROM segment_key WHERE segment = ?", (number,)).rowcount


class Merging:
    """Decides when this process merges: while no decision waits, or in turns with commits so that it keeps up.

    *failed* is told an error of SQLite; it ends the process where it must end, and gives the reason. What is not merged
    is found all the same, and requests are stored, so an error ends merging only until the next segment begins.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        turn: Turn,
        sizes: SegmentSizes,
        failed: Callable[[sqlite3.Error], Exception],
    ) -> None:
        self._connection = connection
        self._turn = turn
        self._sizes = sizes
        self._failed = failed
        self.is_due = True  # a former process may have left something
        self._credit = 0
        self._said = ""

    def wrote(self, entries: int, *, began: bool) -> None:
        """Call it after a commit that wrote *entries*. *began* says whether a segment began."""
        self._credit += PACE * entries
        self.is_due = self.is_due or began

    def run(self, is_wanted: Callable[[], bool]) -> None:
        """Merges until nothing is due, or until *is_wanted* says that a decision waits and it is its turn.

        Called in the writer's thread, outside of a transaction.
        """
        begun = time.monotonic()
        while self.is_due and (not is_wanted() or (self._credit > 0 and time.monotonic() - begun < LONGEST_S)):
            try:
                done = self.step()
            except Exception as error:  # noqa: BLE001 (the writer's thread must go on, and nothing is lost)
                self.is_due = False
                self._say(self._failed(error) if isinstance(error, sqlite3.Error) else error)
            else:
                self._said = ""
                self.is_due = done > 0
                self._credit -= done
        if not self.is_due:
            self._credit = 0

    def step(self) -> int:
        """One step in a transaction of its own. See ``merge_step``."""
        connection = self._connection
        with self._turn:
            try:
                connection.execute("BEGIN IMMEDIATE")
                done = merge_step(connection, self._sizes)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        return done

    def _say(self, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        if reason != self._said:
            self._said = reason
            told = "search keys could not be merged: they are found, but queries get slower; it is tried again"
            _log.warning(told, reason=reason)
