"""The store contract: one kind of record, one order, decisions made inside the writer.

Two engines keep it (``sqlite``, ``mongo``); ``tests/contract`` holds both to it. The contract knows nothing of
xAPI, badges or HTTP.

**Order.** ``seq`` is ``stored`` in microseconds UTC << 10. It is given inside the write transaction and strictly
increases in commit order, also when the clock jumps back: whoever reads up to ``seq`` has seen everything before it.

**Decisions.** ``write(decide)`` runs ``decide(tx)`` in the write transaction; it may be run again and must touch
nothing but ``tx``. Many callers' decisions share one commit; one that raises keeps nothing of what it wrote and
leaves the others untouched.

**Owed work.** An ``Owed`` entry stands in the same commit as the fact it follows from. ``claim`` leases entries,
``settle`` clears them together with the writes of its own decision, ``defer`` hands one back. Owing a step again
while it is leased makes the lease stale, so the newer fact is never lost. A lease that runs out tells that a worker
ended, but not over which entry: such entries are claimed one by one (``claim_lost``).
"""

from __future__ import annotations

import hmac
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from lrs.errors import Misconfigured
from lrs.storage.leases import Ahead

T = TypeVar("T")

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


class Reader(Protocol):
    """What both the store and a transaction can be asked."""

    def get(self, kind: str, id: str) -> Record | None:
        """The record, or ``None``."""

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """Those of the records that exist, by id. ``Refused`` if they are together larger than ``MOST_AT_ONCE``."""

    def find(
        self,
        kind: str,
        keys: Sequence[int] = (),
        *,
        after: int = 0,
        until: int = NEWEST,
        newest_first: bool = False,
        limit: int = 100,
        start: str | None = None,
        most: int | None = None,
    ) -> Page:
        """Records of *kind* that carry all *keys*, with ``after < seq <= until``, ordered by ``seq``.

        ``~key`` among them, never the first, asks for those that do not carry *key*.

        *start* is the ``next`` of an earlier page of the same walk, *limit* at least 1. Records that share a ``seq``
        come in an order of the engine's own, which is the same in every walk and turns round with *newest_first*.
        Without *keys* it is a scan of the kind. A page that has *most* bytes ends there (``PAGE_BYTES``).
        """


class Tx(Reader, Protocol):
    """A write transaction, as a decision sees it: its own writes are visible to it."""

    def next_seq(self) -> int:
        """Draws the next place in the one order; no two draws have the same ``stored`` time."""

    def insert(self, record: Record) -> Record:
        """Adds *record* as revision 1 and gives it back as it is stored, ``owed`` included.

        ``Exists``, raised here or at the end of the group, fails the decision even if it is caught: look first, the
        transaction keeps others out.
        """

    def replace(self, record: Record) -> Record:
        """Puts *record* in the place of the one with its kind and id. Raises ``Stale`` unless ``rev`` matches.

        ``seq`` 0 draws a new place; any other value is kept. What the old one owed is still owed. A record that is
        not there is ``Stale`` too.
        """

    def delete(self, kind: str, id: str) -> bool:
        """Removes the record and what it owed; ``False`` if there was none. A later insert begins at revision 1."""

    def owe(self, kind: str, id: str, owed: Owed) -> None:
        """Adds to what an existing record owes: earliest ``due`` wins, tries start anew, a lease on it turns stale.

        What was parked is due as *owed* says. Raises ``Stale`` if there is no such record.
        """

    def mac(self, text: bytes) -> bytes:
        """See ``Store.mac``."""


class Blobs(Protocol):
    """Content-addressed bytes, named by their SHA-256 in lower-case hex. Put before the record that names them.

    Putting the same bytes again gives the same name and counts as a touch.
    """

    def put(self, chunks: Iterable[bytes]) -> str:
        """Keeps the bytes, durable on return, and gives their name; if *chunks* raises, nothing is kept."""

    def open(self, sha256: str) -> Iterator[bytes]:
        """The bytes in chunks. Raises ``KeyError`` at once, not when the first chunk is asked for."""

    def size(self, sha256: str) -> int:
        """The length in bytes. Raises ``KeyError``."""

    def sweep(self, keep: Callable[[str], bool], older_than: int) -> int:
        """Drops blobs untouched since *older_than* (microseconds UTC) that *keep* does not hold; how many.

        Nobody else is held up meanwhile, and what *keep* raises ends it. No more than some thousand names are in
        memory at a time.
        """


