"""Who is counted by what, for a family of roles: kinds of people, each with all counts that count it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nsmallest

import msgspec

from adapters.planning.counts import Count
from adapters.planning.protect import TOTAL, Cell

NEAR = 6
"""So many are tried of those who have nearly what somebody has."""
Name = tuple[Count, Cell]
"""A count: its table, which is what it is about in a year, and its cell."""


class Alike(msgspec.Struct, frozen=True, order=True):
    """People who count in the same *tables* and, of each split, in the same one of *cells*."""

    tables: tuple[Count, ...]
    cells: tuple[Cell, ...]


People = Mapping[Alike, int]
"""How many there are of each kind."""


@dataclass(slots=True, eq=False)
class PeopleKind:
    """People who are alike: *has* is the number of all that they have, *counted* of what counts them, also as *mask*.

    There are *many* of them.
    """

    has: int
    cells: tuple[Cell, ...]
    counted: frozenset[int]
    mask: int
    many: int = 0


NOBODY = PeopleKind(-1, (), frozenset(), 0, 1 << 40)
"""Who comes, or goes."""


class Crowd:
    """The *kinds* of people, and others that could be; counts are called by their places in *names*.

    All that somebody *had* is a list of the tables in which they count, and what a kind ``has`` is a place in it.
    """

    def __init__(self, people: People, names: Mapping[Name, int]) -> None:
        self.names = names
        self.kinds: dict[tuple[int, tuple[Cell, ...]], PeopleKind] = {}
        self._moved: dict[tuple[PeopleKind, Cell], PeopleKind] = {}
        self._like: dict[tuple[PeopleKind, Count], list[PeopleKind]] = {}
        tables = sorted({table for alike in people for table in alike.tables})
        self._table = {table: place for place, table in enumerate(tables)}
        self.had = sorted({alike.tables for alike in people})
        self._masks = [sum(1 << self._table[one] for one in each) for each in self.had]
        self._by_table: list[list[PeopleKind]] = [[] for _ in tables]
        self.numbers = Counter[int]()
        places = {tables: place for place, tables in enumerate(self.had)}
        for alike, many in sorted(people.items()):
            kind = self.kind(places[alike.tables], alike.cells)
            kind.many += many
            for table in alike.tables:
                self._by_table[self._table[table]].append(kind)
            self.numbers.update(dict.fromkeys(kind.counted, many))

    def kind(self, has: int, cells: tuple[Cell, ...]) -> PeopleKind:
        """Those who have the same and are in *cells*."""
        found = self.kinds.get((has, cells))
        if found is None:
            counted = frozenset(self.names[table, cell] for table in self.had[has] for cell in (TOTAL, *cells))
            found = self.kinds[has, cells] = PeopleKind(has, cells, counted, sum(1 << place for place in counted))
        return found

    def of(self, table: Count) -> list[PeopleKind]:
        """The kinds of people who count in *table*."""
        return self._by_table[self._table[table]]

    def in_cell(self, kind: PeopleKind, cell: Cell) -> PeopleKind:
        """The same people in *cell*."""
        found = self._moved.get((kind, cell))
        if found is None:
            cells = tuple(cell if one[0] == cell[0] else one for one in kind.cells)
            found = self._moved[kind, cell] = self.kind(kind.has, cells)
        return found

    def like(self, kind: PeopleKind, table: Count) -> list[PeopleKind]:
        """They with what some others have who do not count in *table*: those who have nearly the same first."""
        found = self._like.get((kind, table))
        if found is None:
            own, bit = self._masks[kind.has], 1 << self._table[table]
            others = (one for one, mask in enumerate(self._masks) if not mask & bit)
            nearest = nsmallest(NEAR, others, key=lambda one: ((self._masks[one] ^ own).bit_count(), one))
            found = self._like[kind, table] = [self.kind(one, kind.cells) for one in nearest]
        return found
