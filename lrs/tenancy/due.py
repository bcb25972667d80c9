"""Which tenants have something due, and when: so that a worker looks into no store of one that is idle.

A part of the register. An entry says from when on a tenant is to be looked at. Whoever commits to a tenant's store
notes it here afterwards; a worker that finds nothing due puts down when there will be, or that there is nothing.

Neither can miss the other. A worker first puts the entry off for a minute, then looks once more, and puts down what it
found only if the entry is as it left it: a commit before that look is found by it, and one after it is noted after it.
A tenant that was noted stays for ``LINGER``, so whoever commits again within ``NOTED`` need not write. A process that
dies between its commit and its note leaves a late look: a worker goes through all stores, slowly (``upkeep``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import msgspec

from lrs.kernel.errors import Overloaded
from lrs.storage import NEWEST, Clock, Record, Stale, Store, Tx, first_seq, last_seq, pages
from lrs.storage.kinds import Kind

KIND = "due"
SECOND = 1_000_000
NOTED = 5.0
"""Seconds for which a process that noted a tenant need not note it again."""
LINGER = 15 * SECOND
"""Microseconds for which a tenant stays due after it was noted: machines' clocks may differ by the rest."""
AGAIN = 60 * SECOND
"""Microseconds until a tenant is looked at whose worker died between putting it off and looking once more."""
NEVER = NEWEST


class Due:
    """The entries, in the order of their times."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[str, float] = {}
        self._lock = threading.Lock()

    def tenants(self) -> list[str]:
        """Those to be looked at now."""
        until = last_seq(self._clock())
        first = self._store.find(KIND, until=until, limit=1_000)
        if first.next is None:
            return [record.id for record in first.records]
        return [record.id for record in pages(self._store, KIND) if record.seq <= until]

    def note(self, tenant: str) -> None:
        """Says that *tenant* may owe something since a moment ago. Waits for nothing."""
        now = time.monotonic()
        with self._lock:
            if now < self._noted.get(tenant, 0.0):
                return
            self._noted[tenant] = now + NOTED
        try:
            self._mark(tenant).add_done_callback(lambda done: self._unless_kept(tenant, done))
        except Overloaded:  # too much waits, or the register was closed
            self._forget(tenant)

    def hush(self, tenant: str) -> None:
        """Does not note what this process commits to *tenant* within ``NOTED``: upkeep, which owes nothing."""
        with self._lock:
            self._noted[tenant] = max(self._noted.get(tenant, 0.0), time.monotonic() + NOTED)

    def mark(self, tenant: str) -> None:
        """As ``note``; durable on return."""
        self._mark(tenant).result()

    def clear(self, tenant: str) -> None:
        """Takes *tenant* out, until it is noted again."""
        self._put(tenant, NEVER, None)

    def rest(self, tenant: str, next_due: Callable[[], int | None]) -> bool:
        """Puts down when *tenant* is to be looked at next; ``False`` if that is now.

        *next_due* reads its store: the time of the first entry of owed work (microseconds UTC), ``None`` without one.
        """
        now = self._clock()
        entry = self._store.get(KIND, tenant)
        if entry is not None and entry.meta["noted"] > now - LINGER:
            return False
        at = next_due()
        if at is not None and at <= now:
            return False
        if (entry.seq if entry else NEVER) == _place(at):
            return True
        put_off = self._put(tenant, first_seq(now + AGAIN), entry.rev if entry else 0)
        if put_off is None:
            return False
        at = next_due()
        return self._put(tenant, _place(at), put_off.rev) is not None and (at is None or at > now)

    def _mark(self, tenant: str) -> Future[None]:
        def decide(tx: Tx) -> None:
            now = self._clock()
            there = tx.get(KIND, tenant)
            entry = Record(KIND, tenant, meta={"noted": now}, seq=first_seq(now))
            if there is None:
                tx.insert(entry)
            else:
                tx.replace(msgspec.structs.replace(entry, seq=min(entry.seq, there.seq), rev=there.rev))

        return self._store.write(decide)

    def _put(self, tenant: str, seq: int, rev: int | None) -> Record | None:
        """Sets the place of an entry that has the revision *rev* (0: there is none); ``None`` if it has another."""

        def decide(tx: Tx) -> Record:
            there = tx.get(KIND, tenant)
            if rev is not None and (there.rev if there else 0) != rev:
                raise Stale(KIND, tenant)
            if there is None:
                return tx.insert(Record(KIND, tenant, meta={"noted": 0}, seq=seq))
            return tx.replace(msgspec.structs.replace(there, seq=seq))

        try:
            return self._store.write(decide).result()
        except Stale:
            return None

    def _unless_kept(self, tenant: str, done: Future[None]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._forget(tenant)

    def _forget(self, tenant: str) -> None:
        with self._lock:
            self._noted.pop(tenant, None)


def _place(at: int | None) -> int:
    return NEVER if at is None else min(first_seq(at), NEVER)


KINDS = (Kind(KIND, "working", subjects=None, retention="operational", exported=False),)
