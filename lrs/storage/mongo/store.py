"""The MongoDB engine: one database a tenant, ``w: majority`` and ``j: true``, one writer thread a process.

A group of decisions is one transaction that first changes the head document, and so holds it: commits are in the order
of their places in every process. The head is the horizon too: what it has reached is visible, and whoever wants to
promise more moves it. PyMongo and its own pool, in threads: Motor is deprecated since May 2026, and an async twin would
be everything twice.

A process that dies in a commit leaves its transaction open until the server ends it (60 s unless
``transactionLifetimeLimitSeconds`` is set). A writer that waits long for the head therefore ends the sessions of all
other writers; one that lives runs its group again.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from pymongo import ReadPreference, WriteConcern
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from lrs.kernel.errors import Misconfigured, StoreFull
from lrs.storage import (
    NEWEST,
    ROWS,
    TIE_BITS,
    USUAL,
    Backlog,
    Claim,
    Clock,
    Load,
    Owed,
    Page,
    Queue,
    Record,
    Tx,
    mac_with,
    micros_of,
)
from lrs.storage.groups import GroupCommit, Job, decide_all
from lrs.storage.leases import Ahead
from lrs.storage.mongo.blobs import GridBlobs
from lrs.storage.mongo.link import UNKNOWN, answering, connect, failure_of, passes, reason_of
from lrs.storage.mongo.owed import MongoOwed
from lrs.storage.mongo.read import MongoReader
from lrs.storage.mongo.schema import HEAD, Mongo, migrate
from lrs.storage.mongo.tx import MongoTx
from lrs.storage.room import FULL, Room

T = TypeVar("T")
_DURABLE = WriteConcern("majority", j=True)
_PROMISE_STEP = 250_000
"""Microseconds by which the head may lag behind the clock before a reader moves it: at most four moves a second."""
_PATIENCE_S = 15.0
_STARVED_S = 2.0
_LONGEST_WAIT_S = 0.05


class MongoStore:
    """See ``Store``."""

    waits = True

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        queue: Queue = USUAL,
        secret: bytes | None = None,
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self._secret = secret
        self._clock = clock
        self._room = Room("LRS_STORE_URL")
        self._client, name = connect(url)
        try:
            self._database: Mongo = self._client.get_database(
                name,
                write_concern=_DURABLE,
                read_concern=ReadConcern("majority"),
                read_preference=ReadPreference.PRIMARY,
            )
            migrate(self._database)
            self._session = self._client.start_session(causal_consistency=False)
            self._sign_in()
        except PyMongoError as error:
            self._client.close()
            raise Misconfigured(f"LRS_STORE_URL: MongoDB cannot be used: {reason_of(error)}") from error
        except BaseException:
            self._client.close()
            raise
        self._reader = MongoReader(self._database.record)
        self._owed = MongoOwed(self._database.record, clock)
        self.blobs = GridBlobs(self._database, clock)
        self._closing = threading.Event()
        self._groups = GroupCommit(self._commit, name="mongo-writer", queue=queue, committed=committed)

    # -- reading ----------------------------------------------------------------------------------------------------

    @answering()
    def get(self, kind: str, id: str) -> Record | None:
        """See ``Reader.get``."""
        return self._reader.get(kind, id)

    @answering()
    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """See ``Reader.get_many``."""
        return self._reader.get_many(kind, ids)

    @answering()
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
        """See ``Reader.find``."""
        return self._reader.find(
            kind, keys, after=after, until=until, newest_first=newest_first, limit=limit, start=start, most=most
        )

    def mac(self, text: bytes) -> bytes:
        """See ``Store.mac``."""
        return mac_with(self._secret, text)

    def use_secret(self, secret: bytes) -> None:
        """See ``Store.use_secret``."""
        self._secret = secret

    @answering()
    def count(self, kind: str, keys: Sequence[int] = ()) -> int:
        """See ``Store.count``."""
        return self._reader.count(kind, keys)

    @answering()
    def horizon(self) -> int:
        """See ``Store.horizon``. Clocks of several machines differ: only the head can promise for all of them."""
        now = self._clock() - 1
        head = self._database.head.find_one({"_id": HEAD})
        reached = micros_of(int(head["seq"])) if head else 0
        if reached + _PROMISE_STEP > now:
            return reached
        # Waits for a transaction that holds the head, so what it stored is visible once this returns.
        self._database.head.update_one({"_id": HEAD}, {"$max": {"seq": now << TIE_BITS}})
        return now

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(
        self, decide: Callable[[Tx], T], *, weight: int = ROWS, reads: Sequence[tuple[str, str]] = ()
    ) -> Future[T]:
        """See ``Store.write``."""
        return self._groups.submit(decide, weight, reads)

    @answering()
    def claim(self, steps: Sequence[str], *, limit: int, lease: int) -> list[Claim]:
        """See ``Store.claim``."""
        return self._owed.claim(steps, limit=limit, lease=lease)

    @answering()
    def claim_lost(self, steps: Sequence[str], *, lease: int) -> Claim | None:
        """See ``Store.claim_lost``."""
        return self._owed.claim_lost(steps, lease=lease)

    @answering()
    def locked(self, step: str, ahead: Ahead) -> int:
        """See ``Store.locked``."""
        return self._owed.locked(step, ahead)

    @answering()
    def unlock(self, step: str, ahead: Ahead) -> int:
        """See ``Store.unlock``."""
        return self._owed.unlock(step, ahead)

    def settle(
        self,
        claims: Sequence[Claim],
        decide: Callable[[Tx], T],
        *,
        weight: int = 0,
        reads: Sequence[tuple[str, str]] = (),
    ) -> Future[T]:
        """See ``Store.settle``."""
        return self.write(_Settling(claims, decide), weight=weight or ROWS * len(claims), reads=reads)

    @answering()
    def defer(self, claim: Claim, *, due: int, error: str | None, parked: bool = False) -> bool:
        """See ``Store.defer``."""
        return self._owed.defer(claim, due=due, error=error, parked=parked)

    @answering()
    def holds(self, claim: Claim) -> bool:
        """See ``Store.holds``."""
        return self._owed.holds(claim)

    @answering()
    def backlog(self) -> list[Backlog]:
        """See ``Store.backlog``."""
        return self._owed.backlog()

    @answering()
    def is_due(self, steps: Sequence[str]) -> bool:
        """See ``Store.is_due``."""
        return self._owed.is_due(steps)

    @answering()
    @answering()
    def next_due(self, steps: Sequence[str]) -> int | None:
        """See ``Store.next_due``."""
        return self._owed.next_due(steps)

    def failing(self, step: str | None = None, *, limit: int = 100) -> list[tuple[Record, Owed]]:
        """See ``Store.failing``."""
        return self._owed.failing(step, limit=limit)

    @answering()
    def parked(self, step: str | None = None, *, limit: int = 100) -> list[tuple[Record, Owed]]:
        """See ``Store.parked``."""
        return self._owed.parked(step, limit=limit)

    @answering()
    def retry(self, step: str | None = None, *, kind: str | None = None, id: str | None = None) -> int:
        """See ``Store.retry``."""
        return self._owed.retry(step, kind=kind, id=id)

    @property
    def lacks(self) -> str | None:
        """See ``Store.lacks``."""
        return self._room.lacks

    def load(self) -> Load:
        """See ``Store.load``."""
        return self._groups.load()

    def close(self) -> None:
        """See ``Store.close``."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._groups.close()
        with suppress(PyMongoError):  # a server that is away has no use for it
            self._database.writer.delete_one({"_id": self._session.session_id["id"]})
        self._session.end_session()
        self._client.close()

    # -- inside -----------------------------------------------------------------------------------------------------

    def _commit(self, jobs: Sequence[Job]) -> None:
        """All decisions in one transaction; if one fails after it had written, each in its own."""
        if not self._commit_together(jobs):
            for job in jobs:
                self._commit_together((job,))

    def _commit_together(self, jobs: Sequence[Job]) -> bool:
        """``False`` if nothing was kept and each of the several jobs has to be tried alone."""
        began = time.monotonic()
        starved = began + _STARVED_S
        for attempt in count():
            for job in jobs:
                job.result = job.error = None
            try:
                return self._attempt(jobs) or len(jobs) == 1
            except PyMongoError as error:
                if not passes(error) or time.monotonic() > began + _PATIENCE_S:
                    answer = failure_of(error)
                    if isinstance(answer, StoreFull):
                        self._room.missed(FULL)
                    return _failed(jobs, answer, error)
                if time.monotonic() > starved:
                    starved += _STARVED_S
                    self._end_other_writers()
                time.sleep(random.uniform(0, min(_LONGEST_WAIT_S, 0.001 * 2**attempt)))  # noqa: S311 (not a secret)
            except Exception as error:  # noqa: BLE001 (it is the answer of every job it concerns)
                return _failed(jobs, error, error)
            finally:
                if self._session.in_transaction:
                    self._session.abort_transaction()
        raise AssertionError  # `count` has no end

    def _attempt(self, jobs: Sequence[Job]) -> bool:
        session, heads = self._session, self._database.head
        session.start_transaction(
            read_concern=ReadConcern("snapshot"), write_concern=_DURABLE, read_preference=ReadPreference.PRIMARY
        )
        head = heads.find_one_and_update({"_id": HEAD}, {"$inc": {"epoch": 1}}, session=session)
        if head is None:
            raise Misconfigured(f"the database {self._database.name} has lost its head document; restore a backup")
        before = int(head["seq"])
        tx = MongoTx(self._database.record, session, before, self._clock, self._secret)
        tx.look(name for job in jobs if isinstance(job.decide, _Settling) for name in job.decide.names())
        if not decide_all(tx, jobs, PyMongoError):
            return False
        if tx.seq != before:
            heads.update_one({"_id": HEAD}, {"$set": {"seq": tx.seq}}, session=session)
        self._finish_transaction()
        self._room.kept()
        return True

    def _finish_transaction(self) -> None:
        """Asks for the commit until its outcome is known: a lost answer may hide either."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._session.commit_transaction()
            except PyMongoError as error:
                if not error.has_error_label(UNKNOWN) or time.monotonic() > until:
                    raise
            else:
                return

    def _sign_in(self) -> None:
        mine = {"_id": self._session.session_id["id"]}
        self._database.writer.update_one(mine, {"$set": {"since": self._clock()}}, upsert=True)

    def _end_other_writers(self) -> None:
        mine = self._session.session_id["id"]
        others = [{"id": writer["_id"]} for writer in self._database.writer.find() if writer["_id"] != mine]
        if others:
            self._client.admin.command({"killSessions": others})


@dataclass(frozen=True, slots=True)
class _Settling(Generic[T]):
    """A decision that clears *claims* first."""

    claims: Sequence[Claim]
    decide: Callable[[Tx], T]

    def __call__(self, tx: Tx) -> T:
        assert isinstance(tx, MongoTx)  # noqa: S101 (this engine's decisions run in this engine's transactions)
        tx.clear(self.claims)
        return self.decide(tx)

    def names(self) -> Iterator[tuple[str, str]]:
        """The records whose entries it clears."""
        return ((claim.record.kind, claim.record.id) for claim in self.claims)


def _failed(jobs: Sequence[Job], answer: Exception, error: Exception) -> bool:
    """Gives every job its *answer*; ``False`` if it is the *error* of one of several that can be tried alone."""
    if answer is error and len(jobs) > 1:
        return False
    for job in jobs:
        job.error = answer
    return True
