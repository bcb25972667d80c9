"""Blobs that no record names any more: found once a day, dropped a day later. Knows no engine.

A blob goes when two sweeps, a day or more apart, both found that no record names it and nobody put it between them. So
one whose document was replaced a moment ago stays for those who still read it, or are copying it to a backup.

That nothing that is named goes rests on the order in which things are done. Whoever writes a record puts its blobs
before, which touches them, also those that were there. A sweep looks only at blobs that were untouched for a day, and
reads the records afterwards, to the end of the order: a record that it misses was written since, and what it names was
touched since. Records move towards the end only, and an import into the past has put its blobs just before.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import structlog

from lrs.storage import Record, Stale, Tx, pages
from lrs.storage.kinds import Kind, Kinds
from lrs.tenancy.tenants import Tenant
from lrs.work.upkeep import Interrupted, Rest

KIND, ID = "sweep", "blobs"
HOUR = 3_600 * 1_000_000
DAY = 24 * HOUR
AGAIN_AFTER = 6 * 3_600 * 1_000_000
"""Microseconds after which a sweep that was begun and not finished is begun anew."""
MOST_LOOSE = 100_000
"""How many blobs without a record one sweep remembers, at 32 bytes each; more have their turn later."""
_PAGE = 64
_REST = 0.002
_NAME = re.compile(r"[0-9a-f]{64}")
_MARKS = 1 << 26
_LOOKS = 6
_log = structlog.get_logger()


class Marks:
    """Names in a table of 8 MiB, however many. One that was added is in it; of others, one may seem to be.

    Of a million that is one in a million, of ten million one in 25, and each table errs in others.
    """

    def __init__(self) -> None:
        self._bits = bytearray(_MARKS // 8)
        self._salt = secrets.token_bytes(16)

    def add(self, name: str) -> None:
        """Marks *name*."""
        for place in self._places(name):
            self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, name: str) -> bool:
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in self._places(name))

    def _places(self, name: str) -> Iterator[int]:
        digest = blake2b(name.encode(), digest_size=4 * _LOOKS, salt=self._salt).digest()
        return (int.from_bytes(digest[at : at + 4]) % _MARKS for at in range(0, 4 * _LOOKS, 4))


@dataclass(slots=True)
class _Sweep:
    """What one sweep knows: blobs that the one before found *loose*, and those that it finds itself."""

    tenant: Tenant
    kinds: Kinds
    rest: Rest
    loose: frozenset[bytes]
    found: list[bytes]
    marks: Marks | None = None

    def keep(self, name: str) -> bool:
        """Whether the blob stays; the records are read when the first one is asked about."""
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
    """Drops what has been without a record for a day, if a sweep is due; how many, ``None`` if none is.

    *rest* is called between two pages of records with the seconds to wait, and says whether to stop there.
    Raises ``Interrupted`` then. Several processes may ask at once: one of them sweeps.
    """
    now = tenant.clock()
    if not _is_due(tenant.store.get(KIND, ID), now):
        return None  # nothing is written for it
    state = tenant.store.write(lambda tx: _begin(tx, now)).result()
    if state is None:
        return None
    loose = frozenset(state.body[at : at + 32] for at in range(0, len(state.body), 32))
    one = _Sweep(tenant, kinds, rest, loose, [])
    dropped = tenant.store.blobs.sweep(one.keep, state.meta["at"] or now - DAY)
    finished = Record(KIND, ID, b"".join(one.found), {"at": now, "begun": 0}, rev=state.rev)
    try:
        tenant.store.write(lambda tx: tx.replace(finished)).result()
    except Stale:  # it took so long that somebody else began anew
        _log.warning("a sweep of blobs was overtaken", tenant=tenant.id)
    return dropped


def _begin(tx: Tx, now: int) -> Record | None:
    """The state of the sweep that begins now; ``None`` if the last one is not a day old, or one is under way."""
    old = tx.get(KIND, ID) or Record(KIND, ID, meta={"at": 0, "begun": 0})
    if not _is_due(old, now):
        return None
    return tx.put(Record(KIND, ID, old.body, {"at": old.meta["at"], "begun": now}, rev=old.rev))


def _is_due(old: Record | None, now: int) -> bool:
    return old is None or not (_is_within(now, old.meta["at"], DAY) or _is_within(now, old.meta["begun"], AGAIN_AFTER))


def _is_within(now: int, since: int, span: int) -> bool:
    """A time that lies far ahead is of a clock that was ahead: it would put the sweep off for as long as that."""
    return since - HOUR <= now < since + span


def _marks_of(tenant: Tenant, kinds: Kinds, rest: Rest) -> Marks:
    marks = Marks()
    for kind in kinds.values():
        if kind.blobs is None:
            continue
        for number, record in enumerate(pages(tenant.store, kind.name, limit=_PAGE)):
            if number % _PAGE == 0 and rest(_REST):
                raise Interrupted
            for name in kind.blobs(record):
                marks.add(name)
    return marks


def swept(kinds: Kinds, tenant: Tenant, rest: Rest) -> None:
    """As ``sweep_blobs``, and says in the log what was dropped."""
    if dropped := sweep_blobs(tenant, kinds, rest=rest):
        _log.info("blobs without a record dropped", tenant=tenant.id, count=dropped)


KINDS = (Kind(KIND, "working", subjects=None, retention="operational", exported=False),)
