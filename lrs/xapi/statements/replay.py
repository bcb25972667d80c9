"""Stores what is in quarantine: as it came, or after its mends; and deletes what was there for 30 days."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
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
from lrs.xapi.statements.quarantine import quarantined
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.statements.texts import joined
from lrs.xapi.statements.write import Compare, compared, learn, store_in

AT_ONCE = 100
"""How many old records one commit deletes."""
MOST_WEIGHT = 100 * ROWS
"""About how many rows one commit stores from the quarantine."""


class Replayed(msgspec.Struct, frozen=True):
    """One statement that was to be stored from the quarantine, and why it was *refused*, if it was."""

    id: str
    refused: Refused | None = None


class _Ready(msgspec.Struct, frozen=True):
    """A statement of the quarantine that was prepared to be stored: its *plan*, and what is said of it."""

    record: Record
    plan: Plan
    about: dict[str, str]


def replay(tenant: Tenant, id: str, mends: Collection[str], subscriptions: Subscriptions, *, by: str) -> str:
    """Stores the statement *id* from the quarantine after the *mends*, as if its sender sent it now. Gives its id.

    Without *mends* it is stored as it came, if the rules allow it by now. Without a timestamp it gets the time at which
    it came. Refuses as ``prepare`` and ``store_in`` do, and then it stays; 404 if it is not there, 400 for a mend that
    it does not need.
    """
    (done,) = replay_each(tenant, [id], mends, subscriptions, by=by)
    if done.refused:
        raise done.refused
    return done.id


def replay_each(
    tenant: Tenant, ids: Iterable[str], mends: Collection[str], subscriptions: Subscriptions, *, by: str
) -> list[Replayed]:
    """What became of each of *ids*, stored as by ``replay``, many in one commit; one that is refused stays."""
    terms = Terms(tenant.settings, subscriptions, tenant.seen)
    wanted, found = list(dict.fromkeys(map(str.lower, ids))), {}
    chunk: list[_Ready] = []
    for id in wanted:
        try:
            ready = _ready(tenant, id, mends, terms)
        except Refused as refused:
            found[id] = refused
            continue
        if chunk and sum(one.plan.weight for one in chunk) + ready.plan.weight > MOST_WEIGHT:
            found |= _stored(tenant, chunk, by)
            chunk = []
        chunk.append(ready)
    found |= _stored(tenant, chunk, by) if chunk else {}
    return [Replayed(id, found.get(id)) for id in wanted]


def _ready(tenant: Tenant, id: str, mends: Collection[str], terms: Terms) -> _Ready:
    record = quarantine.find(tenant.store, id)
    if record is None:
        raise _gone()
    kept = quarantined(record)
    if not set(mends) <= set(kept.habits):
        needs = ", ".join(kept.habits)
        raise Refused(f"The mends of this statement are: {needs}.", pointer="/mend")
    text = mended_text(bytes(kept.statement), mends, record.id) if mends else bytes(kept.statement)
    sender = kept.sender
    rights = dict.fromkeys(("statements.write", *sender.rights), ALL)
    who = Caller(f"key {sender.key}", sender.source, bytes(sender.authority), rights, tenant.id, KEY)
    plan = prepare(who, sender.version, _completed(text, record), terms)
    plan = msgspec.structs.replace(plan, statements=[_marked(one, mends) for one in plan.statements])
    about = {"statement": record.id, "source": sender.source, "mends": " ".join(sorted(mends)) or "none"}
    return _Ready(record, plan, about)


def _gone() -> Refused:
    return Refused("There is no such statement in quarantine.", status=404, error="not_found")


def _stored(tenant: Tenant, chunk: Sequence[_Ready], by: str) -> dict[str, Refused]:
    """Stores *chunk* in one commit; if one of it is refused, in halves. Gives the refusals by the ids of statements."""
    try:
        return _write(tenant, chunk, by)
    except Refused as refused:
        if len(chunk) == 1:
            return {chunk[0].record.id: refused}
    except Compare as found:
        if len(chunk) == 1:
            plan = compared(chunk[0].plan, found.stored)
            return _stored(tenant, [msgspec.structs.replace(chunk[0], plan=plan)], by)
    half = len(chunk) // 2
    return _stored(tenant, chunk[:half], by) | _stored(tenant, chunk[half:], by)


def _marked(one: Prepared, mends: Collection[str]) -> Prepared:
    """*one*, whose record says which mends it had."""
    return msgspec.structs.replace(one, meta={**one.meta, "mended": list(mends)}) if mends else one


def _completed(text: bytes, record: Record) -> bytes:
    """*text* with the id that was answered, and with the time at which it came, if it has none of its own."""
    parts = members(text)
    parts.setdefault("id", msgspec.json.encode(record.id))
    parts.setdefault("timestamp", msgspec.json.encode(timestamp_of_micros(micros_of(record.seq))))
    return joined(parts)


def _write(tenant: Tenant, chunk: Sequence[_Ready], by: str) -> dict[str, Refused]:
    """Stores in one commit what of *chunk* is still in quarantine. Gives a refusal for each that is there no more."""

    def decide(tx: Tx) -> list[_Ready]:
        there = [one for one in chunk if quarantine.find(tx, one.record.id) is not None]
        for one in there:
            store_in(tx, one.plan)
            audit.append(tx, by, "quarantine.replayed", one.about)
        quarantine.take_out(tx, [one.record for one in there])
        return there

    reads = [read for one in chunk for read in one.plan.reads]
    there = tenant.store.write(decide, weight=sum(one.plan.weight for one in chunk), reads=reads).result()
    for one in there:
        learn(tenant, one.plan)
    return {one.record.id: _gone() for one in chunk if one not in there}


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
