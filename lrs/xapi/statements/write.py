"""Storing statements: one decision for the whole batch, made inside the writer.

Equal statements change nothing, others under the same id are a conflict, voiding and references take effect in the same
commit. What the decision reads and writes is bounded in bytes and rows, not in statements. Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.times import timestamp_of_micros
from lrs.storage import Owed, Record, Tx, micros_of
from lrs.storage.edge import compute, write
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant
from lrs.xapi.citations import rule
from lrs.xapi.statements.chains import Link, keys_along
from lrs.xapi.statements.equality import same
from lrs.xapi.statements.identity import named_in
from lrs.xapi.statements.limits import MOST_ROWS, rows_of, too_many_rows
from lrs.xapi.statements.prepare import Prepared, in_batch, is_stamped
from lrs.xapi.statements.references import AWAITED, Chains, await_target, may_void, spread, voided, voider_of

KIND = "statement"
COMPARED_INSIDE = 256 * 1024
"""Bytes of stored statements that are compared with resent ones inside the writer; more are compared outside it."""
_decode = msgspec.json.Decoder().decode
_EVALUATE = (Owed("match"),)


class Compare(Exception):
    """Statements are stored already that are too large to be compared inside the writer."""

    def __init__(self, stored: Mapping[str, Record]) -> None:
        super().__init__(f"{len(stored)} statements")
        self.stored = stored


async def store(tenant: Tenant, batch: Sequence[Prepared]) -> list[str]:
    """Stores *batch* whole or not at all; gives the ids in order.

    Refuses 409 for an id that holds something else, 403 for voiding what another source sent, 400 for voiding a voiding
    statement, 413 for what has more than ``MOST_ROWS``.
    """
    equal: frozenset[str] = frozenset()
    weight = sum(rows_of(prepared) for prepared in batch)
    while True:
        try:
            ids = await write(tenant.store, decision(batch, tenant.seen, equal), weight, reads(batch))
        except Compare as found:
            # What a stored statement says never changes, so the comparison still holds when the writer has its turn.
            await compute(refuse_conflicts, batch, found.stored)
            equal = equal.union(found.stored)
        else:
            learn(tenant, batch)
            return ids


def learn(tenant: Tenant, batch: Sequence[Prepared]) -> None:
    """After the commit: the side records of *batch* need not be looked up again."""
    tenant.seen.learn(record.id for prepared in batch for record in prepared.side)


def reads(batch: Sequence[Prepared]) -> list[tuple[str, str]]:
    """The records every decision about *batch* looks at."""
    return [(kind, prepared.id) for prepared in batch for kind in (KIND, AWAITED)]


def decision(
    batch: Sequence[Prepared], seen: set[str], equal: Collection[str] = frozenset()
) -> Callable[[Tx], list[str]]:
    """What the writer is to decide for *batch*; side records in *seen* are known to be stored.

    *equal* are ids whose stored statement was compared already. Raises ``Compare`` where that has to be done first.
    """
    ids = [prepared.id for prepared in batch]
    side = {record.id: record for prepared in batch for record in prepared.side if record.id not in seen}

    def decide(tx: Tx) -> list[str]:
        known = tx.get_many(KIND, ids)
        others = {id: record for id, record in known.items() if id not in equal}
        if sum(len(record.body) for record in others.values()) > COMPARED_INSIDE:
            raise Compare(others)
        refuse_conflicts(batch, others)
        _insert_all(tx, [prepared for prepared in batch if prepared.id not in known])
        for record in side.values():
            if tx.get(record.kind, record.id) is None:
                tx.insert(record)
        return ids

    return decide


def refuse_conflicts(batch: Sequence[Prepared], known: Mapping[str, Record]) -> None:
    """Refuses 409 for the first of *batch* that is stored with other content."""
    for prepared in batch:
        old = known.get(prepared.id)
        if old is not None and not same(prepared.tree, _decode(old.body), stamped=is_stamped(old.body)):
            conflict = Refused(
                f"statement {prepared.id} is stored already with other content",
                status=409,
                error="conflict",
                rule=rule("Communication 2.1.1", prepared.meta["version"]),
            )
            raise in_batch(conflict, prepared.index)


def _insert_all(tx: Tx, batch: Sequence[Prepared]) -> None:
    """Each is written once, with all the keys that it has at the end of the batch."""
    ids = {prepared.id for prepared in batch}
    links = {prepared.id: _link(prepared) for prepared in batch} if any(one.refers for one in batch) else {}
    chains = Chains(tx, links.values())
    chains.load(prepared.refers for prepared in batch if prepared.refers)
    keys = [keys_along(links[one.id], chains.find) if one.refers else one.keys for one in batch]
    targets = _voided_targets(tx, batch, ids)
    rows = sum(len(some) + 2 for some in keys) + sum(len(target.keys) for target, _ in targets)
    if rows > MOST_ROWS:
        raise too_many_rows(rows)
    for target, by in targets:
        tx.replace(voided(target, by))
    awaited = tx.get_many(AWAITED, ids)
    inside = _voided_inside(batch)
    for prepared, some in zip(batch, keys, strict=True):
        if prepared.refers and chains.find(prepared.refers) is None:
            await_target(tx, prepared.refers)
        voider = inside.get(prepared.id)
        if prepared.id in awaited and not prepared.voids:
            voider = voider_of(tx, prepared.id, prepared.meta) or voider
        _insert(tx, prepared, some, voider)
    spread(tx, awaited)


def _insert(tx: Tx, prepared: Prepared, keys: tuple[int, ...], voider: str | None) -> None:
    seq = tx.next_seq()
    body = prepared.text(timestamp_of_micros(micros_of(seq)).encode())
    record = Record(KIND, prepared.id, body, prepared.meta, keys, _EVALUATE, seq)
    tx.insert(voided(record, voider) if voider else record)


def _link(prepared: Prepared) -> Link:
    own = len(prepared.keys) - (2 if prepared.refers else 1)
    return Link(prepared.id, prepared.meta["source"], prepared.keys[:own], prepared.refers)


def _voided_targets(tx: Tx, batch: Iterable[Prepared], inside: Collection[str]) -> list[tuple[Record, str]]:
    """Stored statements that *batch* voids, each with the first statement that does."""
    voiding = [one for one in batch if one.voids and one.refers and one.refers not in inside]
    stored = tx.get_many(KIND, {one.refers for one in voiding if one.refers}) if voiding else {}
    found: dict[str, tuple[Record, str]] = {}
    for prepared in voiding:
        target = prepared.refers or ""
        record = stored.get(target)
        if record is not None and target not in found:
            _refuse_voiding(prepared, record.meta)
            if "voided" not in record.meta:
                found[target] = (record, prepared.id)
    return list(found.values())


def _voided_inside(batch: Iterable[Prepared]) -> dict[str, str]:
    """Statements of *batch* that others in it void. One that voids is never voided, and is named if it came first."""
    found: dict[str, str] = {}
    before: dict[str, Prepared] = {}
    for prepared in batch:
        before[prepared.id] = prepared
        if prepared.voids and prepared.refers and prepared.refers != prepared.id:
            if prepared.refers in before:
                _refuse_voiding(prepared, before[prepared.refers].meta)
            found.setdefault(prepared.refers, prepared.id)
    return {id: by for id, by in found.items() if id in before and not before[id].voids}


def _refuse_voiding(prepared: Prepared, target: Mapping[str, Any]) -> None:
    try:
        may_void(prepared.refers or "", target, prepared.meta)
    except Refused as refused:
        raise in_batch(refused, prepared.index) from refused


def _about(record: Record) -> Subjects:
    return subjects(identifiers=named_in(_decode(record.body)))


def _attachments(record: Record) -> Collection[str]:
    names: Mapping[str, str] = record.meta.get("attachments", {})
    return names.values()


KINDS = (Kind(KIND, "fact", subjects=_about, blobs=_attachments, retention="evidence", exported=True, basis=True),)
