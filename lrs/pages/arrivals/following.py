"""The results of one statement: evidence, level, badge, delivery. Reads only, with a bound.

Each part is shown as far as the visitor may see it: a manager of a source sees what its statements proved, and not what
others proved or what services are told of the learner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lrs.access import Caller
from lrs.competency.rules.in_force import InForce
from lrs.competency.rules.rulesets import in_force
from lrs.competency.shapes import Award
from lrs.kernel.keys import key
from lrs.matching.view import BadgeSummary, read_badge
from lrs.pages.arrivals.outcomes import RuleVerdict, StatementOutcome
from lrs.pages.facts import Neighbours
from lrs.pages.reach import cites
from lrs.people.persons import members_of
from lrs.storage import Reader, each
from lrs.tenancy.tenants import Tenant

DELIVERIES = 10
_EVERYBODY, _OWN = "learners.read", "arrivals.read"


class HeldLevel(msgspec.Struct, frozen=True):
    """An award of the level of a rule: its id, whether it names the statement, and its badge, if any."""

    id: str
    award: Award
    is_cited: bool
    badge: tuple[str, BadgeSummary] | None


class Followed(msgspec.Struct, frozen=True):
    """The results of one rule for one learner; *person* is empty if the visitor may not know it."""

    verdict: RuleVerdict
    person: str
    levels: tuple[HeldLevel, ...]
    deliveries: Sequence[Mapping[str, Any]]


def followed(
    tenant: Tenant, neighbours: Neighbours, caller: Caller, statement: str, outcome: StatementOutcome
) -> list[Followed]:
    """The results of *statement* with this *outcome*, by rule."""
    rules = in_force(tenant.store)
    return [_one(tenant, neighbours, caller, statement, verdict, rules) for verdict in outcome.verdicts]


def _one(
    tenant: Tenant, neighbours: Neighbours, caller: Caller, statement: str, verdict: RuleVerdict, rules: InForce
) -> Followed:
    reader = tenant.store
    identifier = reader.get("identifier", verdict.evidence.identifier)
    members = members_of(reader, identifier.meta["person"]) if identifier else ()
    if not members:
        return Followed(verdict, "", (), ())
    sees_all = caller.may_all(_EVERYBODY)
    sources = None if sees_all else caller.owned(_OWN)
    found = _levels(reader, neighbours, members, statement, verdict, rules) if verdict.reason is None else []
    levels = [one for one in found if one.is_cited or sources is None or cites(one.award, sources)]
    told = neighbours.deliveries(tenant, members)[:DELIVERIES] if sees_all and levels else ()
    return Followed(verdict, members[0] if sees_all else "", tuple(levels), told)


def _levels(
    reader: Reader,
    neighbours: Neighbours,
    members: Sequence[str],
    statement: str,
    verdict: RuleVerdict,
    rules: InForce,
) -> list[HeldLevel]:
    """The awards of the level that the statement counts for, newest first."""
    about = rules.competencies()[verdict.rule.competency]
    found = []
    for record in each(reader, "award", key("award", members[0])):
        award = msgspec.json.decode(record.body, type=Award)
        if (award.competency.id, award.level.ordinal) == (about.id, verdict.rule.level):
            cited = any(proof.statement == statement for proof in award.evidence)
            found.append(HeldLevel(record.id, award, cited, _badge(reader, neighbours.badge(record.id))))
    return found[::-1]


def _badge(reader: Reader, id: str) -> tuple[str, BadgeSummary] | None:
    record = reader.get("credential", id)
    return (id, read_badge(record)) if record else None
