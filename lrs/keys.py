"""Search keys: 63-bit integers made from text. Knows no statement and no store.

A key is a hash, not an interned number: no table to look up, no cache to keep in step between processes, the same on
both engines and after a rebuild. With ten million different keys the chance that any two meet is about 5 in a million.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

_MASK = (1 << 63) - 1
_ODD = 0x9E3779B97F4A7C15
_ODD_TOO = 0xC2B2AE3D27D4EB4F


@lru_cache(maxsize=65_536)
def key(*parts: str) -> int:
    """The key of *parts*; their boundaries count, so ``("ab", "c")`` is not ``("a", "bc")``."""
    text = "\x1f".join(parts) if len(parts) > 1 else parts[0]
    lengths = ",".join(str(len(part)) for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8, salt=lengths.encode()[:16]).digest()) >> 1


def pair(first: int, second: int) -> int:
    """The key of two keys that hold together; the order counts."""
    return (first * _ODD + second * _ODD_TOO ^ first >> 29) & _MASK
