"""Commits a group of decisions as one transaction on MongoDB.

Runs it again if the server asks for it and nothing was stored. It first changes the head document, and so holds it:
commits are in the order of their places in all processes. Knows no queue.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from pymongo import ReadPreference
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from lrs.kernel.admission import OutcomeUnknown
from lrs.kernel.errors import Misconfigured, StoreFull
from lrs.storage.contract import Tx
from lrs.storage.groups import QueuedDecision, decide_all
from lrs.storage.mongo.heartbeat import Heartbeat
from lrs.storage.mongo.link import TRANSIENT, UNKNOWN, failure_of, is_full, passes
from lrs.storage.mongo.schema import HEAD, Mongo
from lrs.storage.mongo.server import DURABLE
from lrs.storage.mongo.tx import MongoTx
from lrs.storage.records import Claim, Clock
from lrs.storage.room import FULL, Room

T = TypeVar("T")
_PATIENCE_S = 15.0
_STARVED_S = 2.0
_LONGEST_WAIT_S = 0.05


class MongoWriter:
    """The writer of one process; one thread calls its methods. *secret* is for ``mac``.

    *is_unsure* is true while the outcome of the last commit is unknown. The next commit settles it: the server ends
    what a session has not committed before it starts another transaction of that session.
    """

    def __init__(self, database: Mongo, session: ClientSession, *, clock: Clock, secret: bytes | None) -> None:
        self.secret = secret
        self.is_unsure = False
        self.room = Room("LRS_STORE_URL")
        self._database = database
        self._session = session
        self._clock = clock
        self._heartbeat = Heartbeat(database, session)
        self._called: set[str] = set()

    def commit(self, jobs: Sequence[QueuedDecision]) -> Collection[str]:
        """All decisions in one transaction. If one fails after it has written, each in its own.

        Gives the steps that are owed at once.
        """
        self._called.clear()
        self._heartbeat.busy()
        try:
            if not self._commit_together(jobs):
                for job in jobs:
                    self._commit_together((job,))
        finally:
            self._heartbeat.idle()
        return self._called

    def close(self) -> None:
        """Deletes the sign of life. The session belongs to the caller."""
        self._heartbeat.close()

    def _commit_together(self, jobs: Sequence[QueuedDecision]) -> bool:
        """``False`` if nothing was stored and each of the several decisions must be tried alone."""
        began = time.monotonic()
        starved = began + _STARVED_S
        for attempt in count():
            for job in jobs:
                job.result = job.error = None
            try:
                return self._attempt(jobs) or len(jobs) == 1
            except OutcomeUnknown as error:  # it may have been stored, so nothing is run again
                self.is_unsure = True
                return _answered(jobs, error)
            except PyMongoError as error:
                if not passes(error) or time.monotonic() > began + _PATIENCE_S:
                    return self._failed(jobs, error)
                if time.monotonic() > starved:
                    starved += _STARVED_S
                    self._heartbeat.end_the_silent()
                time.sleep(random.uniform(0, min(_LONGEST_WAIT_S, 0.001 * 2**attempt)))  # noqa: S311 (not a secret)
            except Exception as error:  # noqa: BLE001 (it is the answer of every job it concerns)
                return len(jobs) == 1 and _answered(jobs, error)
            finally:
                if self._session.in_transaction:
                    self._session.abort_transaction()
        raise AssertionError  # `count` has no end

    def _attempt(self, jobs: Sequence[QueuedDecision]) -> bool:
        session, heads = self._session, self._database.head
        session.start_transaction(
            read_concern=ReadConcern("snapshot"), write_concern=DURABLE, read_preference=ReadPreference.PRIMARY
        )
        head = heads.find_one_and_update({"_id": HEAD}, {"$inc": {"epoch": 1}}, session=session)
        if head is None:
            raise Misconfigured(f"the database {self._database.name} has lost its head document; restore a backup")
        before = int(head["seq"])
        tx = MongoTx(self._database.record, session, before, self._clock, self.secret)
        loaded = {name for job in jobs for name in job.reads}  # with these comes what they owe
        settled = [name for job in jobs if isinstance(job.decide, Settling) for name in job.decide.names()]
        tx.look(name for name in settled if name not in loaded)
        if not decide_all(tx, jobs, PyMongoError):
            return False
        if tx.seq != before:
            heads.update_one({"_id": HEAD}, {"$set": {"seq": tx.seq}}, session=session)
        self._finish_transaction()
        self._called |= tx.called
        self.is_unsure = False
        self.room.kept()
        return True

    def _finish_transaction(self) -> None:
        """Asks for the commit until its outcome is known, because a lost answer may mean either.

        Raises ``OutcomeUnknown`` if it stays unknown, PyMongo's error if nothing was stored.
        """
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._session.commit_transaction()
            except PyMongoError as error:
                unknown = error.has_error_label(UNKNOWN)
                if not unknown and (error.has_error_label(TRANSIENT) or is_full(error)):
                    raise
                if not unknown or time.monotonic() > until:
                    raise OutcomeUnknown from error
            else:
                return

    def _failed(self, jobs: Sequence[QueuedDecision], error: PyMongoError) -> bool:
        """Gives every decision its answer.

        ``False`` if *error* may come from one of them, so that each can be tried alone.
        """
        answer = failure_of(error)
        if isinstance(answer, StoreFull):
            self.room.missed(FULL)
        return (answer is not error or len(jobs) == 1) and _answered(jobs, answer)


@dataclass(frozen=True, slots=True)
class Settling(Generic[T]):
    """A decision that first clears *claims*."""

    claims: Sequence[Claim]
    decide: Callable[[Tx], T]

    def __call__(self, tx: Tx) -> T:
        """The result of the decision. Runs only in transactions of this engine."""
        assert isinstance(tx, MongoTx)  # noqa: S101 (this engine's decisions run in this engine's transactions)
        tx.clear(self.claims)
        return self.decide(tx)

    def names(self) -> Iterator[tuple[str, str]]:
        """The records whose entries it clears."""
        return ((claim.record.kind, claim.record.id) for claim in self.claims)


def _answered(jobs: Sequence[QueuedDecision], answer: Exception) -> bool:
    for job in jobs:
        job.error = answer
    return True
