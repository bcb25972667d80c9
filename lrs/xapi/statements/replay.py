"""Stores what is in quarantine: as it came, or after its mends; and deletes what was there for 30 days."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial

import msgspec

from lrs.access import ALL, KEY, Caller
from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import members
from lrs.kernel.times import timestamp_of_micros
from lrs.storage import ROWS, Record, Tx, Walk, micros_of
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements import fingerprints, quarantine
from lrs.xapi.statements.habits import mended_text
from lrs.xapi.statements.plan import QUARANTINED, Plan, Prepared
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.quarantine import Quarantined, quarantined
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.statements.texts import joined
from lrs.xapi.statements.write import Compare, compared, learn, store_in

AT_ONCE = 100
"""How many old records one commit deletes."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One statement that was to be stored from the quarantine, and why it was *refused*, if it was."""

    id: str
    refused: Refused | None = None


def replay(tenant: Tenant, id: str, mends: Collection[str], subscriptions: Subscriptions, *, by: str) -> str:
    """Stores the statement *id* from the quarantine after the *mends*, as if its sender sent it now. Gives its id.

    Without *mends* it is stored as it came, if the rules allow it by now. Without a timestamp it gets the time at which
    it came. Refuses as ``prepare`` and ``store_in`` do, and then it stays; 404 if it is not there, 400 for a mend that
    it does not need.
    """
    record = quarantine.find(tenant.store, id)
    if record is None:
        raise Refused("There is no such statement in quarantine.", status=404, error="not_found")
    kept = quarantined(record)
    if not set(mends) <= set(kept.habits):
        needs = ", ".join(kept.habits)
        raise Refused(f"The mends of this statement are: {needs}.", pointer="/mend")
    text = mended_text(bytes(kept.statement), mends, record.id) if mends else bytes(kept.statement)
    sender = kept.sender
    who = Caller(
        f"key {sender.key}",
        sender.source,
        bytes(sender.authority),
        dict.fromkeys(("statements.write", *sender.rights), ALL),
        tenant.id,
        KEY,
    )
    terms = Terms(tenant.settings, subscriptions, tenant.seen)
    plan = prepare(who, sender.version, _completed(text, record), terms)
    plan = msgspec.structs.replace(plan, statements=[_marked(one, mends) for one in plan.statements])
    _write(tenant, plan, record, kept, mends, by)
    return record.id


def replay_each(
    tenant: Tenant, ids: Iterable[str], mends: Collection[str], subscriptions: Subscriptions, *, by: str
) -> list[Replayed]:
    """What became of each of *ids*, which are stored as by ``replay``, each in a commit of its own."""
    return [_tried(tenant, id, mends, subscriptions, by) for id in ids]


def _tried(tenant: Tenant, id: str, mends: Collection[str], subscriptions: Subscriptions, by: str) -> Replayed:
    try:
        replay(tenant, id, mends, subscriptions, by=by)
    except Refused as refused:
        return Replayed(id, refused)
    return Replayed(id)


def _marked(one: Prepared, mends: Collection[str]) -> Prepared:
    """*one*, whose record says which mends it had."""
    return msgspec.structs.replace(one, meta={**one.meta, "mended": list(mends)}) if mends else one


def _completed(text: bytes, record: Record) -> bytes:
    """*text* with the id that was answered, and with the time at which it came, if it has none of its own."""
    parts = members(text)
    parts.setdefault("id", msgspec.json.encode(record.id))
    parts.setdefault("timestamp", msgspec.json.encode(timestamp_of_micros(micros_of(record.seq))))
    return joined(parts)


def _write(tenant: Tenant, plan: Plan, record: Record, kept: Quarantined, mends: Collection[str], by: str) -> None:
    about = {"statement": record.id, "source": kept.sender.source, "mends": " ".join(sorted(mends)) or "none"}

    def decide(tx: Tx, plan: Plan) -> None:
        store_in(tx, plan)
        quarantine.take_out(tx, [record])
        audit.append(tx, by, "quarantine.replayed", about)

    while True:
        try:
            tenant.store.write(partial(decide, plan=plan), weight=plan.weight, reads=plan.reads).result()
        except Compare as found:
            plan = compared(plan, found.stored)
        else:
            learn(tenant, plan)
            return


def expire(tenant: Tenant) -> int:
    """Deletes statements that were in quarantine for 30 days, and fingerprints of seven days. Gives their number."""
    return _expire(tenant, QUARANTINED, quarantine.LASTS) + _expire(tenant, fingerprints.KIND, fingerprints.LASTS)


def _expire(tenant: Tenant, kind: str, lasts: int) -> int:
    gone = 0
    while True:
        oldest = tenant.store.find(Walk(kind, limit=AT_ONCE)).records
        over = [one for one in oldest if micros_of(one.seq) + lasts <= tenant.clock()]
        if not over:
            return gone
        tenant.store.write(partial(_delete, kind=kind, over=over), weight=ROWS * len(over)).result()
        gone += len(over)


def _delete(tx: Tx, kind: str, over: Collection[Record]) -> None:
    if kind == QUARANTINED:
        quarantine.take_out(tx, over)
        return
    for one in over:
        if (now := tx.get(kind, one.id)) is not None and now.rev == one.rev:
            tx.delete(kind, one.id)
