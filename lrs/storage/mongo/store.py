"""The MongoDB engine: one database a tenant, ``w: majority`` and ``j: true``, one writer thread a process.

A group of decisions is one transaction, of which the head document says how far the order has come. The head is the
horizon too: what it has reached is visible, and whoever wants to promise more moves it. PyMongo and its own pool, in
threads: Motor is deprecated since May 2026, and an async twin would be everything twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TypeVar

import pymongo
from pymongo import ReadPreference
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from lrs.kernel.errors import Misconfigured
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
from lrs.storage.groups import GroupCommit
from lrs.storage.leases import Ahead
from lrs.storage.mongo.blobs import GridBlobs
from lrs.storage.mongo.link import answering, connect, reason_of
from lrs.storage.mongo.owed import MongoOwed
from lrs.storage.mongo.read import MongoReader
from lrs.storage.mongo.schema import HEAD, Mongo, migrate
from lrs.storage.mongo.server import check_server
from lrs.storage.mongo.writer import DURABLE, MongoWriter, Settling

T = TypeVar("T")
_PROMISE_S = 1.0
"""Seconds that a reader waits for a transaction that holds the head, before it promises only what was reached."""
_PROMISE_STEP = 250_000
"""Microseconds by which the head may lag behind the clock before a reader moves it: at most four moves a second."""


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
        self._clock = clock
        self._client, name = connect(url)
        try:
            self._database: Mongo = self._client.get_database(
                name,
                write_concern=DURABLE,
                read_concern=ReadConcern("majority"),
                read_preference=ReadPreference.PRIMARY,
            )
            check_server(self._client)
            migrate(self._database)
            self._session = self._client.start_session(causal_consistency=False)
            self._writer = MongoWriter(self._database, self._session, clock=clock, secret=secret)
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
        self._groups = GroupCommit(self._writer.commit, name="mongo-writer", queue=queue, committed=committed)

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
        return mac_with(self._writer.secret, text)

    def use_secret(self, secret: bytes) -> None:
        """See ``Store.use_secret``."""
        self._writer.secret = secret

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
        try:
            with pymongo.timeout(_PROMISE_S):
                self._database.head.update_one({"_id": HEAD}, {"$max": {"seq": now << TIE_BITS}})
        except PyMongoError as error:
            if not error.timeout:
                raise
            return reached  # a transaction holds the head: what it is going to store comes after this
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
        return self.write(Settling(claims, decide), weight=weight or ROWS * len(claims), reads=reads)

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
    def next_due(self, steps: Sequence[str]) -> int | None:
        """See ``Store.next_due``."""
        return self._owed.next_due(steps)

    @answering()
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
        return self._writer.room.lacks

    def load(self) -> Load:
        """See ``Store.load``."""
        return self._groups.load()

    def close(self) -> None:
        """See ``Store.close``."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._groups.close()
        self._writer.close()
        self._session.end_session()
        self._client.close()
