"""The rows by which a course makes rules: shown, filled in by a steward, and as a table. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from adapters.lms.courses.courses import Course, CourseVersion
from adapters.lms.courses.structure import Structure, shown_title, units_of
from adapters.lms.pages.view import proposed_rules
from lrs.competency.frameworks.framework import Framework, Item
from lrs.competency.rules.ready import ReadyRow, written
from lrs.competency.rules.rules import Rule, Ruleset
from lrs.competency.tables import RowFault
from lrs.kernel.errors import Refused

MOST = 50
"""Rows that the page shows at once; those of a course of more parts are on several pages."""
_DIGITS = 7
OFFERED, CHOSEN = 500, 100
"""Competencies that the page offers; others are typed. More than ``CHOSEN`` are typed with suggestions, not chosen."""
CELLS = {"competency": "competency", "level": "level", "threshold": "threshold", "valid_for": "valid for"}
"""What a steward fills in: the name in the form, and the column of the table of rules."""


@dataclass(frozen=True, slots=True)
class TypedRows:
    """What was typed, by the name of its field, and by the same what is wrong with it; *start* is the first row."""

    told: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    start: int = 0


NOTHING_TYPED = TypedRows()


def shown(
    course: Course, version: CourseVersion, ruleset: Ruleset, frameworks: Sequence[Framework], typed: TypedRows
) -> list[dict[str, Any]]:
    """The rows of *course* from ``typed.start`` on, at most ``MOST``.

    Each with what is typed or known of it, and what the rules in force prove by it.
    """
    shown = slice(typed.start, typed.start + MOST)
    units = units_of(version.structure)[shown]
    rows = proposed_rules(course, version)[shown]
    return [
        {
            "index": index,
            "title": shown_title(unit.title),
            "activity": row.activity,
            "match": row.match,
            "verb": row.verbs,
            "cells": _cells(index, typed.told)
            or {"competency": _taught(version.structure, unit.objectives, frameworks)},
            "proves": _proven(row, ruleset),
        }
        for index, (row, unit) in enumerate(zip(rows, units, strict=True), typed.start)
    ]


def start_of(text: str, units: int) -> int:
    """The row with which the page begins that *text* names, of a course of so many *units*; 0 if it names none."""
    start = int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 0
    return start - start % MOST if start < units else 0


def parts(units: int, start: int) -> list[dict[str, Any]]:
    """The pages of the rows of a course of so many *units*: where each begins, its rows, whether it is shown."""
    return [
        {"start": first, "text": f"{first + 1} to {min(first + MOST, units)}", "shown": first == start}
        for first in range(0, units, MOST)
    ]


def competencies(frameworks: Iterable[Framework]) -> list[tuple[str, str]]:
    """The competencies of *frameworks*: what to type, and what it is called. A code in several is given by the id."""
    every = [(one, item) for one in frameworks for item in one.items]
    codes = [item.code.casefold() for _, item in every]
    return [
        (item.id if codes.count(item.code.casefold()) > 1 else item.code, f"{item.code} {item.label} ({one.title})")
        for one, item in every[:OFFERED]
    ]


def levels(frameworks: Iterable[Framework]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The scales of *frameworks*: what each is called, and its levels, with their words and codes."""
    scales = {one.scale.id: one.scale for one in frameworks}.values()
    return [(scale.name, [(one.label, one.code) for one in scale.levels]) for scale in scales]


def filled_in(course: Course, version: CourseVersion, told: Mapping[str, str]) -> tuple[bytes, list[int]]:
    """The rows that have a competency, as a table of rules, and their places on the page.

    Raises ``Refused``: 409 if the page was of another version of the course, 400 if no row has one.
    """
    if told.get("version") != str(version.number):
        message = "The course has a new version since you opened this page. Look at its rows, then send them again."
        raise Refused(message, status=409, error="busy")
    rows = proposed_rules(course, version)
    found = [(index, _cells(index, told)) for index in range(len(rows))]
    filled = [(index, _with(rows[index], cells)) for index, cells in found if cells.get("competency")]
    if not filled:
        first = start_of(told.get("start", ""), len(rows))
        raise Refused("Fill in the competency in at least one row.", error="nothing", pointer=f"/competency-{first}")
    table = written([row for _, row in filled], course.content_source)
    return table.encode("utf-8-sig"), [index for index, _ in filled]


def wrong_cells(faults: Iterable[RowFault], places: Sequence[int]) -> dict[str, str]:
    """What is wrong, by the name of its field; *places* are those of the rows of the table, from its second line on."""
    names = {column: name for name, column in CELLS.items()}
    return {
        f"{names.get(column or '', 'competency')}-{places[fault.row - 2]}": reason
        for fault in faults
        if not fault.warning
        for column, reason in ((fault.column, fault.reason), *fault.also)
    }


def _cells(index: int, told: Mapping[str, str]) -> dict[str, str]:
    """What was typed into the row at *index*; empty if nothing was."""
    found = {name: told.get(f"{name}-{index}", "").strip() for name in CELLS}
    return {name: text for name, text in found.items() if text}


def _with(row: ReadyRow, cells: Mapping[str, str]) -> ReadyRow:
    told = {name: cells.get(name, "") for name in CELLS}
    return replace(
        row,
        competency=told["competency"],
        level=told["level"],
        threshold=told["threshold"],
        valid_for=told["valid_for"],
    )


def _taught(structure: Structure, objectives: Sequence[str], frameworks: Iterable[Framework]) -> str:
    """The code of the one competency that the *objectives* of a unit are, by their ids; empty if there is none."""
    items: list[Item] = [item for one in frameworks for item in one.items]
    titles = {one.id: shown_title(one.title) for one in structure.objectives}
    found = {item.code for item in items for one in objectives if item.id == one or item.code == titles.get(one)}
    return found.pop() if len(found) == 1 else ""


def _proven(row: ReadyRow, ruleset: Ruleset) -> list[str]:
    """What rules in force prove by the activity of *row*: code, name and level of each competency."""
    about = {one.key: one for one in ruleset.competencies}
    return [_said(rule, about) for rule in ruleset.rules if (rule.match, rule.activity) == (row.match, row.activity)]


def _said(rule: Rule, about: Mapping[str, Any]) -> str:
    one = about[rule.competency]
    level = one.scale.at(rule.level)
    return f"{one.code} {one.label}: {level.label if level else rule.level}"
