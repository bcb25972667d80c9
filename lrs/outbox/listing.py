"""What an operator sees and does: the one list of deliveries, the one replay, the lag of each destination."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lrs.kernel.errors import Refused
from lrs.kernel.printing import time_of
from lrs.outbox import deliveries
from lrs.outbox.channel import Channels, Destination
from lrs.storage import Record, micros_of, pages
from lrs.tenancy.tenants import Tenant

PARKED = "dead"
STATES = (deliveries.QUEUED, deliveries.DELIVERED, deliveries.SUPERSEDED, deliveries.WITHHELD, PARKED)
_MOST_PARKED = 100_000


def listed(
    tenant: Tenant, channels: Channels, *, to: str | None = None, channel: str | None = None, state: str | None = None
) -> Iterator[dict[str, Any]]:
    """The deliveries, oldest first: id, queued, channel, to, what, state, status, reason, and what the channel adds.

    Those that were given up on have the state ``dead`` and their number of ``tries``.
    """
    parked = {
        record.id: owed
        for record, owed in tenant.store.parked(deliveries.STEP, limit=_MOST_PARKED)
        if record.kind == deliveries.KIND
    }
    for record in pages(tenant.store, deliveries.KIND, *([deliveries.destination_key(to)] if to else [])):
        if channel not in {None, deliveries.channel_of(record)}:
            continue
        shown = _shown(record, channels)
        if record.id in parked:
            shown |= {"state": PARKED, "reason": parked[record.id].error, "tries": parked[record.id].tries}
        if state in {None, shown["state"]}:
            yield shown


def failed(tenant: Tenant, channels: Channels, *, limit: int = 100) -> list[dict[str, Any]]:
    """Deliveries that were given up on, at most *limit*, as ``listed`` shows them; does not walk the others."""
    return [
        _shown(record, channels) | {"state": PARKED, "reason": owed.error, "tries": owed.tries}
        for record, owed in tenant.store.parked(deliveries.STEP, limit=limit)
        if record.kind == deliveries.KIND
    ]


def dead(tenant: Tenant, channel: str, to: str) -> int:
    """How many deliveries to *to* were given up on."""
    parked = tenant.store.parked(deliveries.STEP, limit=_MOST_PARKED)
    return sum(record.meta.get("to") == to and deliveries.channel_of(record) == channel for record, _ in parked)


def resend(
    tenant: Tenant, channels: Channels, *, id: str | None = None, to: str | None = None, channel: str | None = None
) -> int:
    """Owes one delivery again, or all that were given up on (of *to*, of *channel*); how many.

    Raises ``Refused`` (404) if there is no delivery *id*.
    """
    if id is None:
        wanted = [one["id"] for one in listed(tenant, channels, to=to, channel=channel, state=PARKED)]
    elif tenant.store.get(deliveries.KIND, id):
        wanted = [id]
    else:
        raise Refused(f"there is no delivery {id}", status=404, error="delivery_unknown")
    for one in wanted:
        tenant.store.write(functools.partial(deliveries.again, id=one)).result()
    return len(wanted)


def destinations(tenant: Tenant, channels: Channels) -> list[Destination]:
    """Where is sent to, with what waits for each and since when."""
    return [_with_waiting(tenant, one) for channel in channels.values() for one in channel.destinations(tenant)]


def _with_waiting(tenant: Tenant, destination: Destination) -> Destination:
    waiting = deliveries.waiting_key(destination.channel, destination.id)
    oldest = tenant.store.find(deliveries.KIND, (waiting,), limit=1).records
    times = [deliveries.since(record) for record in oldest]
    if destination.since is not None:
        times.append(destination.since)
    count = None if destination.waiting is None else tenant.store.count(deliveries.KIND, (waiting,))
    return replace(destination, waiting=count, since=min(times, default=None))


def _shown(record: Record, channels: Channels) -> dict[str, Any]:
    channel = deliveries.channel_of(record)
    about: Mapping[str, Any] = channels[channel].about(record) if channel in channels else {"to": "?", "what": "?"}
    return {
        "id": record.id,
        "queued": time_of(micros_of(record.seq)),
        "channel": channel,
        **about,
        "state": record.meta["state"],
        "status": record.meta.get("status"),
        "reason": record.meta.get("reason"),
    }
