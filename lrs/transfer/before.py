"""Turns forwards that were records of their own kind into destinations, once, in one commit.

No release has such records; stores used between 0.2.0 and the next release may have some.
"""

from __future__ import annotations

import msgspec

from lrs.kernel.sealed import NotOurs, reveal
from lrs.outbox import destinations
from lrs.outbox.channel import Destination
from lrs.storage import Tx, Walk, each
from lrs.tenancy.tenants import Tenant
from lrs.transfer.forwards import CHANNEL, RESTING, Filter, Forward, idle_in, put

FORMER = "forward"


class _Former(msgspec.Struct, frozen=True):
    id: str
    url: str
    access: str
    filter: Filter
    since: int
    position: int
    suspect: int
    refused: int
    state: str
    reason: str | None


def bring_forwards(tenant: Tenant) -> None:
    """Makes destinations of them, which continue where the forwards were. Finds none if it is called again.

    Also looks once at forwards that had nothing left to send before there was the record ``RESTING``.
    """
    if tenant.store.get(*RESTING) is None and idle_in(tenant.store):
        tenant.store.write(_look_at_idle).result()
    if not tenant.store.find(Walk(FORMER, limit=1)).records:
        return

    def decide(tx: Tx) -> None:
        for record in list(each(tx, FORMER)):
            former = msgspec.json.decode(record.body, type=_Former)
            destinations.insert(tx, _destination(tenant, former), owes=True)
            tx.delete(FORMER, former.id)

    tenant.store.write(decide).result()


def _look_at_idle(tx: Tx) -> None:
    for record in idle_in(tx):
        put(tx, record, destinations.read(record))


def _destination(tenant: Tenant, former: _Former) -> Destination:
    forward = Forward(former.filter, former.since, former.position, former.suspect, former.refused)
    try:
        access = reveal(tenant.secret("forward"), former.access, list[str])
    except NotOurs:
        access = []  # it could not be read before either: the first call says so
    return Destination(
        channel=CHANNEL,
        id=former.id,
        address=former.url,
        state=former.state,
        reason=former.reason,
        access=destinations.hidden(tenant, CHANNEL, former.id, access) if access else None,
        options=msgspec.Raw(msgspec.json.encode(forward)),
    )
