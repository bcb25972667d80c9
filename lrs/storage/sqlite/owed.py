"""Owed work on SQLite: leasing entries, handing them back, looking at what waits. Part of the engine's store.

In the table ``owed``, ``at`` is when an entry may be claimed (0 at once; else microseconds UTC: when it is due, the end
of its lease, or never while it is put aside), and ``due`` since when it is owed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from lrs.kernel.errors import Damaged
from lrs.storage import records
from lrs.storage.contract import Tx
from lrs.storage.leases import TOKEN_BYTES, Ahead, first_leased, is_alone, new_token
from lrs.storage.records import NEWEST, ROWS, Backlog, Claim, Clock, Owed, Record
from lrs.storage.sqlite.owing import row_of, token_of
from lrs.storage.sqlite.read import COLUMNS, record_of
from lrs.storage.sqlite.readers import Asks
from lrs.storage.sqlite.rows import json_list
from lrs.storage.sqlite.tx import ours

T = TypeVar("T")
PARKED = NEWEST
_OWED = (
    f"SELECT {COLUMNS}, k.name, o.step, o.due, o.tries, o.error, o.at"
    " FROM owed o JOIN record r ON r.row = o.row JOIN kind k ON k.number = r.kind"
)


_WITHOUT = (
    " AND NOT EXISTS (SELECT 1 FROM record r CROSS JOIN json_each(?) k WHERE r.row = owed.row AND ("
    "EXISTS (SELECT 1 FROM segment_key f WHERE f.segment ="
    " (SELECT number FROM segment WHERE first <= r.seq ORDER BY first DESC LIMIT 1)"
    " AND f.key = k.value AND f.seq = r.seq AND f.row = r.row)"
    " OR EXISTS (SELECT 1 FROM early_key f WHERE f.key = k.value AND f.seq = r.seq AND f.row = r.row)))"
)
"""Leaves out records with one of some keys: two looks in the index for each entry and key."""
_LOCKED = (
    "step = :step AND at > :least AND at < :parked"
    " AND at > CASE WHEN token IS NOT NULL THEN :lease WHEN tries THEN :tried ELSE :untried END"
)


class SqliteOwed(Asks):
    """The part of ``Store`` about owed work. The store has the writer, a reader for each thread, and the clock."""

    _clock: Clock

    def write(
        self, decide: Callable[[Tx], T], *, weight: int = ROWS, reads: Sequence[tuple[str, str]] = ()
    ) -> Future[T]:
        """See ``Store.write``."""
        raise NotImplementedError

    def claim(
        self, steps: Sequence[str], *, limit: int, lease: int, oldest: bool = False, without: Sequence[int] = ()
    ) -> list[Claim]:
        """See ``Store.claim``.

        Takes entries that are neighbours and share pages, at a random place, so workers seldom meet.
        """
        now = self._clock()
        query, keys = _free("token IS NULL", without)
        window = limit if oldest else 4 * limit
        due: list[tuple[int, str]] = []
        for step in dict.fromkeys(steps):
            found = self._ask(query, (step, now, *keys, window))
            start = random.randrange(max(1, len(found) - limit + 1))  # noqa: S311 (no secret)
            due.extend(found[start : start + limit])
        if not due:
            return []
        if len(due) > limit:  # of several steps: each has its share
            random.shuffle(due)
            del due[limit:]
        return self._leased(self._fitting(due), now, now + lease, new_token())

    def _fitting(self, due: Sequence[tuple[int, str]]) -> Sequence[tuple[int, str]]:
        """The first of *due* whose records have ``PAGE_BYTES`` together; at least one."""
        query = (
            "SELECT row, max(size, length(kept)) + length(keys) + length(meta) FROM record"
            " WHERE row IN (SELECT value FROM json_each(?))"
        )
        sizes = dict(self._ask(query, (json_list([row for row, _ in due]),)))
        total = 0
        for count, (row, _) in enumerate(due):
            total += sizes.get(row, 0)
            if total > records.PAGE_BYTES and count:
                return due[:count]
        return due

    def claim_lost(self, steps: Sequence[str], *, lease: int, without: Sequence[int] = ()) -> Claim | None:
        """See ``Store.claim_lost``. Entries owed at once have ``at`` 0 and are not scanned."""
        now = self._clock()
        query, keys = _free("at > 0 AND token IS NOT NULL", without)

        def look() -> list[tuple[int, str]]:
            return [row for step in steps for row in self._ask(query, (step, now, *keys, 8))]

        return first_leased(look, lambda one: self._leased([one], now, now + lease, new_token(alone=True)))

    def locked(self, step: str, ahead: Ahead) -> int:
        """See ``Store.locked``."""
        ((found,),) = self._ask(f"SELECT count(*) FROM owed WHERE {_LOCKED}", _bounds(step, ahead, self._clock()))
        return int(found)

    def unlock(self, step: str, ahead: Ahead) -> int:
        """See ``Store.unlock``."""
        change = f"UPDATE owed SET at = 0, due = min(due, :now), token = NULL WHERE {_LOCKED}"
        values = _bounds(step, ahead, self._clock())
        return self.write(lambda tx: ours(tx).execute(change, values)).result()

    def defer(self, claim: Claim, *, due: int, error: str | None, parked: bool = False) -> bool:
        """See ``Store.defer``."""
        change = (
            "UPDATE owed SET at = ?, due = ?, tries = tries + 1, error = ?, token = NULL"
            " WHERE row = ? AND step = ? AND token = ?"
        )
        values = (PARKED if parked else due, due, error, row_of(claim), claim.owed.step, token_of(claim))
        return self.write(lambda tx: ours(tx).execute(change, values) > 0).result()

    def release(self, claims: Sequence[Claim]) -> None:
        """See ``Store.release``."""
        change = "UPDATE owed SET at = 0, token = NULL WHERE row = ? AND step = ? AND token = ?"
        values = [(row_of(claim), claim.owed.step, token_of(claim)) for claim in claims]

        def decide(tx: Tx) -> None:
            for each in values:
                ours(tx).execute(change, each)

        if values:
            self.write(decide).result()

    def holds(self, claim: Claim) -> bool:
        """See ``Store.holds``."""
        query = "SELECT 1 FROM owed WHERE row = ? AND step = ? AND token = ?"
        values = (row_of(claim), claim.owed.step, token_of(claim))
        return bool(self._ask(query, values))

    def backlog(self) -> list[Backlog]:
        """See ``Store.backlog``."""
        rows = self._ask(
            "SELECT step, sum(at < ?1), sum(at = ?1), min(CASE WHEN at < ?1 THEN due END) FROM owed GROUP BY step",
            (PARKED,),
        )
        return [Backlog(*row) for row in rows]

    def is_due(self, steps: Sequence[str]) -> bool:
        """See ``Store.is_due``."""
        query = "SELECT 1 FROM owed WHERE step = ? AND at <= ? LIMIT 1"
        now = self._clock()
        return any(self._ask(query, (step, now)) for step in steps)

    def next_due(self, steps: Sequence[str]) -> int | None:
        """See ``Store.next_due``."""
        query = "SELECT min(at) FROM owed WHERE step = ? AND at < ?"
        found = [self._ask(query, (step, PARKED)) for step in steps]
        return min((at for ((at,),) in found if at is not None), default=None)

    def failing(self, step: str | None = None, *, limit: int = 100) -> list[tuple[Record, Owed]]:
        """See ``Store.failing``."""
        return self._entries("o.error IS NOT NULL AND o.at < ?", step, limit)

    def parked(self, step: str | None = None, *, limit: int = 100) -> list[tuple[Record, Owed]]:
        """See ``Store.parked``."""
        return self._entries("o.at = ?", step, limit)

    def _entries(self, which: str, step: str | None, limit: int) -> list[tuple[Record, Owed]]:
        of_step, values = ("", ()) if step is None else ("o.step = ? AND", (step,))
        query = f"{_OWED} WHERE {of_step} {which} LIMIT ?"
        rows = self._ask(query, (*values, PARKED, limit))
        return [(_readable(row)[0], Owed(row[9], row[10], row[11], row[12], parked=row[13] == PARKED)) for row in rows]

    def _leased(self, due: Sequence[tuple[int, str]], now: int, until: int, token: bytes) -> list[Claim]:
        """Leases those of *due* that can still be claimed."""
        if not due:
            return []
        self.write(lambda tx: _lease(tx, due, token, now, until)).result()
        # Read after the commit, because a commit blocks every other writer. A change made since makes the lease stale.
        leased = self._ask(
            f"{_OWED} WHERE o.row IN (SELECT value FROM json_each(?)) AND o.token = ?",
            (json_list([row for row, _ in due]), token),
        )
        claims = []
        for row in leased:
            record, damage = _readable(row)
            claim = Claim(record, Owed(*row[9:13]), f"{token.hex()}-{row[9]}-{row[0]}")
            if damage is None:
                claims.append(claim)
            else:  # nobody can run it, and the others must not wait for it
                self.defer(claim, due=now, error=damage, parked=True)
        return claims


def _readable(row: Sequence[Any]) -> tuple[Record, str | None]:
    """The record in a row of ``_OWED``, and what is damaged; its body is empty then."""
    try:
        return record_of(row[8], row[:8]), None
    except Damaged as error:
        return record_of(row[8], (*row[:5], b"", 0, row[7])), str(error)


def _free(which: str, without: Sequence[int]) -> tuple[str, tuple[str, ...]]:
    """The query for due entries, those at once before those that were handed back, and the values for *without*."""
    query = f"SELECT row, step FROM owed WHERE step = ? AND at <= ? AND {which}"
    if not without:
        return f"{query} ORDER BY at, row LIMIT ?", ()
    return f"{query}{_WITHOUT} ORDER BY at, row LIMIT ?", (json_list(without),)


def _lease(tx: Tx, due: Sequence[tuple[int, str]], token: bytes, now: int, until: int) -> None:
    """Marks what is still due.

    An entry that was leased alone was being run when its worker died, so a try is counted.
    """
    lost = "IS NOT NULL" if is_alone(token) else "IS NULL"
    for step in {step for _, step in due}:
        ours(tx).execute(
            f"UPDATE owed SET tries = tries + (token IS NOT NULL AND length(token) > {TOKEN_BYTES}), token = ?, at = ?"
            f" WHERE row IN (SELECT value FROM json_each(?)) AND step = ? AND +at <= ? AND token {lost}",
            (token, until, json_list([row for row, one in due if one == step]), step, now),
        )


def _bounds(step: str, ahead: Ahead, now: int) -> dict[str, str | int]:
    """The values of ``_LOCKED``."""
    untried = PARKED if ahead.untried is None else now + ahead.untried
    return {
        "step": step,
        "now": now,
        "least": now + ahead.least,
        "lease": now + ahead.lease,
        "tried": now + ahead.tried,
        "untried": untried,
        "parked": PARKED,
    }
