"""The outcome of statements: for which level each counted, or why not. Reads only, with few look-ups for a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from lrs.access import is_own
from lrs.competency.decide import Evidence, why_not
from lrs.competency.evidence import KIND, evidence_from, evidence_id
from lrs.competency.rules.in_force import InForce
from lrs.competency.rules.rules import Rule, rules_for, rules_of_other_verbs
from lrs.competency.rules.rulesets import in_force
from lrs.competency.seen import SeenStatement, learners, look
from lrs.competency.shapes import RuleRef
from lrs.competency.uncompletions import marks_of
from lrs.people.ids import Ids, ids_of
from lrs.people.persons import identifiers_in, members_of
from lrs.storage import Reader, Record
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.validate import VOIDED as VOIDING

COUNTED, NOT_COUNTED, NO_RULE, OTHER_VERB, WAITING, VOIDED, VOIDS, OURS, UNREADABLE, REFUSED = (
    *("counted", "not counted", "no rule", "other verb", "being read", "voided", "voids", "made here", "unreadable"),
    "refused",
)
MOST_LEARNERS = 10
"""How many members of a group are looked at."""


class RuleVerdict(msgspec.Struct, frozen=True):
    """A rule that a statement meets, and the evidence for one learner; *reason* says why it does not count."""

    rule: Rule
    evidence: Evidence
    reason: str | None


class StatementOutcome(msgspec.Struct, frozen=True):
    """The outcome of a statement: one of the words above, and *verdicts* if rules are about it.

    *others* are rules about the same activity that count other verbs, if no rule is about the statement.
    """

    state: str
    verdicts: tuple[RuleVerdict, ...] = ()
    others: tuple[Rule, ...] = ()


def outcomes_of(tenant: Tenant, records: Sequence[Record]) -> dict[str, StatementOutcome]:
    """The outcomes of *records* by id."""
    store, rules, ids = tenant.store, in_force(tenant.store), ids_of(tenant)
    met = {record.id: _met(record, rules, ids) for record in records}
    wanted = {id for found in met.values() if not isinstance(found, StatementOutcome) for id in found}
    evidence = {id: evidence_from(one) for id, one in store.get_many(KIND, wanted).items()} if wanted else {}
    return {
        id: found if isinstance(found, StatementOutcome) else _judged(store, found, evidence)
        for id, found in met.items()
    }


def level_named(rules: InForce, rule: Rule) -> str:
    """The competency and level that *rule* is for."""
    about = rules.competencies()[rule.competency]
    level = about.scale.at(rule.level)
    return f"{about.code} {about.label}: {level.label if level else rule.level}".strip()


def _met(record: Record, rules: InForce, ids: Ids) -> StatementOutcome | dict[str, Rule]:
    """The rules that *record* meets, by the ids of their evidence; or its outcome if there is nothing to look up."""
    if record.meta.get("voided"):
        return StatementOutcome(VOIDED)
    if is_own(record.meta.get("source")):
        return StatementOutcome(OURS)
    try:
        seen = look(record)
    except msgspec.MsgspecError:
        return StatementOutcome(UNREADABLE)
    if seen.verb.id == VOIDING:
        return StatementOutcome(VOIDS)
    if found := rules_for(seen, rules.rules):
        return _evidence_ids(record.id, seen, found, ids)
    others = rules_of_other_verbs(seen, rules.rules)
    return StatementOutcome(OTHER_VERB if others else NO_RULE, others=others)


def _evidence_ids(statement: str, seen: SeenStatement, rules: Iterable[Rule], ids: Ids) -> dict[str, Rule]:
    about = learners(seen, ids)[:MOST_LEARNERS]
    return {evidence_id(statement, RuleRef(rule.item, rule.version), one.id): rule for rule in rules for one in about}


def _judged(reader: Reader, met: Mapping[str, Rule], evidence: Mapping[str, Evidence]) -> StatementOutcome:
    found = [(rule, evidence.get(id)) for id, rule in met.items()]
    verdicts = tuple(RuleVerdict(rule, one, _reason(reader, one)) for rule, one in found if one is not None)
    if not verdicts:
        return StatementOutcome(WAITING)
    return StatementOutcome(COUNTED if any(one.reason is None for one in verdicts) else NOT_COUNTED, verdicts)


def _reason(reader: Reader, one: Evidence) -> str | None:
    """The learner matters only for evidence with an instructor, and for completions that can be taken back."""
    if one.reason or not (one.instructors or one.completes):
        return one.reason
    record = reader.get("identifier", one.identifier)
    members = members_of(reader, record.meta["person"]) if record else ()
    own = {identifier.id for identifier in identifiers_in(reader, members)} or {one.identifier}
    return why_not(one, own, marks_of(reader, own))
