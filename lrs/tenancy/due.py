"""The due index: when each tenant may next have due work, so that a worker does not look into stores of idle tenants.

It is part of the control store. An entry says from when on a tenant is to be looked at. A process that commits to a
tenant's store notes the tenant here afterwards. A worker that finds nothing due records when there will be something,
or that there is nothing. Neither can miss the other: a worker first defers the entry for a minute, then looks once
more, and records the result only if the entry is unchanged. A commit before that look is found by it, and a commit
after it is noted after it.

A noted tenant stays due for ``LINGER``, so a process that commits again within ``NOTED`` need not write. If a process
dies between its commit and its note, its log stays beside the store. The next start, and a worker's ``upkeep``, notice
that and make the tenant due.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from functools import partial

import msgspec
import structlog

from lrs.kernel.admission import Overloaded
from lrs.kernel.errors import StoreFull
from lrs.kernel.times import MINUTE, SECOND
from lrs.storage import NEWEST, ROWS, Clock, Record, Stale, Store, Tx, Walk, first_seq, last_seq, walked
from lrs.storage.kinds import Kind
from lrs.storage.wakeups import Wakeups

KIND = "due"
NOTED = 5.0
"""Seconds for which a process that noted a tenant does not note it again."""
LINGER = 15 * SECOND
"""Microseconds for which a tenant stays due after it was noted. What is beyond ``NOTED`` allows for clocks that differ.
"""
AGAIN = MINUTE
"""Microseconds until a tenant is looked at again if a worker dies between deferring it and looking."""
NEVER = NEWEST
_AT_ONCE = 100
_log = structlog.get_logger()


class DueIndex:
    """The entries, in the order of their times. *wakeups* reach the workers of this machine, if it has any."""

    def __init__(self, store: Store, clock: Clock, wakeups: Wakeups | None = None) -> None:
        self._store = store
        self._clock = clock
        self._wakeups = wakeups
        self._call: Callable[[str, Collection[str]], object] = self._wake
        self._noted: dict[str, float] = {}
        self._lock = threading.Lock()

    def tenants(self) -> list[str]:
        """The tenants to look at now."""
        due = Walk(KIND, until=last_seq(self._clock()), limit=1_000)
        return [record.id for record in walked(self._store, due)]

    def revisions(self) -> dict[str, int]:
        """The revision of each entry. To a tenant with the same one as before nothing was committed, unless it is due.

        That holds if ``tenants`` was asked first: a commit of a tenant that is due need not change its entry.
        """
        return {record.id: record.rev for record in walked(self._store, Walk(KIND, limit=1_000, bare=True))}

    def call_here(self, call: Callable[[str, Collection[str]], object]) -> None:
        """From now on *call* is told what commits of this process owe, and no other process is woken for it."""
        self._call = call

    def committed(self, tenant: str, steps: Collection[str]) -> None:
        """Wakes a worker if a commit owed *steps* of *tenant* at once, and notes the tenant. Does not wait."""
        if steps:
            self._call(tenant, steps)
        self.note(tenant)

    def _wake(self, tenant: str, steps: Collection[str]) -> None:
        if self._wakeups is not None:
            self._wakeups.send(" ".join((tenant, *steps)))

    def close(self) -> None:
        """Lets go of the worker that was woken last."""
        if self._wakeups is not None:
            self._wakeups.close()

    def note(self, tenant: str) -> None:
        """Notes that *tenant* may owe something. Does not wait."""
        now = time.monotonic()
        with self._lock:
            if now < self._noted.get(tenant, 0.0):
                return
            self._noted[tenant] = now + NOTED
        try:
            self._mark(tenant).add_done_callback(lambda done: self._unless_kept(tenant, done))
        except Overloaded:  # too much waits, or the control store was closed
            self._forget(tenant)

    def hush(self, tenant: str) -> None:
        """Does not note what this process commits to *tenant* within ``NOTED``: upkeep, which owes nothing."""
        with self._lock:
            self._noted[tenant] = max(self._noted.get(tenant, 0.0), time.monotonic() + NOTED)

    def mark(self, tenant: str) -> None:
        """As ``note``, but durable when it returns."""
        self._mark(tenant).result()

    def mark_done(self, tenant: str) -> None:
        """As ``mark``, after all is stored. A disk without room is logged only: upkeep finds what is owed."""
        try:
            self.mark(tenant)
        except StoreFull as error:
            _log.warning("this is stored; what follows from it waits for upkeep", tenant=tenant, why=str(error))

    def look_into(self, tenants: Sequence[str]) -> None:
        """Makes each of *tenants* due at once, because commits may not have been noted. Durable when it returns."""
        for start in range(0, len(tenants), _AT_ONCE):
            some = tenants[start : start + _AT_ONCE]
            self._store.write(partial(self._bring_forward, some), weight=len(some) * ROWS).result()

    def _bring_forward(self, tenants: Sequence[str], tx: Tx) -> None:
        now = first_seq(self._clock())
        for tenant in tenants:
            there = tx.get(KIND, tenant)
            if there is None:
                tx.insert(Record(KIND, tenant, meta={"noted": 0}, seq=now))
            elif there.seq > now:
                tx.replace(msgspec.structs.replace(there, seq=now))

    def clear(self, tenant: str) -> None:
        """Removes *tenant*, until it is noted again."""
        self._put(tenant, NEVER, None)

    def rest(self, tenant: str, next_due: Callable[[], int | None]) -> bool:
        """Records when *tenant* is to be looked at next. ``False`` if that is now.

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
        """Sets the place of an entry with the revision *rev* (0: there is none).

        ``None`` if it has another revision.
        """

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
