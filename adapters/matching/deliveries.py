"""A delivery: one event owed to one service, with its own tries, its own fate and its own place in the list.

The id follows from the service, the event, the learner and the version, so that what is queued twice is there once,
and a receiver sees one ``webhook-id`` however often it is tried. What is said is put together when it is sent, from
what holds then; only what concerns no learner's data (times, scopes, the service's own reference) is kept here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lrs.keys import key
from lrs.names import name
from lrs.profiles.changes import Event, Told
from lrs.storage import Owed, Record, Tx

KIND = "delivery"
STEP = "deliver"

QUEUED = "queued"
DELIVERED = "delivered"
SUPERSEDED = "superseded"
WITHHELD = "withheld"


class Delivery(msgspec.Struct, frozen=True):
    """What to say to whom; ``about`` is a badge's id for the badge events, ``data`` what consent events say."""

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


def queue(tx: Tx, told: Told, event: Event) -> None:
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
        meta={"state": QUEUED},
        keys=(key("service", delivery.service), key("person", delivery.person)),
        owed=(Owed(STEP),),
    )
    tx.insert(record)


def read(record: Record) -> Delivery:
    """The delivery in *record*. Raises ``msgspec.MsgspecError`` for a body that is none."""
    return msgspec.json.decode(record.body, type=Delivery)


def mark(tx: Tx, id: str, meta: Mapping[str, Any]) -> None:
    """Puts down what became of a delivery; it keeps its place in the list."""
    record = tx.get(KIND, id)
    if record:
        tx.replace(msgspec.structs.replace(record, meta=dict(meta), owed=()))


def again(tx: Tx, id: str) -> None:
    """Owes an existing delivery once more, from its first try on."""
    mark(tx, id, {"state": QUEUED})
    tx.owe(KIND, id, Owed(STEP))
