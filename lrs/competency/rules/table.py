"""Rules as the rows of a table that gives these rules again, and what differs between two tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Literal, NamedTuple

from lrs.competency.rules.rules import Ruleset
from lrs.competency.tables import RowFault


class RuleEdit(NamedTuple):
    """What a table does to one rule: its *cells* now, or before if it is gone, and the cells that were otherwise.

    *was* has the former text of each column that changed. A rule that is gone because the *row* that seems to be about
    it cannot be used is unread.
    """

    does: Literal["added", "gone", "unread", "changed"]
    cells: Mapping[str, str]
    was: Mapping[str, str]
    row: int = 0


def cells_of(ruleset: Ruleset) -> Iterator[dict[str, str]]:
    """A row for each rule, by column (``mapping.ALIASES``). Competencies are named with the version of their framework.

    An empty text says that the rule asks for nothing there.
    """
    yield from _by_item(ruleset).values()


def edits(before: Ruleset, after: Ruleset, unread: Mapping[str, int]) -> list[RuleEdit]:
    """The rules that *after* adds, changes and takes out, in the order of its table, those that are gone last.

    Two rules are the same if they name the same activity, verbs, competency and level. *unread* is as ``unread_in``
    gives it.
    """
    old, new = _by_item(before), _by_item(after)
    found = []
    for item, cells in new.items():
        was = {column: text for column, text in old.get(item, {}).items() if text != cells[column]}
        if item not in old or was:
            found.append(RuleEdit("changed" if item in old else "added", cells, was))
    lost = [(unread.get(item, 0), cells) for item, cells in old.items() if item not in new]
    return found + [RuleEdit("unread" if row else "gone", cells, {}, row) for row, cells in lost]


def unread_in(before: Ruleset, after: Ruleset, faults: Iterable[RowFault]) -> dict[str, int]:
    """The rules (items) of *before* that *after* has not because a row cannot be used, each with the first such row.

    A row is taken to be about a rule if what it says of activity and competency is the rule's: at least one of them,
    and the other may be what is wrong with it.
    """
    there = {rule.item for rule in after.rules}
    names = {one.key: (one.code, f"{one.code}@{one.version}", one.label) for one in before.competencies}
    lost: dict[tuple[str, str], list[str]] = {}
    for rule in before.rules:
        if rule.item not in there:
            for said in product((rule.activity, ""), (*names[rule.competency], "")):
                lost.setdefault(said, []).append(rule.item)
    found: dict[str, int] = {}
    for fault in faults:
        wrong = {fault.column, *(column for column, _ in fault.also)}
        told = {column: text for column, text in fault.says if column not in wrong}
        said = (told.get("activity", ""), told.get("competency", ""))
        for item in lost.pop(said, ()) if any(said) and not fault.warning else ():
            found.setdefault(item, fault.row)
    return found


def _by_item(ruleset: Ruleset) -> dict[str, dict[str, str]]:
    competencies = {one.key: one for one in ruleset.competencies}
    found = {}
    for rule in ruleset.rules:
        about = competencies[rule.competency]
        threshold = "" if rule.threshold is None else f"{rule.threshold}".removesuffix(".0") + "%"
        found[rule.item] = {
            "activity": rule.activity,
            "match": rule.match,
            "verb": "|".join(rule.verbs),
            "competency": f"{about.code}@{about.version}",
            "framework": about.framework,
            "level": str(rule.level),
            "threshold": threshold,
            "valid for": rule.valid_for or "",
            "requalify within": rule.window or "",
            "trusted source": "|".join(rule.sources),
            "scaled range": "-1..1" if rule.scaled_range[0] < 0 else "",
        }
    return found
