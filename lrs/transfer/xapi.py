"""The channel ``xapi``: sends statements to another LRS, many at once, and finds the ones that it will not take.

A batch that is refused is halved until the one statement is found that is to blame; that alone is set apart, as a
delivery of its own, and the others go on. Sending again is safe: a statement keeps its id, and where an LRS answers 409
it is asked what it has under it (``request``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from lrs.kernel.names import name
from lrs.kernel.settings import Settings
from lrs.outbox import deliveries
from lrs.outbox.channel import Destination, End, Message, Outcome, Undeliverable, Unneeded
from lrs.outbox.deliveries import Delivery
from lrs.storage import Record, Tx, micros_of
from lrs.tenancy.tenants import Tenant
from lrs.transfer import forwards
from lrs.transfer.batch import Batch, next_batch
from lrs.transfer.forwards import ACTIVE, CHANNEL, DISABLED, PAUSED, Forward
from lrs.transfer.request import call_for, send

REFUSED_IN_A_ROW = 20
"""So many refused one after the other are no fault of the statements: the destination is paused."""


class Single(msgspec.Struct, frozen=True):
    """The content of a delivery: one statement, by its id."""

    statement: str
    v: int = 1


def compose(tenant: Tenant, record: Record) -> Message:
    """The next batch of a forward, or the one statement of a delivery. See ``Channel.compose``."""
    if record.kind == deliveries.KIND:
        forward, statement = _single(tenant, record)
        return Message(forward.id, _sending(tenant, forward, (statement,)))
    forward = forwards.read(record)
    if forward.state != ACTIVE:
        raise Unneeded(forward.state, forward.reason or "")
    batch = next_batch(tenant.store, forward)
    advance = functools.partial(_advance, id=forward.id, batch=batch)
    if not batch.records:
        return Message(forward.id, lambda _: Outcome(End.DELIVERED), advance)
    return Message(forward.id, _sending(tenant, forward, batch.records), advance)


def stop(tx: Tx, to: str, outcome: Outcome) -> str:
    """Pauses the forward, or ends it. See ``Channel.stop``."""
    state = DISABLED if outcome.end is End.GONE else PAUSED
    if tx.get(forwards.KIND, to):
        forwards.stop(tx, to, state, outcome.reason)
    return f"the forward is {state}: {outcome.reason}"


def destinations(tenant: Tenant) -> Iterator[Destination]:
    """The forwards, each with the time of the first statement that it has not got."""
    for one in forwards.everyone(tenant.store):
        since = forwards.behind_since(tenant.store, one)
        yield Destination(CHANNEL, one.id, one.state, one.reason, waiting=None, since=since)


def about(record: Record) -> Mapping[str, Any]:
    """The forward and the statement's id."""
    try:
        statement = msgspec.json.decode(record.body, type=Single).statement
    except msgspec.MsgspecError:
        statement = "?"
    return {"to": record.meta.get("to", "?"), "what": statement, "statement": statement}


def _sending(tenant: Tenant, forward: Forward, records: tuple[Record, ...]) -> Callable[[Settings], Outcome]:
    """Sends *records*; what lacks its data here is refused as the other side would refuse it, for halving finds it."""
    try:
        return functools.partial(send, call_for(tenant, forward, records))
    except KeyError:
        return lambda _: Outcome(End.REFUSED, "the data of an attachment is missing in this store")


def _single(tenant: Tenant, record: Record) -> tuple[Forward, Record]:
    id = msgspec.json.decode(record.body, type=Single).statement
    forward = forwards.get(tenant.store, record.meta["to"])
    if forward is None:
        raise Undeliverable("the forward was removed")
    if forward.state != ACTIVE:
        raise Undeliverable(f"the forward is {forward.state}: {forward.reason}")
    statement = tenant.store.get("statement", id)
    if statement is None:
        raise Undeliverable("the statement is not in the store")
    return forward, statement


def _advance(tx: Tx, outcome: Outcome, *, id: str, batch: Batch) -> None:
    """Moves the place in the order, as far as the outcome allows. What was read may have moved meanwhile."""
    record = tx.get(forwards.KIND, id)
    if record is None:
        return
    forward = forwards.read(record)
    if forward.position == batch.after:
        forward = _moved(tx, forward, batch, outcome)
    forwards.put(tx, record, forward)


def _moved(tx: Tx, forward: Forward, batch: Batch, outcome: Outcome) -> Forward:
    count = len(batch.records)
    if outcome.end is End.DELIVERED:
        left = max(0, forward.suspect - count)
        refused = 0 if count else forward.refused
        return msgspec.structs.replace(forward, position=batch.until, suspect=left, refused=refused)
    if outcome.end not in {End.REFUSED, End.FAILED}:
        state = DISABLED if outcome.end is End.GONE else PAUSED
        return msgspec.structs.replace(forward, state=state, reason=outcome.reason)
    if count > 1:
        return msgspec.structs.replace(forward, suspect=count)
    _set_apart(tx, forward, batch.records[0])
    return _past(forward, batch.until, outcome.reason)


def _past(forward: Forward, until: int, reason: str) -> Forward:
    """Goes on behind a statement that was set apart, unless too many were, one after the other."""
    refused = forward.refused + 1
    past = msgspec.structs.replace(forward, position=until, suspect=0, refused=refused)
    if refused < REFUSED_IN_A_ROW:
        return past
    why = f"{refused} statements in a row were refused, the last one with: {reason}"
    return msgspec.structs.replace(past, state=PAUSED, reason=why)


def _set_apart(tx: Tx, forward: Forward, statement: Record) -> None:
    """Makes a delivery of a refused statement: it is tried once more by itself, then put aside with the reason."""
    id = name(deliveries.KIND, CHANNEL, forward.id, statement.id)
    if tx.get(deliveries.KIND, id):
        deliveries.again(tx, id)
        return
    content = msgspec.json.encode(Single(statement.id))
    deliveries.queue(tx, Delivery(id=id, channel=CHANNEL, to=forward.id, content=content), micros_of(tx.next_seq()))
