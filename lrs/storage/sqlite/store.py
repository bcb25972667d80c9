"""The embedded engine: one SQLite file, WAL and ``synchronous=FULL``, one writer in each process, many readers.

The writer is a thread, or the event loop for what is brief (``commit_here``), never both at once.

Several processes may write one file: the lock is taken before the head is read, and held for one short commit. A disk
error ends the process: after a failed fsync it is not known what was stored, and another fsync would give a wrong
answer.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from lrs.kernel.admission import LOCK, Overloaded, QueueLimit
from lrs.kernel.errors import Damaged, StoreFull, StoreReadOnly
from lrs.storage.blobs import FileBlobs, blobs_beside
from lrs.storage.contract import Tx
from lrs.storage.damage import CODES
from lrs.storage.ending import end_process
from lrs.storage.groups import ByCaller, GroupCommit, QueuedDecision, TooLong, decide_all
from lrs.storage.horizon import Announcement
from lrs.storage.records import ROWS, USUAL, Claim, Clock, Committed, Load, RecordName, mac_with
from lrs.storage.room import FULL, READ_ONLY, Room
from lrs.storage.sqlite.files import make_private
from lrs.storage.sqlite.keys import USUAL_SEGMENTS, SegmentSizes
from lrs.storage.sqlite.merge import Merging
from lrs.storage.sqlite.pace import BUSY_MS, PAGES_BETWEEN_CHECKPOINTS, Pace
from lrs.storage.sqlite.read import SqliteReader
from lrs.storage.sqlite.readers import Readers
from lrs.storage.sqlite.reading import SqliteReading
from lrs.storage.sqlite.schema import migrate
from lrs.storage.sqlite.tx import SqliteTx, ours
from lrs.storage.turn import Turn

T = TypeVar("T")
_STATEMENTS = 64
"""Prepared statements that a connection keeps. One that inserts a batch takes up to half a megabyte."""
_CACHE_KB = 8_000
"""Pages that the writer keeps in memory."""
_LOOK = 0.01
"""Seconds between two tries to switch a new file to the write-ahead log."""


def _use_log(connection: sqlite3.Connection) -> None:
    """Switches to the write-ahead log. SQLite itself does not wait for another process that begins the file."""
    end = time.monotonic() + BUSY_MS / 1_000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                raise
            time.sleep(_LOOK)
        else:
            return


class SqliteStore(SqliteReading):
    """See ``Store``."""

    waits = False

    def __init__(
        self,
        path: str,
        *,
        clock: Clock,
        queue: QueueLimit = USUAL,
        secret: bytes | None = None,
        fatal: Callable[[str], None] | None = None,
        committed: Committed = lambda _: None,
        segments: SegmentSizes = USUAL_SEGMENTS,
    ) -> None:
        self._path = path
        self._clock = clock
        self._secret = secret
        self._fatal = fatal or end_process
        self._room = Room(path, Path(path).parent)
        make_private(Path(path))
        self._readers = Readers(self._connect_to_read)
        self._writer = SqliteReader(self._connect())
        migrate(self._writer.connection, path)
        self._called: set[str] = set()
        self._announcement = Announcement(Path(f"{path}-horizon"), clock, self._empty_commit)
        self.blobs = FileBlobs(blobs_beside(Path(path)), clock, self._room, self._fatal)
        self._pace = Pace()
        self._turn = Turn(Path(f"{path}-turn"))
        self._segments = segments
        self._merging = Merging(self._writer.connection, self._turn, segments, self._failure_of_merge)
        self._groups = GroupCommit(
            self._commit,
            name="sqlite-writer",
            queue=queue,
            committed=committed,
            between=self._between,
            here=ByCaller(self._commit_here, self._pace.is_quick, lambda: self._merging.is_due),
        )

    # -- reading ----------------------------------------------------------------------------------------------------

    def horizon(self) -> int:
        """See ``Store.horizon``."""
        return self._announcement.horizon()

    def mac(self, text: bytes) -> bytes:
        """See ``Store.mac``."""
        return mac_with(self._secret, text)

    def use_secret(self, secret: bytes) -> None:
        """See ``Store.use_secret``."""
        self._secret = secret

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(
        self, decide: Callable[[Tx], T], *, weight: int = ROWS, reads: Sequence[RecordName] = (), brief: bool = False
    ) -> Future[T]:
        """See ``Store.write``."""
        return self._groups.submit(decide, weight, reads, brief=brief)

    def commit_here(self, freed: Callable[[], object]) -> None:
        """See ``Store.commit_here``."""
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

        def cleared(tx: Tx) -> T:
            ours(tx).clear(claims)
            return decide(tx)

        return self.write(cleared, weight=weight or ROWS * len(claims), reads=reads)

    @property
    def lacks(self) -> str | None:
        """See ``Store.lacks``."""
        return self._room.lacks

    def load(self) -> Load:
        """See ``Store.load``."""
        return self._groups.load()

    def close(self) -> None:
        """See ``Store.close``."""
        self._groups.close()
        # Leaves a small file. Does not wait, because other processes may be reading or writing.
        with suppress(sqlite3.Error):
            self._writer.connection.execute("PRAGMA busy_timeout = 0")
            self._writer.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.connection.close()
        self._readers.close()
        self._announcement.close()
        self._turn.close()

    # -- inside -----------------------------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS
        )
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        _use_log(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_BETWEEN_CHECKPOINTS}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        return connection

    def _connect_to_read(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.execute("PRAGMA query_only = 1")
        connection.execute("PRAGMA cache_size = -2000")
        return connection

    def _commit(self, jobs: Sequence[QueuedDecision]) -> Collection[str]:
        """All decisions in one transaction. If one fails after it has written, each in its own.

        Gives the steps that are owed at once.
        """
        self._called.clear()
        self._pace.use(self._writer.connection, brief=False)
        with self._turn:
            together = self._commit_together(jobs)
        for job in () if together else jobs:
            job.result = job.error = None
            with self._turn:
                self._commit_together((job,))
        return self._called

    def _commit_here(self, jobs: Sequence[QueuedDecision]) -> Collection[str]:
        """As ``_commit``, for a caller that must not wait. Raises ``TooLong``, and has stored nothing."""
        if not self._turn.take_at_once():
            raise TooLong
        self._called.clear()
        try:
            self._pace.use(self._writer.connection, brief=True)
            if not self._commit_together(jobs, brief=True):
                raise TooLong
        finally:
            self._turn.end()
        return self._called

    def _commit_together(self, jobs: Sequence[QueuedDecision], *, brief: bool = False) -> bool:
        """``False`` if nothing was stored: each of several must be tried alone, or it was to be *brief* and is not."""
        connection = self._writer.connection
        before = 0
        committed = False
        try:
            connection.execute("BEGIN IMMEDIATE")
            tx = SqliteTx(self._writer, self._clock, self._secret, self._segments, brief=brief)
            before = tx.seq
            tx.floor = self._announcement.begin(before)
            if not decide_all(tx, jobs, sqlite3.Error):
                return len(jobs) == 1
            self._announcement.reach(tx.seq)
            with self._pace.measured():
                connection.execute("COMMIT")
            committed = True
            before = tx.seq
            self._called |= tx.called
            self._merging.wrote(tx.keys.written, began=tx.began)
        except Exception as error:  # noqa: BLE001 (it is the answer of every job it concerns)
            failure = self._failure(error) if isinstance(error, sqlite3.Error) else error
            if brief and isinstance(failure, (TooLong, Overloaded)):
                return False
            if failure is error and len(jobs) > 1:
                return False
            for job in jobs:
                job.error = failure
        finally:
            if not committed:
                self._writer.forget_kinds()
            if connection.in_transaction:  # after some errors, such as a full disk, SQLite has rolled back already
                self._announcement.reach(before)
                connection.execute("ROLLBACK")
            self._announcement.reached(before)
        if committed:
            self._room.kept()
        return True

    def _between(self, is_wanted: Callable[[], bool]) -> None:
        """What the writer's thread does between commits."""
        self._pace.use(self._writer.connection, brief=False)
        self._merging.run(is_wanted)

    def _empty_commit(self) -> None:
        with suppress(Overloaded):
            self.write(lambda _: None)

    def _failure(self, error: sqlite3.Error) -> Exception:
        told = getattr(error, "sqlite_errorcode", 0)
        code = told & 0xFF
        if told == sqlite3.SQLITE_IOERR_SHMSIZE or code == sqlite3.SQLITE_FULL:
            self._room.missed(FULL)
            # Where only the index of the log could not grow, the log may have.
            sure = code == sqlite3.SQLITE_FULL
            later = "send this again once there is room, to be sure that it is stored"
            return StoreFull(f"the disk is full: {'nothing of this request was stored' if sure else later}")
        if code == sqlite3.SQLITE_READONLY:
            self._room.missed(READ_ONLY)
            return StoreReadOnly("the store's folder is read-only: nothing of this request was stored")
        return self._failure_of_merge(error)

    def _failure_of_merge(self, error: sqlite3.Error) -> Exception:
        """The same for a merge. It is no request, so whatever room it lacks says nothing of those."""
        told = getattr(error, "sqlite_errorcode", 0)
        code = told & 0xFF
        if code == sqlite3.SQLITE_BUSY:
            return Overloaded(LOCK)
        if code in CODES:
            # Not tried again. Nothing of it was stored, and other tenants' stores are not affected.
            return Damaged(f"{self._path} is damaged: {error}; restore it from a backup")
        if code == sqlite3.SQLITE_IOERR and told != sqlite3.SQLITE_IOERR_SHMSIZE:
            self._fatal(f"{self._path}: {error}")
            return OSError(f"{self._path}: {error}")  # not tried again
        return error
