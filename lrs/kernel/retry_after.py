"""Reads the header ``Retry-After`` (RFC 9110 10.2.3)."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

_LONGEST = 64


def seconds_asked(header: str | None, now: float) -> float:
    """Seconds to wait from *now* (seconds since 1970). 0 if *header* names a time that has passed, or is not valid."""
    told = (header or "").strip()[:_LONGEST]
    if told.isascii() and told.isdigit():
        return float(told[:9])
    try:
        until = parsedate_to_datetime(told)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, until.timestamp() - now)
    except (TypeError, ValueError, OverflowError):  # OverflowError: a date that its zone moves out of range
        return 0.0
