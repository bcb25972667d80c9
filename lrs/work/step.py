"""A step of owed work: how it is run, what becomes of an entry that fails, and who runs one whose worker died."""

from __future__ import annotations

import random
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from lrs.kernel.plain_text import counted
from lrs.kernel.times import SECOND
from lrs.storage import Claim, Tx
from lrs.storage.leases import Ahead
from lrs.tenancy.tenants import Tenant

LONGEST_WAIT = 3_600
"""Longest wait in seconds before a failed entry is tried again. Jitter at most doubles it."""
PATIENCE = 1.0
"""Seconds for which a step waits while another has more due, so that one run follows from both."""
SKEW = 600
"""Seconds by which the clocks of two machines may differ, added to the longest lease or wait."""
_log = structlog.get_logger()

Failures = Sequence[tuple[Claim, Exception]]
"""Entries that failed unforeseen, with the reason; they are still leased."""


def park(tenant: Tenant, claim: Claim, reason: str) -> None:
    """Puts an entry aside."""
    tenant.store.defer(claim, due=tenant.clock(), error=reason, parked=True)


class UnderWay(Protocol):
    """What was begun of a step for one tenant, and goes on in other threads. One thread calls its methods."""

    @property
    def claims(self) -> Sequence[Claim]:
        """What was begun and is not settled."""

    def room(self, tenant: Tenant) -> tuple[int, Sequence[int]]:
        """How many entries can be claimed now, and keys of the records to leave out."""

    def begin(self, tenant: Tenant, claims: Sequence[Claim], until: int) -> Failures:
        """Begins what *claims* owe, which are leased *until* (microseconds UTC)."""

    def put_down(self, tenant: Tenant) -> Failures:
        """Stores what has ended."""

    def rest(self, tenant: Tenant) -> None:
        """Called when nothing more could be claimed."""

    def release(self, tenant: Tenant) -> None:
        """Hands back what was claimed and not begun."""

    def wait(self) -> None:
        """Waits until there is something for ``put_down``, or more room."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Step:
    """How one step is run: by *run*, or if other threads go on with it, by what *aside* makes for each tenant.

    *batch* is how many entries are claimed at once, *lease* for how many seconds, *tries* after how many failures an
    entry is put aside. *share* is what it gets of the time of the longest step before it while more is due than can be
    done: less than 1 for what can wait until all that came in is read. While the step *after* has more due in the same
    lane, it waits for that, ``PATIENCE`` seconds at a time. *wait* is the longest wait of a failed entry in
    seconds, *planned* how far ahead one is owed (``None``: any day). *give_up* puts an entry aside, with the reason.
    *first* is called before a tenant's first round. Nothing of a step is claimed for a tenant until *ready* says so.
    *aside* is given what wakes the lane. *retry* makes the entry of a record (kind, id) due again if it was put aside,
    where more than the entry must change. *undone* says what is not done while an entry is put aside: for a kind of
    record, and under "" for all others.
    """

    run: Callable[[Tenant, Sequence[Claim]], None] | None = None
    batch: int = 1
    share: float = 1.0
    after: str = ""
    lease: int = 60
    tries: int = 10
    wait: int = 2 * LONGEST_WAIT
    planned: int | None = 0
    give_up: Callable[[Tenant, Claim, str], None] = park
    first: Callable[[Tenant], None] | None = None
    ready: Callable[[Tenant], bool] | None = None
    aside: Callable[[Callable[[], None]], UnderWay] | None = None
    retry: Callable[[Tx, str, str], bool] | None = None
    undone: Mapping[str, str] = field(default_factory=dict)

    @property
    def ahead(self) -> Ahead:
        """How far ahead of now an entry may be due, with some tolerance for clocks that differ."""
        untried = None if self.planned is None else (self.planned + SKEW) * SECOND
        return Ahead(2 * self.lease * SECOND, (self.wait + SKEW) * SECOND, untried)


def failed(tenant: Tenant, step: Step, claim: Claim, error: Exception) -> None:
    """Hands an entry back for later, or gives it up, with the reason."""
    if not tenant.store.holds(claim):
        return  # it was settled before the failure, or somebody else has it now
    tries = claim.owed.tries + 1
    reason = f"{type(error).__name__}: {error}"[:500]
    if tries >= step.tries:
        step.give_up(tenant, claim, reason)
    else:
        wait = min(2**tries, LONGEST_WAIT) * (1 + random.random())  # noqa: S311 (jitter, no secret)
        tenant.store.defer(claim, due=tenant.clock() + round(wait * SECOND), error=reason)
    _log.warning("step failed", step=claim.owed.step, id=claim.record.id, tries=tries, error=type(error).__name__)


def give_up_lost(tenant: Tenant, step: Step, claim: Claim) -> None:
    """Gives up an entry whose workers died, so there is no other reason to give."""
    step.give_up(tenant, claim, f"its worker ended {counted(claim.owed.tries, 'time')} while it was run")


class Alone:
    """Who runs an entry whose worker died: one at a time in this process. Whoever is gone does not any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by: weakref.ref[object] | None = None

    def take(self, by: object) -> bool:
        """``False`` if somebody runs one."""
        with self._lock:
            if self._by is not None and self._by() is not None:
                return False
            self._by = weakref.ref(by)
            return True

    def give(self, by: object) -> None:
        """Says that *by* runs none any more."""
        with self._lock:
            if self._by is not None and self._by() is by:
                self._by = None


ALONE = Alone()
