"""Voiding, inside the writer: which statements a plan voids, whether its sender may, and how a voided one is kept.

Rules: xAPI 1.0.3 Data 2.3.2; IEEE 9274.1.1 4.2.5. Knows no owed work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.storage import Record, Tx
from lrs.xapi.citations import rule
from lrs.xapi.statements.keys import refers_key, verb_key
from lrs.xapi.statements.plan import KIND, Prepared, in_batch
from lrs.xapi.statements.validate import VOIDED

_AT_ONCE = 50


def voided_targets(tx: Tx, batch: Iterable[Prepared], inside: Collection[str]) -> list[tuple[Record, str]]:
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


def voided_inside(batch: Iterable[Prepared]) -> dict[str, str]:
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
        _may_void(prepared.refers or "", target, prepared.meta)
    except Refused as refused:
        raise in_batch(refused, prepared.index) from refused


def voider_of(tx: Tx, statement: str, meta: Mapping[str, Any]) -> str | None:
    """The statement that came before its target and voids it; it counts if its sender may void what this one sent."""
    start = None
    while True:
        page = tx.find(KIND, [refers_key(statement), verb_key(VOIDED)], limit=_AT_ONCE, start=start)
        for voider in page.records:
            if voider.meta.get("voids") and (voider.meta["source"] == meta["source"] or voider.meta.get("void_any")):
                return voider.id
        start = page.next
        if start is None:
            return None


def _may_void(target: str, told: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Refuses 403 to void what another source sent, 400 to void a voiding statement (xAPI 1.0.3 Data 2.3.2).

    In this order: what another source's statement says, also that it voids, is not everybody's to know. *told* is the
    ``meta`` of the target, *meta* that of the voiding statement.
    """
    if told["source"] != meta["source"] and not meta.get("void_any"):
        raise Refused(
            f"statement {target} came from another source: voiding it needs the scope void/any",
            status=403,
            error="forbidden",
            pointer="/object/id",
            rule=rule("Data 2.3.2", meta["version"]),
        )
    if told.get("voids"):
        raise Refused(
            f"statement {target} is a voiding statement: it cannot be voided itself",
            pointer="/object/id",
            rule=rule("Data 2.3.2", meta["version"]),
        )


def voided(record: Record, by: str) -> Record:
    """*record* as it is found by nothing but what it refers to."""
    refers = record.meta.get("refers")
    keys = (refers_key(refers),) if refers else ()
    meta = {**record.meta, "voided": by, "held": list(record.keys)}
    return msgspec.structs.replace(record, meta=meta, keys=keys)
