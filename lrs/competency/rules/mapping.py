"""Reads the mapping table: a CSV or XLSX file that says which activities prove which competency.

Each row becomes one rule, or a fault with the reason. Pure; knows no store: what exists is passed in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from lrs.access import MADE_HERE, is_of_content
from lrs.competency.dates import iso_period, parse_period, shorter
from lrs.competency.frameworks.framework import Framework, Item, items_named
from lrs.competency.known_sources import UNKNOWN_SOURCE
from lrs.competency.rules.rules import ROLES, ActivityRole, Rule, RuleCompetency, Ruleset, content
from lrs.competency.rules.verbs import VERBS
from lrs.competency.tables import RowFault, read_table, said
from lrs.kernel.names import name
from lrs.kernel.tables.row import Row

ALIASES: Mapping[str, tuple[str, ...]] = {
    "activity": ("activity id", "activity iri", "module", "course"),
    "match": ("activity match", "matched by", "match by", "role"),
    "verb": ("verbs", "verb id"),
    "competency": ("competency code", "competence", "capability", "code"),
    "framework": ("framework id", "framework uri"),
    "level": ("tier",),
    "threshold": ("score", "min score", "minimum score", "pass mark", "score min"),
    "valid for": ("validity", "valid", "expires after"),
    "requalify within": ("window", "requalification window"),
    "trusted source": ("trusted sources", "source", "sources", "authority"),
    "scaled range": ("range",),
}
NAMING = ("activity", "competency")
"""Columns by which a row that cannot be used is known again."""
_NUMBER = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{1,6})?")
_RANGES = {"": (0.0, 1.0), "0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0)}
_VERSIONED = re.compile(r"(.+)@([0-9]{1,9})")


class KnownNames(msgspec.Struct, frozen=True):
    """What a table may name: published versions of frameworks, drafts, and *sources* (``None``: not told)."""

    frameworks: Sequence[Framework]
    drafts: Sequence[Framework] = ()
    sources: Container[str] | None = None


class UnusableCell(Exception):
    """A cell that cannot be used: its column, and why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


