"""Deletes blobs that no record names any more: found once a day, deleted a day later. Knows no engine.

A blob is deleted when two sweeps, a day or more apart, found that no record names it, and nobody put it in between. So
the blob of a document that was just replaced stays for those who still read it, or copy it to a backup.

No blob that is named is deleted, because of the order of actions. Whoever writes a record puts its blobs first, which
updates the time of blobs that already exist. A sweep looks only at blobs that were not put for a day, and reads the
records afterwards, to the end of the order: a record that it misses was written after that, so its blobs were put after
that. Records move only towards the end of the order, and an import into the past puts its blobs just before.

A day is a day on the clock. If a clock was put right and the previous sweep is not a day ago, nothing is deleted.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import structlog

from lrs.kernel.times import DAY, HOUR
from lrs.storage import Record, Stale, Tx, each
from lrs.storage.kinds import Kind, Kinds
from lrs.tenancy.tenants import Tenant
from lrs.work.upkeep import Interrupted, Rest

KIND, ID = "sweep", "blobs"
AGAIN_AFTER = 6 * HOUR
"""Microseconds after which a sweep that was not finished starts again."""
MOST_LOOSE = 100_000
"""How many blobs without a record one sweep remembers, at 32 bytes each. More are found by later sweeps."""
_PAGE = 64
_REST = 0.002
_NAME = re.compile(r"[0-9a-f]{64}")
_MARKS = 1 << 26
_LOOKS = 6
_log = structlog.get_logger()


class BloomFilter:
    """A Bloom filter of 8 MiB for the names of blobs. A name that was added is always found.

    Another name is found by mistake once in a million for a million names, once in 25 for ten million. Each filter has
    a salt, so it errs for other names.
    """

    def __init__(self) -> None:
        self._bits = bytearray(_MARKS // 8)
        self._salt = secrets.token_bytes(16)

    def add(self, name: str) -> None:
        """Adds *name*."""
        for place in self._places(name):
            self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, name: str) -> bool:
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in self._places(name))

    def _places(self, name: str) -> Iterator[int]:
        digest = blake2b(name.encode(), digest_size=4 * _LOOKS, salt=self._salt).digest()
        return (int.from_bytes(digest[at : at + 4]) % _MARKS for at in range(0, 4 * _LOOKS, 4))


@dataclass(slots=True)
class _Sweep:
    """The state of one sweep: blobs that the previous one found *loose*, and those that this one finds."""

    tenant: Tenant
    kinds: Kinds
    rest: Rest
    loose: frozenset[bytes]
    found: list[bytes]
    marks: BloomFilter | None = None

    def keep(self, name: str) -> bool:
        """Whether the blob stays. The records are read when the first blob is asked about."""
        if not _NAME.fullmatch(name):
            return True
        if self.marks is None:
            self.marks = _marks_of(self.tenant, self.kinds, self.rest)
        if name in self.marks:
            return True
        digest = bytes.fromhex(name)
        if digest in self.loose:
            return False
        if len(self.found) < MOST_LOOSE:
            self.found.append(digest)
        return True


def sweep_blobs(tenant: Tenant, kinds: Kinds, *, rest: Rest = lambda _: False) -> int | None:
    """Deletes blobs without a record for a day, if a sweep is due. Gives their number; ``None`` if none is due.

    *rest* is called between two pages of records with the seconds to wait, and says whether to stop; then
    ``Interrupted`` is raised. Several processes may call this at once: one of them sweeps.
    """
    now = tenant.clock()
    if not _is_due(tenant.store.get(KIND, ID), now):
        return None  # nothing is written for it
    state = tenant.store.write(lambda tx: _begin(tx, now)).result()
    if state is None:
        return None
    one = _Sweep(tenant, kinds, rest, _loose(state, now), [])
    dropped = tenant.store.blobs.sweep(one.keep, min(state.meta["at"] or now, now - DAY))
    finished = Record(KIND, ID, b"".join(one.found), {"at": now, "begun": 0}, rev=state.rev)
    try:
        tenant.store.write(lambda tx: tx.replace(finished)).result()
    except Stale:  # it took so long that another process started a new sweep
        _log.warning("a sweep of blobs was overtaken", tenant=tenant.id)
    return dropped


def _loose(state: Record, now: int) -> frozenset[bytes]:
    """The blobs that the previous sweep found loose; none if its clock was ahead, so that it may be of a moment ago."""
    if state.meta["at"] > now - DAY:
        return frozenset()
    return frozenset(state.body[at : at + 32] for at in range(0, len(state.body), 32))


def _begin(tx: Tx, now: int) -> Record | None:
    """The record of a sweep that begins now; ``None`` if the last one is less than a day old, or one is under way."""
    old = tx.get(KIND, ID) or Record(KIND, ID, meta={"at": 0, "begun": 0})
    if not _is_due(old, now):
        return None
    return tx.put(Record(KIND, ID, old.body, {"at": old.meta["at"], "begun": now}, rev=old.rev))


def _is_due(old: Record | None, now: int) -> bool:
    return old is None or not (_is_within(now, old.meta["at"], DAY) or _is_within(now, old.meta["begun"], AGAIN_AFTER))


def _is_within(now: int, since: int, span: int) -> bool:
    """Whether *since* is within *span* before *now*. A time far ahead is ignored: it is of a clock that was wrong."""
    return since - HOUR <= now < since + span


def _marks_of(tenant: Tenant, kinds: Kinds, rest: Rest) -> BloomFilter:
    marks = BloomFilter()
    for kind in kinds.values():
        if kind.blobs is None:
            continue
        for number, record in enumerate(each(tenant.store, kind.name, limit=_PAGE)):
            if number % _PAGE == 0 and rest(_REST):
                raise Interrupted
            for name in kind.blobs(record):
                marks.add(name)
    return marks


def swept(kinds: Kinds, tenant: Tenant, rest: Rest) -> None:
    """As ``sweep_blobs``, and logs how many blobs were deleted."""
    if dropped := sweep_blobs(tenant, kinds, rest=rest):
        _log.info("blobs without a record dropped", tenant=tenant.id, count=dropped)


KINDS = (Kind(KIND, "working", subjects=None, retention="operational", exported=False),)
