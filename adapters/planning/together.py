"""What is shown of several roles together: who holds one may be bounded by who holds others, or is on track. Pure.

Roles share requirements, so what is shown of one tells something of another: whoever holds a role that asks for more
holds the one that asks for less, and whoever meets half of what a role asks for is counted as holding it or as on
track. Tables are worked out one after the other: who holds a role that asks for less first, then those that ask for
more, then who is on track. Of a table that counts people of those before it,

1. what is kept back of those is kept back, too: of a role that asks for more what is of one that asks for less, and of
   who is on track what is of who holds the role; also where nobody is counted;
2. a year is kept back whole, and later ones with it, if its numbers, with all that is shown of the tables before, would
   prove that a count is small; and if that is proved even so, all of who holds the role.

What is proved is worked out by bounds of counts that add up (``bounds``). Over several tables they are not as narrow as
they could be, so a count also passes for proved if it can be no more than just above *k*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from adapters.planning.bounds import Adds, Bounds, narrow
from adapters.planning.counts import HELD, ON_TRACK, Count, at
from adapters.planning.kin import Kin
from adapters.planning.protect import TOTAL, UNBOUNDED, Cell, ShownCounts, YearCounts, bounds_of, least_shown, published

MARGIN = 2
"""How much above *k* a bound over several tables may be and still passes for a proof."""
Tables = Mapping[Count, Mapping[str, YearCounts]]
"""The counts by what they are about, and by year; the tables of all years have the same cells."""
ShownTables = dict[Count, dict[str, ShownCounts]]
"""The same as they are shown."""


def by_table(numbers: Mapping[Count, int], counts: Iterable[Count]) -> dict[Count, dict[str, YearCounts]]:
    """The *counts* by what they are about, and by year."""
    cells: dict[Count, set[Cell]] = {}
    years: dict[Count, set[str]] = {}
    for what in counts:
        about = Count(what.part, what.of, what.measure)
        cells.setdefault(about, {TOTAL}).add((what.split, what.value))
        years.setdefault(about, set()).add(what.year)
    return {
        about: {
            year: YearCounts({cell: numbers.get(at(about, cell, year), 0) for cell in cells[about]}) for year in each
        }
        for about, each in ((about, sorted(years[about])) for about in cells)
    }


def together(tables: Tables, kin: Kin, k: int) -> ShownTables:
    """What is shown of all *tables*."""
    closed: set[Count] = set()
    while True:
        found, more = _in_turn(tables, kin, closed, k)
        if more is None:
            return found
        closed.add(more)


def _in_turn(tables: Tables, kin: Kin, closed: AbstractSet[Count], k: int) -> tuple[ShownTables, Count | None]:
    """What is shown, nothing of what is *closed*; and what is to be closed in addition, if it proves too much still."""
    found: ShownTables = {}
    for about in sorted(tables, key=lambda one: (one.measure == ON_TRACK, len(kin.within.get(one.of, ())), one)):
        above = [found[one] for one in kin.above(about) if one in found]
        whole = _with_cells(tables[about], {cell for one in above for cells in one.values() for cell in _back(cells)})
        wider = [[one.get(year, {}) for year in whole] for one in above]
        found[about] = dict(zip(whole, published([*whole.values()], k, wider), strict=True))
        family = [one for one in {about: 0} | dict.fromkeys((*kin.above(about), *kin.beside(about))) if one in found]
        if about in closed:
            found[about] = {year: dict.fromkeys(cells) for year, cells in found[about].items()}
        elif len(family) > 1:
            said = _Said({one: tables[one] for one in family} | {about: whole}, {one: found[one] for one in family})
            found[about], is_proved = _kept_from(about, said, kin, k)
            held = msgspec.structs.replace(about, measure=HELD)
            if is_proved and held != about and held not in closed:
                return found, held
    return found, None


def _with_cells(years: Mapping[str, YearCounts], more: set[Cell]) -> dict[str, YearCounts]:
    return {year: YearCounts({**dict.fromkeys(more, 0), **one.counts}) for year, one in years.items()}


def _back(shown: ShownCounts) -> Iterator[Cell]:
    return (cell for cell, number in shown.items() if number is None)


class _Said(msgspec.Struct, frozen=True):
    """The *tables* of a family of counts, and what is *shown* of them."""

    tables: Tables
    shown: ShownTables


def _kept_from(about: Count, said: _Said, kin: Kin, k: int) -> tuple[dict[str, ShownCounts], bool]:
    """What is shown of *about*: nothing from the first year on in which it would prove that a count is small.

    And whether that is proved even so.
    """
    found, is_back, is_proved = dict[str, ShownCounts](), False, False
    for year, numbers in said.shown[about].items():
        most, nothing = _most(said, year, kin, k), dict.fromkeys(numbers)
        found[year] = nothing if is_back else numbers
        if not is_back and all(number >= k + MARGIN for number in most.values()):
            continue
        without = _Said(said.tables, {**said.shown, about: {year: nothing}})
        alone, apart = _most(said, year, Kin(), k), _most(without, year, kin, k)
        before = apart | {name: number for name, number in alone.items() if name[0] == about}
        is_back = is_back or any(number < min(k + MARGIN, before[name]) for name, number in most.items())
        found[year] = nothing if is_back else numbers
        known = apart if is_back else most
        is_proved = is_proved or any(number < min(k, alone[name]) for name, number in known.items())
    return found, is_proved


def _most(said: _Said, year: str, kin: Kin, k: int) -> dict[tuple[Count, Cell], int]:
    """How many each small count of the family can be in *year*, as far as what is shown of all tells."""
    least = least_shown(k)
    there = {one: numbers[year] for one, numbers in said.shown.items() if year in numbers}
    counts = {(one, cell): number for one in there for cell, number in said.tables[one][year].counts.items()}
    small = [name for name, number in counts.items() if 0 < number < least]
    if not small:
        return {}
    cells = sorted({cell for numbers in there.values() for cell in numbers})
    bounds: Bounds = {
        (one, cell): bounds_of(numbers.get(cell, 0), counts.get((one, cell), 0), least)
        for one, numbers in there.items()
        for cell in cells
    }
    sums = [one for cell in cells for one in _across(there, cell, kin)]
    bounds |= {part: (0, UNBOUNDED) for one in sums for part in (one.total, *one.parts) if part not in bounds}
    narrowed = narrow(bounds, [*_splits(there, cells), *sums])
    return {name: narrowed[name][1] for name in small}


def _splits(there: Iterable[Count], cells: Sequence[Cell]) -> Iterator[Adds]:
    """Each split of each table adds up to the total."""
    splits = {cell[0] for cell in cells if cell != TOTAL}
    for one in there:
        for split in splits:
            yield Adds((one, TOTAL), tuple((one, cell) for cell in cells if cell[0] == split))


def _across(there: Mapping[Count, ShownCounts], cell: Cell, kin: Kin) -> Iterator[Adds]:
    """What adds up in a *cell*: who holds a role and who holds the same and another one; who is on track to it."""
    for one in there:
        if one.measure == HELD:
            for wider in there.keys() & set(kin.above(one)):
                yield Adds((wider, cell), ((one, cell), ("holds less", one, wider, cell)))
        else:
            held = msgspec.structs.replace(one, measure=HELD)
            yield Adds(("meets half", one, cell), ((held, cell), (one, cell)))
            for crossing in there.keys() & set(kin.beside(one)):
                yield Adds(("meets half", one, cell), ((crossing, cell), ("other", one, crossing, cell)))
            less = [("holds less", held, wider, cell) for wider in there.keys() & set(kin.above(held))]
            yield from (Adds((one, cell), (part, ("lacks", part))) for part in less if part[2] in kin.beside(one))
            if one.of in kin.covered:
                yield Adds(("holds some", one, cell), tuple(less))
                yield Adds(("holds some", one, cell), ((one, cell), ("twice", one, cell)))
            halves = [part for part in less if part[2].of in kin.halved.get(one.of, ())]
            if len(halves) > 1:
                yield Adds((one, cell), tuple(halves))
