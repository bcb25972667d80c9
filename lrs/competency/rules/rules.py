"""Matches statements against rules: which rules a statement meets, and whether it counts as evidence. Pure.

Rules are found by their anchors (the verb, and the activity, its type, parent, grouping or category), so a statement
that no rule is about costs one look-up. Trust is by default-deny: a rule counts only what comes from a source it names.
``authority``, which an import may contain, is not used. Knows no person and no store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from lrs.access import is_of_content, is_own
from lrs.competency.completion import UNCOMPLETED
from lrs.competency.frameworks.levels import LevelScale
from lrs.competency.rules.scores import exact, percent, shown
from lrs.competency.seen import Moment, SeenStatement, event_time, is_group, places
from lrs.kernel.times import DAY

ActivityRole = Literal["activity", "type", "parent", "grouping", "category"]
ROLES: tuple[ActivityRole, ...] = get_args(ActivityRole)
CLOCK_SKEW = DAY
"""How far (microseconds) a statement's time may be after the moment it was stored for it to count."""


class Rule(msgspec.Struct, frozen=True):
    """One line of a mapping table.

    *item* is its lasting id, *version* the rule set in which it last changed. *match* is the role of *activity*.
    *competency* is an item's id with the version of its meaning (``RuleCompetency.key``), *level* an ordinal of its
    scale. *threshold* is in per cent; *valid_for* and *window* are ISO 8601 durations.
    """

    item: str
    version: int
    match: ActivityRole
    activity: str
    verbs: tuple[str, ...]
    competency: str
    level: int
    threshold: float | None = None
    valid_for: str | None = None
    window: str | None = None
    sources: tuple[str, ...] = ()
    scaled_range: tuple[float, float] = (0.0, 1.0)


class RuleCompetency(msgspec.Struct, frozen=True):
    """A competency that rules prove: a framework's item, with the *version* since which it has its meaning."""

    id: str
    code: str
    label: str
    framework: str
    version: int
    scale: LevelScale

    @property
    def key(self) -> str:
        """The competency together with its version."""
        return f"{self.id}@{self.version}"


class Ruleset(msgspec.Struct, frozen=True):
    """A set of rules, and the competencies that they name."""

    version: int
    rules: tuple[Rule, ...] = ()
    competencies: tuple[RuleCompetency, ...] = ()
    v: int = 1


def content(ruleset: Ruleset) -> tuple[frozenset[Rule], frozenset[RuleCompetency]]:
    """What a rule set says, without its version and the order of its rules, which change no result."""
    return frozenset(ruleset.rules), frozenset(ruleset.competencies)


class Index(msgspec.Struct, frozen=True):
    """A rule set prepared for look-ups: rules by verb, then by (role, IRI); rules by item; competencies by key.

    *versions* has the lasting id of each rule with its version.
    """

    version: int
    by_verb: Mapping[str, Mapping[tuple[str, str], tuple[Rule, ...]]]
    by_item: Mapping[str, Rule]
    competencies: Mapping[str, RuleCompetency]
    versions: frozenset[tuple[str, int]]


class Match(msgspec.Struct, frozen=True):
    """A rule that a statement meets, and why it does not count (*reason*; ``None`` if it does)."""

    rule: Rule
    reason: str | None
    score: float | None

    @property
    def counted(self) -> bool:
        """Whether the statement is evidence for the rule's competency."""
        return self.reason is None


def index_rules(ruleset: Ruleset) -> Index:
    """Builds the index.

    Raises ``ValueError`` for a rule without verb or activity, because it would match everything.
    """
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


def rules_for(seen: SeenStatement, index: Index) -> tuple[Rule, ...]:
    """The rules whose anchors the statement meets, without duplicates."""
    anchors = index.by_verb.get(seen.verb.id)
    if not anchors:
        return ()
    found = {rule.item: rule for place in places(seen) for rule in anchors.get(place, ())}
    return tuple(found.values())


def rules_of_other_verbs(seen: SeenStatement, index: Index) -> tuple[Rule, ...]:
    """The rules about an activity of the statement, whatever verbs they count, without duplicates."""
    there = places(seen)
    found = {rule.item: rule for anchors in index.by_verb.values() for one in there for rule in anchors.get(one, ())}
    return tuple(found.values())


def matches(seen: SeenStatement, moment: Moment, index: Index) -> list[Match]:
    """Every rule that the statement meets, with the verdict. None for statements of our own."""
    if is_own(moment.source):
        return []
    return [judge(rule, seen, moment) for rule in rules_for(seen, index)]


def judge(rule: Rule, seen: SeenStatement, moment: Moment) -> Match:
    """Whether the statement counts for *rule*; if not, the first reason against it."""
    score = percent(seen.result.score, rule.scaled_range)
    reasons = (
        (moment.source not in rule.sources, "source not trusted"),
        (bool(moment.trial), "only looked at, nothing counts in such a launch"),
        (is_outside(rule, seen, moment), "not about what was launched"),
        (is_group(seen), "actor is a group"),
        (event_time(seen, moment.stored) > moment.stored + CLOCK_SKEW, "in the future"),
        (seen.result.completion is False or seen.verb.id in UNCOMPLETED, "not completed"),
        (seen.result.success is False, "not successful"),
        (rule.threshold is not None and score is None, "no score"),
        (rule.threshold is not None and score is not None and score < exact(rule.threshold), "below threshold"),
    )
    return Match(rule, next((reason for holds, reason in reasons if holds), None), shown(score))


def is_outside(rule: Rule, seen: SeenStatement, moment: Moment) -> bool:
    """Whether launched content says something of what was not launched, or of a type that its package does not give."""
    if rule.match != "type":
        return rule.activity in moment.outside
    return seen.object.id in moment.outside or (is_of_content(moment.source) and rule.activity != moment.type)
