"""Which counts of people are shown, and how: the one filter of page, CSV and JSON. Pure; knows no learner.

Counts below *k* are kept back, and with them enough others that no sum gives them away (complementary suppression);
the rest is rounded to the nearest 5. Then the filter works out, as a reader could, between which numbers each count
must lie, from all that is shown together. Where that proves a count to be below *k*, more is kept back. A selection of
what is shown tells no more than all of it, so queries need no filter of their own. Source: domain.md 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

LEAST_K = 5
NEAREST = 5
_UNBOUNDED = 1 << 40
_Bounds = dict[str, tuple[int, int]]


class Adds(msgspec.Struct, frozen=True):
    """The counts called *parts* add up to the one called *total*. A count is a part of at most one total."""

    total: str
    parts: tuple[str, ...]

    @property
    def members(self) -> tuple[str, ...]:
        """Parts, then the total."""
        return (*self.parts, self.total)


def published(counts: Mapping[str, int], sums: Sequence[Adds], k: int) -> dict[str, int | None]:
    """Each count as it is shown, by its name; ``None`` for one that is kept back. 0 is shown: it is nobody."""
    hidden = {name for name, count in counts.items() if 0 < count < k}
    while further := _unprotected(counts, sums, hidden, k):
        hidden.add(further)
    return {name: None if name in hidden else rounded(count) for name, count in counts.items()}


def rounded(count: int) -> int:
    """*count* to the nearest 5."""
    return (count + NEAREST // 2) // NEAREST * NEAREST


def differs_by_few(whole: int, part: int, k: int) -> bool:
    """Whether *whole* and a *part* of it, both as shown, prove that some are missing from the part, and fewer than *k*.

    It can be so with a *k* of 7 and from 9 on: with 9, what is shown as 15 and as 10 is 13 to 17 and 9 to 12.
    """
    (least, most), (part_least, part_most) = _bounds_of(whole, k), _bounds_of(part, k)
    return least > part_most and most - part_least < k


def _unprotected(counts: Mapping[str, int], sums: Sequence[Adds], hidden: set[str], k: int) -> str:
    """One more count to keep back; empty if all that is below *k* is protected."""
    for one in sums:
        if sum(name in hidden for name in one.members) == 1 and (found := _smallest(counts, one.members, hidden)):
            return found
    bounds = _worked_out(_first_bounds(counts, hidden, k), sums)
    for name in sorted(hidden):
        if counts[name] < k and bounds[name][1] < k and (found := _near(name, counts, sums, hidden)):
            return found
    return ""


def _smallest(counts: Mapping[str, int], names: Sequence[str], hidden: set[str]) -> str:
    """The smallest count among *names* that is shown and is not 0; one of two that are alike by its name."""
    shown = [(counts[name], name) for name in names if name not in hidden and counts[name]]
    return min(shown)[1] if shown else ""


def _near(name: str, counts: Mapping[str, int], sums: Sequence[Adds], hidden: set[str]) -> str:
    """A count that is shown and bounds *name*: from its own sums first, then from those linked to them."""
    reached = {name}
    while True:
        linked = {each for one in sums if reached & set(one.members) for each in one.members}
        if found := _smallest(counts, sorted(linked), hidden):
            return found
        if linked <= reached:
            return ""
        reached |= linked


def _first_bounds(counts: Mapping[str, int], hidden: set[str], k: int) -> _Bounds:
    return {
        name: (1, _UNBOUNDED) if name in hidden else _bounds_of(rounded(count), k) for name, count in counts.items()
    }


def _bounds_of(shown: int, k: int) -> tuple[int, int]:
    """Between which numbers a count lies that is shown as *shown*."""
    return (max(k, shown - NEAREST // 2), shown + NEAREST // 2) if shown else (0, 0)


def _worked_out(bounds: _Bounds, sums: Sequence[Adds]) -> _Bounds:
    """*bounds* as narrow as the *sums* make them."""
    changed = True
    while changed:
        changed = False
        for one in sums:
            for name, low, high in _narrowed(bounds, one):
                if (low, high) != bounds[name]:
                    bounds[name], changed = (low, high), True
    return bounds


def _narrowed(bounds: _Bounds, one: Adds) -> Iterator[tuple[str, int, int]]:
    low, high = (sum(bounds[name][end] for name in one.parts) for end in (0, 1))
    least, most = bounds[one.total]
    yield one.total, max(least, low), min(most, high)
    for name in one.parts:
        own_low, own_high = bounds[name]
        yield name, max(own_low, least - (high - own_high)), min(own_high, most - (low - own_low))
