"""Paying what is owed: the threads that take turns at tenants' work. Knows no step.

A step brings something to current and settles its own claims; what fails
comes back later, and is put aside with its reason when it has failed often enough. Nothing lives in memory only: kill
this process anywhere and the leases run out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import structlog

from lrs.kernel.errors import Refused
from lrs.tenancy.tenants import Tenant
from lrs.work.fairness import Rota
from lrs.work.rounds import Step, Work

IDLE = 0.1
"""Seconds between two looks when nothing is due and nobody calls."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds that a tenant whose store fails is left alone: at first, and doubled with each failure up to the longest."""

_log = structlog.get_logger()


def drain(tenant: Tenant, steps: Mapping[str, Step], *, rest: Callable[[float], bool] = lambda _: False) -> int:
    """Runs what is due of *steps* until nothing is; gives how many entries were claimed.

    *rest* is called between two rounds with the seconds to wait, and says whether to stop there. It is more than none
    where no step found as many as it takes at once: many small commits would hold up those who write statements.
    """
    work = Work(tenant, steps)
    total = 0
    while True:
        pause = work.turn()
        if pause is not None:
            total += pause.claimed
            if not pause.claimed or rest(pause.seconds):
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


class Owing(Protocol):
    """Which tenants may owe something, and how one is had to work for it."""

    def due(self) -> Collection[str]:
        """Tenants for which something may be due now."""

    def hold(self, tenant: str) -> AbstractContextManager[Tenant]:
        """The tenant, open for the length of the block. Raises ``Refused`` if nothing is to be done for it now."""

    def rest(self, tenant: str, steps: Sequence[str]) -> bool:
        """Says that nothing was found due for the tenant: whether it is left out until something of *steps* is."""


class Crew:
    """Threads that drain every lane: of a tenant when its work is called for, and every *idle* seconds of who is due.

    The steps of a lane take turns; the lanes do not wait for one another.
    """

    def __init__(self, lanes: Sequence[Mapping[str, Step]], tenants: Owing, idle: float = IDLE) -> None:
        self._stop = threading.Event()
        every = [name for steps in lanes for name in steps]
        self._lanes = [_Lane(steps, tenants, every, idle, self._stop) for steps in lanes]
        self._threads = [
            threading.Thread(target=lane.run, name=f"work-{next(iter(lane.steps))}") for lane in self._lanes
        ]
        for thread in self._threads:
            thread.start()

    def call(self, tenant: str) -> None:
        """Says that something of *tenant* may be due."""
        for lane in self._lanes:
            lane.calls.call(tenant)

    def close(self) -> None:
        """Finishes the steps at hand, so that no lease is left."""
        self._stop.set()
        for lane in self._lanes:
            lane.calls.end()
        for thread in self._threads:
            thread.join()


class _Lane:
    """What one thread does: batches of the tenants that have work, in turns, by the time each has used."""

    def __init__(
        self,
        steps: Mapping[str, Step],
        tenants: Owing,
        every: Sequence[str],
        idle: float,
        stop: threading.Event,
    ) -> None:
        self.steps = steps
        self._every = every
        self.calls = Calls()
        self._tenants = tenants
        self._idle = idle
        self._stop = stop
        self._rota = Rota()
        self._works: dict[str, Work] = {}
        self._failures: dict[str, int] = {}
        self._look = 0.0

    def run(self) -> None:
        """Until *stop* is set."""
        while not self._stop.is_set():
            try:
                self._wake()
            except Exception:  # noqa: BLE001 (the loop goes on: what is owed is still owed)
                # The register of tenants may be away for a while (busy, full, restarting).
                _log.exception("work interrupted", steps=list(self.steps))
                self._stop.wait(FIRST_PAUSE)
            name = self._rota.next(time.monotonic())
            if name is not None:
                self._turn(name)

    def _wake(self) -> None:
        """Waits until somebody has work. Calls for one tenant, however many, do not put off the look at who is due."""
        called = self.calls.wait(max(0.0, min(self._look, self._rota.earliest()) - time.monotonic()))
        for name in called:
            self._rota.wake(name)
        if time.monotonic() >= self._look:
            self._look = time.monotonic() + self._idle
            for name in self._tenants.due():
                self._rota.wake(name)

    def _turn(self, name: str) -> None:
        """One batch of a tenant. What is wrong with its store concerns no other tenant."""
        begun = time.monotonic()
        try:
            with self._tenants.hold(name) as tenant:
                pause = self._work_of(tenant).turn()
            if pause is not None and not pause.claimed and self._tenants.rest(name, self._every):
                del self._works[name]
        except Refused:  # it cannot be opened, or nothing is to be done for it: who holds tenants has said so
            self._rota.sleep(name)
            return
        except Exception:  # noqa: BLE001 (as above: it may be busy, full, damaged)
            failures = self._failures[name] = self._failures.get(name, 0) + 1
            wait = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
            _log.exception("work interrupted", tenant=name, steps=list(self.steps), again_in=wait)
            self._rota.spend(name, time.monotonic() - begun, time.monotonic() + wait)
            return
        self._failures.pop(name, None)
        now = time.monotonic()
        if pause is not None and not pause.claimed:
            self._rota.sleep(name)
        else:
            self._rota.spend(name, now - begun, now + pause.seconds if pause else 0.0)

    def _work_of(self, tenant: Tenant) -> Work:
        """What was begun for the tenant, unless it was opened anew since."""
        known = self._works.get(tenant.id)
        if known is None or known.tenant is not tenant:
            known = self._works[tenant.id] = Work(tenant, self.steps)
        return known
