"""Regular upkeep of every tenant, whether or not something is due: a slow walk through all of them.

Knows no task. What it finds was left undone by a process that died at the wrong moment, or is due once a day.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence

import structlog

from lrs.tenancy.tenants import Tenant

EVERY = 60.0
"""Seconds between the end of a walk and the start of the next."""
SHARE = 400
"""Seconds of rest for each second of its own CPU time. Work that it causes elsewhere takes about as much."""
LONGEST_REST = 5.0
"""The longest rest in seconds between two tenants, so that a slow one does not delay the others."""
Rest = Callable[[float], bool]
"""Waits the given number of seconds, and says whether to stop."""
Task = Callable[[Tenant, Rest], object]

_log = structlog.get_logger()


class Interrupted(Exception):
    """The process is ending. Unfinished upkeep starts again later."""


class Upkeep:
    """A thread that does *tasks* for each of *tenants*, one after the other, again and again.

    The failure of a task is logged. The other tasks and tenants go on.
    """

    def __init__(
        self, tenants: Callable[[], Iterable[Tenant]], tasks: Sequence[Task], every: float = EVERY, share: int = SHARE
    ) -> None:
        self._tenants = tenants
        self._tasks = tasks
        self._every = every
        self._share = share
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep")
        self._thread.start()

    def close(self) -> None:
        """Ends after the current page."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._walk()
            except Interrupted:
                return
            except Exception as error:  # noqa: BLE001 (the control store may be away: tried again in a while)
                _log.warning("upkeep interrupted", error=type(error).__name__)
            self._stop.wait(self._every)

    def _walk(self) -> None:
        begun = time.thread_time()
        for tenant in self._tenants():
            for task in self._tasks:
                self._do(task, tenant)
            if self._stop.wait(min(LONGEST_REST, self._share * (time.thread_time() - begun))):
                raise Interrupted
            begun = time.thread_time()

    def _do(self, task: Task, tenant: Tenant) -> None:
        try:
            task(tenant, self._stop.wait)
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001 (the walk goes on: the next one tries again)
            name = getattr(getattr(task, "func", task), "__name__", "task")
            _log.warning("upkeep failed", task=name, tenant=tenant.id, error=type(error).__name__)
