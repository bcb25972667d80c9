"""A plan for a role: which of the things offered to take so that as much of a gap as can be is closed. Pure.

An option can need others first: it is taken only once what it needs is held, or given by an option before it. Of the
options that can be reached so, the best plan closes all that any of them can close; it takes the fewest options that
say no hours, then the fewest hours, then the fewest options, then the first ids. It is found exactly where the uses of
options times the sets of requirements are at most ``EXACT``; else what closes most per hour, with what it needs first,
is taken until nothing closes more, and what became needless is put back. Source: domain.md 5.3 (shares of the match).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

EXACT = 50_000
_Cost = tuple[int, Fraction, int, tuple[str, ...]]
_START: _Cost = (0, Fraction(0), 0, ())
_Held = tuple[Fraction, ...]
_Uses = dict[tuple[int, int], "Option"]
"""Options by their use: the goals that one reaches, and those that it needs first, as bits."""


class Option(msgspec.Struct, frozen=True):
    """Something offered: its *hours* (``None``: it says none), and the share of each requirement, 0 to 1, it gives.

    *needs* are the places of requirements that must be held whole before it.
    """

    id: str
    hours: Fraction | None
    shares: _Held
    needs: tuple[int, ...] = ()

    def is_open(self, held: _Held) -> bool:
        """Whether it can be taken by who has the shares *held*."""
        return all(held[place] >= 1 for place in self.needs)


class Lacking(msgspec.Struct, frozen=True):
    """The gap: the weight of each requirement, and the share of it that is held, 0 to 1.

    One of weight 0 is only what options need: closing it closes nothing of the gap.
    """

    weights: tuple[Fraction, ...]
    held: _Held

    def after(self, chosen: Iterable[Option], held: _Held | None = None) -> _Held:
        """The shares held once *chosen* are done, by default by who lacks this."""
        found = self.held if held is None else held
        for one in chosen:
            found = tuple(map(max, found, one.shares))
        return found

    def closed(self, held: _Held, *chosen: Option) -> Fraction:
        """How much of the weights *chosen* close together for who has the shares *held*."""
        each = zip(self.weights, held, self.after(chosen, held), strict=True)
        return sum((weight * (now - was) for weight, was, now in each), Fraction(0))


def planned(lacking: Lacking, options: Iterable[Option]) -> list[Option]:
    """The options to take, in an order in which each can be taken. Ids of *options* differ."""
    useful = [one for one in reached(lacking, options) if lacking.after([one]) != lacking.held]
    best = lacking.after(useful)
    wanted = [place for place, share in enumerate(best) if share > lacking.held[place] and lacking.weights[place]]
    needed = sorted({place for one in useful for place in one.needs if lacking.held[place] < 1} - set(wanted))
    goals = [(place, best[place]) for place in wanted] + [(place, Fraction(1)) for place in needed]
    uses = _by_use(lacking, useful, goals)
    if len(uses) << len(goals) <= EXACT:
        return ordered(lacking, _cheapest(uses, len(wanted)))
    return ordered(lacking, _needed(lacking, _by_hours(lacking, useful)))


def reached(lacking: Lacking, options: Iterable[Option]) -> list[Option]:
    """Those of *options* that can be taken at all: now, or after others of them; in the order of their ids."""
    left, found, held = sorted(options, key=lambda one: one.id), [], lacking.held
    while opened := [one for one in left if one.is_open(held)]:
        found += opened
        left = [one for one in left if not one.is_open(held)]
        held = lacking.after(opened, held)
    return sorted(found, key=lambda one: one.id)


def ordered(lacking: Lacking, chosen: Iterable[Option]) -> list[Option]:
    """*chosen* in an order in which each can be taken: of those that can, the one that closes most per hour is next.

    One that says no hours comes after all that do, one that only opens others after those; of equal ones the first id.
    """
    left, found, held = list(chosen), [], lacking.held
    while opened := [one for one in left if one.is_open(held)]:
        found.append(min(opened, key=lambda one: (_rate([one], lacking.closed(held, one)), one.id)))
        left.remove(found[-1])
        held = lacking.after(found[-1:], held)
    return found


def _rate(chain: Sequence[Option], closed: Fraction) -> tuple[bool, bool, Fraction, Fraction]:
    """The least is the best: hours for what is closed; of those that take no hours, what closes most."""
    hours = sum((one.hours or Fraction(0) for one in chain), Fraction(0))
    if not closed:
        return True, any(one.hours is None for one in chain), hours, Fraction(0)
    return False, any(one.hours is None for one in chain), hours / closed, -closed


def _by_hours(lacking: Lacking, useful: Sequence[Option]) -> list[Option]:
    """Options, each with what it needs before it, that which closes most per hour next, until none closes more."""
    chosen: list[Option] = []
    left, held = list(useful), lacking.held
    while True:
        chains = [chain for one in left if (chain := _chain(lacking, one, left, held))]
        rated = [(_rate(chain, closed), chain) for chain in chains if (closed := lacking.closed(held, *chain))]
        if not rated:
            return chosen
        best = min(rated, key=lambda pair: (pair[0], [one.id for one in pair[1]]))[1]
        chosen += best
        left = [one for one in left if one not in best]
        held = lacking.after(best, held)


def _chain(lacking: Lacking, last: Option, options: Sequence[Option], held: _Held) -> list[Option]:
    """*last*, and before it the fewest hours of *options* that open it, one after another; empty if nothing does."""
    chain: list[Option] = []
    while not last.is_open(now := lacking.after(chain, held)):
        opened = [one for one in options if one.is_open(now) and one is not last and lacking.after([one], now) != now]
        giving = [one for one in opened if any(now[place] < one.shares[place] for place in last.needs)] or opened
        if not giving:
            return []
        chain.append(min(giving, key=lambda one: (one.hours is None, one.hours or Fraction(0), one.id)))
    return [*chain, last]


def _needed(lacking: Lacking, chosen: Sequence[Option]) -> list[Option]:
    """*chosen* without those whose part the others close and open, too; the last ones are looked at first."""
    kept = list(chosen)
    for one in reversed(chosen):
        others = [each for each in kept if each is not one]
        whole = lacking.closed(lacking.held, *kept)
        if len(ordered(lacking, others)) == len(others) and lacking.closed(lacking.held, *others) == whole:
            kept = others
    return kept


def _by_use(lacking: Lacking, useful: Iterable[Option], goals: Sequence[tuple[int, Fraction]]) -> _Uses:
    """The cheapest of *useful* for each use of one: no best plan has another of the same use.

    *goals* are places with their shares.
    """
    bits = {place: 1 << bit for bit, (place, _) in enumerate(goals)}
    found: _Uses = {}
    for one in useful:
        gives = sum(bits[place] for place, share in goals if one.shares[place] >= share)
        use = gives, sum(bits[place] for place in one.needs if lacking.held[place] < 1)
        if gives and (use not in found or _with(_START, one) < _with(_START, found[use])):
            found[use] = one
    return found


def _cheapest(uses: _Uses, wanted: int) -> list[Option]:
    """The cheapest options that reach the first *wanted* goals.

    The cheapest way to each set of goals is found by Dijkstra's algorithm: an option leads from a set on if the set has
    what it needs.
    """
    by_id = {one.id: one for one in uses.values()}
    goal = (1 << wanted) - 1
    ways: list[tuple[_Cost, int]] = [(_START, 0)]
    done: set[int] = set()
    while ways:
        cost, covered = heapq.heappop(ways)
        if covered & goal == goal:
            return [by_id[id] for id in cost[3]]
        if covered in done:
            continue
        done.add(covered)
        for (gives, asked), one in uses.items():
            if asked & ~covered == 0 and gives & ~covered:
                heapq.heappush(ways, (_with(cost, one), covered | gives))
    return []


def _with(cost: _Cost, one: Option) -> _Cost:
    silent, hours, count, ids = cost
    return silent + (one.hours is None), hours + (one.hours or 0), count + 1, tuple(sorted((*ids, one.id)))