class Store(Reader, Protocol):
    """One tenant's records."""

    @property
    def waits(self) -> bool:
        """Whether reading one record waits for a network, and so belongs in a thread."""

    @property
    def blobs(self) -> Blobs:
        """Where large bodies and attachments are."""

    def mac(self, text: bytes) -> bytes:
        """The HMAC-SHA256 of *text* with the secret that the store was opened with: 32 bytes.

        Raises ``RuntimeError`` if it was opened without one: there is no secret that everybody knows.
        """

    def write(
        self, decide: Callable[[Tx], T], *, weight: int = ROWS, reads: Sequence[tuple[str, str]] = ()
    ) -> Future[T]:
        """Runs *decide* in the write transaction; the future is done once the commit is durable.

        *weight* is about how many rows it will write, search keys included: groups and the queue are bounded by it.
        Cancelling the future drops a decision that has not started.

        *reads* are records (kind, id) that it will ask for, looked up for the whole group at once.
        Raises ``Overloaded`` at once when the queue is full, too old or closed; ``StoreFull`` comes through the
        future.
        """

    def count(self, kind: str, keys: Sequence[int] = ()) -> int:
        """How many records of *kind* carry all *keys*."""

    def claim(self, steps: Sequence[str], *, limit: int, lease: int) -> list[Claim]:
        """Leases up to *limit* due entries of *steps* for *lease* microseconds, in no particular order.

        Once the records have ``PAGE_BYTES`` together it ends there: they are held in memory.

        Parked entries are left alone, and those whose lease ran out. A long queue of one step does not keep the other
        steps from being claimed.
        """

    def claim_lost(self, steps: Sequence[str], *, lease: int) -> Claim | None:
        """Leases one entry of *steps* whose lease has run out: its worker ended, maybe over one leased beside it.

        It is to be run by itself. If this lease runs out as well, the entry is what was being run, and its tries count
        that when it is claimed the next time.
        """

    def locked(self, step: str, ahead: Ahead) -> int:
        """How many entries of *step* lie further ahead of now than *ahead* says; parked ones are not among them."""

    def unlock(self, step: str, ahead: Ahead) -> int:
        """Makes those entries due at once, and void the leases among them; how many. Their tries stay as they are."""

    def settle(self, claims: Sequence[Claim], decide: Callable[[Tx], T], *, weight: int = 0) -> Future[T]:
        """Clears the claimed entries and runs *decide*, in one commit. ``Stale`` if any token is no longer the one.

        *weight* is that of ``write``; 0 is a plain statement's for each claim.

        If *decide* raises, the entries stay leased. A lease that ran out settles as long as nobody claimed it again.
        What *decide* owes anew on the same record stands after it.
        """

    def defer(self, claim: Claim, *, due: int, error: str | None, parked: bool = False) -> bool:
        """Hands an entry back for *due*, or parks it, with one more try counted and *error* as the reason.

        ``False`` if the lease was lost meanwhile.
        """

    def holds(self, claim: Claim) -> bool:
        """Whether *claim* could still be settled: it was not, nor handed back, nor claimed by somebody else."""

    def backlog(self) -> list[Backlog]:
        """What waits and what is parked, in the order of the steps' names."""

    def is_due(self, steps: Sequence[str]) -> bool:
        """Whether something of *steps* can be claimed now; a cheap look that leases nothing."""

    def failing(self, step: str | None = None, *, limit: int = 100) -> list[tuple[Record, Owed]]:
        """Entries that failed, with the latest reason, and will be tried again."""

    def parked(self, step: str | None = None, *, limit: int = 100) -> list[tuple[Record, Owed]]:
        """Entries that were given up on, with the reason."""

    def retry(self, step: str | None = None, *, kind: str | None = None, id: str | None = None) -> int:
        """Makes parked entries due at once, tries from zero; how many. *step*, *kind* and *id* narrow it down."""

    @property
    def lacks(self) -> str | None:
        """Why the latest write was not kept: ``full``, ``read-only``, or ``None`` if it was."""

    def load(self) -> Load:
        """How much the writer of this process has to do and has done; asks no disk and no server."""

    def horizon(self) -> int:
        """A time (microseconds UTC) up to which everything stored is visible to reads begun after this call.

        No place in the order up to it is drawn any more, in whichever process and whatever the clocks do. Records
        that bring their own ``seq`` are not spoken of.
        """

    def close(self) -> None:
        """Finishes what was accepted, then lets go of files, connections and threads. Again is harmless."""


