"""A reader of one file for each thread that asks. Knows no question."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import finalize

from lrs.storage.sqlite.read import SqliteReader


class Readers:
    """One reader for each thread. *connect* gives a new connection.

    A reader is closed when its thread has ended, or the store is closed; then one that another thread is asking is
    closed at the end of its question, because SQLite must not be asked and closed at once. So whoever asks keeps the
    reader, not only its connection, until there is an answer.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._local: threading.local | None = threading.local()

    def here(self) -> SqliteReader:
        """The reader of this thread. Raises ``sqlite3.ProgrammingError`` after ``close``."""
        local = self._local
        if local is None:
            raise sqlite3.ProgrammingError("the store is closed")
        reader: SqliteReader | None = getattr(local, "reader", None)
        if reader is None:
            connection = self._connect()
            reader = local.reader = SqliteReader(connection)
            # Not at the end of the process, too: threads that are not waited for may still ask then.
            finalize(reader, connection.close).atexit = False
        return reader

    def close(self) -> None:
        """Lets all go. May be called again."""
        self._local = None


class Asks:
    """What the parts of a store share that ask in SQL."""

    def _reader(self) -> SqliteReader:
        """The reader of this thread."""
        raise NotImplementedError

    def _ask(self, query: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """All rows of the answer."""
        reader = self._reader()
        return reader.connection.execute(query, values).fetchall()
