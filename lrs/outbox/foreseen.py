"""What several deliveries will look up before they are sent, read together. Writes nothing and sends nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import cast

from lrs.kernel.errors import Refused
from lrs.outbox import deliveries
from lrs.outbox.channel import Channels
from lrs.storage import Claim, Record, Store
from lrs.storage.ahead import StoreAhead
from lrs.tenancy.tenants import Tenant

FRESH = 1.0
"""Seconds for which a record that was read ahead is used.

A consent that another process withdraws, or a destination that it pauses, is respected after this time at the latest.
"""
AT_ONCE = 64
"""Deliveries for which records are read ahead together."""


class Foreseen:
    """*tenant* for composing the deliveries in *claims*: its store answers from what was read ahead for them.

    A delivery in *fresh* was read a moment ago, when it was claimed. The others are read again. From *until*
    (``monotonic``) on nothing more is composed from it, and of what was, no further call of a row is made.
    """

    def __init__(self, tenant: Tenant, claims: Sequence[Claim], fresh: Sequence[Claim], channels: Channels) -> None:
        self.until = monotonic() + FRESH
        self._tokens = {claim.token for claim in claims}
        ahead = StoreAhead(tenant.store)
        try:
            for channel, records in _by_channel(ahead, claims, fresh).items():
                foresee = channels[channel].foresee if channel in channels else None
                if foresee:
                    foresee(tenant, ahead, records)
        except Refused:  # together they are too large for the memory: each delivery reads for itself
            ahead = StoreAhead(tenant.store)
        self.tenant = replace(tenant, store=cast("Store", ahead))

    def covers(self, claim: Claim) -> bool:
        """Whether *claim* can still be composed from what was read."""
        return claim.token in self._tokens and monotonic() < self.until


def is_foreseeable(record: Record, channels: Channels) -> bool:
    """Whether the channel of *record* reads ahead. A stream never does: each call changes what the next one sends."""
    channel = channels.get(deliveries.channel_of(record))
    return record.kind == deliveries.KIND and channel is not None and channel.foresee is not None


def _by_channel(ahead: StoreAhead, claims: Sequence[Claim], fresh: Sequence[Claim]) -> Mapping[str, list[Record]]:
    """The deliveries of *claims* that still exist, by the name of their channel."""
    ahead.remember(claim.record for claim in fresh)
    ahead.load((claim.record.kind, claim.record.id) for claim in claims)
    found: dict[str, list[Record]] = defaultdict(list)
    for claim in claims:
        record = ahead.get(claim.record.kind, claim.record.id)
        if record is not None:
            found[deliveries.channel_of(record)].append(record)
    return found
