"""How much is let in at once: as much as is answered in time (P7). Knows no request and no store.

An event loop that is offered four times what it can do spends itself on requests whose answer comes too late. So bodies
that are being worked on are counted in bytes, and the bound on them is found by trying: an answer that took too long
lowers it, answers in time raise it again. What does not fit is told to come back before anything is parsed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lrs.kernel.errors import Overloaded

IN_TIME = 0.5
"""Seconds from the arrival of a body to its answer; with the wait before it, the client sees about twice that."""
LEAST, FIRST, MOST = 256 * 1024, 512 * 1024, 64 * 1024 * 1024
"""Bytes: what is always let in at once, the bound at the start, and the highest."""
_LOWER = 0.75


class Pace:
    """The bound, and what is inside. For one event loop."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._bound = float(FIRST)
        self._inside = 0
        self._lowered = 0.0

    def check(self, size: int) -> None:
        """Raises ``Overloaded`` if *size* bytes do not fit: asked before anything is done for a request."""
        if self._inside and self._inside + size > self._bound:
            raise Overloaded

    def enter(self, size: int) -> None:
        """Lets *size* bytes in. Raises ``Overloaded`` if they do not fit beside others."""
        self.check(size)
        self._inside += size

    def leave(self, size: int, seconds: float) -> None:
        """They were answered *seconds* after their last byte came."""
        if seconds > IN_TIME:
            now = self._clock()
            if now - self._lowered > IN_TIME:  # once for all that were inside together
                self._bound = max(LEAST, self._bound * _LOWER)
                self._lowered = now
        elif 2 * self._inside > self._bound:
            self._bound = min(MOST, self._bound + size / 4)
        self._inside -= size
