"""Search keys: 63-bit integers made from text. Knows no statement and no store.

A key is a hash and not an interned number. So there is no table to look up and no cache that processes must share, and
keys are the same on both engines and after a rebuild. With ten million different keys the chance that any two are equal
is about 5 in a million. The upper 23 bits are the *neighbourhood*: keys about the same thing (an agent alone, with each
verb, with each activity) are neighbours in the index, so that a commit changes one page for all of them.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

CACHED_LENGTH = 256
"""Characters of the longest text that is cached. A client may send a million different ones of any length."""
OWN_BITS = 40
_OWN = (1 << OWN_BITS) - 1
_NEAR = ~_OWN
_ODD = 0x9E3779B97F4A7C15


def key(sort: str, *about: str) -> int:
    """The key of type *sort* for the values *about*.

    Their order and their boundaries count; the first is the neighbourhood.
    """
    return _cached_key(sort, *about) if len("".join(about)) <= CACHED_LENGTH else _key(sort, *about)


def _key(sort: str, *about: str) -> int:
    text = sort
    for part in about:
        text += f"\x1f{len(part)}:{part}"
    return _hash(about[0] if about else sort) & _NEAR | _hash(text) & _OWN


_cached_key = lru_cache(maxsize=8_192)(_key)  # registrations, which come once, filled a larger one: 14 MB for 65,536


def pair(near: int, other: int) -> int:
    """The key for two keys that apply together, in the neighbourhood of *near*. Their order counts."""
    return near & _NEAR | (near ^ other << 1) * _ODD >> 24 & _OWN


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1
