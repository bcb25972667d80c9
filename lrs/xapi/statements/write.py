"""Storing statements: what is decided inside the writer, once it is seen what is stored already.

Equal statements change nothing, others under the same id are a conflict, voiding and references take effect in the same
commit. What one plan reads and writes is bounded in bytes and rows, not in statements. Knows no HTTP, and not which
steps there are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.times import timestamp_of_micros
from lrs.storage import Owed, Record, Tx, micros_of
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant
from lrs.xapi.citations import rule
from lrs.xapi.statements.chains import Link, keys_along
from lrs.xapi.statements.equality import same
from lrs.xapi.statements.identity import named_in
from lrs.xapi.statements.limits import MOST_ROWS, too_many_rows
from lrs.xapi.statements.plan import AWAITED, KIND, Plan, Prepared, in_batch, is_stamped
from lrs.xapi.statements.references import Chains, await_target, spread
from lrs.xapi.statements.subscriptions import (
    Subscriptions,
    owed_always,
    those_voided,
    those_who_choose,
    with_asked,
)
from lrs.xapi.statements.voiding import voided, voided_inside, voided_targets, voider_of

COMPARED_INSIDE = 256 * 1024
"""Bytes of stored statements that are compared with resent ones inside the writer; more are compared outside it."""
_decode = msgspec.json.Decoder().decode


class Compare(Exception):
    """Statements are stored already that are too large to be compared inside the writer: see ``compared``."""

    def __init__(self, stored: Mapping[str, Record]) -> None:
        super().__init__(f"{len(stored)} statements")
        self.stored = stored


def store_in(tx: Tx, plan: Plan) -> list[str]:
    """Stores the statements of *plan* whole or not at all; gives their ids in order, in lower case.

    To be called by a decision, as often as it likes, beside whatever else it writes; what is raised has to leave the
    decision, or half of the plan would be kept. Refuses 409 for an id that holds something else, 403 for voiding what
    another source sent, 400 for voiding a voiding statement, 413 for what has more than ``MOST_ROWS``. Raises
    ``Compare`` where ``compared`` has to be asked first; then the decision is made anew with what that gives.
    """
    ids = plan.ids
    known = tx.get_many(KIND, ids)
    others = {id: record for id, record in known.items() if id not in plan.equal}
    if sum([len(record.body) for record in others.values()]) > COMPARED_INSIDE:
        raise Compare(others)
    _refuse_conflicts(plan.statements, others)
    new = [prepared for prepared in plan.statements if prepared.id not in known] if known else plan.statements
    _insert_all(tx, new, plan.subscriptions)
    for record in plan.side:
        if tx.get(record.kind, record.id) is None:
            tx.insert(record)
    return ids


def compared(plan: Plan, stored: Mapping[str, Record]) -> Plan:
    """*plan*, of which those that are *stored* need not be compared again; refuses 409 where one is not the same.

    Outside the writer: what a stored statement says never changes, so this still holds when the writer has its turn.
    """
    _refuse_conflicts(plan.statements, stored)
    return msgspec.structs.replace(plan, equal=plan.equal.union(stored))


def learn(tenant: Tenant, plan: Plan) -> None:
    """After the commit: what *plan* brought along need not be looked up again."""
    tenant.seen.learn(record.id for record in plan.side)


def _refuse_conflicts(batch: Sequence[Prepared], known: Mapping[str, Record]) -> None:
    """Refuses 409 for the first of *batch* that is stored with other content."""
    for prepared in batch if known else ():
        old = known.get(prepared.id)
        if old is not None and not same(prepared.tree, _decode(old.body), stamped=is_stamped(old.body)):
            conflict = Refused(
                f"statement {prepared.id} is stored already with other content",
                status=409,
                error="conflict",
                rule=rule("Communication 2.1.1", prepared.meta["version"]),
            )
            raise in_batch(conflict, prepared.index)


def _insert_all(tx: Tx, batch: Sequence[Prepared], subscriptions: Subscriptions) -> None:
    """Each is written once, with all the keys that it has at the end of the batch."""
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
        void(tx, target, by, subscriptions)
    awaited, inside = tx.get_many(AWAITED, ids), voided_inside(batch)
    owed, choosers = owed_always(subscriptions), those_who_choose(subscriptions)
    for prepared, some in zip(batch, keys, strict=True):
        if prepared.refers and chains.find(prepared.refers) is None:
            await_target(tx, prepared.refers)
        voider = inside.get(prepared.id)
        if prepared.id in awaited and not prepared.voids:
            voider = voider_of(tx, prepared.id, prepared.meta) or voider
        record = _record(tx, prepared, some, owed)
        record = voided(record, voider) if voider else record
        tx.insert(with_asked(tx, record, choosers) if choosers else record)
    spread(tx, awaited)


def void(tx: Tx, target: Record, by: str, subscriptions: Subscriptions) -> None:
    """Voids *target*, a stored statement, *by* another; those are told who asked for it."""
    told = those_voided(subscriptions)
    record = msgspec.structs.replace(voided(target, by), owed=owed_always(told))
    tx.replace(with_asked(tx, record, those_who_choose(told)))


def _record(tx: Tx, prepared: Prepared, keys: tuple[int, ...], owed: tuple[Owed, ...]) -> Record:
    seq = tx.next_seq()
    body = prepared.text(timestamp_of_micros(micros_of(seq)).encode())
    return Record(KIND, prepared.id, body, prepared.meta, keys, owed, seq)


def _link(prepared: Prepared) -> Link:
    own = len(prepared.keys) - (2 if prepared.refers else 1)
    return Link(prepared.id, prepared.meta["source"], prepared.keys[:own], prepared.refers)


def _about(record: Record) -> Subjects:
    return subjects(identifiers=named_in(_decode(record.body)))


def _attachments(record: Record) -> Collection[str]:
    names: Mapping[str, str] = record.meta.get("attachments", {})
    return names.values()


KINDS = (Kind(KIND, "fact", subjects=_about, blobs=_attachments, retention="evidence", exported=True, basis=True),)
