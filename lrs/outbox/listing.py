"""What an operator sees and does: the list of deliveries, sending again, how far behind each destination is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.printing import time_of
from lrs.kernel.times import SECOND
from lrs.outbox import deliveries
from lrs.outbox.channel import ACTIVE, UNKNOWN, Channel, Channels, Destination
from lrs.outbox.destinations import everyone
from lrs.storage import Owed, Record, Tx, Walk, each, micros_of
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

PARKED = "dead"
STATES = (deliveries.QUEUED, deliveries.DELIVERED, deliveries.SUPERSEDED, deliveries.WITHHELD, deliveries.HELD, PARKED)
_MOST_PARKED = 100_000
_MOST_LOOKED_AT = 500
_OF_MANY = "given up, as many others: not each reason is looked up here"
"""The reason of one of so many that were given up that not each is looked at."""


def listed(
    tenant: Tenant, channels: Channels, *, to: str | None = None, channel: str | None = None, state: str | None = None
) -> Iterator[dict[str, Any]]:
    """The deliveries, oldest first: id, queued, channel, to, what, state, status, reason, and what the channel adds.

    Those that were given up have the state ``dead`` and their number of ``tries``.
    """
    parked = {
        record.id: owed
        for record, owed in tenant.store.parked(deliveries.STEP, limit=_MOST_PARKED)
        if record.kind == deliveries.KIND
    }
    for record in each(tenant.store, deliveries.KIND, *([deliveries.destination_key(to)] if to else [])):
        if channel not in {None, deliveries.channel_of(record)}:
            continue
        shown = _shown(record, channels)
        if record.id in parked:
            shown |= {"state": PARKED, "reason": parked[record.id].error, "tries": parked[record.id].tries}
        if state in {None, shown["state"]}:
            yield shown


def about(tenant: Tenant, channels: Channels, persons: Sequence[str], *, limit: int = 50) -> list[dict[str, Any]]:
    """The newest deliveries about *persons*, newest first, in the form of ``listed``.

    *called* is added: what people call the destination.
    """
    walks = [Walk(deliveries.KIND, (key("person", one),), newest_first=True, limit=limit) for one in persons]
    records = [record for walk in walks for record in tenant.store.find(walk).records]
    records.sort(key=lambda record: (record.seq, record.id), reverse=True)
    found = _with_fates(tenant, channels, records[:limit])
    asked = {one["channel"] for one in found} & channels.keys()
    called = {(name, one.id): channels[name].called(one) for name in asked for one in everyone(tenant, channels[name])}
    return [one | {"called": called.get((one["channel"], one["to"]), one["to"])} for one in found]


def _with_fates(tenant: Tenant, channels: Channels, records: Sequence[Record]) -> list[dict[str, Any]]:
    parked = {record.id: owed for record, owed in tenant.store.parked(deliveries.STEP, limit=_MOST_LOOKED_AT)}
    failing = {record.id: owed for record, owed in tenant.store.failing(deliveries.STEP, limit=_MOST_LOOKED_AT)}
    return [
        _shown(record, channels) | _fate(record, parked.get(record.id), failing.get(record.id)) for record in records
    ]


def _fate(record: Record, parked: Owed | None, failing: Owed | None) -> dict[str, Any]:
    if parked is not None:
        return {"state": PARKED, "reason": parked.error}
    if failing is None:
        return {"state": PARKED, "reason": _OF_MANY} if deliveries.is_given_up(record) else {}
    return {"reason": f"{failing.error}; will be tried again", "again": time_of(failing.due)}


def sent_to(tenant: Tenant, channels: Channels, to: str, *, limit: int = 1_000) -> list[dict[str, Any]]:
    """The newest deliveries to a destination, newest first, in the form of ``listed``."""
    walk = Walk(deliveries.KIND, (deliveries.destination_key(to),), newest_first=True, limit=limit)
    return _with_fates(tenant, channels, tenant.store.find(walk).records)


def fate_of(tenant: Tenant, id: str) -> tuple[bool, str] | None:
    """Whether the delivery *id* arrived, and the reason; ``None`` before the first try."""
    record = tenant.store.get(deliveries.KIND, id)
    if record is None:
        return False, "it is gone"
    state = record.meta["state"]
    if state == deliveries.DELIVERED:
        return True, f"it answered {record.meta.get('status')}"
    looks = (tenant.store.parked, tenant.store.failing)
    tried = (one for look in looks for one in look(deliveries.STEP, limit=_MOST_PARKED))
    said = next((owed.error for one, owed in tried if one.id == id), None)
    if said is None and state == deliveries.QUEUED:
        return None
    return False, said or str(record.meta.get("reason") or state)


def failed(tenant: Tenant, channels: Channels, *, limit: int = 100) -> list[dict[str, Any]]:
    """At most *limit* deliveries that were given up, in the form of ``listed``. Does not read the others."""
    return [
        _shown(record, channels) | {"state": PARKED, "reason": owed.error, "tries": owed.tries}
        for record, owed in tenant.store.parked(deliveries.STEP, limit=limit)
        if record.kind == deliveries.KIND
    ]


def resend(tenant: Tenant, id: str, *, by: str) -> None:
    """Makes the delivery *id* due again, in any state, and records that *by* did it.

    Raises ``Refused``: 404 if it does not exist, 409 if it waits for another.
    """

    def decide(tx: Tx) -> None:
        deliveries.again(tx, id)
        audit.append(tx, by, "delivery.resent", {"delivery": id})

    tenant.store.write(decide).result()


def discard(tenant: Tenant, id: str, *, by: str) -> None:
    """Ends the delivery *id* unsent, and records that *by* did it; one that has arrived meanwhile stays as it is.

    Raises ``Refused`` (404) if it does not exist.
    """

    def decide(tx: Tx) -> None:
        record = tx.get(deliveries.KIND, id)
        if record is None:
            raise Refused(f"there is no delivery {id}", status=404, error="delivery_unknown")
        if record.meta["state"] in {deliveries.QUEUED, deliveries.HELD}:
            deliveries.withdraw(tx, id, "discarded: its link works no more")
            audit.append(tx, by, "delivery.discarded", {"delivery": id})

    tenant.store.write(decide).result()


def resend_all(
    tenant: Tenant, channels: Channels, *, by: str, to: str | None = None, channel: str | None = None
) -> int:
    """Makes all deliveries due that were given up or held (of *to*, of *channel*). Gives the number of those that are.

    What was deleted meanwhile, or waits for another of them and is sent after it, is not counted.
    """
    found = listed(tenant, channels, to=to, channel=channel)
    wanted = [one["id"] for one in found if one["state"] in {PARKED, deliveries.HELD}]
    sent = 0
    for one in wanted:
        with suppress(Refused):
            resend(tenant, one, by=by)
            sent += 1
    return sent


def retry(tx: Tx, kind: str, id: str) -> bool:
    """Makes what a record owes of the step due again if it was put aside, a delivery with its place in the list."""
    is_aside = tx.retry(kind, id, deliveries.STEP)
    if is_aside and kind == deliveries.KIND:
        deliveries.again(tx, id)
    return is_aside


class DestinationStatus(msgspec.Struct, frozen=True):
    """The present state of a destination.

    *waiting* counts deliveries (``None`` for a stream without any: what it is owed is not counted). *since* is the time
    of the oldest thing that has not arrived there (microseconds UTC). *resume* is the command that makes it active
    again. *called* and *page* are as in ``Channel``.
    """

    destination: Destination
    waiting: int | None
    since: int | None
    resume: str
    called: str
    page: str

    @property
    def active(self) -> bool:
        """Whether anything is sent to it."""
        return self.destination.state == ACTIVE

    @property
    def stopped(self) -> str:
        """Its state, since when, and why, for people."""
        one = self.destination
        return f"{state_since(one.state, time_of(one.changed))}: {one.reason}"

    def lag(self, now: int) -> int:
        """The age in microseconds at *now* of the oldest thing that has not arrived there; 0 if everything has."""
        return 0 if self.since is None else max(0, now - self.since)


def state_since(state: str, since: str | None) -> str:
    """A state, and since when it holds if that is known."""
    return f"{state} since {since}" if since else state


def destinations(tenant: Tenant, channels: Channels) -> list[DestinationStatus]:
    """All destinations, with how much waits for each and since when."""
    return [_standing(tenant, channel, one) for channel in channels.values() for one in everyone(tenant, channel)]


def listed_destinations(tenant: Tenant, channels: Channels) -> list[dict[str, Any]]:
    """Each destination in the form that commands show. *dead* is how many of its deliveries were given up."""
    parked = tenant.store.parked(deliveries.STEP, limit=_MOST_PARKED)
    dead = Counter((deliveries.channel_of(record), record.meta.get("to")) for record, _ in parked)
    return [_listed(one, channels, dead, tenant.clock()) for one in destinations(tenant, channels)]


def _listed(
    standing: DestinationStatus, channels: Channels, dead: Mapping[tuple[str, str | None], int], now: int
) -> dict[str, Any]:
    one = standing.destination
    return {
        "channel": one.channel,
        "name": one.id,
        "address": one.address,
        "state": one.state,
        "stateSince": time_of(one.changed),
        "reason": one.reason,
        "waiting": standing.waiting,
        "lag": standing.lag(now) // SECOND,
        "dead": dead.get((one.channel, one.id), 0),
        **channels[one.channel].shown(one),
    }


def _standing(tenant: Tenant, channel: Channel, destination: Destination) -> DestinationStatus:
    waiting = (deliveries.waiting_key(destination.channel, destination.id),)
    oldest = tenant.store.find(Walk(deliveries.KIND, waiting, limit=1)).records
    times = [deliveries.since(record) for record in oldest]
    behind = channel.since(tenant.store, destination) if channel.since else None
    count = tenant.store.count(deliveries.KIND, waiting) or (None if channel.since else 0)
    since = min(times if behind is None else [*times, behind], default=None)
    resume = channel.resume_command(destination.id)
    return DestinationStatus(destination, count, since, resume, channel.called(destination), channel.page)


def _shown(record: Record, channels: Channels) -> dict[str, Any]:
    channel = deliveries.channel_of(record)
    about: Mapping[str, Any] = (
        channels[channel].about(record) if channel in channels else {"to": UNKNOWN, "what": UNKNOWN}
    )
    return {
        "id": record.id,
        "queued": time_of(micros_of(record.seq)),
        "channel": channel,
        **about,
        "state": record.meta["state"],
        "status": record.meta.get("status"),
        "reason": record.meta.get("reason"),
    }
