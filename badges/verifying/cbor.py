"""The part of CBOR that derived proofs use: whole numbers, bytes, arrays, maps of numbers. Source: RFC 8949, 3."""

from __future__ import annotations

from typing import Any

MAX_ENTRIES = 4_096
MAX_DEPTH = 4
_BYTES, _ARRAY, _MAP = 2, 4, 5
_LONG = {24: 1, 25: 2, 26: 4}


def decode(raw: bytes) -> Any:
    """The value that *raw* is. Raises ``ValueError`` for anything else, and for bytes behind it."""
    value, end = _value(raw, 0, 0)
    if end != len(raw):
        raise ValueError("bytes behind the value")
    return value


def _value(raw: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > MAX_DEPTH or at >= len(raw):
        raise ValueError("too deep, or cut off")
    kind, (size, at) = raw[at] >> 5, _size(raw, at)
    if kind == 0:
        return size, at
    if kind == _BYTES:
        if at + size > len(raw):
            raise ValueError("cut off")
        return raw[at : at + size], at + size
    if kind in (_ARRAY, _MAP) and size <= MAX_ENTRIES:
        parts = []
        for _ in range(size * (1 + (kind == _MAP))):
            part, at = _value(raw, at, depth + 1)
            parts.append(part)
        return (dict(zip(parts[::2], parts[1::2], strict=True)) if kind == _MAP else parts), at
    raise ValueError("a kind of value that is not used here")


def _size(raw: bytes, at: int) -> tuple[int, int]:
    """The number in the head of the value at *at*, and where the head ends."""
    short = raw[at] & 31
    if short < 24:
        return short, at + 1
    length = _LONG.get(short, 0)
    if not length or at + 1 + length > len(raw):
        raise ValueError("no definite length")
    return int.from_bytes(raw[at + 1 : at + 1 + length]), at + 1 + length
