"""A delivery: one message for one destination through one channel, with its own tries, outcome and place in the list.

Two deliveries with the same id are one. The channel decides on the content. As a rule the content only says what must
be told, and the message is composed from the present data when it is sent.

**Order.** Deliveries with one order key are sent one after the other. Each waits until the one before is settled or
given up; that commit makes it due. Instead, a channel can name the delivery that another one waits for (``after``) and
mark it as one that others wait for (``awaited``).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.times import DAY
from lrs.storage import Owed, Reader, Record, Store, Tx, Walk, micros_of
from lrs.storage.about import Whose, body_shown, by_keys
from lrs.storage.kinds import Kind, Subjects, subjects

KIND = "delivery"
STEP = "deliver"

QUEUED = "queued"
DELIVERED = "delivered"
SUPERSEDED = "superseded"
WITHHELD = "withheld"
HELD = "held"
"""Not sent because the means are missing (such as a mail server). It can be sent again later."""

FIRST = "webhook"
"""The channel of deliveries without one: version 0.2.0 had no other channel."""
PAGE = 500
"""Deliveries that are made due in one commit when a destination is resumed."""
DEFERRED = 100_000
"""Deliveries that failed and are made due at once when their destination is resumed; more of them wait their time."""
LONGEST_WAIT = 10 * DAY
"""Microseconds after which a delivery no longer waits for another: a worker may have ended without saying that it was
over.
"""


class Delivery(msgspec.Struct, frozen=True):
    """A message to queue: *content* for the destination *to* of *channel*.

    Lists show *what* it is, in a word or two without personal data, and why it *waits*.
    """

    id: str
    channel: str
    to: str
    content: bytes
    what: str = ""
    order: str = ""
    after: str | None = None
    awaited: bool = False
    waits: str = "waits for the delivery before it"


class _About(msgspec.Struct, frozen=True):
    """The part of a content that every channel shares: JSON with the id of the learner it is about under *person*."""

    person: str | None = None


def queue(tx: Tx, delivery: Delivery, now: int) -> None:
    """Queues *delivery*. It becomes due when the delivery that it must not overtake is over.

    A delivery whose content names a learner (``person``) is found with what is kept about that learner.
    """
    first = _awaited(tx, delivery)
    meta: dict[str, Any] = {"state": QUEUED, "channel": delivery.channel, "to": delivery.to}
    if delivery.what:
        meta["what"] = delivery.what
    person = _person_of(delivery.content)
    keys = [_person_key(person)] if person else []
    keys += [destination_key(delivery.to), waiting_key(delivery.channel, delivery.to)]
    if delivery.awaited or delivery.order:
        meta["awaited"] = True
    if delivery.order:
        keys.append(_order_key(delivery))
    if first:
        meta |= {"after": first, "reason": delivery.waits}
        keys.append(key("delivery after", first))
    owed = Owed(STEP, due=now + LONGEST_WAIT) if first else Owed(STEP)
    tx.insert(Record(KIND, delivery.id, delivery.content, meta, tuple(keys), (owed,)))


def channel_of(record: Record) -> str:
    """The name of the channel of *record*."""
    return str(record.meta.get("channel", FIRST))


def mark(tx: Tx, outcomes: Mapping[str, Mapping[str, Any]]) -> None:
    """Stores the outcomes of deliveries (*outcomes*: their meta by id), and makes due what waited for them.

    They keep their places in the list.
    """
    records = tx.get_many(KIND, outcomes)
    waiting = _waiting_for(tx, records)
    for id, record in records.items():
        _put(tx, record, outcomes[id], waiting=False)
    for record in waiting:
        left = {name: value for name, value in record.meta.items() if name not in {"after", "reason"}}
        tx.replace(msgspec.structs.replace(record, meta=left, owed=()))
        tx.owe(KIND, record.id, Owed(STEP))


def give_up(tx: Tx, id: str) -> None:
    """Prepares a delivery to be put aside. What waited for it becomes due."""
    mark(tx, {id: {"state": QUEUED}})


def withdraw(tx: Tx, id: str, why: str) -> None:
    """Ends an existing delivery unsent: it owes nothing any more. What waited for it becomes due."""
    mark(tx, {id: {"state": WITHHELD, "reason": why}})
    record = tx.get_many(KIND, [id])[id]
    tx.delete(KIND, id)  # with what it owes, which no worker could settle: there is nothing to send
    tx.insert(record)


def arrived_anyway(tx: Tx, id: str, meta: Mapping[str, Any]) -> None:
    """Stores *meta*, by which a delivery arrived that was withheld during its call; changes no other."""
    record = tx.get(KIND, id)
    if record is not None and record.meta["state"] == WITHHELD and meta["state"] == DELIVERED:
        mark(tx, {id: meta})


def again(tx: Tx, id: str) -> None:
    """Makes an existing delivery due again, with no tries. What waits for it still waits.

    Raises ``Refused``: 404 if it does not exist, 409 if it waits for another one, which it must not overtake.
    """
    record = tx.get(KIND, id)
    if record is None:
        raise Refused(f"there is no delivery {id}", status=404, error="delivery_unknown")
    if first := record.meta.get("after"):
        message = (
            f"it waits for the delivery {first}, and is sent once that has arrived or was given up: resend that one"
        )
        raise Refused(f"{id} cannot be sent now: {message}", status=409, error="delivery_waits")
    if not record.meta.get("awaited"):
        _put(tx, record, {"state": QUEUED}, waiting=True)
    tx.owe(KIND, id, Owed(STEP))


def rejoin(tx: Tx, id: str, channel: str, to: str) -> None:
    """Adds a delivery to those that wait for *to*, and makes it due with no tries.

    Deliveries of 0.2.0, and those that were put aside, are not among them.
    """
    record = tx.get(KIND, id)
    if record is None or record.meta["state"] != QUEUED:
        return
    meta = {**record.meta, "channel": channel, "to": to}
    keys = tuple(dict.fromkeys((*record.keys, waiting_key(channel, to))))
    tx.replace(msgspec.structs.replace(record, meta=meta, keys=keys, owed=()))
    tx.owe(KIND, id, Owed(STEP))


def hold(tx: Tx, id: str, channel: str, to: str, why: str) -> None:
    """Lets a delivery wait until its destination is active again. Counts no try.

    It becomes due after ``LONGEST_WAIT`` at the latest, in case the process that resumes the destination dies.
    """
    record = tx.get(KIND, id)
    if record is None:
        return
    meta = {**record.meta, "channel": channel, "to": to, "reason": why}
    keys = tuple(dict.fromkeys((*record.keys, waiting_key(channel, to))))
    tx.replace(msgspec.structs.replace(record, meta=meta, keys=keys, owed=()))
    tx.owe(KIND, id, Owed(STEP, due=micros_of(tx.next_seq()) + LONGEST_WAIT))


def deferred(store: Store, now: int) -> frozenset[str]:
    """The ids of deliveries that failed and are due later than *now* (microseconds UTC), at most ``DEFERRED``."""
    return frozenset(record.id for record, owed in store.failing(STEP, limit=DEFERRED) if owed.due > now)


def let_go_of(
    tx: Tx, channel: str, to: str, start: str | None = None, *, failed: Container[str] = frozenset()
) -> str | None:
    """Makes a page of the deliveries for a destination due, in their order. Gives the start of the next page.

    These are the ones that are held, and those that *failed* (``deferred``). All others are due already or are being
    sent: a worker's lease on them must not end, or they would be sent again. Deliveries that wait for another delivery
    still wait.
    """
    page = tx.find(Walk(KIND, (waiting_key(channel, to),), limit=PAGE, start=start))
    for record in page.records:
        if "after" in record.meta or ("reason" not in record.meta and record.id not in failed):
            continue
        meta = {name: value for name, value in record.meta.items() if name != "reason"}
        if meta != record.meta:
            tx.replace(msgspec.structs.replace(record, meta=meta, owed=()))
        tx.owe(KIND, record.id, Owed(STEP))
    return page.next


def is_given_up(record: Record) -> bool:
    """Whether a delivery was given up, as far as its record shows: one of 0.2.0 does not show it."""
    meta = record.meta
    return meta["state"] == QUEUED and "to" in meta and waiting_key(meta["channel"], meta["to"]) not in record.keys


def since(record: Record) -> int:
    """Since when a delivery waits (microseconds UTC)."""
    return int(record.meta.get("since") or micros_of(record.seq))


def destination_key(to: str) -> int:
    """The key of all deliveries to a destination. It says "service" because once all destinations were services."""
    return key("service", to)


def waiting_key(channel: str, to: str) -> int:
    """The key of deliveries that are neither settled nor given up."""
    return key("delivery waiting", channel, to)


def _person_key(person: str) -> int:
    """The key of all deliveries about a person."""
    return key("person", person)


def _person_of(content: bytes) -> str | None:
    """The learner that *content* is about; ``None`` if it names none, or is no JSON object."""
    try:
        return msgspec.json.decode(content, type=_About).person
    except msgspec.MsgspecError:
        return None


def _order_key(delivery: Delivery) -> int:
    return key("delivery order", delivery.channel, delivery.to, delivery.order)


def _awaited(reader: Reader, delivery: Delivery) -> str | None:
    """The delivery that *delivery* has to wait for, if there is one."""
    if delivery.order:
        newest = reader.find(Walk(KIND, (_order_key(delivery),), newest_first=True, limit=1)).records
        first = newest[0] if newest else None
    else:
        first = reader.get(KIND, delivery.after) if delivery.after else None
    return first.id if first and first.meta.get("awaited") else None


def _put(tx: Tx, record: Record, meta: Mapping[str, Any], *, waiting: bool) -> None:
    kept = {name: record.meta[name] for name in ("channel", "to", "what") if name in record.meta}
    keys = record.keys
    if "to" in kept:  # a delivery of 0.2.0 has no such key and is not counted
        mine = waiting_key(kept["channel"], kept["to"])
        keys = (*(one for one in keys if one != mine), *([mine] if waiting else []))
        if waiting:
            kept["since"] = micros_of(tx.next_seq())
    tx.replace(msgspec.structs.replace(record, meta={**meta, **kept}, keys=keys, owed=()))


def _waiting_for(tx: Tx, records: Mapping[str, Record]) -> list[Record]:
    """The deliveries that wait for one of *records* (by id) and are not among them."""
    keys = [key("delivery after", id) for id, record in records.items() if record.meta.get("awaited")]
    found = tx.find_any(KIND, keys) if keys else {}
    return [
        record
        for some in found.values()
        for record in some
        if record.meta.get("after") in records and record.id not in records
    ]


def _about(record: Record) -> Subjects:
    person = msgspec.json.decode(record.body, type=_About).person
    return subjects(persons=[person] if person else ())


def _shown(record: Record, whose: Whose) -> dict[str, Any]:
    """The delivery and its outcome.

    The values of a mail are left out, because a link or a code in it may still be valid.
    """
    meta = {name: record.meta[name] for name in ("channel", "to", "what", "state") if name in record.meta}
    told = body_shown(record, whose)
    return {name: value for name, value in told.items() if name != "values"} | meta


KINDS = (
    Kind(
        KIND,
        "effect",
        subjects=_about,
        retention="consent",
        exported=True,
        find=by_keys(KIND, lambda whose: (_person_key(one) for one in whose.persons)),
        shown=_shown,
    ),
)
