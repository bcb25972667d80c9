"""What records come to owe in a write transaction: gathered, and written together. Knows no record but its row."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from lrs.storage.records import NEWEST, Claim, Clock, Owed
from lrs.storage.sqlite.rows import OWED, insert_rows


class OwingEntries:
    """Entries of owed work, not yet written. *called* are the steps that what was written owes at once."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._entries: list[tuple[int, Owed]] = []
        self._names: set[tuple[int, str]] = set()
        self.called: set[str] = set()

    def __len__(self) -> int:
        """How many entries are not yet written."""
        return len(self._entries)

    def add(self, row: int, owed: Owed) -> None:
        """Has the record of *row* owe *owed*."""
        self._entries.append((row, owed))
        self._names.add((row, owed.step))

    def meets(self, claims: Collection[Claim]) -> bool:
        """Whether an entry of *claims* may be among what is not yet written, which makes the claim stale."""
        return bool(self._names) and any((row_of(claim), claim.owed.step) in self._names for claim in claims)

    def undo(self, count: int) -> None:
        """Leaves only the first *count* entries."""
        del self._entries[count:]

    def write(self) -> None:
        """Writes the entries.

        One that is due at once gets ``at`` 0, so it does not depend on clocks; ``due`` is kept for the lag.
        """
        now = self._clock()
        self.called.update(owed.step for _, owed in self._entries if owed.is_called(now))
        values = [value for row, owed in self._entries for value in (row, *_columns(owed, now))]
        self._entries.clear()
        self._names.clear()
        insert_rows(self._connection, OWED, values)


def token_of(claim: Claim) -> bytes:
    """The stored token of a lease, the same for all that were claimed together."""
    return bytes.fromhex(claim.token.partition("-")[0])


def row_of(claim: Claim) -> int:
    """The row of the record that owes what was claimed."""
    return int(claim.token.rpartition("-")[2])


def _columns(owed: Owed, now: int) -> tuple[str, int, int, int, str | None]:
    """The columns step, at, due, tries and error of a new entry."""
    due = owed.due or now
    if owed.parked:
        return owed.step, NEWEST, due, owed.tries, owed.error
    return owed.step, owed.due, due, 0, None
