"""A notice: the event that one service is owed word of, as it is kept in a delivery of the channel ``webhook``.

The delivery's id follows from the service, the event, the learner and the version, so that what is queued twice is
there once, and a receiver sees one ``webhook-id`` however often it is tried. What is said is put together when it is
sent (``payload``); only what concerns no learner's data (times, scopes, the service's own reference) is kept here.

**Order.** Until a service was told that a learner agreed, or that was given up, it is told nothing else of the learner.
Nothing else has an order; what is told later has the higher version.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lrs.kernel.names import name
from lrs.matching.changes import GIVEN, WITHDRAWN, Event, ToldState, change_id
from lrs.outbox import deliveries
from lrs.outbox.deliveries import Delivery
from lrs.storage import Record, Tx, micros_of

CHANNEL = "webhook"
TEST = "service.test"
"""An event that says nothing of anybody: whether what is sent arrives, and whether its signature is verified."""


class Notice(msgspec.Struct, frozen=True):
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
        return name(deliveries.KIND, self.service, self.event, self.subject, self.version, self.about)

    @property
    def change(self) -> str:
        """The id of the ``change`` record that says what the service was told of the learner."""
        return change_id(self.service, self.subject)


def delivery_of(told: ToldState, event: Event) -> Delivery:
    """*event* for the service of *told*. The version moves in the commit that queues it, so it is queued once."""
    notice = Notice(
        service=told.service,
        event=event.event,
        person=told.person,
        subject=told.subject,
        version=event.version,
        data=event.data,
        about=event.about,
    )
    return Delivery(
        id=notice.id,
        channel=CHANNEL,
        to=notice.service,
        content=msgspec.json.encode(notice),
        keys=(deliveries.person_key(notice.person),),
        after=None if event.event in {GIVEN, WITHDRAWN} else _given(told),
        awaited=event.event == GIVEN,
        waits=f"waits until {GIVEN} has arrived",
    )


def queue_test(tx: Tx, service: str, now: int) -> str:
    """Owes a test event to *service*, which is about nobody. Gives the id of the delivery."""
    notice = Notice(service=service, event=TEST, person="", subject="", version=micros_of(tx.next_seq()))
    deliveries.queue(tx, Delivery(notice.id, CHANNEL, service, msgspec.json.encode(notice)), now)
    return notice.id


def read(record: Record) -> Notice:
    """The notice in *record*. Raises ``msgspec.MsgspecError`` for a body that is none."""
    return msgspec.json.decode(record.body, type=Notice)


def _given(told: ToldState) -> str | None:
    """The id of the delivery that says that the learner agreed, which others about the learner wait for."""
    return Notice(told.service, GIVEN, told.person, told.subject, told.consented).id if told.consented else None
