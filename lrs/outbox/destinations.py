"""Destinations: where each channel sends to, in which state, with which key, and how operators change them.

All channels use the record ``destination`` and the same states and reasons. If a channel's destinations are records of
another room (``Channel.own``), they are shown and stopped here, and changed there.

The key and secret of each destination are encrypted with a secret of its own, so one of them cannot be used for
another.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from lrs.kernel import outbound
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.sealed import NotOurs, hide, reveal
from lrs.outbox import deliveries
from lrs.outbox.channel import (
    ACTIVE,
    DISABLED,
    PAUSED,
    Channel,
    Destination,
    Destinations,
    End,
    Outcome,
    Undeliverable,
)
from lrs.outbox.deliveries import STEP, waiting_key
from lrs.storage import ROWS, Owed, Reader, Record, Tx, each, micros_of
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "destination"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


# -- what the outbox asks ---------------------------------------------------------------------------------------------


def find(tenant: Tenant, channel: Channel, id: str) -> Destination | None:
    """The destination *id* of *channel*, in any state."""
    return _of(channel).find(tenant, id)


def everyone(tenant: Tenant, channel: Channel) -> Iterable[Destination]:
    """All destinations of *channel*."""
    return _of(channel).everyone(tenant)


def stop(tx: Tx, channel: Channel, id: str, outcome: Outcome) -> str:
    """Stops the destination because of *outcome* (``DENIED``, ``GONE``). Gives the reason for what was being sent."""
    state = DISABLED if outcome.end is End.GONE else PAUSED
    _of(channel).stop(tx, id, state, outcome.reason)
    return stopped(state, outcome.reason)


def hold(tx: Tx, channel: Channel, to: str, id: str) -> None:
    """Lets the delivery *id* wait until its destination is resumed. If that was done meanwhile, it is due at once."""
    record = tx.get(KIND, record_id(channel.name, to))
    destination = read(record) if record else None
    if destination and destination.state == PAUSED:
        deliveries.hold(tx, id, channel.name, to, stopped(PAUSED, destination.reason))
    else:
        tx.owe(deliveries.KIND, id, Owed(STEP))


def waits(channel: Channel, destination: Destination) -> bool:
    """Whether its deliveries wait until it is resumed. A destination of another room is told everything again."""
    return destination.state == PAUSED and not channel.own


def stopped(state: str, reason: str | None) -> str:
    """The reason why nothing is sent to a destination in this *state*."""
    return f"the destination is {state}: {reason}"


def access(tenant: Tenant, destination: Destination) -> list[str]:
    """The credentials, in the order of ``Channel.access``. Raises ``Undeliverable`` if they cannot be read."""
    try:
        return reveal(_secret(tenant, destination.channel, destination.id), destination.access or "", list[str])
    except NotOurs as error:
        raise Undeliverable("its key cannot be read: remove the destination and add it again") from error


# -- what an operator does --------------------------------------------------------------------------------------------


def add(
    tenant: Tenant,
    channel: Channel,
    name: str,
    address: str,
    *,
    access: Sequence[str] = (),
    given: Mapping[str, Any] = {},
    by: str,
) -> Destination:
    """Adds a destination at *address*.

    *given* are the values of ``Channel.options``, *access* those of ``Channel.access``.

    Raises ``Refused``: the name is taken or not valid, the address may not be called, or the channel refuses.
    """
    _check_own(channel, name)
    if not _NAME.fullmatch(name):
        raise Refused(f"the name {name!r}: use 1 to 40 lower-case letters, digits and hyphens", error="bad_name")
    check_address(tenant, address)
    kept, options = channel.accept(tenant, address, given)
    destination = Destination(
        channel=channel.name,
        id=name,
        address=kept,
        access=hidden(tenant, channel.name, name, access) if access else None,
        options=msgspec.Raw(msgspec.json.encode(options)),
    )

    def keep(tx: Tx) -> None:
        if not insert(tx, destination, owes=channel.since is not None):
            message = f"a destination {name} of the channel {channel.name} exists already"
            raise Refused(message, status=409, error="destination_exists")
        _audit(tx, by, "added", destination)

    tenant.store.write(keep).result()
    return destination


def pause(tenant: Tenant, channel: Channel, name: str, *, by: str) -> None:
    """Pauses the destination; its deliveries wait until ``resume``. Raises ``Refused`` (404)."""
    _change(tenant, channel, name, "paused", by, state=PAUSED, reason="by command")


def resume(tenant: Tenant, channel: Channel, name: str, *, by: str) -> None:
    """Resumes the destination at once and in order; a stream goes on where it stopped. Raises ``Refused`` (404)."""
    _change(tenant, channel, name, "resumed", by, state=ACTIVE, reason=None)


def remove(tenant: Tenant, channel: Channel, name: str, *, by: str) -> None:
    """Removes the destination, its key, and how far it had come. Raises ``Refused`` (404)."""
    _check_own(channel, name)

    def decide(tx: Tx) -> bool:
        destination = read(_wanted(tx, channel.name, name))
        tx.delete(KIND, record_id(channel.name, name))
        _audit(tx, by, "removed", destination)
        return True  # its deliveries are put aside now, with the reason

    _decide_and_let_go(tenant, channel, name, decide)


# -- the record -------------------------------------------------------------------------------------------------------


class Kept:
    """The destinations of a channel that are ``destination`` records."""

    def __init__(self, channel: str) -> None:
        self._channel = channel

    def find(self, tenant: Tenant, id: str) -> Destination | None:
        """See ``Destinations.find``."""
        record = tenant.store.get(KIND, record_id(self._channel, id))
        return read(record) if record else None

    def everyone(self, tenant: Tenant) -> Iterator[Destination]:
        """See ``Destinations.everyone``. In the order in which they were added."""
        return kept(tenant.store, self._channel)

    def stop(self, tx: Tx, id: str, state: str, reason: str) -> None:
        """See ``Destinations.stop``."""
        record = tx.get(KIND, record_id(self._channel, id))
        if record:
            changed = micros_of(tx.next_seq())
            destination = msgspec.structs.replace(read(record), state=state, reason=reason, changed=changed)
            put(tx, record, destination)
            _audit(tx, f"destination {record.id}", state, destination)


def kept(reader: Reader, channel: str) -> Iterator[Destination]:
    """The destinations of *channel* in order, in any state: for a transaction that queues something for each."""
    return map(read, each(reader, KIND, _channel_key(channel)))


def record_id(channel: str, name: str) -> str:
    """The id of the record of a destination."""
    return f"{channel}/{name}"


def read(record: Record) -> Destination:
    """The destination in *record*. Raises ``msgspec.MsgspecError`` for another body."""
    return msgspec.json.decode(record.body, type=Destination)


def insert(tx: Tx, destination: Destination, *, owes: bool) -> bool:
    """Adds *destination*; a stream *owes* its step. ``False`` if the name is taken."""
    id = record_id(destination.channel, destination.id)
    if tx.get(KIND, id):
        return False
    owed = (Owed(STEP),) if owes and destination.state == ACTIVE else ()
    meta = {"channel": destination.channel, "to": destination.id}
    body = msgspec.json.encode(destination)
    tx.insert(Record(KIND, id, body, meta, _keys(destination), owed))
    return True


def put(tx: Tx, record: Record, destination: Destination, *, keys: Sequence[int] = (), owes: bool = False) -> None:
    """Replaces the destination in *record*. *keys* and what it *owes* are those of a stream."""
    keys = (*_keys(destination), *keys)
    tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(destination), keys=keys, owed=()))
    if owes:
        tx.owe(KIND, record.id, Owed(STEP))


def hidden(tenant: Tenant, channel: str, name: str, access: Sequence[str]) -> str:
    """*access* in its encrypted form."""
    return hide(_secret(tenant, channel, name), list(access))


def _secret(tenant: Tenant, channel: str, name: str) -> bytes:
    return tenant.secret(f"destination {record_id(channel, name)}")


def _of(channel: Channel) -> Destinations:
    return channel.own or Kept(channel.name)


def _keys(destination: Destination) -> tuple[int, ...]:
    """The keys of the record: a stream waits with the deliveries to the same destination."""
    return _channel_key(destination.channel), waiting_key(destination.channel, destination.id)


def _channel_key(channel: str) -> int:
    return key("destination", channel)


def _change(tenant: Tenant, channel: Channel, name: str, done: str, by: str, state: str, reason: str | None) -> None:
    """Changes the state. If it is active now, its deliveries become due."""
    _check_own(channel, name)

    def decide(tx: Tx) -> bool:
        record = _wanted(tx, channel.name, name)
        known = read(record)
        changed = known.changed if known.state == state else tenant.clock()
        destination = msgspec.structs.replace(known, state=state, reason=reason, changed=changed)
        put(tx, record, destination, owes=channel.since is not None and state == ACTIVE)
        _audit(tx, by, done, destination)
        return state == ACTIVE

    _decide_and_let_go(tenant, channel, name, decide)


def _decide_and_let_go(tenant: Tenant, channel: Channel, name: str, decide: Callable[[Tx], bool]) -> None:
    """Runs *decide*; if it is true, makes due what waits for the destination: a page in each commit."""
    failed, weight = deliveries.deferred(tenant.store, tenant.clock()), ROWS * deliveries.PAGE
    page = functools.partial(deliveries.let_go_of, channel=channel.name, to=name, failed=failed)
    start = tenant.store.write(lambda tx: page(tx) if decide(tx) else None, weight=weight).result()
    while start is not None:
        start = tenant.store.write(functools.partial(page, start=start), weight=weight).result()


def _wanted(tx: Tx, channel: str, name: str) -> Record:
    record = tx.get(KIND, record_id(channel, name))
    if record is None:
        message = f"there is no destination {name} of the channel {channel}"
        raise Refused(message, status=404, error="destination_unknown")
    return record


def _check_own(channel: Channel, name: str) -> None:
    if channel.own:
        like = channel.resume_command(name)
        message = f"destinations of the channel {channel.name} have commands of their own, such as: {like}"
        raise Refused(message, error="bad_channel")


def check_address(tenant: Tenant, address: str, what: str = "address") -> None:
    """Refuses an *address* that may not be called; messages call it *what*. It need not answer now."""
    try:
        outbound.check(address, tenant.settings)
    except outbound.Blocked as blocked:
        raise Refused(f"the {what} cannot be used: {blocked}", error=f"bad_{what}") from blocked
    except outbound.Unreachable:
        return


def _audit(tx: Tx, by: str, done: str, destination: Destination) -> None:
    about = {"channel": destination.channel, "destination": destination.id}
    audit.append(tx, by, f"destination.{done}", about)


# Not exported: it holds the key to another server.
KINDS = (Kind(KIND, "fact", Destination, 1, subjects=None, retention="configuration", exported=False),)
