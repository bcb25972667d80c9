"""The threads of a worker, which do the owed work of tenants in turns. Knows no step.

A step brings records up to date and settles its own claims. A failed entry is tried again later, and put aside with the
reason after enough failures. Nothing is in memory only: if this process is killed, its leases run out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from math import inf
from typing import Protocol

import structlog

from lrs.kernel.errors import Refused
from lrs.tenancy.tenants import Tenant
from lrs.work.fairness import Rota
from lrs.work.rounds import Work
from lrs.work.step import Step

IDLE = 0.1
"""Seconds between two looks when nothing is due and no call came."""
QUIET_AFTER, QUIET = 60.0, 0.25
"""Seconds without anything due after which the looks are further apart, and how far: waking up is what a look costs."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds for which a tenant is left alone after its store failed: the first pause, and the longest after doubling."""
REFUSED_PAUSE = 5.0
"""Seconds that a tenant is left alone that is suspended or cannot be opened."""

_log = structlog.get_logger()


def drain(tenant: Tenant, steps: Mapping[str, Step], *, rest: Callable[[float], bool] = lambda _: False) -> int:
    """Runs what is due of *steps* until nothing is. Gives how many entries were claimed.

    *rest* is called between two rounds with the seconds to wait, and says whether to stop. The wait is more than 0 if
    no step found a full batch: many small commits would slow down those who write statements. What goes on in other
    threads is waited for.
    """
    work = Work(tenant, steps)
    total = empty = 0
    while True:
        pause = work.turn()
        if pause is None:
            continue
        total += pause.claimed
        empty = 0 if pause.claimed or work.wait() else empty + 1
        if empty == 2:  # what ended aside in the first empty one may have kept a step before it waiting (``ALONE``)
            return total
        if pause.claimed and rest(pause.seconds):
            work.close()
            return total


class Calls:
    """Calls for work, kept until a lane has time for them."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._tenants: set[str] = set()
        self._over = False

    def call(self, tenant: str) -> None:
        """Says that *tenant* may have due work."""
        with self._condition:
            self._tenants.add(tenant)
            self._condition.notify()

    def end(self) -> None:
        """Ends all waiting."""
        with self._condition:
            self._over = True
            self._condition.notify()

    def wait(self, seconds: float | None) -> set[str]:
        """The tenants that were called for. Empty after *seconds* without a call, and at the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._tenants or self._over, seconds)
            tenants, self._tenants = self._tenants, set()
            return tenants


class Owing(Protocol):
    """Which tenants may have owed work, and how to open one."""

    def due(self) -> Collection[str]:
        """The tenants for which work may be due now."""

    def hold(self, tenant: str) -> AbstractContextManager[Tenant]:
        """The tenant, open as long as the block lasts. Raises ``Refused`` if no work may be done for it now."""

    def rest(self, tenant: str, steps: Sequence[str]) -> bool:
        """Says that nothing is due for the tenant. Gives whether it is left out until something of *steps* is."""


