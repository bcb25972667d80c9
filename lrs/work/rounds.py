"""The owed work of one tenant, done in rounds: claiming, running, and what becomes of what fails. Knows no step.

A round looks at each step once, in order, one batch at a time. A step of which more is due gets further batches until
it has used as much time as the longest before it in the round, so that none waits behind another's queue. Batches are
as large as can be done in about ``SLICE`` seconds.

An entry whose worker ended is run by itself, one at a time in this process, so that only the one that ends workers is
put aside.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from lrs.storage import Claim, Stale
from lrs.storage.leases import Ahead
from lrs.tenancy.tenants import Tenant

SECOND = 1_000_000
GATHER = 0.05
"""Seconds from the beginning of one round to that of the next, where less was found than could be done."""
SLICE = 1.0
"""Seconds of computing that a batch may take; the next one is half as large if it took longer. Not of the wall clock:
on a machine that is short of time, smaller batches would cost more still. That counts only where a lease might run out.
"""
UNLOCK_EVERY = 60.0
"""Seconds between two looks for what a clock that was ahead has locked; one that goes back is looked into at once."""
LONGEST_WAIT = 3_600
"""Seconds until what failed is tried again, without the jitter, which doubles them at the most."""
SKEW = 600
"""Seconds that the clocks of two machines may differ, beside the longest lease or wait."""

_log = structlog.get_logger()
_one_by_one = threading.Lock()


def park(tenant: Tenant, claim: Claim, reason: str) -> None:
    """Puts an entry aside."""
    tenant.store.defer(claim, due=tenant.clock(), error=reason, parked=True)


@dataclass(frozen=True, slots=True)
class Step:
    """How one step is run: *batch* claims at once, leased for *lease* seconds, put aside after *tries* failures.

    A step that *waits* for others does not get smaller batches for it: they wait together.
    *wait* is the longest that a failed entry waits, *planned* the longest that one is owed ahead, in seconds; ``None``
    for any day to come. *give_up* puts one aside, with the reason. *first* is called before a tenant's first
    round. Until a step is *ready* for a tenant, nothing of it is claimed.
    """

    run: Callable[[Tenant, Sequence[Claim]], None]
    batch: int = 1
    lease: int = 60
    tries: int = 10
    waits: bool = False
    wait: int = 2 * LONGEST_WAIT
    planned: int | None = 0
    give_up: Callable[[Tenant, Claim, str], None] = park
    first: Callable[[Tenant], None] | None = None
    ready: Callable[[Tenant], bool] | None = None

    @property
    def ahead(self) -> Ahead:
        """How far ahead of now an entry may lie; those of clocks that differ a little are spared."""
        untried = None if self.planned is None else (self.planned + SKEW) * SECOND
        return Ahead(2 * self.lease * SECOND, (self.wait + SKEW) * SECOND, untried)


@dataclass(frozen=True, slots=True)
class Pause:
    """A round is over: how many entries it claimed, and the seconds until the next one is to begin."""

    claimed: int
    seconds: float


class Work:
    """What *tenant* owes of *steps*."""

    def __init__(self, tenant: Tenant, steps: Mapping[str, Step]) -> None:
        self.tenant = tenant
        self._steps = steps
        self._limits = {name: step.batch for name, step in steps.items()}
        self._first = [step.first for step in steps.values() if step.first]
        self._round: Iterator[tuple[int, bool]] | None = None
        self._begun = self._looked = 0.0
        self._wall = 0
        self._claimed = 0
        self._full = False

    def turn(self) -> Pause | None:
        """Runs one batch of one step; gives the pause once the round is over."""
        if self._round is None:
            self._begin()
        assert self._round is not None  # noqa: S101 (begun above)
        try:
            count, full = next(self._round)
        except StopIteration:
            self._round = None
            left = 0.0 if self._full else max(0.0, self._begun + GATHER - time.monotonic())
            return Pause(self._claimed, left)
        except BaseException:
            self._round = None
            raise
        self._claimed += count
        self._full = self._full or full
        return None

    def _begin(self) -> None:
        self._begun, self._claimed, self._full = time.monotonic(), 0, False
        while self._first:
            self._first[0](self.tenant)
            del self._first[0]  # only now: what failed is called again
        wall = self.tenant.clock()
        if wall < self._wall or self._begun >= self._looked:
            for name, count in unlock(self.tenant, self._steps).items():
                _log.warning(
                    "what a clock that was ahead had locked is due", tenant=self.tenant.id, step=name, count=count
                )
            self._looked = self._begun + UNLOCK_EVERY
        self._wall = wall
        self._round = self._batches()

    def _batches(self) -> Iterator[tuple[int, bool]]:
        """How many entries each batch claimed, and whether there may be more of the same."""
        longest = 0.0
        for name in self._steps:
            spent = 0.0
            while True:
                begun = time.monotonic()
                count, full = self._run(name)
                if not count:
                    break
                spent += time.monotonic() - begun
                yield count, full
                if not full or spent >= longest:
                    break
            longest = max(longest, spent)

    def _run(self, name: str) -> tuple[int, bool]:
        """One batch of a step, and one entry whose worker ended."""
        step, limit = self._steps[name], self._limits[name]
        if step.ready and not step.ready(self.tenant):
            return 0, False
        begun, computed = time.monotonic(), time.thread_time()
        claims = self.tenant.store.claim([name], limit=limit, lease=step.lease * SECOND)
        if claims:
            _run_batch(self.tenant, step, claims)
        full = len(claims) >= limit
        took, computed = time.monotonic() - begun, time.thread_time() - computed
        if not step.waits and (computed > SLICE or took > step.lease / 4):
            self._limits[name] = max(1, limit // 2)
        elif full and computed < SLICE / 2:
            self._limits[name] = min(step.batch, limit * 2)
        lost = _run_lost(self.tenant, name, step)
        return len(claims) + lost, full or lost > 0


def unlock(tenant: Tenant, steps: Mapping[str, Step]) -> dict[str, int]:
    """Makes due what a clock that was ahead has locked; how many entries of which steps."""
    locked = [name for name, step in steps.items() if tenant.store.locked(name, step.ahead)]
    freed = {name: tenant.store.unlock(name, steps[name].ahead) for name in locked}
    return {name: count for name, count in freed.items() if count}


def _run_batch(tenant: Tenant, step: Step, claims: Sequence[Claim]) -> None:
    if len(claims) == 1:
        _run_alone(tenant, step, claims[0])
        return
    try:
        step.run(tenant, claims)
    except Exception:  # noqa: BLE001 (each is run by itself below, where a failure is kept with its reason)
        for claim in claims:
            if tenant.store.holds(claim):
                _run_alone(tenant, step, claim)


def _run_lost(tenant: Tenant, name: str, step: Step) -> int:
    """One entry whose worker ended; none while another thread runs one: it would not be known which was to blame."""
    if not _one_by_one.acquire(blocking=False):
        return 0
    try:
        claim = tenant.store.claim_lost([name], lease=step.lease * SECOND)
        if claim is None:
            return 0
        if claim.owed.tries >= step.tries:  # whoever had it never came back to say why
            step.give_up(tenant, claim, f"its worker ended {claim.owed.tries} times while it was run")
        else:
            _run_alone(tenant, step, claim)
        return 1
    finally:
        _one_by_one.release()


def _run_alone(tenant: Tenant, step: Step, claim: Claim) -> None:
    try:
        step.run(tenant, [claim])
    except Stale:
        return  # settled already, or somebody else has it now
    except Exception as error:  # noqa: BLE001 (the one place that goes on: the step stays owed, with the reason)
        tries = claim.owed.tries + 1
        reason = f"{type(error).__name__}: {error}"[:500]
        if tries >= step.tries:
            step.give_up(tenant, claim, reason)
        else:
            wait = min(2**tries, LONGEST_WAIT) * (1 + random.random())  # noqa: S311 (jitter, no secret)
            tenant.store.defer(claim, due=tenant.clock() + round(wait * SECOND), error=reason)
        _log.warning("step failed", step=claim.owed.step, id=claim.record.id, tries=tries, error=type(error).__name__)
