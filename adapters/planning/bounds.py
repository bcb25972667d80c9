"""Between which numbers counts must lie that add up, worked out as a reader could. Pure; knows no counts of people."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import msgspec

Bounds = dict[Hashable, tuple[int, int]]
"""The least and the most of each count, by its name."""


class Adds(msgspec.Struct, frozen=True):
    """The counts called *parts* add up to the one called *total*."""

    total: Hashable
    parts: tuple[Hashable, ...]


def narrow(bounds: Bounds, sums: Sequence[Adds]) -> Bounds:
    """*bounds* as narrow as the *sums*, one after the other, make them."""
    found, changed = dict(bounds), True
    while changed:
        changed = False
        for one in sums:
            for name, low, high in _narrowed(found, one):
                if (low, high) != found[name]:
                    found[name], changed = (low, high), True
    return found


def _narrowed(bounds: Bounds, one: Adds) -> Iterator[tuple[Hashable, int, int]]:
    low, high = (sum(bounds[name][end] for name in one.parts) for end in (0, 1))
    least, most = bounds[one.total]
    yield one.total, max(least, low), min(most, high)
    for name in one.parts:
        own_low, own_high = bounds[name]
        yield name, max(own_low, least - (high - own_high)), min(own_high, most - (low - own_low))
