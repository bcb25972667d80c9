"""Reads checklists from CSV or XLSX, and from lines that somebody typed. Pure; knows no store.

Columns: ``checklist`` (its name) and ``text``; optional ``step`` (a name; else 1, 2, 3 …), ``title``, ``critical``
(yes, no), ``pass_percent`` and ``signatures`` (1 or 2). Rows of one checklist follow their order in the file. It is
taken whole or not at all, because one with a step missing would be passed too easily.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from adapters.reading.cells import percent, whole, yes
from adapters.training_centre.checklists import Checklist, ChecklistStep, checked
from lrs.competency.tables import read_table
from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import Row, Unusable

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "checklist": ("checklist_id", "checklist name"),
    "title": ("checklist_title",),
    "step": ("step_id", "step name"),
    "text": ("step_text", "description", "what to look for"),
    "critical": (),
    "pass_percent": ("percent",),
    "signatures": (),
}
CRITICAL = "!"
"""A typed line that ends with it is a critical step."""


class TableFault(Exception):
    """Why a row was not used: *row* is its number in the file (the header is 1)."""

    def __init__(self, row: int, reason: str, checklist: str) -> None:
        super().__init__(reason)
        self.row, self.reason, self.checklist = row, reason, checklist


def read_checklists(content: Path | bytes, centre: str) -> tuple[list[Checklist], list[TableFault]]:
    """The checklists of *centre* in a file, and the rows that could not be used. Raises ``Refused`` for no table."""
    rows, faults = read_table(content, COLUMNS, needed=("checklist", "text"))
    lost = [TableFault(one.row, one.reason, dict(one.says).get("checklist", "")) for one in faults]
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["checklist"] and row["text"]:
            found.setdefault(row["checklist"], []).append(row)
        else:
            reason = "a step needs the name of its checklist and a text"
            lost.append(TableFault(row.place.row, reason, row["checklist"]))
    broken = {one.checklist for one in lost}
    made = []
    for name, some in found.items() if "" not in broken else ():
        if name in broken:
            continue
        try:
            made.append(checked(_checklist(centre, name, some)))
        except Unusable as problem:
            lost.append(TableFault(some[0].place.row, f"{problem.column}: {problem.message}", name))
        except Refused as refused:
            lost.append(TableFault(some[0].place.row, refused.message, name))
    if not found and not lost:
        raise Refused("the file holds no checklists: it has no rows", error="bad_file")
    return made, sorted(lost, key=lambda one: one.row)


def _checklist(centre: str, name: str, rows: Sequence[Row]) -> Checklist:
    steps = tuple(
        ChecklistStep(row["step"] or str(number), row["text"], yes(row, "critical", default=False))
        for number, row in enumerate(rows, start=1)
    )
    percents, signatures = (
        {percent(row, "pass_percent", -1) for row in rows},
        {whole(row, "signatures", 0) for row in rows},
    )
    return Checklist(
        centre,
        name,
        next((row["title"] for row in rows if row["title"]), name),
        steps,
        _one_of("pass_percent", percents - {-1}, 100),
        _one_of("signatures", signatures - {0}, 1),
    )


def _one_of(column: str, told: Iterable[int], usual: int) -> int:
    """The only value of *told*; *usual* if there is none."""
    found = sorted(told)
    if len(found) > 1:
        raise Unusable("told_twice", column, "", "the rows of one checklist say different numbers")
    return found[0] if found else usual


def typed_steps(text: str) -> tuple[ChecklistStep, ...]:
    """The steps that somebody typed, one a line; a line that ends with an exclamation mark is critical."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return tuple(
        ChecklistStep(str(number), line.removesuffix(CRITICAL).strip(), line.endswith(CRITICAL))
        for number, line in enumerate(lines, start=1)
    )


def typed(steps: Iterable[ChecklistStep]) -> str:
    """*steps* as ``typed_steps`` reads them."""
    return "\n".join(f"{step.text}{f' {CRITICAL}' if step.critical else ''}" for step in steps)
