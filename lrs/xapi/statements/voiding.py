"""Voiding, inside the writer: which statements a plan voids, whether its sender may, and the record of a voided one.

Rules: xAPI 1.0.3 Data 2.3.2; IEEE 9274.1.1 4.2.5. Knows no owed work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.storage import Record, Tx, Walk, walked
from lrs.xapi.citations import rule
from lrs.xapi.statements.identity import agents_in, ifi_text
from lrs.xapi.statements.keys import refers_key, verb_key, voided_agent_key
from lrs.xapi.statements.plan import KIND, Prepared, in_batch
from lrs.xapi.statements.validate import VOIDED

VOIDERS, OF_ANY = "voiders", "of_any"
"""``meta`` of a statement that has not arrived: the id of the first that voids it by source, and of any source."""
_AT_ONCE = 500


def voided_targets(tx: Tx, batch: Iterable[Prepared], inside: Collection[str]) -> list[tuple[Record, str]]:
    """Stored statements that *batch* voids, each with the id of the first statement that voids it."""
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
    """Statements of *batch* that others in it void.

    A voiding statement is never voided: voiding one that comes earlier in *batch* is refused.
    """
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


def noted(awaited: Record, prepared: Prepared) -> Record:
    """*awaited*, the record of a statement that has not arrived, with *prepared* as the one that voids it.

    The first of each source is noted, and the first that may void what any source sent.
    """
    if not prepared.voids or VOIDERS not in awaited.meta:
        return awaited
    first = {prepared.meta["source"]: prepared.id, **awaited.meta[VOIDERS]}
    of_any = awaited.meta[OF_ANY] or (prepared.id if prepared.meta.get("void_any") else "")
    meta = {**awaited.meta, VOIDERS: first, OF_ANY: of_any}
    return awaited if meta == awaited.meta else msgspec.structs.replace(awaited, meta=meta)


def voider_of(tx: Tx, statement: str, meta: Mapping[str, Any], awaited: Record) -> str | None:
    """The statement that voids this one and arrived before it, if its sender may void what this one's sender sent.

    *awaited* notes who may be that: however many name the statement, they are not read.
    """
    if VOIDERS not in awaited.meta:
        return _voider_among_all(tx, statement, meta)
    for id in (awaited.meta[VOIDERS].get(meta["source"]), awaited.meta[OF_ANY]):
        if id and tx.get(KIND, id) is not None:
            return str(id)
    return None


def _voider_among_all(tx: Tx, statement: str, meta: Mapping[str, Any]) -> str | None:
    """The same, for a statement that has been awaited since before voiders were noted."""
    named = Walk(KIND, [refers_key(statement), verb_key(VOIDED)], limit=_AT_ONCE, bare=True)
    for voider in walked(tx, named):
        if voider.meta.get("voids") and (voider.meta["source"] == meta["source"] or voider.meta.get("void_any")):
            return voider.id
    return None


def _may_void(target: str, told: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Refuses to void what another source sent (403), or a voiding statement (400, xAPI 1.0.3 Data 2.3.2).

    They are checked in this order, because not every caller may know that a statement of another source is a voiding
    one. *told* is the ``meta`` of the target, *meta* that of the voiding statement.
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
    """*record* as a voided statement, which is found only by what it refers to, and by whom it names (``own_view``)."""
    refers = record.meta.get("refers")
    named = {text for agent in agents_in(msgspec.json.decode(record.body)) if (text := ifi_text(agent))}
    keys = (*([refers_key(refers)] if refers else ()), *map(voided_agent_key, sorted(named)))
    meta = {**record.meta, "voided": by, "held": list(record.keys)}
    return msgspec.structs.replace(record, meta=meta, keys=keys)
