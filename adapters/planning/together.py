"""What is shown of all tables: of each by itself, and then no more of a family of roles than has its proof. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from adapters.planning.counts import SUPPLY, Count, at
from adapters.planning.crowd import Name, People
from adapters.planning.protect import TOTAL, Cell, YearCounts, published
from adapters.planning.witness import kept_back

ShownTables = dict[Name, int | None]
"""What is shown of each table and cell; ``None`` for what is kept back."""


class Family(msgspec.Struct, frozen=True):
    """Roles that tell of one another, and the *people* who count for any of them."""

    roles: frozenset[str]
    people: People


def together(numbers: Mapping[Count, int], families: Iterable[Family], k: int) -> dict[Count, int | None]:
    """What is shown of all that is counted, also of places where nobody is counted."""
    found = _by_table(numbers, k)
    for family in families:
        own = {name for name in found if name[0].part == SUPPLY and name[0].of in family.roles}
        cells, tables = sorted({cell for _, cell in own}), sorted({table for table, _ in own})
        every = {(table, cell): found.get((table, cell), 0) for table in tables for cell in cells}
        found |= dict.fromkeys(kept_back(family.people, every, k))
    return {at(table, cell, table.year): number for (table, cell), number in found.items()}


def _by_table(numbers: Mapping[Count, int], k: int) -> ShownTables:
    """What is shown of each table by itself, with all years of what it is about."""
    cells: dict[Count, set[Cell]] = {}
    years: dict[Count, set[str]] = {}
    for what in numbers:
        about = Count(what.part, what.of, what.measure)
        cells.setdefault(about, {TOTAL}).add((what.split, what.value))
        years.setdefault(about, set()).add(what.year)
    found: ShownTables = {}
    for about, known in cells.items():
        order = sorted(years[about])
        counts = [YearCounts({cell: numbers.get(at(about, cell, year), 0) for cell in known}) for year in order]
        for year, told in zip(order, published(counts, k), strict=True):
            found |= {(at(about, TOTAL, year), cell): number for cell, number in told.items()}
    return found
