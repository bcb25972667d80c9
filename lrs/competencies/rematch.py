"""One page of a walk over statements: which are matched again, whose evidence goes, who has to be looked at.

A bounded page per settled step, so that a kill loses at most one page. Knows not why there is a walk.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from lrs.competencies import tallies
from lrs.competencies.decide import RuleRef
from lrs.competencies.evidence import evidence_from, evidence_id, former_id
from lrs.competencies.owing import owe_evaluation
from lrs.competencies.rules import Index, Rule, Ruleset, index_rules, rules_for
from lrs.competencies.rulesets import in_force
from lrs.competencies.seen import Seen, learners, look
from lrs.competencies.walk import Rematch
from lrs.storage import Claim, Owed, Record, Store, Tx
from lrs.tenants import Tenant

PAGE = 500


class _Place(NamedTuple):
    """The rule that evidence is of, and the place of its statement in the order."""

    rule: RuleRef
    seq: int


@dataclass(slots=True)
class _Touched:
    """On one page: statements to be matched again, evidence that may have to go by name, learners to be looked at."""

    statements: list[str] = field(default_factory=list)
    gone: dict[str, _Place] = field(default_factory=dict)
    learners: set[str] = field(default_factory=set)


def rematch(tenant: Tenant, claim: Claim) -> None:
    """Does one page of a walk, and owes the next. Raises ``Stale`` if somebody else has done it."""
    walk = msgspec.json.decode(claim.record.body, type=Rematch)
    records, further = _page(tenant.store, walk)
    touched = _touched(records, walk)

    def settle(tx: Tx) -> None:
        for statement in touched.statements:
            tx.owe("statement", statement, Owed("match"))
        _take_back(tx, touched.gone, tenant.settings.zone)
        owe_evaluation(tx, touched.learners)
        if not further.ahead:
            tx.delete("rematch", claim.record.id)
        else:
            owed = (Owed("match"),)
            tx.replace(msgspec.structs.replace(claim.record, body=msgspec.json.encode(further), owed=owed))

    tenant.store.settle([claim], settle).result()


def _page(store: Store, walk: Rematch) -> tuple[list[Record], Rematch]:
    """About a page of statements, from as many keys as that takes, and the walk that is left."""
    records: list[Record] = []
    ahead, start = walk.ahead, walk.start
    while ahead and len(records) < PAGE:
        page = store.find("statement", ahead[:1], until=walk.until, limit=PAGE - len(records), start=start)
        records += page.records
        ahead, start = (ahead, page.next) if page.next else (ahead[1:], None)
    return records, msgspec.structs.replace(walk, ahead=ahead, start=start)


def _touched(records: Sequence[Record], walk: Rematch) -> _Touched:
    if walk.every:
        return _Touched([record.id for record in records])
    changed, gone, asked = (_index(rules) for rules in (walk.changed, walk.gone, walk.asked))
    found = _Touched()
    for record in records:
        try:
            seen = look(record)
        except msgspec.DecodeError:
            continue  # Its own match step is parked with the reason; there is no evidence of it.
        if rules_for(seen, changed):
            found.statements.append(record.id)
        if rules_for(seen, asked):
            found.learners.update(one.id for one in learners(seen))
        found.gone |= _evidence_of(record, seen, rules_for(seen, gone), walk.gone)
    return found


def _index(rules: Collection[Rule]) -> Index:
    """One rule of each lasting id, which says what statements it is about, whatever its version."""
    return index_rules(Ruleset(0, tuple({rule.item: rule for rule in rules}.values())))


def _evidence_of(record: Record, seen: Seen, met: Sequence[Rule], rules: Sequence[Rule]) -> dict[str, _Place]:
    items = {rule.item for rule in met}
    found: dict[str, _Place] = {}
    for ref in [RuleRef(rule.item, rule.version) for rule in rules if rule.item in items]:
        for one in learners(seen):
            for id in (evidence_id(record.id, ref, one.id), former_id(record.id, ref, one.id)):
                found[id] = _Place(ref, record.seq)
    return found


def _take_back(tx: Tx, gone: dict[str, _Place], zone: str) -> None:
    """Removes what is evidence no more by the rules of now: a still later rule set may have brought a rule back."""
    there = tx.get_many("evidence", gone) if gone else {}
    rules = in_force(tx)
    found = [
        record
        for id, record in there.items()
        if evidence_from(record).rule == gone[id].rule and gone[id].seq > rules.bound(gone[id].rule)
    ]
    tallies.remove(tx, found, zone)
    owe_evaluation(tx, {evidence_from(record).identifier for record in found})
