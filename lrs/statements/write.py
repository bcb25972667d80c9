"""Storing statements: one decision for the whole batch, made inside the writer.

Equal statements change nothing, others under the same id are a conflict, voiding and references take effect in the same
commit. Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec

from lrs.citations import rule
from lrs.edge import write
from lrs.errors import Refused
from lrs.statements.equality import same
from lrs.statements.formats import timestamp_of_micros
from lrs.statements.keys import refers_key
from lrs.statements.prepare import Prepared, in_batch, is_stamped
from lrs.statements.references import AWAITED, await_target, inherited, referring, spread, void
from lrs.storage import Owed, Record, Tx, micros_of
from lrs.tenants import Tenant

KIND = "statement"
_decode = msgspec.json.Decoder().decode
_EVALUATE = (Owed("match"),)


async def store(tenant: Tenant, batch: Sequence[Prepared]) -> list[str]:
    """Stores *batch* whole or not at all; gives the ids in order.

    Refuses 409 for an id that holds something else, 403 for voiding what another source sent, 400 for voiding a voiding
    statement.
    """
    ids = await write(tenant.store, decision(batch, tenant.seen), len(batch), reads(batch))
    learn(tenant, batch)
    return ids


def learn(tenant: Tenant, batch: Sequence[Prepared]) -> None:
    """After the commit: the side records of *batch* need not be looked up again."""
    tenant.seen.learn(record.id for prepared in batch for record in prepared.side)


def reads(batch: Sequence[Prepared]) -> list[tuple[str, str]]:
    """The records every decision about *batch* looks at."""
    return [(kind, prepared.id) for prepared in batch for kind in (KIND, AWAITED)]


def decision(batch: Sequence[Prepared], seen: set[str]) -> Callable[[Tx], list[str]]:
    """What the writer is to decide for *batch*; side records in *seen* are known to be stored."""
    ids = [prepared.id for prepared in batch]
    side = {record.id: record for prepared in batch for record in prepared.side if record.id not in seen}

    def decide(tx: Tx) -> list[str]:
        known = tx.get_many(KIND, ids)
        # What an earlier statement of the batch refers to is awaited too.
        awaited = {*tx.get_many(AWAITED, ids), *(prepared.refers for prepared in batch)}
        for prepared in batch:
            try:
                _store(tx, prepared, known.get(prepared.id), awaited)
            except Refused as refused:
                raise in_batch(refused, prepared.index) from refused
        for record in side.values():
            if tx.get(record.kind, record.id) is None:
                tx.insert(record)
        return ids

    return decide


def _store(tx: Tx, prepared: Prepared, old: Record | None, awaited: Collection[str | None]) -> None:
    if old is None:
        _insert(tx, prepared, awaited=prepared.id in awaited)
    elif not same(prepared.tree, _decode(old.body), stamped=is_stamped(old.body)):
        raise Refused(
            f"statement {prepared.id} is stored already with other content",
            status=409,
            error="conflict",
            rule=rule("Communication 2.1.1", prepared.meta["version"]),
        )


def _insert(tx: Tx, prepared: Prepared, *, awaited: bool) -> None:
    seq = tx.next_seq()
    keys, meta = prepared.keys, prepared.meta
    if prepared.refers:
        target = tx.get(KIND, prepared.refers)
        if target is None:
            await_target(tx, prepared.refers)
        else:
            keys = tuple({*keys, *inherited(target)})
            if prepared.voids:
                void(tx, target, by=prepared.id, meta=meta)
    if awaited:
        keys, meta = _already_voided(tx, prepared, keys, meta)
    body = prepared.text(timestamp_of_micros(micros_of(seq)).encode())
    tx.insert(Record(KIND, prepared.id, body, meta, keys, _EVALUATE, seq))
    if awaited:
        spread(tx, prepared.id)


def _already_voided(
    tx: Tx, prepared: Prepared, keys: tuple[int, ...], meta: dict[str, Any]
) -> tuple[tuple[int, ...], dict[str, Any]]:
    """A voiding statement may arrive before its target; it counts if its sender may void what this one sent."""
    if prepared.voids:
        return keys, meta
    for voider in referring(tx, prepared.id):
        if voider.meta.get("voids") and (voider.meta["source"] == meta["source"] or voider.meta.get("void_any")):
            kept = (refers_key(prepared.refers),) if prepared.refers else ()
            return kept, {**meta, "voided": voider.id, "held": list(keys)}
    return keys, meta
