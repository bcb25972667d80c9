"""The interface that an engine implements (see ``lrs.storage``). Knows no engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import chain
from typing import Protocol, TypeVar

import msgspec

from lrs.storage.leases import Ahead
from lrs.storage.records import ROWS, Backlog, Claim, JoinedPage, Load, Owed, Page, Record, RecordName, Stale, Walk

T = TypeVar("T")


class Reader(Protocol):
    """The questions that both a store and a transaction answer."""

    def get(self, kind: str, id: str) -> Record | None:
        """The record, or ``None``."""

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """The records that exist, by id. Raises ``Refused`` if they are together larger than ``MOST_AT_ONCE``."""

    def find(self, walk: Walk) -> Page:
        """The next page of *walk*."""


class Tx(Reader, Protocol):
    """A write transaction, as a decision sees it. It sees its own writes."""

    def find_any(self, kind: str, keys: Iterable[int]) -> dict[int, list[Record]]:
        """See ``Store.find_any``."""

    def next_seq(self) -> int:
        """Draws the next place in the order. No two draws have the same ``stored`` time."""

    def insert(self, record: Record) -> Record:
        """Adds *record* as revision 1, and returns it as stored, with ``owed``.

        ``Exists``, raised here or at the end of the group, makes the decision fail even if it is caught. So check first
        that there is none; the transaction excludes other writers.
        """

    def replace(self, record: Record) -> Record:
        """Replaces the record of its kind and id by *record*. Raises ``Stale`` if there is none with this ``rev``.

        ``seq`` 0 draws a new place; any other value is kept. What the old record owed is still owed.
        """

    def put(self, record: Record) -> Record:
        """Adds *record*, or replaces the one of its kind and id. Returns it as stored.

        With ``rev`` 0 it replaces any revision, and the new revision is the next one. Any other ``rev`` must be that of
        the stored record; otherwise it raises ``Stale`` as ``replace`` does. ``seq`` 0 draws a new place, any other is
        kept. What the old record owed is still owed. With ``rev`` 0 it reads the old record, unless this transaction
        has already found that there is none; a decision that has read the record passes its ``rev``.
        """

    def delete(self, kind: str, id: str) -> bool:
        """Deletes the record and what it owed. ``False`` if there was none. A later insert starts at revision 1."""

    def owe(self, kind: str, id: str, owed: Owed) -> None:
        """Adds to what an existing record owes. The earliest ``due`` wins.

        Tries start again, and a lease on the entry becomes stale. What was put aside becomes due as *owed* says. If
        *owed* is ``parked``, the entry is put aside as it says, with its tries and its error. Raises ``Stale`` if there
        is no such record.
        """

    def retry(self, kind: str, id: str, step: str) -> bool:
        """Makes an entry that was put aside due at once, with no tries. ``False`` if none of *step* is aside."""

    def mac(self, text: bytes) -> bytes:
        """See ``Store.mac``."""


class Blobs(Protocol):
    """Bytes named by their SHA-256 in lower-case hex. Put them before the record that names them.

    Putting the same bytes again gives the same name, and updates the time of the blob.
    """

    def put(self, chunks: Iterable[bytes]) -> str:
        """Stores the bytes, durable when it returns, and gives their name. If *chunks* raises, nothing is stored."""

    def open(self, sha256: str) -> Iterator[bytes]:
        """The bytes in chunks. Raises ``KeyError`` at once, and not at the first chunk."""

    def size(self, sha256: str) -> int:
        """The length in bytes. Raises ``KeyError``."""

    def sweep(self, keep: Callable[[str], bool], older_than: int) -> int:
        """Deletes blobs not put since *older_than* (microseconds UTC) that *keep* does not hold. Gives their number.

        Others can go on meanwhile. An exception from *keep* ends it. At most some thousand names are in memory at a
        time.
        """


class Store(Reader, Protocol):
    """One tenant's records."""

    @property
    def waits(self) -> bool:
        """Whether reading one record waits for a network, and so should be done in a thread."""

    @property
    def blobs(self) -> Blobs:
        """Where large bodies and attachments are."""

    def mac(self, text: bytes) -> bytes:
        """The HMAC-SHA256 of *text*, 32 bytes, with the secret that was given to the store.

        Raises ``RuntimeError`` if there is none.
        """

    def use_secret(self, secret: bytes) -> None:
        """Gives the store the secret for ``mac``. It is not stored. Call it when opening the store."""

    def write(
        self, decide: Callable[[Tx], T], *, weight: int = ROWS, reads: Sequence[RecordName] = (), brief: bool = False
    ) -> Future[T]:
        """Runs *decide* in the write transaction. The future is done when the commit is durable.

        *weight* is about how many rows it will write, with search keys: it counts against the limits of groups and
        queue. Cancelling the future drops a decision that has not started. *reads* are records (kind, id) that it will
        ask for; they are looked up for the whole group at once. Raises ``Overloaded`` at once if the queue is full, too
        old or closed; ``StoreFull`` comes through the future.
        If *brief*, it writes little and walks nowhere, and the caller has to call ``commit_here`` soon.
        """

    def commit_here(self, freed: Callable[[], object]) -> None:
        """Commits what waits, in the thread of the caller, who must not wait.

        If not all of it is brief, or the disk is not quick, the writer's thread does it.
        While the writer's thread is at work nothing is done, and it calls *freed* at its end: then call this again.
        """

    def get_all(self, wanted: Iterable[RecordName]) -> dict[RecordName, Record]:
        """The records of *wanted* (kind, id) that exist: of several kinds, and from a server in one round trip.

        Raises as ``get_many`` does.
        """

    def find_any(self, kind: str, keys: Iterable[int]) -> dict[int, list[Record]]:
        """All records of *kind* with each of *keys*, by key, in the order of ``seq``; from a server in one round trip.

        Raises as ``get_many`` does.
        """

    def joined(self, walk: Walk) -> JoinedPage | None:
        """The bodies of the next page of *walk*, which has one key, joined by commas. Costs half of ``find``.

        ``None`` if they are together larger than ``walk.most``, one is larger than ``SMALL_BODY``, or they cannot be
        joined as they are kept: ask ``find``.
        """

    def count(self, kind: str, keys: Sequence[int] = ()) -> int:
        """How many records of *kind* have all *keys*."""

    def wrong_keys(self) -> int:
        """How many search keys of the newest records are not as the records say; 0 unless the store is damaged."""

    def mend_keys(self) -> int:
        """Puts the search keys of all records right, as the records say, and gives how many were wrong."""

    def claim(
        self, steps: Sequence[str], *, limit: int, lease: int, oldest: bool = False, without: Sequence[int] = ()
    ) -> list[Claim]:
        """Leases up to *limit* due entries of *steps* for *lease* microseconds, in no particular order.

        It ends at ``PAGE_BYTES`` of records, because they are held in memory. Leaves out entries that were put aside,
        those whose lease ran out, and records with one of the keys *without*. A long queue of one step does not keep
        entries of other steps from being claimed. With *oldest* it takes those that were owed first, before those that
        were handed back; otherwise a random choice, so that two workers seldom meet.
        """

    def claim_lost(self, steps: Sequence[str], *, lease: int, without: Sequence[int] = ()) -> Claim | None:
        """Leases one entry of *steps* whose lease has run out: its worker died, perhaps while it ran another entry.

        Leaves out records with one of the keys *without*. Run the entry alone. If this lease runs out too, the entry is
        the one that was being run, and the next claim counts a try.
        """

    def locked(self, step: str, ahead: Ahead) -> int:
        """How many entries of *step* are further ahead of now than *ahead* allows, without those put aside."""

    def unlock(self, step: str, ahead: Ahead) -> int:
        """Makes these entries due at once, and ends leases among them. Gives their number. Tries do not change."""

    def settle(
        self,
        claims: Sequence[Claim],
        decide: Callable[[Tx], T],
        *,
        weight: int = 0,
        reads: Sequence[tuple[str, str]] = (),
    ) -> Future[T]:
        """Clears the claimed entries and runs *decide*, in one commit. Raises ``Stale`` if a token is no longer valid.

        *weight* and *reads* are as in ``write``; a weight of 0 means a plain statement for each claim. If *decide*
        raises, the entries stay leased. A lease that ran out can be settled until somebody claims the entry again. What
        *decide* newly owes on the same record stays.
        """

    def defer(self, claim: Claim, *, due: int, error: str | None, parked: bool = False) -> bool:
        """Hands an entry back until *due*, or puts it aside. Counts a try, with *error* as the reason.

        ``False`` if the lease was lost meanwhile.
        """

    def release(self, claims: Sequence[Claim]) -> None:
        """Hands entries back that were not begun: due at once, no try counted. Does nothing for a lost lease."""

    def holds(self, claim: Claim) -> bool:
        """Whether *claim* can still be settled: not settled, not handed back, not claimed by somebody else.

        After ``OutcomeUnknown`` this shows the outcome: once it is false, it stays false.
        """

    def backlog(self) -> list[Backlog]:
        """What waits and what was put aside, by step, in the order of their names."""

    def is_due(self, steps: Sequence[str]) -> bool:
        """Whether something of *steps* can be claimed now. Cheap; leases nothing."""

    def next_due(self, steps: Sequence[str]) -> int | None:
        """When something of *steps* can next be claimed (microseconds UTC; 0 is now). Ends of leases count.

        ``None`` if nothing waits; entries put aside do not. It may be too early for a record that also owes other
        steps.
        """

    def failing(self, step: str | None = None, *, limit: int = 100) -> list[tuple[Record, Owed]]:
        """Entries that failed, with the latest reason, and will be tried again."""

    def parked(self, step: str | None = None, *, limit: int = 100) -> list[tuple[Record, Owed]]:
        """Entries that were put aside, with the reason."""

    @property
    def lacks(self) -> str | None:
        """Why the latest write was not stored: ``full``, ``read-only``, or ``None`` if it was."""

    def load(self) -> Load:
        """What the writer of this process has to do and has done. Does not use the disk or a server."""

    def horizon(self) -> int:
        """A time (microseconds UTC) up to which reads that start after this call see everything that is stored.

        No process draws a place in the order up to this time any more, whatever the clocks do. Records that bring their
        own ``seq`` are not covered.
        """

    def close(self) -> None:
        """Finishes what was accepted, then closes files, connections and threads. May be called again."""


