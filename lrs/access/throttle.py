"""Slows down who asks for much, in the memory of one process: for what is asked often, and guessed never.

Keys and secrets of 256 random bits are always looked at, and only wrong ones count. Passwords and codes of people are
counted in the store (``lrs.access.tries``).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lrs.kernel.admission import CREDENTIALS, RetryLater

WRONG_SECRETS = (100, 60)
"""Wrong keys or secrets of 256 random bits from one address at one tenant, in so many seconds."""
_FULL = 10_000
_Who = tuple[str, ...]


class Throttle:
    """At most *most* tries in *seconds* for each *who*, such as an account of a tenant."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._tries: dict[_Who, tuple[float, int]] = {}

    def is_over(self, *who: str) -> bool:
        """Whether *who* has tried too often."""
        return self.left(*who) is not None

    def check(self, *who: str) -> None:
        """Raises ``RetryLater`` (429) if *who* has tried too often."""
        left = self.left(*who)
        if left is not None:
            message = "That was tried too often. Wait: until the time is over nothing you send is checked."
            raise RetryLater(CREDENTIALS, message, seconds=left)

    def wrong(self, *who: str) -> RetryLater | None:
        """Counts one wrong secret. Gives the refusal if there were too many before it."""
        left = self.left(*who)
        if left is None:
            self.note(*who)
            return None
        return RetryLater(CREDENTIALS, seconds=left)

    def note(self, *who: str) -> None:
        """Counts one try."""
        now = self._clock()
        since, count = self._tries.get(who, (now, 0))
        if now - since > self._seconds:
            since, count = now, 0
        if len(self._tries) >= _FULL:
            self._forget(now)
        self._tries[who] = (since, count + 1)

    def left(self, *who: str) -> int | None:
        """Seconds until *who* may try again, rounded up; ``None`` if at once."""
        since, count = self._tries.get(who, (0.0, 0))
        left = since + self._seconds - self._clock()
        return int(left) + 1 if count >= self._most and left > 0 else None

    def _forget(self, now: float) -> None:
        """Makes room: of those whose time is over, or of the oldest half if there are none."""
        oldest = sorted(self._tries, key=lambda who: self._tries[who][0])
        over = [who for who in oldest if now - self._tries[who][0] > self._seconds]
        for who in over or oldest[: len(oldest) // 2]:
            del self._tries[who]
