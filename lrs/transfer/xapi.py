"""The channel ``xapi``: sends statements in batches to another LRS, and finds those that it refuses.

A refused batch is halved until the one refused statement is found. That statement alone becomes a delivery of its own,
and the others go on. Sending again is safe: a statement keeps its id, and if an LRS answers 409 it is asked what it has
under that id (``request``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import click
import msgspec

from lrs.kernel.names import name
from lrs.kernel.plain_text import counted
from lrs.outbox import deliveries, destinations
from lrs.outbox.channel import PAUSED, UNKNOWN, Channel, Destination, End, Message, Outcome, Undeliverable
from lrs.outbox.deliveries import Delivery
from lrs.storage import Record, Tx, micros_of
from lrs.tenancy.tenants import Tenant
from lrs.transfer import forwards
from lrs.transfer.batch import Batch, next_batch
from lrs.transfer.forwards import Forward
from lrs.transfer.request import call_for, send

REFUSED_IN_A_ROW = 20
"""If so many statements in a row are refused, they are not to blame, and the destination is paused."""
OPTIONS = (
    click.Option(["--verb", "verbs"], multiple=True, help="Only statements with this verb; may be given again."),
    click.Option(
        ["--activity", "activities"], multiple=True, help="Only what is about this activity; may be given again."
    ),
    click.Option(["--source", "sources"], multiple=True, help="Only what this source sent us; may be given again."),
    click.Option(
        ["--not-from", "without"], multiple=True, help="Nothing that this source sent us: what came from there."
    ),
    click.Option(["--since"], help="Only what was stored from this time on (ISO 8601) [default: everything]."),
)


class SingleStatement(msgspec.Struct, frozen=True):
    """The content of a delivery: one statement, by its id."""

    statement: str
    v: int = 1


def compose(tenant: Tenant, record: Record, destination: Destination) -> Message:
    """The next batch of a forward, or the one statement of a delivery. See ``Channel``."""
    if record.kind == deliveries.KIND:
        return _message(tenant, destination, (_statement(tenant, record),))
    batch = next_batch(tenant.store, forwards.forward_of(destination))
    advance = functools.partial(_advance, id=record.id, batch=batch)
    if not batch.records:
        return Message(lambda _: Outcome(End.DELIVERED), advance)
    return _message(tenant, destination, batch.records, advance)


def about(record: Record) -> Mapping[str, Any]:
    """The forward and the statement's id."""
    try:
        statement = msgspec.json.decode(record.body, type=SingleStatement).statement
    except msgspec.MsgspecError:
        statement = UNKNOWN
    return {"to": record.meta.get("to", UNKNOWN), "what": statement, "statement": statement}


def _message(
    tenant: Tenant,
    destination: Destination,
    records: tuple[Record, ...],
    advance: Callable[[Tx, Outcome], None] | None = None,
) -> Message:
    """Sends *records*.

    If data is missing in this store, it acts as if the other side had refused, so that halving finds it.
    """
    try:
        call = call_for(tenant, destination, records)
    except KeyError:
        missing = Outcome(End.REFUSED, "the data of an attachment is missing in this store")
        return Message(lambda _: missing, advance)
    return Message(functools.partial(send, call), advance, call.longest)


def _statement(tenant: Tenant, record: Record) -> Record:
    statement = tenant.store.get("statement", msgspec.json.decode(record.body, type=SingleStatement).statement)
    if statement is None:
        raise Undeliverable("the statement is not in the store")
    return statement


def _advance(tx: Tx, outcome: Outcome, *, id: str, batch: Batch) -> None:
    """Moves the place in the order as far as the outcome allows. The destination may have changed since it was read."""
    record = tx.get(destinations.KIND, id)
    if record is None:
        return
    destination = destinations.read(record)
    if forwards.forward_of(destination).position == batch.after:
        destination = _moved(tx, destination, batch, outcome)
    forwards.put(tx, record, destination)


def _moved(tx: Tx, destination: Destination, batch: Batch, outcome: Outcome) -> Destination:
    count, forward = len(batch.records), forwards.forward_of(destination)
    if outcome.end is End.DELIVERED:
        left = max(0, forward.suspect - count)
        refused = 0 if count else forward.refused
        return _with(destination, forward, position=batch.until, suspect=left, refused=refused)
    if count > 1:
        return _with(destination, forward, suspect=count)
    _set_apart(tx, destination, batch.records[0])
    past = _past(destination, forward, batch.until, outcome.reason)
    return past if past.state == destination.state else msgspec.structs.replace(past, changed=micros_of(tx.next_seq()))


def _past(destination: Destination, forward: Forward, until: int, reason: str) -> Destination:
    """Goes on after a statement that was set apart, unless too many were in a row."""
    refused = forward.refused + 1
    if refused < REFUSED_IN_A_ROW:
        return _with(destination, forward, position=until, suspect=0, refused=refused)
    why = f"{counted(refused, 'statement was', 'statements were')} refused in a row, the last one with: {reason}"
    past = _with(destination, forward, position=until, suspect=0, refused=0)
    return msgspec.structs.replace(past, state=PAUSED, reason=why)


def _with(destination: Destination, forward: Forward, **changed: int) -> Destination:
    options = msgspec.json.encode(msgspec.structs.replace(forward, **changed))
    return msgspec.structs.replace(destination, options=msgspec.Raw(options))


def _set_apart(tx: Tx, destination: Destination, statement: Record) -> None:
    """Makes a delivery of a refused statement. It is tried once more alone, then put aside with the reason."""
    id = name(deliveries.KIND, destination.channel, destination.id, statement.id)
    if tx.get(deliveries.KIND, id):
        deliveries.again(tx, id)
        return
    content = msgspec.json.encode(SingleStatement(statement.id))
    delivery = Delivery(id=id, channel=destination.channel, to=destination.id, content=content)
    deliveries.queue(tx, delivery, micros_of(tx.next_seq()))


CHANNEL = Channel(
    forwards.CHANNEL,
    compose,
    about,
    access=("key", "secret"),
    options=OPTIONS,
    accept=forwards.accept,
    shown=forwards.shown,
    since=forwards.behind_since,
    resume="lrs forward resume {id}",
)