def put_aside(store: Store, claim: Claim, decide: Callable[[Tx], str], now: int) -> bool:
    """Runs *decide*, which gives the reason, and puts the entry aside, in one commit.

    Does nothing if the lease was lost meanwhile; then it is ``False``.
    """

    def decided(tx: Tx) -> None:
        parked = Owed(claim.owed.step, now, claim.owed.tries + 1, decide(tx), parked=True)
        tx.owe(claim.record.kind, claim.record.id, parked)

    try:
        store.settle([claim], decided).result()
    except Stale:
        return False
    return True


def pages(reader: Reader, walk: Walk) -> Iterator[Page]:
    """The pages of *walk* to its end, at least one. Each is read when it is asked for."""
    page = reader.find(walk)
    yield page
    while page.next is not None:
        page = reader.find(msgspec.structs.replace(walk, start=page.next))
        yield page


def walked(reader: Reader, walk: Walk) -> Iterator[Record]:
    """All records of *walk*, a page at a time."""
    return chain.from_iterable(page.records for page in pages(reader, walk))


def newest_place(reader: Reader, kind: str, *keys: int) -> int:
    """The place (``seq``) of the newest record of *kind* with *keys*; 0 for none. It grows with each further one."""
    walk = Walk(kind, keys, newest_first=True, limit=1, bare=True)
    return next((record.seq for record in reader.find(walk).records), 0)


def each(reader: Reader, kind: str, *keys: int, limit: int = 500) -> Iterator[Record]:
    """All records of *kind* with *keys*, in order; *limit* of them are read at a time."""
    return walked(reader, Walk(kind, keys, limit=limit))
