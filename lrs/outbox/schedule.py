"""When a failed delivery is tried again: the one schedule of every channel. Pure; knows no store.

Source of the waits: Standard Webhooks, "Deliverability and reliability".
"""

from __future__ import annotations

from lrs.kernel.retry_after import seconds_asked
from lrs.kernel.times import SECOND

MINUTE, HOUR = 60, 3_600
SCHEDULE = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""Seconds to wait after each failed try. After one more failure it is given up."""
JITTER = 0.1
LONGEST_OF_STREAM = 3
"""The last place in ``SCHEDULE`` that a stream uses: it is tried every two hours without end."""
FAILED_OFTEN = 4
"""Failed tries of one statement of a stream, about two and a half hours, after which it no longer delays the others."""


def next_try(tries: int, now: int, retry_after: str | None, jitter: float) -> int | None:
    """When to try again (microseconds UTC) after *tries* earlier failures and this one; ``None`` for never.

    A receiver may ask for a longer wait with Retry-After (RFC 9110 section 10.2.3), up to our longest. *jitter* is a
    number from 0 to 1.
    """
    if tries >= len(SCHEDULE):
        return None
    asked = seconds_asked(retry_after, now / SECOND)
    wait = max(SCHEDULE[tries] * (1 + JITTER * jitter), min(asked, SCHEDULE[-1]))
    return now + round(wait * SECOND)
