"""One page of a walk over statements: which are matched again, whose evidence goes, who has to be looked at.

A bounded page per settled step, so that a kill loses at most one page. Statements are read anew in the page's own
commit, so that once a walk is over (or, where it goes twice, its first time) all that it brings is there. Knows not why
there is a walk.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from lrs.competency import tallies
from lrs.competency.bring import bring
from lrs.competency.evidence import Meaning, evidence_from, evidence_id, former_id, meaning_of
from lrs.competency.owing import owe_evaluation
from lrs.competency.rules.rules import Index, Rule, Ruleset, index_rules, rules_for
from lrs.competency.rules.rulesets import InForce, in_force
from lrs.competency.rules.walk import Rematch, once_more
from lrs.competency.seen import learners, look, moment_of
from lrs.competency.shapes import RuleRef
from lrs.people.ids import Ids, ids_of
from lrs.people.nobody import names_by_source
from lrs.people.persons import minter
from lrs.storage import Claim, Owed, Record, Store, Tx
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import Identifier

PAGE = 500


class _Changed(Exception):
    """Rules, or who is nobody, changed between reading the statements and writing their evidence."""


class _Place(NamedTuple):
    """The rule that evidence is of, and the place of its statement in the order."""

    rule: RuleRef
    seq: int


@dataclass(slots=True)
class _Touched:
    """On one page: statements to be matched again, evidence that may have to go by name, learners to be looked at."""

    statements: list[Record] = field(default_factory=list)
    gone: dict[str, _Place] = field(default_factory=dict)
    learners: set[str] = field(default_factory=set)


def rematch(tenant: Tenant, claim: Claim) -> None:
    """Does one page of a walk, and owes the next. Raises ``Stale`` if somebody else has done it."""
    while True:
        try:
            return _rematch(tenant, claim)
        except _Changed:
            continue


def _rematch(tenant: Tenant, claim: Claim) -> None:
    walk = msgspec.json.decode(claim.record.body, type=Rematch)
    rules = in_force(tenant.store)
    records, further = _page(tenant.store, walk)
    if walk.twice and not further.ahead:
        further = once_more(walk)
    ids = ids_of(tenant)
    touched = _touched(records, walk, ids)
    read = () if walk.every else touched.statements
    nobody = names_by_source(tenant.store, {moment_of(record).source for record in read})
    meanings = _meanings(read, rules, ids, nobody)
    mint, zone = minter(tenant.secret("person-ids")), tenant.settings.zone

    def settle(tx: Tx) -> None:
        if in_force(tx).rev != rules.rev or names_by_source(tx, nobody) != nobody:
            raise _Changed
        brought = _unchanged(tx, touched.statements, meanings)
        bring(tx, [meanings[id] for id in brought], mint, zone)
        for record in touched.statements:
            if record.id not in brought:
                tx.owe("statement", record.id, Owed("match"))
        _take_back(tx, {} if walk.twice else touched.gone, zone)
        owe_evaluation(tx, touched.learners)
        if not further.ahead:
            tx.delete("rematch", claim.record.id)
        else:
            owed = (Owed("match"),)
            tx.replace(msgspec.structs.replace(claim.record, body=msgspec.json.encode(further), owed=owed))

    tenant.store.settle([claim], settle).result()


def _meanings(
    records: Sequence[Record], rules: InForce, ids: Ids, nobody: Mapping[str, frozenset[str]]
) -> dict[str, Meaning]:
    """What the statements mean now, by id; one that cannot be read is left to its own match step, which parks it."""
    found: dict[str, Meaning] = {}
    for record in records:
        try:
            found[record.id] = meaning_of(record, rules, ids, nobody[moment_of(record).source])
        except msgspec.MsgspecError:
            continue
    return found


def _unchanged(tx: Tx, records: Sequence[Record], meanings: Collection[str]) -> set[str]:
    """Those of the statements with *meanings* that are as they were read; another may have been voided meanwhile."""
    wanted = {record.id: record.rev for record in records if record.id in meanings}
    there = tx.get_many("statement", wanted) if wanted else {}
    return {id for id, rev in wanted.items() if id in there and there[id].rev == rev}


def _page(store: Store, walk: Rematch) -> tuple[list[Record], Rematch]:
    """About a page of statements, from as many keys as that takes, and the walk that is left."""
    records: list[Record] = []
    ahead, start = walk.ahead, walk.start
    while ahead and len(records) < PAGE:
        page = store.find("statement", ahead[:1], until=walk.until, limit=PAGE - len(records), start=start)
        records += page.records
        ahead, start = (ahead, page.next) if page.next else (ahead[1:], None)
    return records, msgspec.structs.replace(walk, ahead=ahead, start=start)


def _touched(records: Sequence[Record], walk: Rematch, ids: Ids) -> _Touched:
    if walk.every:
        return _Touched(list(records))
    changed, gone, asked = (_index(rules) for rules in (walk.changed, walk.gone, walk.asked))
    found = _Touched()
    for record in records:
        try:
            seen = look(record)
        except msgspec.DecodeError:
            continue  # Its own match step is parked with the reason; there is no evidence of it.
        if rules_for(seen, changed):
            found.statements.append(record)
        if rules_for(seen, asked):
            found.learners.update(one.id for one in learners(seen, ids))
        met = rules_for(seen, gone)
        found.gone |= _evidence_of(record, learners(seen, ids) if met else (), met, walk.gone)
    return found


def _index(rules: Collection[Rule]) -> Index:
    """One rule of each lasting id, which says what statements it is about, whatever its version."""
    return index_rules(Ruleset(0, tuple({rule.item: rule for rule in rules}.values())))


def _evidence_of(
    record: Record, about: Sequence[Identifier], met: Sequence[Rule], rules: Sequence[Rule]
) -> dict[str, _Place]:
    items = {rule.item for rule in met}
    found: dict[str, _Place] = {}
    for ref in [RuleRef(rule.item, rule.version) for rule in rules if rule.item in items]:
        for one in about:
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
