"""A plan for a role: which of the things offered to take so that as much of a gap as can be is closed. Pure.

The best plan closes all that anything offered can close; it takes the fewest options that say no hours,
then the fewest hours, then the fewest options, then the first ids. It is found exactly where options times the sets of
requirements are at most ``EXACT``; else the option that closes most per hour is taken until none closes more, and what
became needless is put back. Source: domain.md 5.3 (weights and shares of the match).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

EXACT = 50_000
_Cost = tuple[int, Fraction, int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Option:
    """Something offered: its *hours* (``None``: it says none), and the share of each requirement, 0 to 1, it gives."""

    id: str
    hours: Fraction | None
    shares: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Lacking:
    """The gap: the weight of each requirement above 0, and the share of it that is held, 0 to 1."""

    weights: tuple[Fraction, ...]
    held: tuple[Fraction, ...]

    def after(self, chosen: Iterable[Option]) -> tuple[Fraction, ...]:
        """The shares held once *chosen* are done."""
        found = self.held
        for one in chosen:
            found = tuple(map(max, found, one.shares))
        return found

    def closed(self, held: tuple[Fraction, ...], one: Option) -> Fraction:
        """How much of the weights *one* closes for who has the shares *held*."""
        each = zip(self.weights, held, one.shares, strict=True)
        return sum((weight * max(Fraction(0), share - has) for weight, has, share in each), Fraction(0))


def planned(lacking: Lacking, options: Iterable[Option]) -> list[Option]:
    """The options to take, that which closes most per hour first. Ids of *options* differ."""
    useful = sorted((one for one in options if lacking.closed(lacking.held, one)), key=lambda one: one.id)
    best = lacking.after(useful)
    wanted = [place for place, share in enumerate(best) if share > lacking.held[place]]
    if len(useful) << len(wanted) <= EXACT:
        return greedy(lacking, _cheapest(useful, best, wanted))
    return greedy(lacking, _needed(lacking, greedy(lacking, useful)))


def greedy(lacking: Lacking, options: Iterable[Option]) -> list[Option]:
    """Options, each the one that closes most per hour after those before it, until none closes more.

    One that says no hours comes after all that do; of equal ones the first id comes first.
    """
    left, chosen, held = list(options), [], lacking.held
    while left:
        rated = [(_rate(one, closed), one) for one in left if (closed := lacking.closed(held, one))]
        if not rated:
            break
        chosen.append(min(rated, key=lambda pair: (pair[0], pair[1].id))[1])
        left.remove(chosen[-1])
        held = lacking.after(chosen)
    return chosen


def _rate(one: Option, closed: Fraction) -> tuple[bool, Fraction, Fraction]:
    """The least is the best: hours for what is closed; of those that take no hours, what closes most."""
    return one.hours is None, (one.hours or Fraction(0)) / closed, -closed


def _needed(lacking: Lacking, chosen: Sequence[Option]) -> list[Option]:
    """*chosen* without those whose part the others close too; the last that were taken are looked at first."""
    kept = list(chosen)
    for one in reversed(chosen):
        others = [each for each in kept if each is not one]
        if lacking.after(others) == lacking.after(kept):
            kept = others
    return kept


def _cheapest(useful: Sequence[Option], best: Sequence[Fraction], wanted: Sequence[int]) -> list[Option]:
    """The cheapest of *useful*, in the order of their ids, that together give the *best* share of all *wanted*.

    A set cover over the sets of requirements: the cheapest way to each set, extended by one option after another.
    """
    ways: dict[int, _Cost] = {0: (0, Fraction(0), 0, ())}
    for one in useful:
        covers = sum(1 << bit for bit, place in enumerate(wanted) if one.shares[place] == best[place])
        for covered, (silent, hours, count, ids) in list(ways.items()):
            longer = (silent + (one.hours is None), hours + (one.hours or 0), count + 1, (*ids, one.id))
            known = ways.get(covered | covers)
            if known is None or longer < known:
                ways[covered | covers] = longer
    chosen = ways[(1 << len(wanted)) - 1][3]
    return [one for one in useful if one.id in chosen]
