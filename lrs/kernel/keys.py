"""Search keys: 63-bit integers made from text. Knows no statement and no store.

A key is a hash, not an interned number: no table to look up, no cache to keep in step between processes, the same on
both engines and after a rebuild. With ten million different keys the chance that any two meet is about 5 in a million.

Its upper 23 bits are the *neighbourhood*: keys about the same thing (an agent by itself, with each verb, with each
activity) lie side by side in the index, so that a commit dirties one page for all of them instead of one for each.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

OWN_BITS = 40
_OWN = (1 << OWN_BITS) - 1
_NEAR = ~_OWN
_ODD = 0x9E3779B97F4A7C15


@lru_cache(maxsize=65_536)
def key(sort: str, *about: str) -> int:
    """The key of *sort* about something; boundaries count. The first of *about* is its neighbourhood."""
    text = sort
    for part in about:
        text += f"\x1f{len(part)}:{part}"
    return _hash(about[0] if about else sort) & _NEAR | _hash(text) & _OWN


def pair(near: int, other: int) -> int:
    """The key of two keys that hold together, in the neighbourhood of the first; the order counts."""
    return near & _NEAR | (near ^ other << 1) * _ODD >> 24 & _OWN


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1