class Queue(msgspec.Struct, frozen=True):
    """Limits of the write queue: rows, and the age of the first in line in seconds; more is refused at once."""

    rows: int = 4_096 * ROWS
    age: float = 1.0


USUAL = Queue()


def pages(reader: Reader, kind: str, *keys: int, limit: int = 500) -> Iterator[Record]:
    """All records of *kind* that carry *keys*, in order, *limit* of them read at a time."""
    start: str | None = None
    while True:
        page = reader.find(kind, keys, limit=limit, start=start)
        yield from page.records
        start = page.next
        if start is None:
            return


def mac_with(secret: bytes | None, text: bytes) -> bytes:
    """See ``Store.mac``; what both engines do."""
    if secret is None:
        raise RuntimeError("the store was opened without a secret")
    return hmac.digest(secret, text, "sha256")


def open_store(url: str, *, clock: Clock = wall_clock, queue: Queue = USUAL, secret: bytes | None = None) -> Store:
    """Opens the store at *url*: ``sqlite:///path/to/file.db`` or ``mongodb://host/…``, and migrates it forward.

    *secret* is what ``mac`` uses; it is not kept in the store.

    Raises ``Misconfigured`` for another scheme and for what cannot be opened, ``NewerSchema`` for a later version's.
    """
    if url.startswith("sqlite:///"):
        return _open_file(url.removeprefix("sqlite:///"), clock, queue, secret)
    if url.startswith(("mongodb://", "mongodb+srv://")):
        from lrs.storage.mongo import MongoStore  # noqa: PLC0415 (an engine is loaded when it is used)

        return MongoStore(url, clock=clock, queue=queue, secret=secret)
    scheme = url.partition(":")[0]
    raise Misconfigured(f"LRS_STORE_URL: unknown scheme {scheme!r}; use sqlite:///PATH or mongodb://HOST/DATABASE")


def open_to_read(url: str, *, clock: Clock = wall_clock, secret: bytes | None = None) -> Store:
    """The store at *url*, to be read only: a file and its folder are left as they are; a database is opened as usual.

    Raises ``Misconfigured``, also for a file that is not there or would have to be migrated.
    """
    if not url.startswith("sqlite:///"):
        return open_store(url, clock=clock, secret=secret)
    from lrs.storage.sqlite_reading import SqliteToRead  # noqa: PLC0415 (an engine is loaded when it is used)

    return SqliteToRead(url.removeprefix("sqlite:///"), clock=clock, secret=secret)


def _open_file(path: str, clock: Clock, queue: Queue, secret: bytes | None) -> Store:
    from lrs.storage.sqlite import SqliteStore  # noqa: PLC0415 (an engine is loaded when it is used)

    if not path:
        raise Misconfigured("LRS_STORE_URL names no file; use sqlite:///PATH")
    try:
        return SqliteStore(path, clock=clock, queue=queue, secret=secret)
    except (sqlite3.Error, OSError) as error:
        folder = Path(path).parent
        if folder.is_dir() and not os.access(folder, os.W_OK):
            message = f"{folder} is read-only for this user: let it write there, or name another folder in LRS_DATA"
            raise Misconfigured(message) from error
        raise Misconfigured(f"{path} cannot be opened: {error}") from error
