"""A forward: another LRS that gets every stored statement that meets a filter, in the order they were stored.

Its destination says how far the other LRS has come (``position``, a place in the store's order), and not what is left
to send. While nothing is left it owes no work and has the key ``IDLE``, which ``wake`` looks for; and the record
``RESTING`` is there, so that statements owe the step that calls it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.printing import time_of
from lrs.kernel.times import is_iso_timestamp, micros_of_timestamp
from lrs.outbox import destinations
from lrs.outbox.channel import ACTIVE, Destination
from lrs.storage import Reader, Record, Tx, Walk, first_seq, micros_of
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import DEFAULT, Tenant

CHANNEL = "xapi"
IDLE = key("forward idle")
RESTING = ("resting", "forwards")
"""The record (kind, id) that is there as long as a forward may have nothing left to send."""


class Filter(msgspec.Struct, frozen=True):
    """What is forwarded: statements with one of each that is named, except those that the sources *without* sent."""

    verbs: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class Forward(msgspec.Struct, frozen=True):
    """What is sent to a destination, and how far it has come: the destination's options.

    *since* is the time (microseconds UTC) of the first statement that counts. *suspect*: among so many statements from
    *position* on, at least one is refused; 0 if none is known. *refused* counts refused statements in a row.
    """

    filter: Filter = Filter()
    since: int = 0
    position: int = 0
    suspect: int = 0
    refused: int = 0


def accept(tenant: Tenant, address: str, given: Mapping[str, Any]) -> tuple[str, Forward]:
    """The endpoint without ``/statements``, and what to send. Raises ``Refused`` for our own endpoint, or for none."""
    since = _micros(given.get("since"))
    wanted = Filter(**{name: given[name] for name in Filter.__struct_fields__ if name in given})
    return _checked(tenant, address), Forward(wanted, since, max(0, first_seq(since) - 1))


def forward_of(destination: Destination) -> Forward:
    """What is sent to the destination. Raises ``msgspec.MsgspecError`` for other options."""
    return msgspec.json.decode(destination.options, type=Forward)


def shown(destination: Destination) -> Mapping[str, Any]:
    """What lists show of it in addition."""
    forward = forward_of(destination)
    return {
        "endpoint": destination.address,
        "verbs": forward.filter.verbs,
        "activities": forward.filter.activities,
        "sources": forward.filter.sources,
        "notFrom": forward.filter.without,
        "since": time_of(forward.since) if forward.since else None,
        "upTo": time_of(micros_of(forward.position)) if forward.position else None,
    }


def wake(tenant: Tenant) -> None:
    """Makes forwards due that had nothing left to send. Call it after statements were stored."""
    if tenant.store.get(*RESTING) is None:
        return
    found = idle_in(tenant.store)
    ids = [record.id for record in found if _first_after(tenant.store, destinations.read(record))]
    if ids or not found:
        tenant.store.write(functools.partial(_wake, ids=ids)).result()


def _wake(tx: Tx, ids: list[str]) -> None:
    for id in ids:
        record = tx.get(destinations.KIND, id)
        if record and IDLE in record.keys:
            put(tx, record, destinations.read(record))
    if not idle_in(tx):
        tx.delete(*RESTING)


def idle_in(reader: Reader) -> Sequence[Record]:
    """The destinations of forwards that had nothing left to send."""
    return reader.find(Walk(destinations.KIND, (IDLE,), limit=1_000)).records


def put(tx: Tx, record: Record, destination: Destination) -> None:
    """Stores *destination*, and owes the next batch if there is one. Otherwise the next stored statement wakes it."""
    is_active = destination.state == ACTIVE
    has_more = is_active and _first_after(tx, destination) is not None
    rests = is_active and not has_more
    destinations.put(tx, record, destination, keys=(IDLE,) if rests else (), owes=has_more)
    if rests and tx.get(*RESTING) is None:
        tx.insert(Record(*RESTING))


def behind_since(reader: Reader, destination: Destination) -> int | None:
    """When the first statement that it has not got was stored (microseconds UTC); ``None`` if it has got all."""
    record = _first_after(reader, destination)
    return micros_of(record.seq) if record else None


def _first_after(reader: Reader, destination: Destination) -> Record | None:
    """The first statement that was not looked at yet."""
    position = forward_of(destination).position
    return next(iter(reader.find(Walk("statement", after=position, limit=1)).records), None)


def _checked(tenant: Tenant, url: str) -> str:
    endpoint = url.rstrip("/").removesuffix("/statements")
    address = web_address(endpoint)
    if address.query or address.fragment:
        raise Refused("the address cannot be used: no query and no fragment in it", error="bad_address")
    if str(address) in _own(tenant):
        raise Refused("the address is this server's own: statements would go round in a circle", error="bad_address")
    return endpoint


def _own(tenant: Tenant) -> set[str]:
    """The addresses of this tenant's own endpoint."""
    base = (tenant.settings.public_url or "").rstrip("/")
    if not base:
        return set()
    paths = [f"/t/{tenant.id}/xapi", *(["/xapi"] if tenant.id == DEFAULT else [])]
    return {str(web_address(base + path)) for path in paths}


def _micros(since: str | None) -> int:
    if since is None:
        return 0
    for text in (since, f"{since}T00:00:00Z"):
        if is_iso_timestamp(text):
            return micros_of_timestamp(text)
    raise Refused(f"--since {since!r}: write a time like 2026-11-28 or 2026-11-28T09:00:00Z")


KINDS = (Kind(RESTING[0], "working", subjects=None, retention="operational", exported=False),)
