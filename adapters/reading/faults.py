"""All faults of a row's cells, where an adapter has told the first: those that each cell shows by itself.

So a row is repaired once. What cells say only together, as that an end comes after its start, is told when each can be
read. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from adapters.reading.cells import choice, email, text
from adapters.reading.hours import minutes
from adapters.reading.people import learner_number
from adapters.reading.profile import ReadingTerms
from adapters.reading.source import CellFault, RowOutcome, RowTable, Source, masked
from adapters.reading.times import day, moment
from lrs.kernel.tables.row import Row, RowPlace, Unusable

_SOME_DAY = date(2001, 2, 13)
"""The day of a time that has none in its own cell."""


def with_all_faults(
    outcomes: Iterable[RowOutcome], table: RowTable, source: Source, terms: ReadingTerms
) -> Iterator[RowOutcome]:
    """*outcomes*, those of rows with a cell that cannot be used with the other such cells of the row."""
    told = list(outcomes)
    columns = {RowPlace(one.sheet, one.row): one.column for one in told if one.outcome == "quarantined"}
    rows = (row for row in table.rows() if row.place in columns) if columns else ()
    others = {row.place: tuple(_others(row, columns[row.place], source, terms)) for row in rows}
    for one in told:
        also = others.get(RowPlace(one.sheet, one.row))
        yield msgspec.structs.replace(one, also=also) if also else one


def _others(row: Row, first: str, source: Source, terms: ReadingTerms) -> Iterator[CellFault]:
    for column in sorted(source.columns.intersection(row.cells) - {first}):
        try:
            _check(row, column, source, terms)
        except Unusable as problem:
            yield CellFault(problem.code, column, masked(problem.value), problem.message)


def _check(row: Row, column: str, source: Source, terms: ReadingTerms) -> None:
    """Raises ``Unusable`` for a cell that no reader of its sort could use."""
    if not text(row, column):
        return
    if column in source.dated:
        _check_date(row, column, terms)
    elif column in source.worded:
        choice(row, column, terms.words[column])
    elif column in source.hours:
        minutes(row, column, terms.numbers)
    elif column == "email":
        email(row, column)
    elif column == "uln":
        learner_number(row)


def _check_date(row: Row, column: str, terms: ReadingTerms) -> None:
    """Raises ``Unusable`` for a cell that is neither a day nor a time."""
    try:
        day(row, column, terms.calendar)
    except Unusable as problem:
        try:
            moment(row, column, terms.calendar, on=_SOME_DAY)
        except Unusable:
            raise problem from None
