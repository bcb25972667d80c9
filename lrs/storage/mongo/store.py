"""The MongoDB engine: one database for each tenant, ``w: majority`` and ``j: true``, one writer thread in each process.

A group of decisions is one transaction. Its head document has the last place in the order. The head is also the
horizon: everything up to it is visible, and a reader that wants to promise more moves it. It uses PyMongo with its own
pool, in threads: Motor is deprecated since May 2026, and an asynchronous twin would be everything twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TypeVar

import pymongo
from pymongo.errors import PyMongoError

from lrs.kernel.admission import QueueLimit
from lrs.storage.contract import Tx
from lrs.storage.groups import GroupCommit
from lrs.storage.mongo.blobs import GridBlobs
from lrs.storage.mongo.link import answering
from lrs.storage.mongo.owed import MongoOwed
from lrs.storage.mongo.read import MongoReader
from lrs.storage.mongo.schema import HEAD, Tell, migrate
from lrs.storage.mongo.server import using
from lrs.storage.mongo.writer import MongoWriter, Settling
from lrs.storage.records import (
    ROWS,
    TIE_BITS,
    USUAL,
    Claim,
    Clock,
    Committed,
    JoinedPage,
    Load,
    Page,
    Record,
    RecordName,
    Walk,
    mac_with,
    micros_of,
)

T = TypeVar("T")
_PROMISE_S = 1.0
"""Seconds that a reader waits for a transaction that holds the head. Then it promises only what the head has reached.
"""
_PROMISE_STEP = 250_000
"""Microseconds by which the head may lag behind the clock before a reader moves it: at most four moves a second."""


class MongoStore(MongoOwed):
    """See ``Store``."""

    waits = True

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        queue: QueueLimit = USUAL,
        secret: bytes | None = None,
        committed: Committed = lambda _: None,
    ) -> None:
        with using(url) as database:
            migrate(database)
            self._database = database
            self._session = database.client.start_session(causal_consistency=False)
            self._writer = MongoWriter(database, self._session, clock=clock, secret=secret)
        super().__init__(database.record, clock)
        self._reader = MongoReader(database.record)
        self.blobs = GridBlobs(database, clock)
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
    def find(self, walk: Walk) -> Page:
        """See ``Reader.find``."""
        return self._reader.find(walk)

    @answering()
    def joined(self, walk: Walk) -> JoinedPage | None:
        """See ``Store.joined``."""
        return self._reader.joined(walk)

    @answering()
    def get_all(self, wanted: Iterable[RecordName]) -> dict[RecordName, Record]:
        """See ``Store.get_all``."""
        return self._reader.get_all(wanted)

    @answering()
    def find_any(self, kind: str, keys: Iterable[int]) -> dict[int, list[Record]]:
        """See ``Store.find_any``."""
        return self._reader.find_any(kind, keys)

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
        """See ``Store.horizon``. Clocks of several machines differ, so only the head can promise for all of them."""
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
            return reached  # a transaction holds the head: what it will store comes after this
        return now

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(
        self, decide: Callable[[Tx], T], *, weight: int = ROWS, reads: Sequence[RecordName] = (), brief: bool = False
    ) -> Future[T]:
        """See ``Store.write``."""
        return self._groups.submit(decide, weight, reads, brief=brief)

    def commit_here(self, freed: Callable[[], object]) -> None:
        """See ``Store.commit_here``: a server is waited for, so it is always the thread's."""
        self._groups.commit_here(freed)

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

    def holds(self, claim: Claim) -> bool:
        """See ``Store.holds``. A commit with unknown outcome may still be under way."""
        if self._writer.is_unsure:
            self.write(lambda _: None).result()
        return super().holds(claim)

    def wrong_keys(self) -> int:
        """See ``Store.wrong_keys``. Keys stand in the record itself, and the server keeps its index."""
        return 0

    def mend_keys(self) -> int:
        """See ``Store.mend_keys``."""
        return 0

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
        self._database.client.close()


def migrate_database(url: str, tell: Tell) -> None:
    """See ``lrs.storage.opening.migrate_store``."""
    with using(url) as database:
        migrate(database, tell)
    database.client.close()
