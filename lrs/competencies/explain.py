"""Why a person holds what it holds, and why not what it does not. Reads only; every answer names its evidence.

Knows no command and no page: it gives plain values that both can show.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from lrs.competencies.awards import Award
from lrs.competencies.decide import Evidence, why_not
from lrs.competencies.evidence import evidence_from
from lrs.competencies.rules import Index, Rule
from lrs.competencies.rulesets import in_force
from lrs.errors import Refused
from lrs.keys import key
from lrs.learners.persons import identifiers_in, members_of, named, person_named
from lrs.storage import Reader, pages


class Finding(msgspec.Struct, frozen=True):
    """One piece of evidence: what it was about, what the rule asked, what was seen, and the verdict."""

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


class Answer(msgspec.Struct, frozen=True):
    """For one competency and level: the awards there are, and all evidence, oldest first.

    No evidence beside an award: all there was has been voided, or was evidence of a rule that is gone.
    """

    competency: str
    code: str
    label: str
    level: str
    awards: tuple[dict[str, Any], ...]
    evidence: tuple[Finding, ...]


class Explanation(msgspec.Struct, frozen=True):
    """Whom it is about (``None``: an identifier that stands for no person), the rules' version, and the answers."""

    person: str | None
    rules: int
    answers: tuple[Answer, ...]


def explain(reader: Reader, who: str, competency: str | None = None) -> Explanation:
    """Explains a person, named by its id or an identifier (see ``persons.named``).

    *competency* keeps to the one with this code or id. Raises ``Refused`` (404) for somebody never heard of.
    """
    person = person_named(reader, who)
    members = members_of(reader, person) if person else ()
    own = {identifier.id for identifier in identifiers_in(reader, members)} or _nobody(reader, who)
    index = in_force(reader).rules
    found = sorted(_evidence(reader, own), key=lambda one: (one.event, one.statement, one.rule.item))
    holder = members[0] if members else None
    awards = _awards(reader, holder) if holder else []
    about: dict[tuple[str, int], list[Finding]] = {}
    for one in found:
        rule = index.by_item.get(one.rule.item)
        if rule:
            about.setdefault((rule.competency, rule.level), []).append(_finding(one, rule, own))
    answers = [_answer(index, *pair, tuple(findings), awards) for pair, findings in sorted(about.items())]
    answers += _bare(awards, {(index.competencies[id].id, level) for id, level in about})
    wanted = None if competency is None else competency.casefold()
    kept = tuple(one for one in answers if wanted in {None, one.code.casefold(), one.competency})
    return Explanation(holder, index.version, kept)


def _nobody(reader: Reader, who: str) -> set[str]:
    """An identifier that matches nobody still has evidence that says so."""
    identifier = named(who)
    if identifier and reader.find("evidence", [key("ev-person-identifier", identifier.id)], limit=1).records:
        return {identifier.id}
    raise Refused(f"nobody is known as {who}", status=404, error="not_found")


def _evidence(reader: Reader, own: Iterable[str]) -> list[Evidence]:
    return [
        evidence_from(record)
        for identifier in own
        for record in pages(reader, "evidence", key("ev-person-identifier", identifier))
    ]


def _awards(reader: Reader, holder: str) -> list[tuple[str, Award]]:
    records = pages(reader, "award", key("award", holder))
    return [(record.id, msgspec.json.decode(record.body, type=Award)) for record in records]


def _finding(one: Evidence, rule: Rule, own: set[str]) -> Finding:
    reason = why_not(one, own)
    return Finding(
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


def _bare(awards: list[tuple[str, Award]], told: set[tuple[str, int]]) -> list[Answer]:
    """The awards of competencies and levels that are not *told* of yet, which have lost their evidence."""
    about: dict[tuple[str, int], list[tuple[str, Award]]] = {}
    for id, one in awards:
        if (one.competency.id, one.level.ordinal) not in told:
            about.setdefault((one.competency.id, one.level.ordinal), []).append((id, one))
    return [_of_awards(found[0][1], found) for _, found in sorted(about.items())]


def _of_awards(one: Award, found: list[tuple[str, Award]]) -> Answer:
    level = f"{one.level.ordinal} {one.level.label}"
    return Answer(one.competency.id, one.competency.code, one.competency.label, level, _shown(found), ())


def _shown(awards: Iterable[tuple[str, Award]]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"award": id, "state": one.state, "held_from": one.held_from, "valid_until": one.valid_until}
        for id, one in awards
    )


def _answer(
    index: Index, competency: str, level: int, findings: tuple[Finding, ...], awards: list[tuple[str, Award]]
) -> Answer:
    about = index.competencies[competency]
    named_level = about.scale.at(level)
    return Answer(
        competency=about.id,
        code=about.code,
        label=about.label,
        level=f"{level} {named_level.label}" if named_level else str(level),
        awards=_shown(one for one in awards if (one[1].competency.id, one[1].level.ordinal) == (about.id, level)),
        evidence=findings,
    )
