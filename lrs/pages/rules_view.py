"""The data of the pages of rules, as plain values for the templates. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from lrs.competency.rules.drafts import UNDER_WAY, RulesChange, RulesDraft
from lrs.competency.rules.mapping import ALIASES
from lrs.competency.rules.rules import Ruleset
from lrs.competency.rules.rulesets import Applied
from lrs.competency.rules.table import RuleEdit, cells_of, edits
from lrs.kernel.printing import time_of
from lrs.pages.actions import doer_said
from lrs.storage import Record
from lrs.web.dates import written_day, written_moment
from lrs.web.listing import ListColumn, ListRow

VERSIONS = (
    ListColumn("version", "Version"),
    ListColumn("state", "State", facet=True),
    ListColumn("rules", "Rules", figure=True),
    ListColumn("applied", "In force since"),
    ListColumn("by", "Applied by", facet=True),
    ListColumn("restores", "Brings back", figure=True),
    ListColumn("review", "Losses in review until"),
)
_ONLY_IN_FILES = {"match", "framework", "requalify within", "scaled range"}
RULES = tuple(
    ListColumn(name, name, facet=name in {"competency", "trusted source"}, seen=name not in _ONLY_IN_FILES)
    for name in ALIASES
)
"""The columns of a table of rules, by the names under which it can be sent again."""
CHANGES = (
    ListColumn("does", "What happens", facet=True),
    ListColumn("name", "Learner"),
    ListColumn("competency", "Competency", facet=True),
    ListColumn("level", "Level"),
    ListColumn("badge", "Badge", facet=True),
    ListColumn("ends", "Until"),
)
_DOES = {"gains": "Gains", "keeps": "Keeps, out of review", "loses": "Loses", "ends earlier": "Ends earlier"}
_EDITS = {"added": "Added", "gone": "Taken out", "unread": "Cannot be read", "changed": "Changed"}
MOST_EDITS = 100
"""Rules that differ, of which the page says how."""
_MOODS = {"gains": "good", "loses": "bad", "ends earlier": "warn"}


def versions(found: Sequence[Applied], who: Mapping[str, str], now: int, zone: str, root: str) -> list[ListRow]:
    """A row for each version of the rules, newest first; *who* are the names of those who applied them."""
    return [_version(one, found[-1], who, now, zone, root) for one in reversed(found)]


def rules(ruleset: Ruleset) -> list[ListRow]:
    """A row for each rule."""
    return [ListRow(cells, {"verb": _words(cells["verb"])}) for cells in cells_of(ruleset)]


def _words(verbs: str) -> str:
    """Verbs by the last part of their IRIs, which people recognise."""
    return ", ".join(verb.rstrip("/").rpartition("/")[2] for verb in verbs.split("|"))


def changes(found: Iterable[RulesChange], rulesets: Iterable[Ruleset]) -> list[ListRow]:
    """A row for each level that somebody would gain or lose; the levels are called as in *rulesets*."""
    levels = {
        (about.code, about.label, level.ordinal): level.label
        for ruleset in rulesets
        for about in ruleset.competencies
        for level in about.scale.levels
    }
    return [_change(one, levels.get((one.code, one.label, one.level), "")) for one in found]


def drafts(found: Iterable[Record], zone: str, root: str) -> list[dict[str, str]]:
    """The drafts that may still be put in force, each with the address of its page."""
    return [
        {
            "text": str(one.meta["file"]) or f"Version {one.meta['restores']}, to be brought back",
            "sent": written_moment(one.meta["at"], zone),
            "address": f"{root}/staff/rules/drafts/{one.id}/changes",
        }
        for one in found
    ]


def draft(
    id: str, one: RulesDraft, before: Ruleset, zone: str, *, is_outdated: bool, until: int | None = None
) -> dict[str, Any]:
    """Rules that may be put in force, in place of those *before*.

    *until* is when the review ends of what they took away, once they are in force.
    """
    found = edits(before, one.ruleset, one.unread)
    return {
        "id": id,
        "file": one.file,
        "restores": one.restores or 0,
        "sent": written_moment(one.at, zone),
        "state": one.state,
        "is_under_way": one.state in UNDER_WAY,
        "rules": len(one.ruleset.rules),
        "before": len(before.rules),
        "former": before.version,
        "until": written_moment(until, zone) if until else "",
        "edits": [_edit(edit, one.ruleset, before) for edit in islice(found, MOST_EDITS)],
        "more_edits": max(0, len(found) - MOST_EDITS),
        "is_same": one.state == "seen" and one.ruleset == before,
        "is_outdated": is_outdated,
        "faults": list(one.faults),
        "more_faults": max(0, one.unusable - len(one.faults)),
        "unusable": one.unusable,
        "warnings": list(one.warnings),
        "notes": list(one.notes),
        "gained": one.gained,
        "lost": one.lost,
        "people": one.people,
        "badges": one.badges,
        "version": one.version,
        "problem": one.problem,
    }


def _version(one: Applied, newest: Applied, who: Mapping[str, str], now: int, zone: str, root: str) -> ListRow:
    number = one.ruleset.version
    review = one.until if one.until and one.until > now else None
    return ListRow(
        {
            "version": number,
            "state": "In force" if one is newest else "Former",
            "rules": len(one.ruleset.rules),
            "applied": time_of(one.at),
            "by": who.get(one.by or "") or doer_said(one.by or ""),
            "restores": one.restores,
            "review": time_of(review),
        },
        {
            "applied": written_moment(one.at, zone) if one.at else "",
            "review": written_moment(review, zone) if review else "",
        },
        {"version": f"{root}/staff/rules/versions/{number}/rules"},
        {"state": "good"} if one is newest else {},
    )


def _edit(one: RuleEdit, *rulesets: Ruleset) -> dict[str, Any]:
    """What happens to a rule, in the words of its table; with the cells that changed."""
    labels = {
        f"{about.code}@{about.version}": f"{about.code} {about.label}" for it in rulesets for about in it.competencies
    }
    cells = one.cells
    about = {name: _words(cells[name]) if name == "verb" else cells[name] for name in ("activity", "verb", "level")}
    changed = [(name, was or "(empty)", cells[name] or "(empty)") for name, was in one.was.items()]
    return about | {
        "does": _EDITS[one.does],
        "competency": labels.get(cells["competency"], cells["competency"]),
        "changed": changed,
        "row": one.row,
    }


def _change(one: RulesChange, level: str) -> ListRow:
    return ListRow(
        {
            "does": _DOES[one.does],
            "name": one.name or None,
            "competency": f"{one.code} {one.label}".strip(),
            "level": one.level,
            "badge": "Would be revoked" if one.badge else "Stays as it is",
            "ends": one.ends or None,
        },
        {
            "name": one.name or "No name was told",
            "level": f"{one.level} {level}".strip(),
            "ends": written_day(one.ends) if one.ends else "",
        },
        moods={"does": _MOODS.get(one.does, "")} | ({"badge": "bad"} if one.badge else {}),
    )
