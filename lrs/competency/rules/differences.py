"""Says in words what a change of rules took away: why a level is in review, why evidence no longer counts. Pure."""

from __future__ import annotations

from lrs.competency.rules.in_force import FormerRuleset, InForce
from lrs.competency.rules.review import CompetencyLevel
from lrs.competency.rules.rules import Index, Rule
from lrs.competency.shapes import RuleRef


def former_rule(rules: InForce, ref: RuleRef) -> Rule | None:
    """The rule *ref* if it belongs to a former rule set; ``None`` otherwise."""
    former = _former(rules, ref)
    return former.rules.by_item[ref.item] if former else None


def why_former(rules: InForce, ref: RuleRef) -> str | None:
    """Why evidence of *ref* no longer counts by the rules in force; ``None`` if the rules still count it."""
    former = _former(rules, ref)
    return None if former is None else _told(former.by, former.rules.by_item[ref.item], _of_version(rules, former.by))


def why_in_review(rules: InForce, about: CompetencyLevel, version: int) -> str:
    """What the rules of *version* changed for a competency and level."""
    after = _of_version(rules, version)
    for former in rules.former:
        if former.by == version:
            gone = [rule for rule in former.rules.by_item.values() if (rule.competency, rule.level) == about]
            told = [_told(version, rule, after) for rule in gone if after.by_item.get(rule.item) != rule]
            if told:
                return "; ".join(told)
    return f"rules version {version} no longer count its evidence"


def _former(rules: InForce, ref: RuleRef) -> FormerRuleset | None:
    version = (ref.item, ref.version)
    if version in rules.rules.versions:
        return None
    return next((one for one in rules.former if version in one.rules.versions), None)


def _of_version(rules: InForce, version: int) -> Index:
    return next((one for one in rules.every() if one.version == version), rules.rules)


def _told(version: int, rule: Rule, after: Index) -> str:
    now = after.by_item.get(rule.item)
    if now is None:
        return f"rules version {version} no longer has the rule on {rule.activity}"
    lost = sorted(set(rule.sources) - set(now.sources))
    parts = (
        (bool(lost), f"trusts {', '.join(lost)} no longer"),
        (rule.threshold != now.threshold, f"asks for {_percent(now)} instead of {_percent(rule)}"),
        (rule.valid_for != now.valid_for, f"is valid for {_lasting(now)} instead of {_lasting(rule)}"),
        (rule.window != now.window, f"renews within {now.window or 'no time'} instead of {rule.window or 'no time'}"),
        (rule.scaled_range != now.scaled_range, "reads scaled scores by another range"),
        (rule.competency != now.competency, "is about a later version of the competency"),
    )
    said = [text for holds, text in parts if holds] or ["is another"]
    return f"in rules version {version} the rule on {rule.activity} {' and '.join(said)}"


def _percent(rule: Rule) -> str:
    return "no score" if rule.threshold is None else f"{rule.threshold:g} %"


def _lasting(rule: Rule) -> str:
    return rule.valid_for or "ever"
