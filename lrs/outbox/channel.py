"""The interface of a channel: how its deliveries are composed and sent, and where to. Knows no channel.

``docs/adding-a-channel.md`` says how to add one. The table of channels is in ``lrs.composition.channels``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from lrs.kernel import outbound
from lrs.kernel.outbound import Response
from lrs.kernel.settings import Settings
from lrs.storage import Reader, Record, Tx
from lrs.storage.ahead import ReadAhead
from lrs.tenancy.tenants import Tenant

if TYPE_CHECKING:
    import click

LONGEST = outbound.IN_ALL + 15
"""The longest time of a call in seconds, with the look-up of the name."""
ACTIVE, PAUSED, DISABLED = "active", "paused", "disabled"
"""The states of a destination. Paused: by an operator, or because it answered 401 or 403. Disabled: it answered 410."""


class Destination(msgspec.Struct, frozen=True):
    """Where a channel sends to.

    It is the body of a ``destination`` record, or a channel makes it from a record of its own.

    *id* is its name in the channel. Nothing is sent unless *state* is ``active``; *reason* says why, *changed* since
    when (microseconds UTC; ``None`` if unknown). *access* is the encrypted key and secret. *options* are the channel's
    own: what it was given, and how far it has come.
    """

    channel: str
    id: str
    address: str = ""
    state: str = ACTIVE
    reason: str | None = None
    access: str | None = None
    options: msgspec.Raw = msgspec.Raw(b"{}")
    changed: int | None = None
    v: int = 1


def with_name(name: str) -> msgspec.Raw:
    """The options of a destination that people call *name*."""
    return msgspec.Raw(msgspec.json.encode({"name": name}))


def name_of(destination: Destination) -> str:
    """What people call a destination whose options are ``with_name``."""
    return msgspec.json.decode(destination.options, type=dict[str, str])["name"]


class End(Enum):
    """How a call ended."""

    DELIVERED = "delivered"
    LATER = "later"
    """The call failed. It is tried again on the schedule."""
    FAILED = "failed"
    """As ``LATER``, but the message may be the cause: no answer in time, or status 500."""
    REFUSED = "refused"
    """The destination will never accept this message, so it is given up at once."""
    DENIED = "denied"
    """The destination accepts nothing until an operator acts, so it is paused."""
    GONE = "gone"
    """The destination does not want anything any more (410), so it is disabled."""


class Outcome(msgspec.Struct, frozen=True):
    """The result of a call. *reason* is for people, *retry_after* is the receiver's header of that name."""

    end: End
    reason: str = ""
    status: int | None = None
    retry_after: str | None = None


class Message(msgspec.Struct, frozen=True):
    """One call. *send* runs in a thread of its own and has no store. It takes *longest* seconds at most.

    *advance* is set for a stream: a record that stands for everything a destination is owed, and that is never given
    up. It writes what follows from ``DELIVERED`` and ``REFUSED``, in the commit that settles the claim, and from
    ``FAILED`` when that has happened often enough (``schedule.FAILED_OFTEN``).
    """

    send: Callable[[Settings], Outcome]
    advance: Callable[[Tx, Outcome], None] | None = None
    longest: float = LONGEST


class Unneeded(Exception):
    """There is nothing to send. ``state`` is the new state of the delivery, the text is the reason."""

    def __init__(self, state: str, why: str) -> None:
        super().__init__(why)
        self.state = state


class Undeliverable(Exception):
    """The delivery cannot be sent until an operator changes something."""


class Destinations(Protocol):
    """Where the destinations of a channel are stored."""

    def find(self, tenant: Tenant, id: str) -> Destination | None:
        """The destination with this *id*, in any state."""

    def everyone(self, tenant: Tenant) -> Iterable[Destination]:
        """All destinations of the channel."""

    def stop(self, tx: Tx, id: str, state: str, reason: str) -> None:
        """Stops the destination: from this commit on nothing is sent there. Does nothing if it does not exist."""


UNKNOWN = "?"
"""Shown in lists for a value that a delivery does not have or that cannot be read."""


def _about(record: Record) -> Mapping[str, Any]:
    return {"to": record.meta.get("to", UNKNOWN), "what": record.meta.get("what", UNKNOWN)}


def _taken(_tenant: Tenant, address: str, _given: Mapping[str, Any]) -> tuple[str, object]:
    return address, {}


class Channel(msgspec.Struct, frozen=True):
    """One channel, by its *name*, which is in each delivery and is what ``--channel`` takes.

    *compose* gives what to send for a record, from what holds now, and leaves out what may no longer be told. It is
    called only for an active destination. It raises ``Unneeded``, ``Undeliverable``, and ``msgspec.MsgspecError`` for
    an unreadable body.

    *about* is what the list shows of a delivery: at least ``to`` and ``what``, without personal data, whatever the body
    is. Without *about*, ``what`` is that of the ``Delivery``.

    The other fields are about destinations, which an operator adds. *access* names the credentials that each needs,
    *options* are further options of ``add``, and *accept* gives the address and the options to store, or raises
    ``Refused``. *shown* is what lists show of the options. *since* makes each destination a stream: it gives the time
    of the first thing that the destination has not got (microseconds UTC), or ``None``.

    *foresee* reads ahead what *compose* will look up for several records. Then what is sent follows from what was
    stored up to ``foreseen.FRESH`` seconds before. Without it, *compose* reads for each delivery by itself.

    A channel whose destinations are records of its own room has *own*. *resume* is the command that makes one active
    again. *called* is what people call one, *page* the pattern of the page about one, if there is one.
    """

    name: str
    compose: Callable[[Tenant, Record, Destination], Message]
    about: Callable[[Record], Mapping[str, Any]] = _about
    access: Sequence[Literal["key", "secret"]] = ()
    options: Sequence[click.Option] = ()
    accept: Callable[[Tenant, str, Mapping[str, Any]], tuple[str, object]] = _taken
    shown: Callable[[Destination], Mapping[str, Any]] = lambda _: {}
    since: Callable[[Reader, Destination], int | None] | None = None
    foresee: Callable[[Tenant, ReadAhead, Sequence[Record]], None] | None = None
    own: Destinations | None = None
    resume: str = "lrs destinations resume {channel} {id}"
    called: Callable[[Destination], str] = lambda one: one.id
    page: str = ""

    def resume_command(self, id: str) -> str:
        """The command that makes the destination *id* active again."""
        return self.resume.format(channel=self.name, id=id)


Channels = Mapping[str, Channel]
"""The channels by name."""


def by_name(*channels: Channel) -> Channels:
    """The table of *channels*."""
    return {channel.name: channel for channel in channels}


def outcome_of(answer: Response) -> Outcome:
    """The usual meaning of an HTTP answer: 2xx is delivered, 410 disables the destination, all else is tried again."""
    reason = f"answered {answer.status}"
    if 200 <= answer.status < 300:
        return Outcome(End.DELIVERED, reason, answer.status)
    if answer.status == 410:
        return Outcome(End.GONE, "it answered 410 Gone", answer.status)
    return Outcome(End.LATER, reason, answer.status, answer.headers.get("retry-after"))
