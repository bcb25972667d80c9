"""Names that are the same wherever and whenever they are made. Knows no record.

Architecture section 10: a uuid5 over a canonical JSON array, with no host and no clock in it.
"""

from __future__ import annotations

import uuid
from functools import lru_cache

import msgspec

NAMESPACE = uuid.UUID("6f1d2a34-6a3b-5d0e-9c53-1f0a4f1f7c11")


@lru_cache(maxsize=4_096)
def name(*parts: str | int) -> str:
    """The UUID (RFC 9562, version 5) that *parts* always have; their boundaries and order count."""
    return str(uuid.uuid5(NAMESPACE, msgspec.json.encode(parts).decode()))
