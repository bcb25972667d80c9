"""Times as others read them. Knows no clock."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(micros: int) -> str:
    """A time in microseconds UTC as RFC 3339, to the second."""
    return datetime.fromtimestamp(micros // 1_000_000, UTC).isoformat().replace("+00:00", "Z")
