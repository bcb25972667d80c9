"""A forward: another LRS that gets every stored statement that meets a filter, in the order they were stored.

One record stands for all that is owed: it says how far the destination has come (``position``, a place in the store's
order), not what is left. While nothing is left it owes no work and has the key ``IDLE``; ``wake`` looks for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from lrs.kernel import outbound
from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.sealed import hide
from lrs.outbox.deliveries import STEP
from lrs.storage import Owed, Reader, Record, Tx, first_seq, micros_of, pages
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import DEFAULT, Tenant

KIND = "forward"
CHANNEL = "xapi"
SECRET = "forward"  # noqa: S105 (what the secret is for)
ACTIVE, PAUSED, DISABLED = "active", "paused", "disabled"
IDLE = key("forward idle")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Filter(msgspec.Struct, frozen=True):
    """What is forwarded: all that has one of each that is named, but for what the sources *without* sent."""

    verbs: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class Forward(msgspec.Struct, frozen=True):
    """Where to, what, and how far.

    *access* is the key and the secret, hidden; *since* the time (microseconds UTC) of the first statement that counts.
    *suspect*: among so many statements from *position* on at least one is refused; 0 where none is known of. *refused*
    counts those in a row that were set apart.
    """

    id: str
    url: str
    access: str
    filter: Filter = Filter()
    since: int = 0
    position: int = 0
    suspect: int = 0
    refused: int = 0
    state: str = ACTIVE
    reason: str | None = None
    v: int = 1


def add(
    tenant: Tenant, name: str, url: str, access: tuple[str, str], wanted: Filter, *, since: int, by: str
) -> Forward:
    """Begins to forward. Raises ``Refused``: a name that is taken or none, an address we may not call, or our own."""
    if not _NAME.fullmatch(name):
        raise Refused(f"the name {name!r}: use 1 to 40 lower-case letters, digits and hyphens", error="bad_name")
    forward = Forward(
        id=name,
        url=_checked(tenant, url),
        access=hide(tenant.secret(SECRET), list(access)),
        filter=wanted,
        since=since,
        position=max(0, first_seq(since) - 1),
    )

    def keep(tx: Tx) -> None:
        if tx.get(KIND, name):
            raise Refused(f"a forward {name} exists already", status=409, error="forward_exists")
        tx.insert(Record(KIND, name, msgspec.json.encode(forward), {"channel": CHANNEL}, owed=(Owed(STEP),)))
        audit.append(tx, by, "forward.added", {"forward": name})

    tenant.store.write(keep).result()
    return forward


def pause(tenant: Tenant, name: str, *, by: str) -> None:
    """Sends nothing until ``resume``; what is stored meanwhile is sent then. Raises ``Refused`` (404)."""

    def decide(tx: Tx) -> None:
        stop(tx, name, PAUSED, "by command")
        audit.append(tx, by, "forward.paused", {"forward": name})

    tenant.store.write(decide).result()


def resume(tenant: Tenant, name: str, *, by: str) -> None:
    """Goes on where it stopped, at once, also where the next try was hours away. Raises ``Refused`` (404)."""

    def decide(tx: Tx) -> None:
        record = _wanted(tx, name)
        put(tx, record, msgspec.structs.replace(read(record), state=ACTIVE, reason=None, refused=0))
        audit.append(tx, by, "forward.resumed", {"forward": name})

    tenant.store.write(decide).result()


def remove(tenant: Tenant, name: str, *, by: str) -> None:
    """Forgets the destination and how far it had come. Raises ``Refused`` (404)."""

    def decide(tx: Tx) -> None:
        _wanted(tx, name)
        tx.delete(KIND, name)
        audit.append(tx, by, "forward.removed", {"forward": name})

    tenant.store.write(decide).result()


def stop(tx: Tx, name: str, state: str, reason: str) -> None:
    """Keeps the place, sends nothing more. Raises ``Refused`` (404)."""
    record = _wanted(tx, name)
    put(tx, record, msgspec.structs.replace(read(record), state=state, reason=reason))


def wake(tenant: Tenant) -> None:
    """Makes due what had nothing left to send; to be called after statements were stored."""
    found = tenant.store.find(KIND, (IDLE,), limit=1_000).records
    idle = [record.id for record in found if first_after(tenant.store, read(record))]
    if not idle:
        return

    def decide(tx: Tx) -> None:
        for id in idle:
            record = tx.get(KIND, id)
            if record and IDLE in record.keys:
                put(tx, record, read(record))

    tenant.store.write(decide).result()


def put(tx: Tx, record: Record, forward: Forward) -> None:
    """Puts *forward* down, and owes the next batch if there is one: else a statement that is stored wakes it."""
    is_active = forward.state == ACTIVE
    has_more = is_active and first_after(tx, forward) is not None
    keys = (IDLE,) if is_active and not has_more else ()
    tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(forward), keys=keys, owed=()))
    if has_more:
        tx.owe(KIND, record.id, Owed(STEP))


def first_after(reader: Reader, forward: Forward) -> Record | None:
    """The first statement that was not looked at yet."""
    return next(iter(reader.find("statement", after=forward.position, limit=1).records), None)


def behind_since(reader: Reader, forward: Forward) -> int | None:
    """When that was stored (microseconds UTC); ``None`` if it has got everything."""
    record = first_after(reader, forward)
    return micros_of(record.seq) if record else None


def get(reader: Reader, name: str) -> Forward | None:
    """The forward of this name."""
    record = reader.get(KIND, name)
    return read(record) if record else None


def everyone(reader: Reader) -> Iterator[Forward]:
    """All, in the order they were added."""
    return map(read, pages(reader, KIND))


def read(record: Record) -> Forward:
    """The forward in *record*. Raises ``msgspec.MsgspecError`` for a body that is none."""
    return msgspec.json.decode(record.body, type=Forward)


def _wanted(tx: Tx, name: str) -> Record:
    record = tx.get(KIND, name)
    if record is None:
        raise Refused(f"there is no forward {name}", status=404, error="forward_unknown")
    return record


def _checked(tenant: Tenant, url: str) -> str:
    """The endpoint without ``/statements``. An address that does not answer today may tomorrow."""
    endpoint = url.rstrip("/").removesuffix("/statements")
    try:
        outbound.check(endpoint, tenant.settings)
    except outbound.Blocked as blocked:
        raise Refused(f"the endpoint cannot be used: {blocked}", error="bad_endpoint") from blocked
    except outbound.Unreachable:
        pass
    address = web_address(endpoint)
    if address.query or address.fragment:
        raise Refused("the endpoint cannot be used: no query and no fragment in it", error="bad_endpoint")
    if str(address) in _own(tenant):
        raise Refused("the endpoint is this server's own: statements would go round in a circle", error="bad_endpoint")
    return endpoint


def _own(tenant: Tenant) -> set[str]:
    """The addresses of this tenant's endpoint."""
    base = (tenant.settings.public_url or "").rstrip("/")
    if not base:
        return set()
    paths = [f"/t/{tenant.id}/xapi", *(["/xapi"] if tenant.id == DEFAULT else [])]
    return {str(web_address(base + path)) for path in paths}


# Not exported: it holds the key to another server.
KINDS = (Kind(KIND, "fact", Forward, 1, subjects=None, retention="configuration", exported=False),)
