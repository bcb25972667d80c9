"""A token bucket: how often something may be done in a row, and how often over time. Knows no clock."""

from __future__ import annotations

import threading


class Allowance:
    """Allows *in_a_row* takings, and one more for each *seconds* that pass. Threads may share it."""

    __slots__ = ("_ahead", "_lock", "_paid_until", "_seconds")

    def __init__(self, in_a_row: int, seconds: float) -> None:
        self._seconds, self._ahead = seconds, (in_a_row - 1) * seconds
        self._paid_until = 0.0
        self._lock = threading.Lock()

    def take(self, now: float) -> bool:
        """Whether one more is allowed at *now* (seconds of a clock that does not go back), and takes it if so."""
        with self._lock:
            begins = max(self._paid_until, now)
            if begins - now > self._ahead:
                return False
            self._paid_until = begins + self._seconds
            return True