class UnusableRow(Exception):
    """A row that cannot be used: for each *wrong* column, why."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__("; ".join(wrong.values()))
        self.wrong = wrong


def ruleset_from_table(
    content: Path | bytes, known: KnownNames, before: Ruleset, earlier: Sequence[Ruleset] = ()
) -> tuple[Ruleset, tuple[RowFault, ...]]:
    """The rule set that follows *before*, and the faults of the rows that were left out.

    A rule keeps its ``version`` as long as nothing in it changes. If it comes back as it was in one of the *earlier*
    sets (newest first), it gets that version again. If only the order of rows changes, the result is *before*.
    """
    rows, faults = read_table(content, ALIASES, naming=NAMING)
    rules: dict[str, Rule] = {}
    first_row: dict[str, int] = {}
    competencies: dict[str, RuleCompetency] = {}
    for row in rows:
        try:
            rule, competency = _rule(row, known)
        except UnusableRow as unusable:
            faults.append(_fault(row, unusable.wrong))
            continue
        if rule.item in rules:
            faults.append(
                RowFault(
                    row.place.row, None, f"the same activity, verb, competency and level as row {first_row[rule.item]}"
                )
            )
            continue
        first_row[rule.item] = row.place.row
        rules[rule.item] = rule
        competencies[competency.key] = competency
        faults += _warnings(row, rule, known)
    ruleset = versioned((before, *earlier), tuple(rules.values()), tuple(competencies.values()))
    return ruleset, tuple(sorted(faults, key=lambda fault: fault.row))


def versioned(known: Sequence[Ruleset], rules: tuple[Rule, ...], competencies: tuple[RuleCompetency, ...]) -> Ruleset:
    """The rule set that follows the first of *known*; that one itself if only the order is another.

    A rule that stands in one of *known* just as it is keeps its version.
    """
    before = known[0]
    was: dict[str, list[Rule]] = {}
    for rule in (rule for ruleset in known for rule in ruleset.rules):
        was.setdefault(rule.item, []).append(rule)
    kept = tuple(_with_version(rule, was.get(rule.item, ()), before.version + 1) for rule in rules)
    ruleset = Ruleset(before.version + 1, kept, competencies)
    return before if content(ruleset) == content(before) else ruleset


def _with_version(rule: Rule, known: Iterable[Rule], version: int) -> Rule:
    same = (was for was in known if msgspec.structs.replace(rule, version=was.version) == was)
    return next(same, msgspec.structs.replace(rule, version=version))


def _rule(row: Row, known: KnownNames) -> tuple[Rule, RuleCompetency]:
    """The rule of *row*. Raises ``UnusableRow`` with every cell that cannot be used, so that all are mended at once."""
    readers: Mapping[str, Callable[[Row], Any]] = {
        "match": _match,
        "activity": _activity,
        "verbs": _verbs,
        "proves": partial(_proves, known),
        "threshold": _threshold,
        "valid_for": _valid_for,
        "window": _window,
        "scaled_range": _range,
        "sources": _sources,
    }
    read: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field, reader in readers.items():
        try:
            read[field] = reader(row)
        except UnusableCell as fault:
            wrong.setdefault(fault.column, fault.reason)
    if wrong:
        raise UnusableRow(wrong)
    competency, level = read.pop("proves")
    id = name("rule", read["match"], read["activity"], "|".join(read["verbs"]), competency.id, level)
    return Rule(item=id, version=0, competency=competency.key, level=level, **read), competency


def _fault(row: Row, wrong: Mapping[str, str]) -> RowFault:
    (column, reason), *also = wrong.items()
    return RowFault(row.place.row, column, reason, says=said(row, NAMING), also=tuple(also))


def _sources(row: Row) -> tuple[str, ...]:
    return tuple(sorted({part.strip() for part in row["trusted source"].split("|") if part.strip()}))


def _range(row: Row) -> tuple[float, float]:
    text = row["scaled range"].replace(" ", "")
    if text not in _RANGES:
        raise UnusableCell("scaled range", "write 0..1 or -1..1")
    return _RANGES[text]


def _match(row: Row) -> ActivityRole:
    word = row["match"].casefold() or "activity"
    for role in ROLES:
        if word == role:
            return role
    raise UnusableCell("match", f"{row['match']!r} is none of {', '.join(ROLES)}")


def _activity(row: Row) -> str:
    activity = row["activity"]
    if not activity:
        raise UnusableCell("activity", "names no activity: a rule without an anchor would award for anything")
    if ":" not in activity or any(letter.isspace() for letter in activity):
        raise UnusableCell("activity", f"{activity!r} is no IRI")
    return activity


def _verbs(row: Row) -> tuple[str, ...]:
    words = [word.strip() for word in row["verb"].split("|") if word.strip()]
    if not words:
        raise UnusableCell("verb", "names no verb: being sent a module is not the same as passing it")
    unknown = [word for word in words if ":" not in word and word.casefold() not in VERBS]
    if unknown:
        raise UnusableCell("verb", f"{unknown[0]!r} is no verb known by one word; write its IRI")
    return tuple(sorted({word if ":" in word else VERBS[word.casefold()] for word in words}))


def _proves(known: KnownNames, row: Row) -> tuple[RuleCompetency, int]:
    competency, item = _competency(row, known)
    return competency, _level(row, competency, item)


def _competency(row: Row, known: KnownNames) -> tuple[RuleCompetency, Item]:
    text = row["competency"]
    if not text:
        raise UnusableCell("competency", "names no competency")
    pinned = _VERSIONED.fullmatch(text)
    code, version = (pinned[1], int(pinned[2])) if pinned else (text, None)
    named = [one for one in known.frameworks if row["framework"] in {"", one.id, one.title}]
    latest = {one.id: one for one in named if version is None or one.version == version}
    found = items_named(latest.values(), code)
    if len(found) > 1:
        raise UnusableCell("competency", _several(code, found))
    if not found:
        raise _unknown(row, text, code, named, known.drafts)
    framework, item = found[0]
    return RuleCompetency(item.id, item.code, item.label, framework.id, item.since, framework.scale), item


def _several(text: str, found: Sequence[tuple[Framework, Item]]) -> str:
    """Which one is meant cannot be told: by which codes, or by which column, it can."""
    codes = sorted({item.code for _, item in found})
    if len(codes) == 1:
        return f"{text!r} is in {len(found)} frameworks; name one in the column framework"
    return f"{text!r} is the name of {len(found)} competencies; write the code of one: {', '.join(codes)}"


def _unknown(row: Row, text: str, code: str, named: Sequence[Framework], drafts: Iterable[Framework]) -> UnusableCell:
    """Why the competency cannot be used: no framework has it, or its framework is missing or not published."""
    of_name = [one for one in drafts if row["framework"] in {"", one.id, one.title}]
    having = [one for one, _ in items_named(of_name, code)]
    if row["framework"] and not named and not having:
        why = "is not published yet" if of_name else "is the id or title of no framework"
        return UnusableCell("framework", f"{row['framework']!r} {why}")
    hint = f"; it is in a draft of {having[0].id}, publish that first" if having else ""
    where = f"{named[0].id} does not have" if row["framework"] and named else "no published framework has"
    return UnusableCell("competency", f"{where} {text!r}{hint}")


def _level(row: Row, competency: RuleCompetency, item: Item) -> int:
    if not row["level"] and item.level is not None:
        return item.level
    level = competency.scale.named(row["level"]) if row["level"] else None
    if level is None:
        names = ", ".join(f"{one.code} ({one.label})" for one in competency.scale.levels)
        raise UnusableCell("level", f"{row['level']!r} is no level of {competency.scale.name!r}: {names}")
    return level.ordinal


def _threshold(row: Row) -> float | None:
    text = row["threshold"]
    if not text:
        return None
    number = text.removesuffix("%").strip()
    if not _NUMBER.fullmatch(number):
        raise UnusableCell("threshold", f"{text!r} is no percentage")
    value = float(number.replace(",", "."))
    if value > 100 or not math.isfinite(value):
        raise UnusableCell("threshold", f"{text!r} is more than 100 %")
    if 0 < value <= 1 and not text.endswith("%"):
        raise UnusableCell("threshold", f"{text!r} could be {value:g} % or {100 * value:g} %; write {100 * value:g}%")
    return value


def _valid_for(row: Row) -> str | None:
    return _period(row, "valid for")


def _window(row: Row) -> str | None:
    window = _period(row, "requalify within")
    if window:
        valid_for = _valid_for(row)
        if not (valid_for and shorter(parse_period(window), parse_period(valid_for))):
            raise UnusableCell("requalify within", "must be shorter than the time it is valid for")
    return window


def _period(row: Row, column: str) -> str | None:
    try:
        if row[column]:
            parse_period(row[column])
    except ValueError as error:
        raise UnusableCell(column, str(error)) from error
    return iso_period(row[column]) or None


def _warnings(row: Row, rule: Rule, known: KnownNames) -> list[RowFault]:
    if not rule.sources:
        return [RowFault(row.place.row, "trusted source", "names no source, so nothing will ever count", warning=True)]
    if known.sources is None:
        return []
    others = [one for one in rule.sources if one not in MADE_HERE and not is_of_content(one)]
    return [
        RowFault(row.place.row, "trusted source", UNKNOWN_SOURCE.format(repr(one)), warning=True)
        for one in others
        if one not in known.sources
    ]
