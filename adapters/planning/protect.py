"""Which counts of people are shown, and how: the one filter of page, CSV and JSON. Pure; knows no learner.

A *table* is one total and splits of it, of one year; those of later years count some of whom the year before counts.
What is shown is rounded to the nearest 5. The filter keeps back

1. each count that is small: below *k*, or shown as a number below *k*;
2. of a split in which one is small, further ones until all that are kept back could be one of them and still none of
   the others nobody: people could be moved between them, and nothing that is shown would change;
3. what is kept back in one year, in all later years; who moves may then be swapped with somebody of the same year;
4. the whole year and all later ones, where the total is small, or where a split has nothing left to keep back (of the
   first year only if there cannot be more people in all, of whom the same numbers are shown, for they are rounded);
5. what, with all that is shown of two years, would prove that some count no more, and that these are fewer than *k*.

So for each small count there are people of whom just the same would be shown, and of whom it counts *k* or more:
nothing that is shown of one table proves that it is small; ``witness`` shows the same of several together. A selection
of what is shown tells no more than all of it, so queries need no filter of their own. Source: domain.md 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from adapters.planning.bounds import Adds, Bounds, narrow

LEAST_K = 5
NEAREST = 5
UNBOUNDED = 1 << 40
Cell = tuple[str, str]
"""A split and one of its values; the total is ``TOTAL``."""
TOTAL: Cell = ("", "")
ShownCounts = dict[Cell, int | None]
"""The counts of a year as they are shown; ``None`` for one that is kept back."""


class YearCounts(msgspec.Struct, frozen=True):
    """The counts of one year: by each split and value, and in all (``TOTAL``)."""

    counts: Mapping[Cell, int]

    @property
    def total(self) -> int:
        """How many there are in all."""
        return self.counts[TOTAL]

    def splits(self) -> dict[str, list[Cell]]:
        """The cells of each split; each split adds up to the total."""
        found: dict[str, list[Cell]] = {}
        for cell in sorted(self.counts.keys() - {TOTAL}):
            found.setdefault(cell[0], []).append(cell)
        return found


class _Kept(msgspec.Struct, frozen=True):
    """A *table*, and which of its cells are kept *back*."""

    table: YearCounts
    back: frozenset[Cell] = frozenset()

    def shown(self) -> ShownCounts:
        return {cell: None if cell in self.back else rounded(count) for cell, count in self.table.counts.items()}


def published(years: Sequence[YearCounts], k: int) -> list[ShownCounts]:
    """The counts of *years* as they are shown, in their order.

    The tables of all years have the same cells. 0 is shown, it is nobody, but for what is kept back by 3 and 4.
    """
    least, found = least_shown(k), list[_Kept]()
    for table in years:
        found.append(_protected(table, found[-1] if found else None, least))
    return [one.shown() for one in found]


def rounded(count: int) -> int:
    """*count* to the nearest 5."""
    return (count + NEAREST // 2) // NEAREST * NEAREST


def least_shown(k: int) -> int:
    """The smallest count that is shown: *k*, or what is next above it and rounds to no number below it."""
    return next(count for count in range(k, k + NEAREST) if rounded(count) >= k)


def _protected(table: YearCounts, before: _Kept | None, least: int) -> _Kept:
    """*table* with all that has to be kept back beside the year *before*."""
    small = {cell for cell, count in table.counts.items() if 0 < count < least}
    kept = _Kept(table, (before.back if before else frozenset()) | small)
    while TOTAL not in kept.back:
        further = _further(before, kept, least)
        if further is None:
            return kept
        kept = _Kept(table, kept.back | {further})
    nobody = set() if before else {cell for cell, count in table.counts.items() if not count}
    return _Kept(table, frozenset(table.counts.keys() - nobody))


def _further(before: _Kept | None, kept: _Kept, least: int) -> Cell | None:
    """One more cell to keep back; the total if none of a split is left; ``None`` if all is protected."""
    for split, cells in kept.table.splits().items():
        back = [count for cell in cells if cell in kept.back and (count := kept.table.counts[cell])]
        lacking = least - sum(back) + len(back) - 1 if back else 0
        if lacking > 0:
            further = _smallest(kept, cells)
            if further != TOTAL or before or lacking > _room(kept, split):
                return further
    given = next(_few_gone(before, kept, least), None) if before else None
    if given is None or given not in kept.back:
        return given
    return _smallest(kept, kept.table.splits()[given[0]])


def _room(kept: _Kept, split: str) -> int:
    """How many people more there may be of whom the same is shown, if what is kept back of *split* has them all."""
    others = [cells for name, cells in kept.table.splits().items() if name != split]
    return min(_more(kept, cells) for cells in ([TOTAL], *others))


def _more(kept: _Kept, cells: Sequence[Cell]) -> int:
    """How many people more *cells* may count together, and the same is shown of each."""
    counts = {cell: count for cell in cells if (count := kept.table.counts[cell])}
    if kept.back & counts.keys():
        return UNBOUNDED
    return sum(rounded(count) + NEAREST // 2 - count for count in counts.values())


def _smallest(kept: _Kept, cells: Sequence[Cell]) -> Cell:
    """The smallest of *cells* that is shown and not 0, one of two that are alike by its name; else the total."""
    return min((pair for pair in _shown_of(kept, cells)), default=(0, TOTAL))[1]


def _shown_of(kept: _Kept, cells: Sequence[Cell]) -> Iterator[tuple[int, Cell]]:
    return ((count, cell) for cell in cells if cell not in kept.back and (count := kept.table.counts[cell]))


def _few_gone(before: _Kept, kept: _Kept, least: int) -> Iterator[Cell]:
    """The cells of which two years prove that some count no more, and fewer than *least*.

    It can be so with a *k* of 9: what is shown as 15 and then as 10 is 13 to 17 and 9 to 12.
    """
    gone = {cell: count - kept.table.counts[cell] for cell, count in before.table.counts.items()}
    few = [cell for cell, number in gone.items() if 0 < number < least]
    if few:
        bounds = narrow(*_of_two_years(before, kept, least))
        yield from (cell for cell in few if _is_few(bounds["gone", cell], least))


def _is_few(bounds: tuple[int, int], least: int) -> bool:
    return bounds[0] > 0 and bounds[1] < least


def _of_two_years(before: _Kept, kept: _Kept, least: int) -> tuple[Bounds, list[Adds]]:
    """What a reader knows of two years and of who counts no more, by kind of count and cell, and what adds up."""
    bounds: Bounds = {("gone", cell): (0, UNBOUNDED) for cell in kept.table.counts}
    for name, year in (("before", before), ("now", kept)):
        for cell, number in year.shown().items():
            bounds[name, cell] = bounds_of(number, year.table.counts[cell], least)
    sums = [Adds(("before", cell), (("now", cell), ("gone", cell))) for cell in kept.table.counts]
    for cells in kept.table.splits().values():
        sums += [Adds((name, TOTAL), tuple((name, cell) for cell in cells)) for name in ("before", "now", "gone")]
    return bounds, sums


def bounds_of(shown: int | None, count: int, least: int) -> tuple[int, int]:
    """Between which numbers a *count* lies that is *shown* so. That one kept back is not 0 is taken to be known."""
    if shown is None:
        return (min(count, 1), UNBOUNDED)
    return (max(least, shown - NEAREST // 2), shown + NEAREST // 2) if shown else (0, 0)
