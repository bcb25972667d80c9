"""What the contract speaks of: records, what they owe, pages, claims; places in the one order. Knows no engine."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

TIE_BITS = 10
NEWEST = (1 << 63) - 1
PAGE_BYTES = 16 * 1024 * 1024
"""A page of records that are together larger, with their keys and meta, ends there: it is held in memory."""
MOST_AT_ONCE = 2 * PAGE_BYTES
"""How many bytes of records can be asked for by their ids: a whole batch that is sent again, and more."""
LARGEST = 15_000_000
"""How many bytes the body of one record may have; MongoDB refuses documents of 16 MiB, envelope included."""
ROWS = 19
"""Rows that a plain statement writes: 17 search keys, itself, what it owes. The measure of other writes, about."""
ROW_BYTES = 256
"""How many bytes of a record are worth a row."""
Clock = Callable[[], int]


def wall_clock() -> int:
    """Now, in microseconds UTC."""
    return time.time_ns() // 1_000


def micros_of(seq: int) -> int:
    """The ``stored`` time, in microseconds UTC, that *seq* stands for."""
    return seq >> TIE_BITS


def first_seq(micros: int) -> int:
    """The lowest ``seq`` whose ``stored`` is *micros*."""
    return micros << TIE_BITS


def last_seq(micros: int) -> int:
    """The highest ``seq`` whose ``stored`` is *micros*."""
    return (micros + 1 << TIE_BITS) - 1


class Owed(msgspec.Struct, frozen=True):
    """A step of work a record owes from *due* (microseconds UTC) on; 0 is at once.

    An entry that is read back tells in *due* since when: what was owed at once has the time at which it was.
    """

    step: str
    due: int = 0
    tries: int = 0
    error: str | None = None
    parked: bool = False


class Record(msgspec.Struct, frozen=True):
    """One thing the store keeps.

    ``(kind, id)`` is unique. ``body`` is what was received, or JSON we derived. ``meta`` is what we know and did
    not receive (JSON-able). ``keys`` are 63-bit integers to be found by. ``owed`` is added to what the record owes
    already, and is empty on records that are read. ``seq`` 0 asks the writer for the next one, any other is kept as it
    is, may be in the past and may be shared; ``rev`` counts changes from 1 and is the compare-and-set token of
    ``Tx.replace``. A body over ``LARGEST`` is ``Refused``: it belongs among the blobs.
    """

    kind: str
    id: str
    body: bytes = b""
    meta: Mapping[str, Any] = {}
    keys: tuple[int, ...] = ()
    owed: tuple[Owed, ...] = ()
    seq: int = 0
    rev: int = 0


class Page(msgspec.Struct, frozen=True):
    """Some records of a walk, and where to go on; ``next`` is ``None`` once there is nothing more.

    A walk that had to pass over too many records to find enough stops early, and so does one that has found more than
    ``PAGE_BYTES`` of bodies, keys and meta: a page may be short, even empty, and still have a ``next``.
    """

    records: tuple[Record, ...]
    next: str | None = None


class Claim(msgspec.Struct, frozen=True):
    """A leased entry: the record as it is now, the step it owes, and the token that settles it."""

    record: Record
    owed: Owed
    token: str


class Load(msgspec.Struct, frozen=True):
    """What this process's writer does: decisions and rows in the queue, commits so far and decisions in them."""

    waiting: int
    weight: int
    commits: int
    decisions: int


class Backlog(msgspec.Struct, frozen=True):
    """One step's entries: how many wait (due or not, leased or not), how many are parked, the first waiting ``due``."""

    step: str
    waiting: int
    parked: int
    oldest_due: int | None

    def lag(self, now: int) -> int:
        """For how many microseconds the oldest entry has been due at *now*; 0 if none is."""
        return max(0, now - self.oldest_due) if self.oldest_due else 0


class Stale(Exception):
    """Somebody else changed the record, or the lease, in between; read again and decide again."""


class Exists(Exception):
    """An insert met a record of the same kind and id."""


class Queue(msgspec.Struct, frozen=True):
    """Limits of the write queue: rows, and the age of the first in line in seconds; more is refused at once."""

    rows: int = 4_096 * ROWS
    age: float = 1.0


USUAL = Queue()


def mac_with(secret: bytes | None, text: bytes) -> bytes:
    """See ``Store.mac``; what both engines do."""
    if secret is None:
        raise RuntimeError("the store was opened without a secret")
    return hmac.digest(secret, text, "sha256")