class Crew:
    """Threads that do the work of every lane, for a tenant that is called for, and for all that are due.

    What is due is looked for every *idle* seconds. The steps of a lane take turns. Lanes do not wait for one another.
    """

    def __init__(
        self,
        lanes: Sequence[Mapping[str, Step]],
        tenants: Owing,
        idle: float = IDLE,
        heard: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._stop = threading.Event()
        self._tenants = tenants
        self._idle = idle
        self._heard = heard
        every = [name for steps in lanes for name in steps]
        self._lanes = [_Lane(steps, tenants, every, self._stop) for steps in lanes]
        self._threads = [
            threading.Thread(target=lane.run, name=f"work-{next(iter(lane.steps))}") for lane in self._lanes
        ]
        self._threads.append(threading.Thread(target=self._look, name="work-look"))
        for thread in self._threads:
            thread.start()

    def call(self, tenant: str, steps: Collection[str] = ()) -> None:
        """Says that *tenant* may have due work of *steps*; of any, if none is named."""
        self._heard(tenant)
        for lane in self._lanes:
            if not steps or not lane.steps.keys().isdisjoint(steps):
                lane.calls.call(tenant)

    def close(self) -> None:
        """Finishes the current steps and the calls under way, so that no lease is left."""
        self._stop.set()
        for lane in self._lanes:
            lane.calls.end()
        for thread in self._threads:
            thread.join()

    def _look(self) -> None:
        """Calls for each tenant that is due, until the crew ends."""
        busy = time.monotonic()
        while not self._stop.is_set():
            try:
                for name in self._tenants.due():
                    self.call(name)
                    busy = time.monotonic()
            except Exception:  # noqa: BLE001 (what is owed stays owed; the control store may be busy, full, restarting)
                _log.exception("cannot see what is due")
                self._stop.wait(FIRST_PAUSE)
            is_quiet = time.monotonic() - busy > QUIET_AFTER
            self._stop.wait(max(self._idle, QUIET) if is_quiet else self._idle)


class _Lane:
    """One thread: runs batches of the tenants that have work, in turns, by the time each has used."""

    def __init__(
        self,
        steps: Mapping[str, Step],
        tenants: Owing,
        every: Sequence[str],
        stop: threading.Event,
    ) -> None:
        self.steps = steps
        self._every = every
        self.calls = Calls()
        self._tenants = tenants
        self._stop = stop
        self._rota = Rota()
        self._works: dict[str, Work] = {}
        self._holds: dict[str, AbstractContextManager[Tenant]] = {}
        self._failures: dict[str, int] = {}
        self._refused: dict[str, float] = {}

    def run(self) -> None:
        """Runs until *stop* is set, then finishes what is under way."""
        while not self._stop.is_set():
            for called in self.calls.wait(self._until_next()):
                if self._refused.get(called, 0.0) <= time.monotonic() or self._is_under_way(called):
                    self._rota.wake(called)
            name = self._rota.next(time.monotonic())
            if name is not None:
                self._turn(name)
        for name in filter(self._is_under_way, [*self._works]):
            self._leave(name, Work.close)

    def _until_next(self) -> float | None:
        """Seconds until somebody has a turn; ``None`` if nobody has work."""
        earliest = self._rota.earliest()
        return None if earliest == inf else max(0.0, earliest - time.monotonic())

    def _turn(self, name: str) -> None:
        """Runs one batch of a tenant. A failure of its store affects no other tenant."""
        begun = time.monotonic()
        try:
            with self._tenants.hold(name) as tenant:
                pause = self._work_of(tenant).turn()
                is_under_way = self._keep_or_let_go(name)
            is_idle = pause is not None and not pause.claimed and not is_under_way
            if is_idle and self._tenants.rest(name, self._every):
                del self._works[name]
        except Refused:  # it cannot be opened, or nothing is to be done for it: who holds tenants has said so
            self._rota.sleep(name)
            self._refuse(name)
            return
        except Exception:  # noqa: BLE001 (what is owed stays owed; the tenant's store may be busy, full, damaged)
            failures = self._failures[name] = self._failures.get(name, 0) + 1
            wait = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
            _log.exception("work interrupted", tenant=name, steps=list(self.steps), again_in=wait)
            self._rota.spend(name, time.monotonic() - begun, time.monotonic() + wait)
            return
        self._failures.pop(name, None)
        self._refused.pop(name, None)
        now = time.monotonic()
        if pause is not None and not pause.claimed:
            self._rota.sleep(name)
        else:
            self._rota.spend(name, now - begun, now + pause.seconds if pause else 0.0)

    def _refuse(self, name: str) -> None:
        """Leaves a tenant alone for a while. Keeps nothing of it, and of others only whose while is not over."""
        now = time.monotonic()
        self._refused = {other: until for other, until in self._refused.items() if until > now}
        self._refused[name] = now + REFUSED_PAUSE
        if self._is_under_way(name):
            self._leave(name, Work.wind_down)
        if not self._is_under_way(name):
            self._works.pop(name, None)
            self._failures.pop(name, None)

    def _keep_or_let_go(self, name: str) -> bool:
        """Holds the tenant as long as something goes on aside, so that its store stays open for what that comes to."""
        is_under_way = self._is_under_way(name)
        if is_under_way and name not in self._holds:
            hold = self._tenants.hold(name)
            hold.__enter__()
            self._holds[name] = hold
        if not is_under_way:
            self._let_go(name)
        return is_under_way

    def _is_under_way(self, name: str) -> bool:
        return name in self._works and self._works[name].is_under_way

    def _let_go(self, name: str) -> None:
        hold = self._holds.pop(name, None)
        if hold is not None:
            hold.__exit__(None, None, None)

    def _leave(self, name: str, end: Callable[[Work], None]) -> None:
        """Begins nothing more for the tenant; what goes on aside is ended by *end*."""
        try:
            end(self._works[name])
        except Exception:  # noqa: BLE001 (what is owed stays owed; the tenant's store may be busy, full, damaged)
            _log.exception("work interrupted", tenant=name, steps=list(self.steps))
        if not self._is_under_way(name):
            self._let_go(name)

    def _work_of(self, tenant: Tenant) -> Work:
        """The work that was started for the tenant, unless its store was reopened since."""
        known = self._works.get(tenant.id)
        if known is None or known.tenant.store is not tenant.store:
            known = self._works[tenant.id] = Work(tenant, self.steps, partial(self.calls.call, tenant.id))
        known.tenant = tenant
        return known
