"""Paying what is owed: which steps there are, and the loop that claims and runs them.

One of three modules that know all packages. A step brings something to current and settles its own claims; what fails
comes back later, and is put aside with its reason when it has failed often enough. Nothing lives in memory only: kill
this process anywhere and the leases run out.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from adapters.matching.deliver import deliver
from adapters.matching.sync import sync
from badges.issue import issue
from lrs.competencies.evaluate import evaluate, match
from lrs.statements.references import refs
from lrs.storage import Claim, Stale
from lrs.tenants import Tenant

SECOND = 1_000_000
IDLE = 0.1
"""Seconds between two looks when nothing is due."""

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
    "match": Step(match, batch=200),
    "evaluate": Step(evaluate, batch=20),
    "issue": Step(issue),
    "sync": Step(sync, batch=20),
    "deliver": Step(deliver, batch=16, lease=120),
}
LANES: Sequence[Sequence[str]] = (("refs", "match", "evaluate"), ("issue",), ("sync",), ("deliver",))
"""Steps that wait for one another; the lanes do not: a slow receiver holds up no award, and no award a level."""


def drain(tenant: Tenant, steps: Sequence[str] = tuple(STEPS), *, steady: Callable[[], bool] = lambda: True) -> int:
    """Runs what is due of *steps* until nothing is, or *steady* says stop; gives how many entries were claimed."""
    total = 0
    while steady():
        claimed = sum(_run_once(tenant, name, STEPS[name]) for name in steps)
        if not claimed:
            break
        total += claimed
    return total


def work(tenants: Callable[[], Sequence[Tenant]], stop: threading.Event) -> None:
    """Drains all *tenants* until *stop* is set, each lane in a thread of its own."""

    def lane(steps: Sequence[str]) -> None:
        while not stop.is_set():
            if not sum(_drained(tenant, steps, stop) for tenant in tenants()):
                stop.wait(IDLE)

    threads = [threading.Thread(target=lane, args=(steps,), name=f"work-{steps[0]}") for steps in LANES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _drained(tenant: Tenant, steps: Sequence[str], stop: threading.Event) -> int:
    try:
        return drain(tenant, steps, steady=lambda: not stop.is_set())
    except Exception:  # noqa: BLE001 (the loop goes on: what is owed is still owed)
        # The store may be away for a while (busy, full, restarting).
        _log.exception("work interrupted", tenant=tenant.id, steps=list(steps))
        stop.wait(1)
        return 0


def _run_once(tenant: Tenant, name: str, step: Step) -> int:
    claims = tenant.store.claim([name], limit=step.batch, lease=step.lease * SECOND)
    if len(claims) > 1:
        try:
            step.run(tenant, claims)
        except Exception:  # noqa: BLE001 (each is run by itself below, where a failure is kept with its reason)
            for claim in claims:
                _run_alone(tenant, step, claim)
    elif claims:
        _run_alone(tenant, step, claims[0])
    return len(claims)


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
