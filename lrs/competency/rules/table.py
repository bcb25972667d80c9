"""Rules as the rows of a table that gives these rules again, and what differs between two tables. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from lrs.competency.rules.rules import Ruleset


class RuleEdit(NamedTuple):
    """What a table does to one rule: its *cells* now, or before if it is gone, and the cells that were otherwise.

    *was* has the former text of each column that changed.
    """

    does: Literal["added", "gone", "changed"]
    cells: Mapping[str, str]
    was: Mapping[str, str]


def cells_of(ruleset: Ruleset) -> Iterator[dict[str, str]]:
    """A row for each rule, by column (``mapping.ALIASES``). Competencies are named with the version of their framework.

    An empty text says that the rule asks for nothing there.
    """
    yield from _by_item(ruleset).values()


def edits(before: Ruleset, after: Ruleset) -> list[RuleEdit]:
    """The rules that *after* adds, changes and takes out, in the order of its table, those that are gone last.

    Two rules are the same if they name the same activity, verbs, competency and level.
    """
    old, new = _by_item(before), _by_item(after)
    found = []
    for item, cells in new.items():
        was = {column: text for column, text in old.get(item, {}).items() if text != cells[column]}
        if item not in old or was:
            found.append(RuleEdit("changed" if item in old else "added", cells, was))
    return found + [RuleEdit("gone", cells, {}) for item, cells in old.items() if item not in new]


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
