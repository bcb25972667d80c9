"""A delivery: one event owed to one service, with its own tries, its own fate and its own place in the list.

The id follows from the service, the event, the learner and the version, so that what is queued twice is there once,
and a receiver sees one ``webhook-id`` however often it is tried. What is said is put together when it is sent, from
what holds then; only what concerns no learner's data (times, scopes, the service's own reference) is kept here.

**Order.** Until a service was told that a learner agreed, or that was given up, it is told nothing else of the learner:
such a delivery waits for that of ``consent.given`` and is owed in the commit in which that is settled. Nothing else has
an order; what is told later has the higher version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.matching.changes import GIVEN, WITHDRAWN, Event, Told
from lrs.storage import Owed, Reader, Record, Tx, pages

KIND = "delivery"
STEP = "deliver"

QUEUED = "queued"
DELIVERED = "delivered"
SUPERSEDED = "superseded"
WITHHELD = "withheld"

LONGEST_WAIT = 10 * 86_400 * 1_000_000
"""Microseconds after which a delivery waits for no other: a worker that ended over that one may never have said so."""


class Delivery(msgspec.Struct, frozen=True):
    """What to say to whom; in badge events ``about`` is the service's name for the badge, ``data`` is for consent."""

    service: str
    event: str
    person: str
    subject: str
    version: int
    data: dict[str, Any] = {}
    about: str = ""
    v: int = 1

    @property
    def id(self) -> str:
        """The ``webhook-id``, the same for every try."""
        return name(KIND, self.service, self.event, self.subject, self.version, self.about)


def queue(tx: Tx, told: Told, event: Event, now: int) -> None:
    """Owes *event* to the service of *told*; the version moves in the same commit, so it is queued once."""
    delivery = Delivery(
        service=told.service,
        event=event.event,
        person=told.person,
        subject=told.subject,
        version=event.version,
        data=event.data,
        about=event.about,
    )
    record = Record(
        kind=KIND,
        id=delivery.id,
        body=msgspec.json.encode(delivery),
        meta={"state": QUEUED, "awaited": True} if event.event == GIVEN else {"state": QUEUED},
        keys=(key("service", delivery.service), key("person", delivery.person)),
        owed=(Owed(STEP),),
    )
    first = None if event.event in {GIVEN, WITHDRAWN} else _awaited(tx, told)
    tx.insert(_after(record, first, now) if first else record)


def read(record: Record) -> Delivery:
    """The delivery in *record*. Raises ``msgspec.MsgspecError`` for a body that is none."""
    return msgspec.json.decode(record.body, type=Delivery)


def mark(tx: Tx, id: str, meta: Mapping[str, Any]) -> None:
    """Puts down what became of a delivery, and owes what waited for it; it keeps its place in the list."""
    record = tx.get(KIND, id)
    if record:
        tx.replace(msgspec.structs.replace(record, meta=dict(meta), owed=()))
        if record.meta.get("awaited"):
            _let_go(tx, id)


def again(tx: Tx, id: str) -> None:
    """Owes an existing delivery once more, from its first try on; what waits for it still does."""
    record = tx.get(KIND, id)
    if record and not record.meta.get("awaited"):
        mark(tx, id, {"state": QUEUED})
    tx.owe(KIND, id, Owed(STEP))


def _awaited(reader: Reader, told: Told) -> str | None:
    """The delivery that others about the learner have to wait for, if there is one."""
    given = Delivery(told.service, GIVEN, told.person, told.subject, told.consented)
    record = reader.get(KIND, given.id) if told.consented else None
    return given.id if record and record.meta.get("awaited") else None


def _after(record: Record, first: str, now: int) -> Record:
    """The delivery in *record*, but waiting for the one named *first*."""
    return msgspec.structs.replace(
        record,
        meta={**record.meta, "after": first, "reason": f"waits until {GIVEN} has arrived"},
        keys=(*record.keys, key("delivery after", first)),
        owed=(Owed(STEP, due=now + LONGEST_WAIT),),
    )


def _let_go(tx: Tx, first: str) -> None:
    """Owes what waits for the delivery named *first*."""
    for record in list(pages(tx, KIND, key("delivery after", first))):
        if record.meta.get("after") == first:
            tx.replace(msgspec.structs.replace(record, meta={"state": QUEUED}, owed=()))
            tx.owe(KIND, record.id, Owed(STEP))
