"""Openings of tenants in threads of their own, so that no other request waits for a store that opens slowly.

Whoever asks for the same tenant shares one opening.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from lrs.kernel.admission import OPENING, RetryLater

THREADS = 8
MOST = 64
"""Tenants being opened at a time, with those that wait for a thread. One that cannot be locked takes ten seconds."""


class Openings:
    """The openings under way. *opens* opens the tenant of a name. Several threads may use it at once."""

    def __init__(self, opens: Callable[[str], None]) -> None:
        self._opens = opens
        self._pool = ThreadPoolExecutor(THREADS, "opening")
        self._lock = threading.Lock()
        self._running: dict[str, Future[None]] = {}

    def begin(self, tenant: str) -> Future[None]:
        """The opening of *tenant* that is under way, or a new one. Raises ``RetryLater`` beyond ``MOST``."""
        with self._lock:
            running = self._running.get(tenant)
            if running is not None:
                return running
            if len(self._running) >= MOST:
                raise RetryLater(OPENING)
            begun = self._running[tenant] = self._pool.submit(self._opens, tenant)
        begun.add_done_callback(partial(self._end, tenant))
        return begun

    def _end(self, tenant: str, _: Future[None]) -> None:
        with self._lock:
            del self._running[tenant]

    def close(self) -> None:
        """Waits for those that have begun, and begins no other."""
        self._pool.shutdown(cancel_futures=True)
