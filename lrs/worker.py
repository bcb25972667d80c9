"""Paying what is owed: which steps there are, and the loop that claims and runs them.

One of three modules that know all packages. A step brings something to current and settles its own claims; what fails
comes back later, and is put aside with its reason when it has failed often enough. Nothing lives in memory only: kill
this process anywhere and the leases run out.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from adapters.matching.deliver import AT_ONCE, deliver
from adapters.matching.sync import sync
from badges.issue import issue
from lrs.competencies.evaluate import evaluate, match
from lrs.statements.references import refs
from lrs.storage import Claim, Stale
from lrs.tenants import Tenant

SECOND = 1_000_000
IDLE = 0.1
"""Seconds between two looks when nothing is due and nobody calls."""
GATHER = 0.05
"""Seconds from the beginning of one round to that of the next, where less was found than could be done."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Step:
    """How one step is run: *batch* claims at once, leased for *lease* seconds, put aside after *tries* failures."""

    run: Callable[[Tenant, Sequence[Claim]], None]
    batch: int = 1
    lease: int = 60
    tries: int = 10


STEPS: Mapping[str, Step] = {
    "refs": Step(refs),
    "match": Step(match, batch=500),
    "evaluate": Step(evaluate, batch=200),
    "issue": Step(issue, batch=4),
    "sync": Step(sync, batch=200),
    "deliver": Step(deliver, batch=AT_ONCE, lease=120),
}
LANES: Sequence[Sequence[str]] = (("refs", "match", "evaluate", "issue", "sync"), ("deliver",))
"""Steps of a lane take turns, in each as many at once as stand above; the lanes do not wait for one another: a slow
receiver holds up nobody's level. What computes is in one lane, for threads of one process cannot compute side by side.
"""


def drain(
    tenant: Tenant, steps: Sequence[str] = tuple(STEPS), *, rest: Callable[[float], bool] = lambda _: False
) -> int:
    """Runs what is due of *steps* until nothing is; gives how many entries were claimed.

    *rest* is called between two rounds with the seconds to wait, and says whether to stop there. It is more than none
    where no step found as many as it takes at once: many small commits would hold up those who write statements.
    """
    total = 0
    while True:
        begun = time.monotonic()
        claimed = {name: _run_once(tenant, name, STEPS[name]) for name in steps}
        total += sum(claimed.values())
        full = any(count >= STEPS[name].batch for name, count in claimed.items())
        left = 0.0 if full else max(0.0, begun + GATHER - time.monotonic())
        if not any(claimed.values()) or rest(left):
            return total


class Calls:
    """Word that there is work, kept until a lane has time for it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._tenants: set[str] = set()
        self._over = False

    def call(self, tenant: str) -> None:
        """Says that something of *tenant* may be due."""
        with self._condition:
            self._tenants.add(tenant)
            self._condition.notify()

    def end(self) -> None:
        """No more waiting."""
        with self._condition:
            self._over = True
            self._condition.notify()

    def wait(self, seconds: float) -> set[str]:
        """Whose work is called for; empty once *seconds* have passed without a call, and at the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._tenants or self._over, seconds)
            tenants, self._tenants = self._tenants, set()
            return tenants


class Crew:
    """Threads that drain every lane: of a tenant when its work is called for, of all *tenants* every *idle* seconds."""

    def __init__(self, tenants: Callable[[], Sequence[Tenant]], idle: float = IDLE) -> None:
        self._tenants = tenants
        self._idle = idle
        self._stop = threading.Event()
        self._calls = [Calls() for _ in LANES]
        self._threads = [
            threading.Thread(target=self._lane, args=lane, name=f"work-{lane[0][0]}")
            for lane in zip(LANES, self._calls, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def call(self, tenant: str) -> None:
        """Says that something of *tenant* may be due."""
        for calls in self._calls:
            calls.call(tenant)

    def close(self) -> None:
        """Finishes the steps at hand, so that no lease is left."""
        self._stop.set()
        for calls in self._calls:
            calls.end()
        for thread in self._threads:
            thread.join()

    def _lane(self, steps: Sequence[str], calls: Calls) -> None:
        """Calls for one tenant, however many, do not put off the look at all of them."""
        called: set[str] | None = None
        due = 0.0
        while not self._stop.is_set():
            if time.monotonic() >= due:
                called, due = None, time.monotonic() + self._idle
            if not self._drained(steps, called):
                called = calls.wait(max(0.0, due - time.monotonic()))

    def _drained(self, steps: Sequence[str], called: set[str] | None) -> int:
        """How much was done of those *called* for; ``None``: of all tenants."""
        try:
            tenants = [tenant for tenant in self._tenants() if called is None or tenant.id in called]
            return sum(drain(tenant, steps, rest=self._stop.wait) for tenant in tenants)
        except Exception:  # noqa: BLE001 (the loop goes on: what is owed is still owed)
            # The store may be away for a while (busy, full, restarting).
            _log.exception("work interrupted", steps=list(steps))
            self._stop.wait(1)
            return 0


def _run_once(tenant: Tenant, name: str, step: Step) -> int:
    claimed = tenant.store.claim([name], limit=step.batch, lease=step.lease * SECOND)
    claims = [claim for claim in claimed if claim.owed.tries < step.tries]
    for claim in claimed:
        if claim.owed.tries >= step.tries:  # whoever had it never came back to say why
            tenant.store.defer(claim, due=tenant.clock(), error=f"its worker ended {step.tries} times", parked=True)
    if len(claims) > 1:
        try:
            step.run(tenant, claims)
        except Exception:  # noqa: BLE001 (each is run by itself below, where a failure is kept with its reason)
            for claim in claims:
                if tenant.store.holds(claim):
                    _run_alone(tenant, step, claim)
    elif claims:
        _run_alone(tenant, step, claims[0])
    return len(claimed)


def _run_alone(tenant: Tenant, step: Step, claim: Claim) -> None:
    try:
        step.run(tenant, [claim])
    except Stale:
        return  # settled already, or somebody else has it now
    except Exception as error:  # noqa: BLE001 (the one place that goes on: the step stays owed, with the reason)
        tries = claim.owed.tries + 1
        reason = f"{type(error).__name__}: {error}"[:500]
        due = tenant.clock() + round(min(2**tries, 3_600) * (1 + random.random()) * SECOND)  # noqa: S311 (jitter, no secret)
        tenant.store.defer(claim, due=due, error=reason, parked=tries >= step.tries)
        _log.warning("step failed", step=claim.owed.step, id=claim.record.id, tries=tries, error=type(error).__name__)
