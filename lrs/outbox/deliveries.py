"""A delivery: one thing owed to one destination through one channel, with its own tries, fate and place in the list.

What is queued twice is there once if it has the same id. The content is the channel's: as a rule only what has to be
said is kept, and the message is put together when it is sent, from what holds then.

**Order.** Deliveries of one order key go one after the other: each waits until the one before was settled or given up,
and is owed in that commit. A channel that needs less names what a delivery waits for (``after``) and which one is
waited for (``awaited``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.times import DAY
from lrs.storage import Owed, Reader, Record, Tx, Walk, micros_of
from lrs.storage.about import Whose, body_shown, by_keys
from lrs.storage.kinds import Kind, Subjects, subjects

KIND = "delivery"
STEP = "deliver"

QUEUED = "queued"
DELIVERED = "delivered"
SUPERSEDED = "superseded"
WITHHELD = "withheld"
HELD = "held"
"""Not sent, because nothing is there to send it with; it can be sent again once there is."""

FIRST = "webhook"
"""The channel of deliveries that name none: those of 0.2.0, which had no other."""
PAGE = 500
"""Deliveries that are owed again in one commit when a destination is resumed."""
LONGEST_WAIT = 10 * DAY
"""Microseconds after which a delivery waits for no other: a worker that ended over that one may never have said so."""


class Delivery(msgspec.Struct, frozen=True):
    """What is owed: *content* to the destination *to* of *channel*.

    *what* says in a word or two, without personal data, what it is, and *waits* why it waits, to those who look at the
    list.
    """

    id: str
    channel: str
    to: str
    content: bytes
    what: str = ""
    keys: tuple[int, ...] = ()
    order: str = ""
    after: str | None = None
    awaited: bool = False
    waits: str = "waits for the delivery before it"


class _About(msgspec.Struct, frozen=True):
    """What every content says that is about a person, whatever its channel: JSON with the id under *person*."""

    person: str | None = None


def queue(tx: Tx, delivery: Delivery, now: int) -> None:
    """Owes *delivery*, once those it must not overtake are through."""
    first = _awaited(tx, delivery)
    meta: dict[str, Any] = {"state": QUEUED, "channel": delivery.channel, "to": delivery.to}
    if delivery.what:
        meta["what"] = delivery.what
    keys = [*delivery.keys, destination_key(delivery.to), waiting_key(delivery.channel, delivery.to)]
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
    """The name of the channel that *record* goes through."""
    return str(record.meta.get("channel", FIRST))


def mark(tx: Tx, outcomes: Mapping[str, Mapping[str, Any]]) -> None:
    """Stores what became of deliveries (*outcomes*: their meta by id), and owes what waited for them.

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
    """Says that a delivery is about to be put aside. What waited for it is owed now."""
    mark(tx, {id: {"state": QUEUED}})


def again(tx: Tx, id: str) -> None:
    """Owes an existing delivery once more, from its first try on; what waits for it still does.

    Raises ``Refused``: 404 if there is none, 409 for one that waits for another, which it must not overtake.
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
    """Gives a delivery that is owed its place among those that wait for *to*, and owes it from its first try on.

    A delivery of 0.2.0 has no such place, and one that was put aside has lost it.
    """
    record = tx.get(KIND, id)
    if record is None or record.meta["state"] != QUEUED:
        return
    meta = {**record.meta, "channel": channel, "to": to}
    keys = tuple(dict.fromkeys((*record.keys, waiting_key(channel, to))))
    tx.replace(msgspec.structs.replace(record, meta=meta, keys=keys, owed=()))
    tx.owe(KIND, id, Owed(STEP))


def hold(tx: Tx, id: str, channel: str, to: str, why: str) -> None:
    """Lets a delivery wait until its destination is active again, without a try.

    It is looked at again after ``LONGEST_WAIT``, in case the process that resumes the destination dies over it.
    """
    record = tx.get(KIND, id)
    if record is None:
        return
    meta = {**record.meta, "channel": channel, "to": to, "reason": why}
    keys = tuple(dict.fromkeys((*record.keys, waiting_key(channel, to))))
    tx.replace(msgspec.structs.replace(record, meta=meta, keys=keys, owed=()))
    tx.owe(KIND, id, Owed(STEP, due=micros_of(tx.next_seq()) + LONGEST_WAIT))


def let_go_of(tx: Tx, channel: str, to: str, start: str | None = None) -> str | None:
    """Owes a page of what waits for a destination, at once and in order. Gives where the next page starts.

    What waits for another delivery still does.
    """
    page = tx.find(Walk(KIND, (waiting_key(channel, to),), limit=PAGE, start=start))
    for record in page.records:
        if "after" not in record.meta:
            meta = {name: value for name, value in record.meta.items() if name != "reason"}
            if meta != record.meta:
                tx.replace(msgspec.structs.replace(record, meta=meta, owed=()))
            tx.owe(KIND, record.id, Owed(STEP))
    return page.next


def since(record: Record) -> int:
    """Since when a delivery waits (microseconds UTC)."""
    return int(record.meta.get("since") or micros_of(record.seq))


def destination_key(to: str) -> int:
    """The key of all deliveries to a destination. Its sort is called as it was when all destinations were services."""
    return key("service", to)


def waiting_key(channel: str, to: str) -> int:
    """The key of those that are neither settled nor given up."""
    return key("delivery waiting", channel, to)


def person_key(person: str) -> int:
    """The key of all deliveries about a person, which whoever queues one adds to it."""
    return key("person", person)


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
    if "to" in kept:  # one of 0.2.0 has no such key, and is not counted
        mine = waiting_key(kept["channel"], kept["to"])
        keys = (*(one for one in keys if one != mine), *([mine] if waiting else []))
        if waiting:
            kept["since"] = micros_of(tx.next_seq())
    tx.replace(msgspec.structs.replace(record, meta={**meta, **kept}, keys=keys, owed=()))


def _waiting_for(tx: Tx, records: Mapping[str, Record]) -> list[Record]:
    """The deliveries that wait for one of *records*, by id, and are none of them."""
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
    """What it was, and what became of it. The values of a mail stay out: a link or a code in it may still open."""
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
        find=by_keys(KIND, lambda whose: (person_key(one) for one in whose.persons)),
        shown=_shown,
    ),
)
