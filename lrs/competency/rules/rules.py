"""The rule kernel: which rules a statement meets, and whether it counts as evidence for them. Pure.

Rules are found by what anchors them (verb, and the activity, its type, parent, grouping or category), so a statement
that no rule is about costs one look into a table. Trust is by default-deny: a rule counts only what comes from a source
it names; ``authority``, which an import may bring along, is never asked. Knows no person and no store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from lrs.access import OWN_SOURCE
from lrs.competency.completion import UNCOMPLETED
from lrs.competency.frameworks.levels import LevelScale
from lrs.competency.rules.scores import exact, percent, shown
from lrs.competency.seen import Moment, Seen, event_time, is_group, places

Role = Literal["activity", "type", "parent", "grouping", "category"]
ROLES: tuple[Role, ...] = get_args(Role)
CLOCK_SKEW = 24 * 3600 * 1_000_000
"""How far (microseconds) a statement may lie after the moment it was stored and still count."""


class Rule(msgspec.Struct, frozen=True):
    """One line of a mapping table.

    *item* is its lasting id, *version* the rule set it last changed in. *match* says which role *activity* plays.
    *competency* is an item's id with the version it means (``Competency.key``), *level* an ordinal of its scale.
    *threshold* is in per cent; *valid_for* and *window* are ISO 8601 durations.
    """

    item: str
    version: int
    match: Role
    activity: str
    verbs: tuple[str, ...]
    competency: str
    level: int
    threshold: float | None = None
    valid_for: str | None = None
    window: str | None = None
    sources: tuple[str, ...] = ()
    scaled_range: tuple[float, float] = (0.0, 1.0)


class Competency(msgspec.Struct, frozen=True):
    """A competency as rules yield it: a framework's item in the *version* from which it means what it means."""

    id: str
    code: str
    label: str
    framework: str
    version: int
    scale: LevelScale

    @property
    def key(self) -> str:
        """Names the competency together with its version."""
        return f"{self.id}@{self.version}"


class Ruleset(msgspec.Struct, frozen=True):
    """All rules in force, and the competencies they name."""

    version: int
    rules: tuple[Rule, ...] = ()
    competencies: tuple[Competency, ...] = ()
    v: int = 1


def content(ruleset: Ruleset) -> tuple[frozenset[Rule], frozenset[Competency]]:
    """What a rule set says, whatever its version and the order of its rules: that decides nothing."""
    return frozenset(ruleset.rules), frozenset(ruleset.competencies)


class Index(msgspec.Struct, frozen=True):
    """A rule set ready to be asked: rules by verb, then by (role, IRI); rules by item; competencies by key.

    *versions* has the lasting id of each rule with its version.
    """

    version: int
    by_verb: Mapping[str, Mapping[tuple[str, str], tuple[Rule, ...]]]
    by_item: Mapping[str, Rule]
    competencies: Mapping[str, Competency]
    versions: frozenset[tuple[str, int]]


class Match(msgspec.Struct, frozen=True):
    """A rule that a statement meets, and why it does not count if it does not."""

    rule: Rule
    reason: str | None
    score: float | None

    @property
    def counted(self) -> bool:
        """Whether the statement is evidence for the rule's competency."""
        return self.reason is None


def index_rules(ruleset: Ruleset) -> Index:
    """Builds the index. Raises ``ValueError`` for a rule without verb or activity: it would match everything."""
    by_verb: dict[str, dict[tuple[str, str], tuple[Rule, ...]]] = {}
    for rule in ruleset.rules:
        if not rule.verbs or not rule.activity:
            raise ValueError(f"rule {rule.item} has no anchor")
        for verb in rule.verbs:
            anchors = by_verb.setdefault(verb, {})
            anchor = (rule.match, rule.activity)
            anchors[anchor] = (*anchors.get(anchor, ()), rule)
    by_item = {rule.item: rule for rule in ruleset.rules}
    versions = frozenset((rule.item, rule.version) for rule in ruleset.rules)
    return Index(ruleset.version, by_verb, by_item, {one.key: one for one in ruleset.competencies}, versions)


def rules_for(seen: Seen, index: Index) -> tuple[Rule, ...]:
    """The rules whose anchors the statement meets, each once."""
    anchors = index.by_verb.get(seen.verb.id)
    if not anchors:
        return ()
    found = {rule.item: rule for place in places(seen) for rule in anchors.get(place, ())}
    return tuple(found.values())


def matches(seen: Seen, moment: Moment, index: Index) -> list[Match]:
    """Every rule the statement meets, each with its verdict; none for statements of our own."""
    if moment.source == OWN_SOURCE:
        return []
    return [judge(rule, seen, moment) for rule in rules_for(seen, index)]


def judge(rule: Rule, seen: Seen, moment: Moment) -> Match:
    """Whether the statement counts for *rule*; if not, the first reason against it."""
    score = percent(seen.result.score, rule.scaled_range)
    reasons = (
        (moment.source not in rule.sources, "source not trusted"),
        (is_group(seen), "actor is a group"),
        (event_time(seen, moment.stored) > moment.stored + CLOCK_SKEW, "in the future"),
        (seen.result.completion is False or seen.verb.id in UNCOMPLETED, "not completed"),
        (seen.result.success is False, "not successful"),
        (rule.threshold is not None and score is None, "no score"),
        (rule.threshold is not None and score is not None and score < exact(rule.threshold), "below threshold"),
    )
    return Match(rule, next((reason for holds, reason in reasons if holds), None), shown(score))
