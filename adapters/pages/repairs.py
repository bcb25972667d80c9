"""The rows of a file that can be repaired on its page: cells to write anew, and what a person decides. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapters.apprenticeship.ilr.source import IlrSource
from adapters.imports.job import Job
from adapters.imports.look import column_of
from adapters.imports.sources import SOURCES, column_words
from adapters.pages.view import in_words, label, place_of
from adapters.reading.columns import RowDecision
from adapters.reports.repairs import ShownRow
from adapters.reports.report import FAULTY
from lrs.kernel.plain_text import counted, sentence
from lrs.kernel.tables.header import fold
from lrs.kernel.tables.row import RowPlace

MOST_ROWS = 50
"""Rows that stand in one form."""
LONGEST_CELL = 300
"""A longer one is not known whole, and is repaired in the file."""
LEFT = "Leave the row out"


class Repairable(Struct, frozen=True):
    """A row *shown* that can be repaired: by its cell if that *is_written*, or by one of the *decisions*.

    *headers* are those of the file for the columns of the decisions. *alike* are further rows with the same fault at
    the same text: what is written into the cell goes into theirs, too.
    """

    shown: ShownRow
    is_written: bool
    decisions: tuple[RowDecision, ...] = ()
    headers: Mapping[str, str] = {}
    alike: tuple[ShownRow, ...] = ()


def repairable(job: Job, shown: Iterable[ShownRow]) -> list[Repairable]:
    """The first ``MOST_ROWS`` of the cells *shown* that a page can repair, those that are alike as one.

    A cell under a header of the file is wrong, or a person has to decide what the row is. A return is corrected in the
    system that makes it.
    """
    is_known = job.adapter in SOURCES and job.adapter != IlrSource.name
    if not is_known or job.look is None or "repairs" not in job.blobs:
        return []
    columns = {one: column_of(one, job.adapter, job.profile) for one in job.look.headers}
    by_header = {fold(one): column for one, column in columns.items()}
    headers = {column: one for one, column in columns.items()}
    found = [_repairable(one, by_header, headers) for one in shown if one.outcome in FAULTY]
    return _together(one for one in found if one.is_written or one.decisions)[:MOST_ROWS]


def _together(found: Iterable[Repairable]) -> list[Repairable]:
    """*found*, with those in one that have the same text in the same column, and the same fault."""
    first: dict[tuple[object, ...], Repairable] = {}
    for one in found:
        shown = one.shown
        is_own = one.decisions or not shown.cell
        key = (shown.sheet, shown.column, shown.code, shown.cell, (shown.row, shown.reason) if is_own else ())
        before = first.setdefault(key, one)
        if before is not one:
            first[key] = replace(before, alike=(*before.alike, shown))
    return list(first.values())


def _repairable(one: ShownRow, columns: Mapping[str, str], headers: Mapping[str, str]) -> Repairable:
    name = fold(one.column)
    words = column_words(columns.get(name) or one.column)
    decisions = words.decisions.get(one.code, ()) if words else ()
    is_written = name in columns and len(one.cell) < LONGEST_CELL
    return Repairable(one, is_written, decisions, {it.column: headers.get(it.column, it.column) for it in decisions})


def cells(found: Sequence[Repairable], told: Mapping[str, str]) -> list[dict[str, Any]]:
    """Their fields on the page; *told* is what somebody typed into them."""
    return [
        {
            "name": f"cell-{at}",
            "label": f"{_rows(one)}: {label(one.shown.column)}",
            "asks": f"{_called(one.shown)}: what is it?",
            "reason": sentence(in_words(one.shown.reason)),
            "value": told.get(f"cell-{at}", one.shown.cell),
            "is_written": one.is_written,
            "choices": [("", LEFT), *((str(nth), it.words) for nth, it in enumerate(one.decisions, 1))]
            if one.decisions
            else [],
            "decided": f"decided-{at}",
            "chosen": told.get(f"decided-{at}", ""),
        }
        for at, one in enumerate(found)
    ]


def _rows(one: Repairable) -> str:
    """The row, and how many more have the same fault."""
    more = f", and {counted(len(one.alike), 'more row')}" if one.alike else ""
    return f"{_called(one.shown)}{more}"


def _called(one: ShownRow) -> str:
    """A row as people read it: where it stands, and whose it is."""
    return ", ".join(filter(None, (place_of(one.sheet, one.row), one.who)))


def repaired_in(found: Sequence[Repairable], told: Mapping[str, str]) -> dict[RowPlace, dict[str, str]]:
    """The cells that somebody changed in these fields, and those that say what was decided, by row and header."""
    changed: dict[RowPlace, dict[str, str]] = {}
    for at, one in enumerate(found):
        place = RowPlace(one.shown.sheet, one.shown.row)
        typed = told.get(f"cell-{at}", one.shown.cell).strip()
        if one.is_written and typed != one.shown.cell.strip():
            for each in (one.shown, *one.alike):
                changed.setdefault(RowPlace(each.sheet, each.row), {})[each.column] = typed
        nth = told.get(f"decided-{at}", "")
        if decision := next((it for n, it in enumerate(one.decisions, 1) if nth == str(n)), None):
            changed.setdefault(place, {})[one.headers[decision.column]] = decision.cell
    return changed
