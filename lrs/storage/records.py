"""The structs of the contract: records, owed entries, pages, claims; and places in the one order. Knows no engine."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from lrs.kernel.admission import QUEUE_SECONDS, QUEUE_STATEMENTS, QueueLimit

TIE_BITS = 10
NEWEST = (1 << 63) - 1
PAGE_BYTES = 16 * 1024 * 1024
"""Bytes of records, with keys and meta, in one page. A page is held in memory, so it ends there."""
SMALL_BODY = 16 * 1024
"""Bytes of the largest body that is joined with others (``Store.joined``)."""
MOST_AT_ONCE = 2 * PAGE_BYTES
"""Bytes of records that can be asked for by their ids: more than a whole batch that is sent again."""
LARGEST = 15_000_000
"""Bytes of the largest body of a record. MongoDB refuses documents of more than 16 MiB, with all fields."""
ROWS = 19
"""Rows that a plain statement writes: 17 search keys, itself, what it owes. Weights of other writes are relative to it.
"""
ROW_BYTES = 256
"""Bytes of a record that count as one row."""
Clock = Callable[[], int]
"""The present time in microseconds UTC."""
Committed = Callable[[Collection[str]], object]
"""Is told the steps that a commit owes at once."""
RecordName = tuple[str, str]
"""The kind and the id of a record."""


def wall_clock() -> int:
    """The present time in microseconds UTC."""
    return time.time_ns() // 1_000


def micros_of(seq: int) -> int:
    """The ``stored`` time of *seq*, in microseconds UTC."""
    return seq >> TIE_BITS


def first_seq(micros: int) -> int:
    """The lowest ``seq`` whose ``stored`` is *micros*."""
    return micros << TIE_BITS


def last_seq(micros: int) -> int:
    """The highest ``seq`` whose ``stored`` is *micros*."""
    return (micros + 1 << TIE_BITS) - 1


class Owed(msgspec.Struct, frozen=True):
    """A step of work that a record owes from *due* (microseconds UTC) on; 0 is at once.

    In an entry that is read, *due* is the time since when it is owed, also for one that was owed at once.
    """

    step: str
    due: int = 0
    tries: int = 0
    error: str | None = None
    parked: bool = False

    def is_called(self, now: int) -> bool:
        """Whether a worker can take it at once."""
        return self.due <= now and not self.parked


class Record(msgspec.Struct, frozen=True):
    """A record of the store.

    ``(kind, id)`` is unique. ``body`` is what was received, or JSON that the product made. ``meta`` is what the product
    knows and did not receive (JSON values). ``keys`` are 63-bit integers to find the record by. ``owed`` is added to
    what the record already owes, and is empty in records that are read. ``seq`` 0 asks the writer for the next one; any
    other value is kept, may be in the past and may be shared. ``rev`` counts changes from 1 and is the compare-and-set
    token of ``Tx.replace``. A body over ``LARGEST`` is refused: store it as a blob.
    """

    kind: str
    id: str
    body: bytes = b""
    meta: Mapping[str, Any] = {}
    keys: tuple[int, ...] = ()
    owed: tuple[Owed, ...] = ()
    seq: int = 0
    rev: int = 0


class Walk(msgspec.Struct, frozen=True):
    """Asks for records of *kind* with all *keys* and ``after < seq <= until``, in the order of ``seq``.

    Without *keys* it is a scan of the kind. Records with the same ``seq`` come in an order that depends on the engine,
    is the same in every walk, and is reversed by *newest_first*.
    """

    kind: str
    keys: Sequence[int] = ()
    """``~key`` among them, never the first, asks for those that do not carry ``key``."""
    after: int = 0
    until: int = NEWEST
    newest_first: bool = False
    limit: int = 100
    """How many records a page has at most; at least 1."""
    most: int | None = None
    """A page that has this many bytes ends there; ``None`` is ``PAGE_BYTES``."""
    start: str | None = None
    """The ``next`` of the page before this one; with all else as it was. ``limit`` and ``most`` may be others."""
    bare: bool = False
    """Bodies are not read: each record comes with an empty one."""


class Page(msgspec.Struct, frozen=True):
    """Some records of a walk. ``next`` says where it continues; ``None`` at the end.

    A walk that passes over too many records, or has found ``PAGE_BYTES`` of bodies, keys and meta, stops early. So a
    page may be short, even empty, and still have a ``next``.
    """

    records: tuple[Record, ...]
    next: str | None = None


class JoinedPage(msgspec.Struct, frozen=True):
    """The *bodies* of the records of a page, joined by commas. ``next`` is as in ``Page``."""

    bodies: bytes
    next: str | None = None


class Claim(msgspec.Struct, frozen=True):
    """A leased entry: the record now, the step that it owes, and the token of the lease."""

    record: Record
    owed: Owed
    token: str


class Load(msgspec.Struct, frozen=True):
    """What this process's writer does: decisions and rows in the queue, commits so far, and decisions in them."""

    waiting: int
    weight: int
    commits: int
    decisions: int


class Backlog(msgspec.Struct, frozen=True):
    """The entries of one step: how many wait and how many were put aside; *oldest_due* is the first that waits.

    An entry waits if it is due or not, leased or not.
    """

    step: str
    waiting: int
    parked: int
    oldest_due: int | None

    def lag(self, now: int) -> int:
        """For how many microseconds the oldest entry has been due at *now*; 0 if none is."""
        return max(0, now - self.oldest_due) if self.oldest_due else 0


class Stale(Exception):
    """The record, or the lease, was changed by somebody else. Read again and decide again."""


class Exists(Exception):
    """A record of the same kind and id exists."""


USUAL = QueueLimit(QUEUE_STATEMENTS * ROWS, QUEUE_SECONDS)
"""The limit of the queue without settings."""


def mac_with(secret: bytes | None, text: bytes) -> bytes:
    """See ``Store.mac``. Shared by both engines."""
    if secret is None:
        raise RuntimeError("the store was opened without a secret")
    return hmac.digest(secret, text, "sha256")
