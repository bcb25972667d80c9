"""Stores statements: decisions inside the writer that depend on what is stored.

Equal statements change nothing; another statement under a stored id is a conflict; voiding and references take effect
in the same commit. What one plan reads and writes is bounded in bytes and rows, not in statements. Knows no HTTP and no
steps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from lrs.kernel.plain_text import counted
from lrs.kernel.times import timestamp_of_micros
from lrs.storage import Record, Tx, micros_of
from lrs.storage.about import Whose, by_keys
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.chains import ChainedStatement, keys_along
from lrs.xapi.statements.equality import same
from lrs.xapi.statements.fingerprints import remember, sent_before
from lrs.xapi.statements.identity import ifi_text, named_in
from lrs.xapi.statements.keys import agent_key, voided_agent_key
from lrs.xapi.statements.limits import MOST_ROWS, too_many_rows
from lrs.xapi.statements.own_view import statement_shown
from lrs.xapi.statements.plan import AWAITED, KIND, Plan, Prepared, conflict_of, is_stamped
from lrs.xapi.statements.quarantine import keep_aside
from lrs.xapi.statements.references import Chains, await_target, spread
from lrs.xapi.statements.subscriptions import Subscriptions, learn_answers, owed_when_voided, owing
from lrs.xapi.statements.voiding import voided, voided_inside, voided_targets, voider_of

COMPARED_INSIDE = 256 * 1024
"""Bytes of stored statements that are compared with resent ones inside the writer. More are compared outside it."""
_decode = msgspec.json.Decoder().decode


class Compare(Exception):
    """Stored statements are too large to be compared inside the writer: call ``compared``."""

    def __init__(self, stored: Mapping[str, Record]) -> None:
        super().__init__(f"{counted(len(stored), 'statement')}")
        self.stored = stored


def store_in(tx: Tx, plan: Plan) -> list[str]:
    """Stores all statements of *plan* or none. Gives their ids in order, in lower case.

    Of a statement that came before without an id it gives the id of the first time, and stores nothing
    (``fingerprints``). What is set aside goes into quarantine, and its ids stand among the others.

    Call it inside a decision, as often as needed, beside whatever else the decision writes. An exception must leave the
    decision, otherwise half of the plan would be stored. Refuses an id that holds another statement (409), voiding what
    another source sent (403), voiding a voiding statement (400), and more than ``MOST_ROWS`` (413). Raises ``Compare``
    if ``compared`` must be called first; then make the decision again with the plan that it gives.
    """
    again = sent_before(tx, plan.in_order, micros_of(tx.next_seq())) if plan.has_prints else {}
    if again or plan.aside:
        keep_aside(tx, [one for one in plan.aside if one.id not in again])
        plan, whole = plan.without(again), plan
        _store_all(tx, plan)
        return [again.get(one.id, one.id) for one in whole.in_order]
    _store_all(tx, plan)
    return plan.ids


def _store_all(tx: Tx, plan: Plan) -> None:
    known = tx.get_many(KIND, plan.ids)
    others = {id: record for id, record in known.items() if id not in plan.equal}
    if sum([len(record.body) for record in others.values()]) > COMPARED_INSIDE:
        raise Compare(others)
    _refuse_conflicts(plan.statements, others)
    new = [prepared for prepared in plan.statements if prepared.id not in known] if known else plan.statements
    _insert_all(tx, new, plan)
    for record in plan.side:
        if tx.get(record.kind, record.id) is None:
            tx.insert(record)
    if plan.has_prints:
        remember(tx, plan.in_order)


def compared(plan: Plan, stored: Mapping[str, Record]) -> Plan:
    """*plan*, with those that are *stored* compared. Refuses (409) if one is not the same.

    Runs outside the writer. A stored statement never changes, so the result still holds when the writer continues.
    """
    _refuse_conflicts(plan.statements, stored)
    return msgspec.structs.replace(plan, equal=plan.equal.union(stored))


def learn(tenant: Tenant, plan: Plan) -> None:
    """After the commit: remembers that the side records of *plan* are stored, and what its questions found."""
    tenant.seen.learn(record.id for record in plan.side)
    learn_answers(plan.questions)


def _refuse_conflicts(batch: Sequence[Prepared], known: Mapping[str, Record]) -> None:
    """Refuses (409) the first of *batch* that is stored with other content."""
    for prepared in batch if known else ():
        old = known.get(prepared.id)
        if old is not None and not same(prepared.tree, _decode(old.body), stamped=is_stamped(old.body)):
            raise conflict_of(prepared.id, prepared.meta["version"], prepared.index)


def _insert_all(tx: Tx, batch: Sequence[Prepared], plan: Plan) -> None:
    """Writes each statement of *batch*, those of *plan* that are new, once, with all keys that it has at its end."""
    ids = {prepared.id for prepared in batch}
    links = {prepared.id: _link(prepared) for prepared in batch} if any(one.refers for one in batch) else {}
    chains = Chains(tx, links.values())
    chains.load(prepared.refers for prepared in batch if prepared.refers)
    keys = [keys_along(links[one.id], chains.find) if one.refers else one.keys for one in batch]
    targets = voided_targets(tx, batch, ids)
    rows = sum(len(some) + 2 for some in keys) + sum(len(target.keys) for target, _ in targets)
    if rows > MOST_ROWS:
        raise too_many_rows(rows)
    for target, by in targets:
        void(tx, target, by, plan.subscriptions)
    awaited, inside = tx.get_many(AWAITED, ids), voided_inside(batch)
    records = []
    for prepared, some in zip(batch, keys, strict=True):
        if prepared.refers and chains.find(prepared.refers) is None:
            await_target(tx, prepared.refers, prepared)
        voider = inside.get(prepared.id)
        if prepared.id in awaited and not prepared.voids:
            voider = voider_of(tx, prepared.id, prepared.meta, awaited[prepared.id]) or voider
        record = _record(tx, prepared, some)
        records.append(voided(record, voider) if voider else record)
    for record in owing(tx, records, plan.questions):
        tx.insert(record)
    spread(tx, awaited)


def void(tx: Tx, target: Record, by: str, subscriptions: Subscriptions) -> None:
    """Voids *target*, a stored statement, *by* another. Steps that subscribed to it are owed."""
    tx.replace(msgspec.structs.replace(voided(target, by), owed=owed_when_voided(subscriptions)))


def _record(tx: Tx, prepared: Prepared, keys: tuple[int, ...]) -> Record:
    seq = tx.next_seq()
    body = prepared.text(timestamp_of_micros(micros_of(seq)).encode())
    return Record(KIND, prepared.id, body, prepared.meta, keys, seq=seq)


def _link(prepared: Prepared) -> ChainedStatement:
    own = len(prepared.keys) - (2 if prepared.refers else 1)
    return ChainedStatement(prepared.id, prepared.meta["source"], prepared.keys[:own], prepared.refers)


def _about(record: Record) -> Subjects:
    return subjects(identifiers=named_in(_decode(record.body)))


def _attachments(record: Record) -> Collection[str]:
    names: Mapping[str, str] = record.meta.get("attachments", {})
    return names.values()


def related_keys(whose: Whose) -> Iterable[int]:
    """The search keys of statements that name somebody, voided ones too."""
    known = [text for agent in whose.agents if (text := ifi_text(agent))]
    return (*(agent_key(text, related=True) for text in known), *map(voided_agent_key, known))


KINDS = (
    Kind(
        KIND,
        "fact",
        subjects=_about,
        blobs=_attachments,
        retention="evidence",
        exported=True,
        basis=True,
        find=by_keys(KIND, related_keys),
        shown=statement_shown,
    ),
)
