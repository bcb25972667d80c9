"""The bounded pool of threads of a process that send deliveries. Knows no store and no destination."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 32
"""Calls under way in one process."""
SLOW_AT_ONCE = 16
"""The part of these for destinations whose last call was slow, so that slow ones never take all threads."""

T = TypeVar("T")


class Senders:
    """Up to *most* threads, of which calls that are expected to be slow take up to *slow*."""

    def __init__(self, most: int = AT_ONCE, slow: int = SLOW_AT_ONCE) -> None:
        self._pool = ThreadPoolExecutor(most, "deliver")
        self._lock = threading.Lock()
        self._free, self._free_for_slow = most, slow
        self._waiting: list[Callable[[], None]] = []

    def free_or(self, wake: Callable[[], None]) -> int:
        """How many calls can begin now. If none can, *wake* is called once one can."""
        with self._lock:
            if not self._free:
                self._waiting.append(wake)
            return self._free

    def reserve(self, wake: Callable[[], None], *, slow: bool) -> bool:
        """Reserves room for one call. ``False`` if there is none; then *wake* is called once there may be."""
        with self._lock:
            if not self._free or (slow and not self._free_for_slow):
                self._waiting.append(wake)
                return False
            self._free -= 1
            self._free_for_slow -= slow
            return True

    def give_back(self, *, slow: bool) -> None:
        """Frees what was reserved."""
        with self._lock:
            self._free += 1
            self._free_for_slow += slow
            waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def send(self, call: Callable[[], T], ended: Callable[[Future[T]], None], *, slow: bool) -> None:
        """Makes *call* in a thread, for which room was reserved. *ended* is called there with the outcome."""

        def done(future: Future[T]) -> None:
            self.give_back(slow=slow)
            ended(future)

        self._pool.submit(call).add_done_callback(done)
