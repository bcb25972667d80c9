"""Between which numbers counts must lie that add up, worked out as a reader could. Pure; knows no counts of people."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import msgspec

Bounds = dict[Hashable, tuple[int, int]]
"""The least and the most of each count, by its name."""


MOST_ROUNDS = 8


class Adds(msgspec.Struct, frozen=True):
    """The counts called *parts* add up to the one called *total*."""

    total: Hashable
    parts: tuple[Hashable, ...]


def narrow(bounds: Bounds, sums: Sequence[Adds]) -> Bounds:
    """*bounds* as narrow as the *sums* make them, each looked at again while one of its counts is narrowed.

    That may go on by one person at a time, so all together are looked at ``MOST_ROUNDS`` times at most: bounds that
    are wider than they could be are bounds all the same.
    """
    at = {name: place for place, name in enumerate(bounds)}  # by number, because names are costly to compare
    found = [*bounds.values()]
    added = [(at[one.total], [at[name] for name in one.parts]) for one in sums]
    told_by: list[list[int]] = [[] for _ in found]
    for number, (total, parts) in enumerate(added):
        for place in (total, *parts):
            told_by[place].append(number)
    waiting = dict.fromkeys(range(len(added)))
    for _ in range(MOST_ROUNDS * len(added)):
        if not waiting:
            break
        number = next(iter(waiting))
        del waiting[number]
        for place in _narrowed(found, *added[number]):
            waiting.update(dict.fromkeys(told_by[place]))
    return dict(zip(bounds, found, strict=True))


def _narrowed(found: list[tuple[int, int]], total: int, parts: Sequence[int]) -> Iterator[int]:
    """Narrows what is *found* of a total and its parts; gives those that are narrower now."""
    low, high = (sum(found[part][end] for part in parts) for end in (0, 1))
    least, most = found[total]
    if low > least or high < most:
        found[total] = least, most = max(least, low), min(most, high)
        yield total
    for part in parts:
        own_low, own_high = found[part]
        at_least, at_most = least - (high - own_high), most - (low - own_low)
        if at_least > own_low or at_most < own_high:
            found[part] = max(own_low, at_least), min(own_high, at_most)
            yield part
