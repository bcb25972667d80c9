"""What a channel is: how one kind of delivery is put together, sent, and what its answer means. Knows no channel.

``docs/adding-a-channel.md`` says how to add one. The table of channels is in ``lrs.channels``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from lrs.kernel.outbound import Answer
from lrs.kernel.settings import Settings
from lrs.storage import Record, Tx
from lrs.tenancy.tenants import Tenant


class End(Enum):
    """How a call ended."""

    DELIVERED = "delivered"
    LATER = "later"
    """It did not work now; it is tried again on the schedule."""
    FAILED = "failed"
    """As ``LATER``, but what was sent may be to blame: no answer came to it in time, or 500."""
    REFUSED = "refused"
    """What was sent will never be taken; it is given up at once."""
    DENIED = "denied"
    """Nothing is taken until an operator acts; the destination is paused."""
    GONE = "gone"
    """The destination wants nothing any more (410); it is disabled."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to. *reason* is for people, *retry_after* is the receiver's header of that name."""

    end: End
    reason: str = ""
    status: int | None = None
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One call to the destination *to*. *send* runs in a thread of its own and has no store.

    *advance* makes it one of a stream: a record that stands for all that a destination is owed, and is never given up.
    It writes what follows from any outcome but ``LATER``, in the commit that settles the claim; from ``FAILED`` once
    that has come often enough (``schedule.FAILED_OFTEN``).
    """

    to: str
    send: Callable[[Settings], Outcome]
    advance: Callable[[Tx, Outcome], None] | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a channel sends to: *state* is ``active`` or says why nothing is sent, with the *reason*.

    *waiting* counts deliveries (``None``: a stream, which is not counted), *since* is the time of the oldest thing that
    it has not got (microseconds UTC).
    """

    channel: str
    id: str
    state: str = "active"
    reason: str | None = None
    waiting: int | None = 0
    since: int | None = None


class Unneeded(Exception):
    """There is nothing to send any more; ``state`` says what becomes of the delivery, the text why."""

    def __init__(self, state: str, why: str) -> None:
        super().__init__(why)
        self.state = state


class Undeliverable(Exception):
    """Nobody to send to, until an operator changes that."""


class Channel(Protocol):
    """One way out. A module with these functions is one."""

    def compose(self, tenant: Tenant, record: Record) -> Message:
        """What to send for *record*, from what holds now; the place to leave out what may not be said any more.

        Raises ``Unneeded``, ``Undeliverable``, and ``msgspec.MsgspecError`` for what cannot be read.
        """

    def stop(self, tx: Tx, to: str, outcome: Outcome) -> str:
        """Sends nothing more to *to* (``DENIED``, ``GONE``); gives the reason why what was being sent is put aside."""

    def destinations(self, tenant: Tenant) -> Iterable[Destination]:
        """Where it sends to, without the deliveries that wait: those are counted for it."""

    def about(self, record: Record) -> Mapping[str, Any]:
        """What the list shows of a delivery besides: at least ``to`` and ``what``, without personal data."""


Channels = Mapping[str, Channel]
"""The channels by name."""


def outcome_of(answer: Answer) -> Outcome:
    """What an HTTP answer means where nothing else is agreed: 2xx arrived, 410 is the end, all else is tried again."""
    reason = f"answered {answer.status}"
    if 200 <= answer.status < 300:
        return Outcome(End.DELIVERED, reason, answer.status)
    if answer.status == 410:
        return Outcome(End.GONE, "it answered 410 Gone", answer.status)
    return Outcome(End.LATER, reason, answer.status, answer.headers.get("retry-after"))
