"""What an engine has to keep, in the words of the contract (see ``lrs.storage``). Knows no engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from lrs.storage.leases import Ahead
from lrs.storage.records import NEWEST, ROWS, Backlog, Claim, Load, Owed, Page, Record

T = TypeVar("T")


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

    def put(self, record: Record) -> Record:
        """Adds *record*, or puts it in the place of the one with its kind and id; gives it back as it is stored.

        ``rev`` 0 takes the place of whatever is there, and the revision goes on from that; any other ``rev`` is that of
        the one to be replaced, and raises ``Stale`` as ``replace`` does. ``seq`` 0 draws a new place either way, any
        other is kept. What the old one owed is still owed. With ``rev`` 0 it reads the old one, but for one that this
        transaction has looked for in vain: whoever has read it gives its ``rev``.
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
        """The HMAC-SHA256 of *text* with the secret that the store was given: 32 bytes.

        Raises ``RuntimeError`` if it was given none: there is no secret that everybody knows.
        """

    def use_secret(self, secret: bytes) -> None:
        """Gives the store what ``mac`` uses; it is not kept in the store. For whoever opens it, before the others."""

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

    def settle(
        self,
        claims: Sequence[Claim],
        decide: Callable[[Tx], T],
        *,
        weight: int = 0,
        reads: Sequence[tuple[str, str]] = (),
    ) -> Future[T]:
        """Clears the claimed entries and runs *decide*, in one commit. ``Stale`` if any token is no longer the one.

        *weight* and *reads* are those of ``write``; a weight of 0 is a plain statement's for each claim.

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

    def next_due(self, steps: Sequence[str]) -> int | None:
        """From when on something of *steps* can be claimed (microseconds UTC; 0 is at once); leases end then, too.

        ``None`` if nothing waits; what is parked does not. It may be earlier where a record owes other steps, too.
        """

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


def pages(reader: Reader, kind: str, *keys: int, limit: int = 500) -> Iterator[Record]:
    """All records of *kind* that carry *keys*, in order, *limit* of them read at a time."""
    start: str | None = None
    while True:
        page = reader.find(kind, keys, limit=limit, start=start)
        yield from page.records
        start = page.next
        if start is None:
            return
