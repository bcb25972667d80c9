"""The reading half of the embedded store, and a store that only reads: it writes nothing beside the file.

So a command that only shows something works on a read-only copy of a folder, and never migrates it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import quote

from lrs.kernel.errors import Misconfigured, NewerSchema, StoreReadOnly
from lrs.storage.blobs import FileBlobs, blobs_beside
from lrs.storage.contract import Tx
from lrs.storage.damage import errors_of_sqlite
from lrs.storage.records import ROWS, Claim, Clock, JoinedPage, Load, Page, Record, RecordName, Walk, mac_with
from lrs.storage.room import READ_ONLY
from lrs.storage.sqlite.checking import SqliteChecking
from lrs.storage.sqlite.owed import SqliteOwed
from lrs.storage.sqlite.read import SqliteReader
from lrs.storage.sqlite.readers import Readers
from lrs.storage.sqlite.schema import APPLICATION_ID, READABLE_SINCE, SCHEMA_VERSION, read_as_present

T = TypeVar("T")


class SqliteReading(SqliteOwed, SqliteChecking):
    """The reading half of ``Store``. Subclasses provide the readers."""

    _readers: Readers

    def _reader(self) -> SqliteReader:
        return self._readers.here()

    def get(self, kind: str, id: str) -> Record | None:
        """See ``Reader.get``."""
        return self._reader().get(kind, id)

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """See ``Reader.get_many``."""
        return self._reader().get_many(kind, ids)

    def find(self, walk: Walk) -> Page:
        """See ``Reader.find``."""
        return self._reader().find(walk)

    def get_all(self, wanted: Iterable[RecordName]) -> dict[RecordName, Record]:
        """See ``Store.get_all``."""
        return self._reader().get_all(wanted)

    def find_any(self, kind: str, keys: Iterable[int]) -> dict[int, list[Record]]:
        """See ``Store.find_any``."""
        return self._reader().find_any(kind, keys)

    def joined(self, walk: Walk) -> JoinedPage | None:
        """See ``Store.joined``."""
        return self._reader().joined(walk)

    def count(self, kind: str, keys: Sequence[int] = ()) -> int:
        """See ``Store.count``."""
        return self._reader().count(kind, keys)


class SqliteToRead(SqliteReading):
    """A ``Store`` on the file at *path* that refuses every write with ``StoreReadOnly``.

    Raises ``Misconfigured`` if the file does not exist, is not ours, has a schema that it cannot read, or cannot be
    opened.
    """

    waits = False
    lacks = READ_ONLY

    def __init__(self, path: str, *, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._secret: bytes | None = None
        self._readers = Readers(self._connect)
        self.blobs = FileBlobs(blobs_beside(Path(path)), clock)
        if not Path(path).is_file():
            raise Misconfigured(f"there is no store {path}")
        try:
            with errors_of_sqlite():
                self._address = next(self._that_opens(), "")
        except sqlite3.DatabaseError as error:
            raise Misconfigured(f"{path} cannot be opened: {error}") from error
        if not self._address:
            raise Misconfigured(f"{path} cannot be read in its folder: copy the folder to a place where you may write")
        self._check()

    def mac(self, text: bytes) -> bytes:
        """See ``Store.mac``."""
        return mac_with(self._secret, text)

    def use_secret(self, secret: bytes) -> None:
        """See ``Store.use_secret``."""
        self._secret = secret

    def horizon(self) -> int:
        """See ``Store.horizon``. Another process may be writing the file, so nothing is promised."""
        return 0

    def write(
        self, decide: Callable[[Tx], T], *, weight: int = ROWS, reads: Sequence[RecordName] = (), brief: bool = False
    ) -> Future[T]:
        """See ``Store.write``. Raises ``StoreReadOnly``."""
        self._refuse(decide, weight, reads, brief)

    def commit_here(self, freed: Callable[[], object]) -> None:
        """See ``Store.commit_here``. Raises ``StoreReadOnly``."""
        self._refuse(freed)

    def settle(
        self,
        claims: Sequence[Claim],
        decide: Callable[[Tx], T],
        *,
        weight: int = 0,
        reads: Sequence[tuple[str, str]] = (),
    ) -> Future[T]:
        """See ``Store.settle``. Raises ``StoreReadOnly``."""
        self._refuse(claims, decide, weight, reads)

    def _refuse(self, *_: object) -> NoReturn:
        raise StoreReadOnly(f"{self._path} was opened to be read only: nothing was stored")

    def load(self) -> Load:
        """See ``Store.load``."""
        return Load(0, 0, 0, 0)

    def close(self) -> None:
        """See ``Store.close``."""
        self._readers.close()

    def _that_opens(self) -> Iterator[str]:
        """The addresses by which SQLite can read the file.

        Without a log nobody has the file open, and it can be read as it is. A log with content belongs to the file. An
        empty log has nothing, and its index can be made only in a folder that can be written to.
        """
        log = Path(f"{self._path}-wal")
        name = f"file:{quote(self._path)}"
        addresses = [f"{name}?mode=ro"] if log.exists() else []
        addresses += [f"{name}?immutable=1"] if not log.exists() or not log.stat().st_size else []
        for address in addresses:
            with closing(sqlite3.connect(address, uri=True)) as connection, suppress(sqlite3.OperationalError):
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                yield address

    def _check(self) -> None:
        ((owner,),), ((version,),) = (self._ask(f"PRAGMA {name}") for name in ("application_id", "user_version"))
        if owner != APPLICATION_ID:
            raise Misconfigured(f"{self._path} is a SQLite file of another program; name another file in LRS_STORE_URL")
        if version > SCHEMA_VERSION:
            raise NewerSchema(f"{self._path} has schema {version}, this program knows up to {SCHEMA_VERSION}")
        if version < READABLE_SINCE:
            raise Misconfigured(
                f"{self._path} has schema {version}, this program needs {READABLE_SINCE}: start lrs serve on a copy of"
                " it that may be written to, which brings it forward"
            )

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._address, uri=True, isolation_level=None, check_same_thread=False)
        read_as_present(connection)
        return connection
