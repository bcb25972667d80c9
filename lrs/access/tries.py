"""Slows down who guesses passwords and codes: counts of tries, as records, so that they hold in every process.

A try is counted before what was sent is looked at, in one commit with the question whether there were too many. So of
guesses that come at once in several processes, no more than the limit are looked at. Whoever has tried too often is
told so (429) by a read alone. A right try is taken back.

There are ``SLOTS`` places in a store, so that nobody can fill it by made-up names: where two names fall on one place,
the later takes it, and the earlier begins anew. Records have no name in them, only a keyed digest. Knows no password.
Secrets of 256 random bits are counted in memory (``lrs.access.throttle``): nobody guesses one.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

import msgspec

from lrs.kernel.admission import CREDENTIALS, RetryLater
from lrs.kernel.times import SECOND
from lrs.storage import Reader, Record, Tx
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant

KIND = "tries"
SLOTS = 16_384
"""Names whose tries are counted at once in one store; a record has about 150 bytes."""
_MESSAGE = "That was tried too often. Wait: until the time is over nothing you send is checked."


class TryLimit(msgspec.Struct, frozen=True):
    """At most *most* tries in *seconds*, which begin with the first."""

    most: int
    seconds: int


class Try(NamedTuple):
    """One try: *who* tries, such as ``("account", "ann@example.org")``, and how often they may."""

    who: tuple[str, ...]
    limit: TryLimit


def count(tenant: Tenant, *tries: Try) -> None:
    """Counts one of each of *tries*, or none. Raises ``RetryLater`` (429) if there were too many of one."""
    now, placed = tenant.clock(), [_placed(tenant, one) for one in tries]

    def decide(tx: Tx) -> int | None:
        left = _left(tx, placed, now)
        for slot, limit in placed if left is None else ():
            slot.put(tx, slot.counted(tx, now, limit) + 1, now)
        return left

    left = _left(tenant.store, placed, now)  # most who are over the limit cost no commit
    if left is None:
        left = tenant.store.write(decide).result()
    if left is not None:
        raise RetryLater(CREDENTIALS, _MESSAGE, seconds=left)


def was_right(tenant: Tenant, account: Try, *others: Try) -> None:
    """Forgets the tries of *account*, of which the last was right, and takes back one of each of *others*."""
    now, placed = tenant.clock(), [_placed(tenant, one) for one in others]
    own, _ = _placed(tenant, account)

    def decide(tx: Tx) -> None:
        if own.record(tx) is not None:
            tx.delete(KIND, own.id)
        for slot, limit in placed:
            if counted := slot.counted(tx, now, limit):
                slot.put(tx, counted - 1, now)

    tenant.store.write(decide).result()


class _Slot(msgspec.Struct, frozen=True):
    """The place of a name: the *id* of its record, and the digest that says whose the record is."""

    id: str
    name: str

    def record(self, reader: Reader) -> Record | None:
        """The record of this name."""
        found = reader.get(KIND, self.id)
        return found if found is not None and found.meta["who"] == self.name else None

    def counted(self, reader: Reader, now: int, limit: TryLimit) -> int:
        """How many tries count at *now*. Those of a time to come do not: the clock was put right since."""
        found = self.record(reader)
        if found is None or not 0 <= now - found.meta["since"] < limit.seconds * SECOND:
            return 0
        return int(found.meta["count"])

    def put(self, tx: Tx, count: int, now: int) -> None:
        """Sets how many there are; of the first, the time begins *now*."""
        found = self.record(tx)
        since = found.meta["since"] if found is not None and count > 1 else now
        tx.put(Record(KIND, self.id, meta={"who": self.name, "since": since, "count": count}))


def _left(reader: Reader, placed: list[tuple[_Slot, TryLimit]], now: int) -> int | None:
    """Seconds, rounded up, until all may try again; ``None`` if at once."""
    waits = []
    for slot, limit in placed:
        found = slot.record(reader)
        if found is not None and slot.counted(reader, now, limit) >= limit.most:
            waits.append(-((now - found.meta["since"] - limit.seconds * SECOND) // SECOND))
    return max(waits, default=None)


def _placed(tenant: Tenant, one: Try) -> tuple[_Slot, TryLimit]:
    text = "\n".join(one.who).encode("utf-8", "surrogatepass")
    digest = hmac.digest(tenant.secret("tries"), text, "sha256")
    return _Slot(f"{int.from_bytes(digest[:8]) % SLOTS:05}", digest[8:24].hex()), one.limit


KINDS = (Kind(KIND, "working", subjects=None, retention="operational", exported=False),)
