"""One page of a walk over statements: which are matched again, which evidence goes, whose levels are evaluated again.

Each settled step does one page, so a kill loses at most one page. The page's own commit reads its statements again, so
when a walk is over (or the first round of one that goes twice), all that it brings is stored. Knows not why there is a
walk.
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
from lrs.competency.rules.in_force import InForce
from lrs.competency.rules.rules import Index, Rule, Ruleset, index_rules, rules_for
from lrs.competency.rules.rulesets import in_force
from lrs.competency.rules.walk import Rematch, once_more
from lrs.competency.seen import learners, look, moment_of
from lrs.competency.shapes import RuleRef
from lrs.people.ids import Ids, ids_of
from lrs.people.nobody import names_by_source
from lrs.people.persons import minter
from lrs.storage import Claim, Owed, Record, Store, Tx, Walk
from lrs.storage import records as stored
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import Identifier

PAGE = 500


class _Changed(Exception):
    """The rules, or the names for nobody, changed between reading the statements and writing their evidence."""


class _Place(NamedTuple):
    """The rule of a piece of evidence, and the place of its statement in the order."""

    rule: RuleRef
    seq: int


@dataclass(slots=True)
class _Touched:
    """For one page: statements to match again, evidence (by id) that may have to go, learners to evaluate again."""

    statements: list[Record] = field(default_factory=list)
    gone: dict[str, _Place] = field(default_factory=dict)
    learners: set[str] = field(default_factory=set)


def rematch(tenant: Tenant, claim: Claim) -> None:
    """Does one page of a walk, and owes the next. Raises ``Stale`` if another process has done it."""
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
    mint, zone = minter(tenant.secret("person-ids")), tenant.settings.zone
    meanings = _meanings(read, rules, ids, zone, nobody)

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
    records: Sequence[Record], rules: InForce, ids: Ids, zone: str, nobody: Mapping[str, frozenset[str]]
) -> dict[str, Meaning]:
    """The present meaning of each statement, by id. One that cannot be read is left to its own match step."""
    found: dict[str, Meaning] = {}
    for record in records:
        try:
            found[record.id] = meaning_of(record, rules, ids, zone, nobody[moment_of(record).source])
        except msgspec.MsgspecError:
            continue
    return found


def _unchanged(tx: Tx, records: Sequence[Record], meanings: Collection[str]) -> set[str]:
    """The statements with *meanings* that are still as they were read. Others may have been voided meanwhile."""
    wanted = {record.id: record.rev for record in records if record.id in meanings}
    there = tx.get_many("statement", wanted) if wanted else {}
    return {id for id, rev in wanted.items() if id in there and there[id].rev == rev}


def _page(store: Store, walk: Rematch) -> tuple[list[Record], Rematch]:
    """About a page of statements, from as many search keys as that takes, and the walk that is left.

    It ends at ``PAGE_BYTES``: it is held in memory, and its statements are asked for again by their ids.
    """
    records: list[Record] = []
    ahead, start = walk.ahead, walk.start
    size = 0
    while ahead and len(records) < PAGE and size < stored.PAGE_BYTES:
        asked = Walk("statement", ahead[:1], until=walk.until, limit=PAGE - len(records), start=start)
        page = store.find(msgspec.structs.replace(asked, most=stored.PAGE_BYTES - size))
        records += page.records
        size += sum(len(record.body) for record in page.records)
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
        except msgspec.DecodeError:  # there is no evidence of it; its own match step is put aside with the reason
            found.statements += [record] if changed.by_item else []
            continue
        if rules_for(seen, changed):
            found.statements.append(record)
        if rules_for(seen, asked):
            found.learners.update(one.id for one in learners(seen, ids))
        met = rules_for(seen, gone)
        found.gone |= _evidence_of(record, learners(seen, ids) if met else (), met, walk.gone)
    return found


def _index(rules: Collection[Rule]) -> Index:
    """One version of each rule. What statements a rule is about does not depend on its version."""
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
    """Removes what is no longer evidence by the present rules: a later rule set may have brought a rule back."""
    there = tx.get_many("evidence", gone) if gone else {}
    rules = in_force(tx)
    found = [
        record
        for id, record in there.items()
        if evidence_from(record).rule == gone[id].rule and gone[id].seq > rules.bound(gone[id].rule)
    ]
    tallies.remove(tx, found, zone)
    owe_evaluation(tx, {evidence_from(record).identifier for record in found})
