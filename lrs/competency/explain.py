"""Explains why a person holds a level, or does not. Reads only; every answer names its evidence.

Knows no command and no page: it gives plain values that both can show.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec

from lrs.competency.decide import Evidence, why_not
from lrs.competency.ending import ending_of
from lrs.competency.evidence import evidence_from
from lrs.competency.rules.differences import former_rule, why_former, why_in_review
from lrs.competency.rules.in_force import InForce
from lrs.competency.rules.rules import Rule, RuleCompetency
from lrs.competency.rules.rulesets import in_force
from lrs.competency.shapes import Award
from lrs.competency.uncompletions import marks_of
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.people.ids import ids_of
from lrs.people.persons import identifiers_in, members_of, named
from lrs.people.search import found_one, somebody
from lrs.storage import Reader, Walk, each
from lrs.tenancy.tenants import Tenant

IN_REVIEW = "in review"
"""The state shown for an award that only a change of rules took away, while it is still held."""
AwardShown = tuple[Award, dict[str, Any]]
"""An award, and what is said of it."""
Find = Callable[[Tenant, str], str | None]
"""The person that a text names, in a tenant."""


class EvidenceVerdict(msgspec.Struct, frozen=True):
    """One piece of evidence: its activity, what the rule asks for, the score, and whether it counts."""

    statement: str
    timestamp: str
    source: str
    activity: str
    rule: str
    rule_version: int
    trusted: tuple[str, ...]
    threshold: float | None
    score: float | None
    counted: bool
    reason: str | None


class LevelExplanation(msgspec.Struct, frozen=True):
    """For one competency and level: its awards and all evidence, oldest first.

    An award without evidence: all of it was voided, or it was evidence of a rule that no longer exists.
    """

    competency: str
    code: str
    label: str
    level: str
    awards: tuple[dict[str, Any], ...]
    evidence: tuple[EvidenceVerdict, ...]


class Explanation(msgspec.Struct, frozen=True):
    """The person, the version of the rules, and an answer for each level.

    *person* is ``None`` for an identifier that stands for no person. *name* is the person's name in the newest
    statement, if it has one.
    """

    person: str | None
    rules: int
    answers: tuple[LevelExplanation, ...]
    name: str | None = None


def explain(tenant: Tenant, who: str, competency: str | None = None, *, find: Find = found_one) -> Explanation:
    """Explains a person, named by an id, an identifier or a name (see ``search``), or as *find* understands it.

    *competency* limits it to the competency with this code or id. Raises ``Refused``: 404 if nobody is known so, 409 if
    several are.
    """
    reader, person = tenant.store, find(tenant, who)
    members = members_of(reader, person) if person else ()
    own = {identifier.id for identifier in identifiers_in(reader, members)} or _nobody(tenant, who)
    marks = marks_of(reader, own)
    rules = in_force(reader)
    found = sorted(_evidence(reader, own), key=lambda one: (one.event, one.statement, one.rule.item))
    holder = members[0] if members else None
    awards = _awards(reader, holder, rules, tenant.settings.zone) if holder else []
    told = {(one.statement, one.rule.item) for one in found if former_rule(rules, one.rule) is None}
    about: dict[tuple[str, int], list[EvidenceVerdict]] = {}
    for one in found:
        rule = _rule_of(one, told, rules)
        if rule:
            reason = why_not(one, own, marks) or why_former(rules, one.rule)
            about.setdefault((rule.competency, rule.level), []).append(_finding(one, rule, reason))
    answers = [_answer(rules, *pair, tuple(findings), awards) for pair, findings in sorted(about.items())]
    answers += _bare(awards, {(rules.competencies()[id].id, level) for id, level in about})
    wanted = None if competency is None else competency.casefold()
    kept = tuple(one for one in answers if wanted in {None, one.code.casefold(), one.competency})
    name = somebody(reader, holder).name if holder else None
    return Explanation(holder, rules.rules.version, kept, name)


def _nobody(tenant: Tenant, who: str) -> set[str]:
    """The identifier *who*, if it stands for nobody: its evidence says why."""
    identifier = named(who)
    for id in (ids_of(tenant)(identifier.id), identifier.id) if identifier else ():
        if tenant.store.find(Walk("evidence", [key("ev-person-identifier", id)], limit=1)).records:
            return {id}
    raise Refused(f"nobody is known as {who}", status=404, error="not_found")


def _evidence(reader: Reader, own: Iterable[str]) -> list[Evidence]:
    return [
        evidence_from(record)
        for identifier in own
        for record in each(reader, "evidence", key("ev-person-identifier", identifier))
    ]


def _awards(reader: Reader, holder: str, rules: InForce, zone: str) -> list[AwardShown]:
    records = each(reader, "award", key("award", holder))
    found = [(record.id, msgspec.json.decode(record.body, type=Award)) for record in records]
    return [(one, _award(id, one, rules, zone)) for id, one in found]


def _rule_of(one: Evidence, told: Collection[tuple[str, str]], rules: InForce) -> Rule | None:
    """The rule of a piece of evidence.

    A former rule only if the rule in force has no evidence of the same statement.
    """
    now = rules.rules.by_item.get(one.rule.item)
    former = former_rule(rules, one.rule)
    if former is None:
        return now
    return None if (one.statement, one.rule.item) in told else former


def _finding(one: Evidence, rule: Rule, reason: str | None) -> EvidenceVerdict:
    return EvidenceVerdict(
        statement=one.statement,
        timestamp=one.timestamp,
        source=one.source,
        activity=rule.activity,
        rule=one.rule.item,
        rule_version=one.rule.version,
        trusted=rule.sources,
        threshold=rule.threshold,
        score=one.score,
        counted=reason is None,
        reason=reason,
    )


def _bare(awards: list[AwardShown], told: set[tuple[str, int]]) -> list[LevelExplanation]:
    """The awards that have no evidence left, for competencies and levels that are not in *told*."""
    about: dict[tuple[str, int], list[AwardShown]] = {}
    for one, shown in awards:
        if (one.competency.id, one.level.ordinal) not in told:
            about.setdefault((one.competency.id, one.level.ordinal), []).append((one, shown))
    return [_of_awards(found[0][0], found) for _, found in sorted(about.items())]


def _of_awards(one: Award, found: list[AwardShown]) -> LevelExplanation:
    level = f"{one.level.ordinal} {one.level.label}"
    return LevelExplanation(
        one.competency.id, one.competency.code, one.competency.label, level, tuple(shown for _, shown in found), ()
    )


def _award(id: str, one: Award, rules: InForce, zone: str) -> dict[str, Any]:
    shown = {"award": id, "state": one.state, "held_from": one.held_from, "valid_until": one.valid_until}
    if one.review is None:
        ending = ending_of(one, rules, zone)
        return shown | {"valid_for": ending.valid_for, "valid_since": ending.since} if ending else shown
    about = (one.competency.key, one.level.ordinal)
    because = why_in_review(rules, about, one.review.rules)
    return shown | {"state": IN_REVIEW, "review_until": one.review.until, "because": because}


def _answer(
    rules: InForce, competency: str, level: int, findings: tuple[EvidenceVerdict, ...], awards: list[AwardShown]
) -> LevelExplanation:
    about = rules.competencies()[competency]
    named_level = about.scale.at(level)
    return LevelExplanation(
        competency=about.id,
        code=about.code,
        label=about.label,
        level=f"{level} {named_level.label}" if named_level else str(level),
        awards=tuple(shown for one, shown in awards if _is_about(one, about, level)),
        evidence=findings,
    )


def _is_about(award: Award, competency: RuleCompetency, level: int) -> bool:
    return (award.competency.id, award.level.ordinal) == (competency.id, level)
