"""A notice: an event that one service must be told of, as it is stored in a delivery of the channel ``webhook``.

The delivery's id follows from the service, the event, the learner and the version. So an event that is queued twice is
one delivery, and a receiver sees one ``webhook-id`` however often it is tried. The message is composed when it is sent
(``payload``). The notice itself has no data of the learner, only times, scopes and the service's own reference.

**Order.** Until a service was told that a learner agreed, or that delivery was given up, it is told nothing else of the
learner. All other events have no order; the later one has the higher version.
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
"""An event about nobody. It tests whether messages arrive and whether the receiver verifies the signature."""


class Notice(msgspec.Struct, frozen=True):
    """One event for one service. ``about`` is the service's name for a badge, ``data`` is for consent events."""

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
    """The delivery of *event* to the service of *told*.

    It is queued once, because the version changes in the same commit.
    """
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
        after=None if event.event in {GIVEN, WITHDRAWN} else _given(told),
        awaited=event.event == GIVEN,
        waits=f"waits until {GIVEN} has arrived",
    )


def queue_test(tx: Tx, service: str, now: int) -> str:
    """Queues a test event for *service*. Gives the id of the delivery."""
    notice = Notice(service=service, event=TEST, person="", subject="", version=micros_of(tx.next_seq()))
    deliveries.queue(tx, Delivery(notice.id, CHANNEL, service, msgspec.json.encode(notice)), now)
    return notice.id


def read(record: Record) -> Notice:
    """The notice in *record*. Raises ``msgspec.MsgspecError`` for a body that is none."""
    return msgspec.json.decode(record.body, type=Notice)


def _given(told: ToldState) -> str | None:
    """The id of the delivery of ``consent.given``, for which other deliveries about the learner wait."""
    return Notice(told.service, GIVEN, told.person, told.subject, told.consented).id if told.consented else None
