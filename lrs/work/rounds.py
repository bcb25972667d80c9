"""The owed work of one tenant, done in rounds: claiming, running, and handling failures. Knows no step.

A round takes each step once, in order, one batch at a time. A step with more work gets further batches until it has
used as much time as the longest step before it in the round, so that no step waits for another's whole queue. A batch
is as large as can be done in about ``SLICE`` seconds. A step with a share (``Step.share``) has that share of both.

Even one batch of such a step may take longer than its share. Then it is left out of the next rounds until they have
paid for it, as long as they are busy: the steps without a share took ``GATHER`` or more.

An entry whose worker died is run alone, one at a time in this process, so that only the entry that kills workers is put
aside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
import structlog

from lrs.kernel.times import SECOND
from lrs.storage import Claim, Stale
from lrs.tenancy.tenants import Tenant
from lrs.work.step import ALONE, PATIENCE, Step, failed, give_up_lost
from lrs.work.under_way import Aside

GATHER = 0.05
"""Seconds from the start of one round to the start of the next, if less was found than could be done."""
SLICE = 1.0
"""Seconds of CPU time for one batch. After a longer batch the next one is half as large. Wall-clock time counts only
when a lease might run out: on a busy machine smaller batches would cost even more.
"""
UNLOCK_EVERY = 60.0
"""Seconds between two looks for entries that are locked by a clock that was ahead. A clock that goes back is noticed at
once.
"""

_log = structlog.get_logger()


class Pause(msgspec.Struct, frozen=True):
    """The end of a round: how many entries it claimed, and the seconds until the next round should start."""

    claimed: int
    seconds: float


class Work:
    """The owed work of *tenant* for *steps*. *wake* is called when something that goes on aside needs a turn."""

    def __init__(self, tenant: Tenant, steps: Mapping[str, Step], wake: Callable[[], None] = lambda: None) -> None:
        self.tenant = tenant
        self._steps = steps
        self._aside = {name: Aside(name, step, step.aside(wake)) for name, step in steps.items() if step.aside}
        self._limits = {name: step.batch for name, step in steps.items()}
        self._waiting: dict[str, float] = {}
        self._over: dict[str, float] = {}
        self._first = [step.first for step in steps.values() if step.first]
        self._round: Iterator[tuple[int, bool]] | None = None
        self._begun = self._looked = 0.0
        self._wall = 0
        self._claimed = 0
        self._full = False

    @property
    def is_under_way(self) -> bool:
        """Whether something goes on aside."""
        return any(one.is_busy for one in self._aside.values())

    def wait(self) -> bool:
        """Waits until something that goes on aside needs a turn. ``False`` if nothing does."""
        for one in self._aside.values():
            if one.is_busy:
                one.under_way.wait()
                return True
        return False

    def wind_down(self) -> None:
        """Hands back what was claimed and not begun, and stores what has ended. Waits for nothing."""
        for one in self._aside.values():
            one.wind_down(self.tenant)

    def close(self) -> None:
        """Hands back what was claimed and not begun, and waits for the end of what goes on aside."""
        self.wind_down()
        while self.wait():
            self.wind_down()

    def turn(self) -> Pause | None:
        """Runs one batch of one step. Gives the pause when the round is over."""
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
            del self._first[0]  # only after success, so that a failed one is called again
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
        """How many entries each batch claimed, and whether there may be more of the same step."""
        longest = busy = 0.0
        for name, step in self._steps.items():
            allowed, spent = step.share * longest, 0.0
            over = self._over[name] = max(0.0, self._over.get(name, 0.0) - allowed)
            if over and busy >= GATHER:
                continue
            while True:
                begun = time.monotonic()
                count, full = self._run(name)
                if not count:
                    break
                spent += time.monotonic() - begun
                yield count, full
                if not full or spent >= allowed:
                    break
            if step.share < 1:
                self._over[name] = max(0.0, spent - allowed)
            else:
                longest, busy = max(longest, spent), busy + spent

    def _run(self, name: str) -> tuple[int, bool]:
        """One batch of a step, and one entry whose worker died."""
        step, limit = self._steps[name], self._limits[name]
        if (step.ready and not step.ready(self.tenant)) or self._waits(name, step.after):
            return 0, False
        if step.aside:
            return self._aside[name].run(self.tenant)
        begun, computed = time.monotonic(), time.thread_time()
        claims = self.tenant.store.claim([name], limit=limit, lease=step.lease * SECOND)
        if claims:
            _run_batch(self.tenant, step, claims)
        full = len(claims) >= limit
        took, computed = time.monotonic() - begun, time.thread_time() - computed
        if computed > step.share * SLICE or took > step.lease / 4:
            self._limits[name] = max(1, limit // 2)
        elif full and computed < step.share * SLICE / 2:
            self._limits[name] = min(step.batch, limit * 2)
        lost = _run_lost(self.tenant, name, step)
        return len(claims) + lost, full or lost > 0

    def _waits(self, name: str, other: str) -> bool:
        """Whether the step *name* waits now, because *other* has more due. After ``PATIENCE`` it has one turn."""
        if other not in self._steps or not self.tenant.store.is_due([other]):
            self._waiting.pop(name, None)
            return False
        now = time.monotonic()
        if now < self._waiting.setdefault(name, now) + PATIENCE:
            return True
        del self._waiting[name]
        return False


def unlock(tenant: Tenant, steps: Mapping[str, Step]) -> dict[str, int]:
    """Makes due what is locked by a clock that was ahead. Gives the number of entries by step."""
    locked = [name for name, step in steps.items() if tenant.store.locked(name, step.ahead)]
    freed = {name: tenant.store.unlock(name, steps[name].ahead) for name in locked}
    return {name: count for name, count in freed.items() if count}


def _run_batch(tenant: Tenant, step: Step, claims: Sequence[Claim]) -> None:
    if len(claims) == 1:
        _run_alone(tenant, step, claims[0])
        return
    try:
        _run(tenant, step, claims)
    except Exception:  # noqa: BLE001 (each is run by itself below, where a failure is kept with its reason)
        for claim in claims:
            if tenant.store.holds(claim):
                _run_alone(tenant, step, claim)


def _run(tenant: Tenant, step: Step, claims: Sequence[Claim]) -> None:
    assert step.run  # noqa: S101 (what goes on aside is not run here)
    step.run(tenant, claims)


def _run_lost(tenant: Tenant, name: str, step: Step) -> int:
    """Runs one entry whose worker died.

    None while another one is run in this process, because it would not be known which one kills.
    """
    if not ALONE.take(step):
        return 0
    try:
        claim = tenant.store.claim_lost([name], lease=step.lease * SECOND)
        if claim is None:
            return 0
        if claim.owed.tries >= step.tries:
            give_up_lost(tenant, step, claim)
        else:
            _run_alone(tenant, step, claim)
        return 1
    finally:
        ALONE.give(step)


def _run_alone(tenant: Tenant, step: Step, claim: Claim) -> None:
    try:
        _run(tenant, step, [claim])
    except Stale:
        return  # settled already, or another worker has it now
    except Exception as error:  # noqa: BLE001 (the one place that goes on: the step stays owed, with the reason)
        failed(tenant, step, claim, error)
