"""Other people of whom just the same is shown: the proof that what is shown gives no small count away. Pure.

Roles share what they ask for, so who holds one bounds who holds another, and no rule about single tables rules out that
a small count is worked out of several. So it is tried: for each small count other people are sought of whom the same
is shown, and of whom it counts *k* or more. Once they are found, nothing that is shown proves the count to be small.
Where none are found, what stands in the way is kept back, too, until there are some: in the end people may be added,
for no count that counts them is shown any more. That a search finds nobody proves nothing, so more may be kept back
than has to be, and never less.

A search first counts more people there. Then, while a number that is shown would be another one, it moves some people
to another place, gives them what others have, takes some away or adds some: what brings the numbers nearest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest

import msgspec

from adapters.planning.crowd import NOBODY, Crowd, Name, People, PeopleKind
from adapters.planning.protect import TOTAL, Cell, bounds_of, least_shown

MOST_STEPS = 40
STARTS, WHO, WEIGHED = 2, 12, 8
"""How many ways to begin are tried; of how many kinds of people, and then of how many moves, the best is chosen."""
MOST_LOOKED_AT = 6_000_000
"""So many moves are looked at for one family of roles, in some 25 s. Then nothing is mended, and more is kept back."""


def kept_back(people: People, shown: Mapping[Name, int | None], k: int) -> set[Name]:
    """What of *shown* has to be kept back in addition, so that for each small count of *people* there is a witness."""
    family, names = _Family(people, shown, k), list(shown)
    done, found = set[int](), set[int]()
    for target in sorted(family.small, key=lambda place: (names[place][1] != TOTAL, names[place])):
        while target not in done:
            trial = _best_trial(family, target)
            done |= set() if trial.off else trial.proved()
            found |= trial.off.keys()
            family.keep_back(trial.off)
    return {names[place] for place in found}


class _Move(msgspec.Struct, frozen=True):
    """*Many* who are of one kind become another one; ``NOBODY`` for those who come or go."""

    was: PeopleKind
    becomes: PeopleKind
    many: int


class _Family:
    """The people of a family of roles, and what is *shown* of them: each count by its place."""

    def __init__(self, people: People, shown: Mapping[Name, int | None], k: int) -> None:
        self.k, self.looked_at = k, 0
        self.names = list(shown)
        self.crowd = Crowd(people, {name: place for place, name in enumerate(shown)})
        self.numbers = self.crowd.numbers
        self.small = [place for place, number in self.numbers.items() if 0 < number < k]
        least, told = least_shown(k), enumerate(shown.values())
        self.limits = {place: bounds_of(number, 0, least) for place, number in told if number is not None}
        self.seen = sum(1 << place for place in self.limits)
        self.cells: dict[str, list[Cell]] = {}
        for cell in sorted({cell for _, cell in shown}):
            self.cells.setdefault(cell[0], []).append(cell)

    def keep_back(self, places: Iterable[int]) -> None:
        for place in places:
            del self.limits[place]
            self.seen &= ~(1 << place)


def _best_trial(family: _Family, target: int) -> Trial:
    """A witness for *target*; else the trial that left the fewest counts other than they are shown."""
    found = []
    for move in Trial(family, target).ways()[:STARTS]:
        trial = Trial(family, target)
        trial.take(move)
        trial.mend()
        found.append(trial)
        if not trial.off or family.looked_at > MOST_LOOKED_AT:
            break
    return min(found, key=lambda one: len(one.off))


@dataclass(slots=True)
class Trial:
    """Other people than those of a *family*: how many of a kind have *come*, and by how much each count is *off*."""

    family: _Family
    target: int
    come: Counter[PeopleKind] = field(default_factory=Counter)
    counts: Counter[int] = field(default_factory=Counter)
    off: dict[int, int] = field(default_factory=dict)

    @property
    def lacking(self) -> int:
        """How many more the target has to count; below 0 if it counts more than it has to."""
        return self.family.k - self.family.numbers[self.target] - self.counts[self.target]

    def proved(self) -> set[int]:
        """The small counts that are not small here."""
        before, k = self.family.numbers, self.family.k
        return {place for place, more in self.counts.items() if 0 < before[place] < k <= before[place] + more}

    def take(self, move: _Move) -> None:
        """Takes the *move*."""
        self.come[move.was] -= move.many
        self.come[move.becomes] += move.many
        for place, many in _changes(move):
            if place in self.family.limits:
                self.off.pop(place, None)
                if off := self._off(place, many):
                    self.off[place] = off
            self.counts[place] += many

    def mend(self) -> None:
        """Takes the best moves until enough are counted and nothing is off, or nothing brings it nearer."""
        for _ in range(MOST_STEPS):
            move = self.ways()[0] if self.lacking > 0 else self._nearer()
            if move is None:
                return
            self.take(move)
        if self.lacking > 0:
            self.take(_Move(NOBODY, self._inside(self.target, -self.lacking)[0], self.lacking))

    def ways(self) -> list[_Move]:
        """The moves after which the target counts more, the best first."""
        return self._best_of(self._moves(self.target, -self.lacking))

    def _nearer(self) -> _Move | None:
        """The move that brings one of the counts that are off nearest, if it brings all together nearer."""
        for place in sorted(self.off, key=lambda one: (-abs(self.off[one]), one)):
            if self.family.looked_at > MOST_LOOKED_AT:
                break
            best = next(iter(self._best_of(self._moves(place, self.off[place]))), None)
            if best and self._cost(best) < 0:
                return best
        return None

    def _moves(self, place: int, over: int) -> Iterator[_Move]:
        """The moves that bring a count nearer that is *over* what it should be, or below it."""
        family, crowd = self.family, self.family.crowd
        table, cell = family.names[place]
        bit, cells = 1 << self.target, [one for one in family.cells[cell[0]] if one != cell]
        for inside in self._inside(place, over):
            for other in (NOBODY, *(crowd.in_cell(inside, one) for one in cells), *crowd.like(inside, table)):
                was, becomes = (inside, other) if over > 0 else (other, inside)
                many = min(abs(over), was.many + self.come.get(was, 0))
                if many > 0 and was.mask & bit and not becomes.mask & bit:
                    many = min(many, -self.lacking)
                if many > 0:
                    yield _Move(was, becomes, many)

    def _inside(self, place: int, over: int) -> list[PeopleKind]:
        """Some kinds of people that a count counts, or could: those first whom the fewest other numbers count."""
        family, crowd = self.family, self.family.crowd
        (table, cell), bit = family.names[place], 1 << place
        known = crowd.of(table)
        if over > 0:
            all_known = {**dict.fromkeys(known), **self.come}
            found = [one for one in all_known if one.mask & bit and one.many + self.come[one] > 0]
        else:
            found = [*dict.fromkeys(one if cell == TOTAL else crowd.in_cell(one, cell) for one in known)]
        family.looked_at += len(found)
        seen = family.seen & ~sum(1 << one for one, by in self.off.items() if (by > 0) == (over > 0))
        return nsmallest(WHO, found, key=lambda one: (one.mask & seen).bit_count())

    def _best_of(self, moves: Iterator[_Move]) -> list[_Move]:
        """The best of *moves*, of which the fewest change numbers that are shown."""
        found, seen = list(moves), self.family.seen & ~sum(1 << place for place in self.off)
        self.family.looked_at += len(found)
        few = nsmallest(WEIGHED, found, key=lambda one: ((one.was.mask ^ one.becomes.mask) & seen).bit_count())
        return sorted(few, key=lambda one: self._cost(one) / one.many)

    def _cost(self, move: _Move) -> int:
        """How much farther from what is shown the *move* brings all counts together; below 0 for nearer."""
        changed = ((place, many) for place, many in _changes(move) if place in self.family.limits)
        return sum(abs(self._off(place, many)) - abs(self.off.get(place, 0)) for place, many in changed)

    def _off(self, place: int, change: int) -> int:
        """By how much a count is above or below all that is shown so, after a *change*."""
        least, most = self.family.limits[place]
        number = self.family.numbers[place] + self.counts[place] + change
        return number - most if number > most else min(0, number - least)


def _changes(move: _Move) -> Iterator[tuple[int, int]]:
    """What counts more, or less."""
    yield from ((place, -move.many) for place in move.was.counted - move.becomes.counted)
    yield from ((place, move.many) for place in move.becomes.counted - move.was.counted)
