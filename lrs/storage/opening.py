"""Opens a store by its address. Knows the names of the engines, and loads the one that is used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from lrs.kernel.admission import QueueLimit
from lrs.kernel.errors import Misconfigured
from lrs.storage.contract import Store
from lrs.storage.damage import errors_of_sqlite
from lrs.storage.records import USUAL, Clock, Committed, wall_clock


def open_store(
    url: str,
    *,
    clock: Clock = wall_clock,
    queue: QueueLimit = USUAL,
    secret: bytes | None = None,
    committed: Committed = lambda _: None,
) -> Store:
    """Opens the store at *url*, ``sqlite:///path/to/file.db`` or ``mongodb://host/…``, and migrates it forward.

    *secret* is for ``mac`` (see ``Store.use_secret``). *committed* is called after each commit, before its callers are
    answered, with the steps that the commit owes at once. Whoever commits calls it, the writer's thread or the event
    loop: it must not wait and not raise.
    Raises ``Misconfigured`` for another scheme and if the store cannot be opened, ``NewerSchema`` for one of a later
    version.
    """
    if url.startswith("sqlite:///"):
        return _open_file(url.removeprefix("sqlite:///"), clock, queue, secret, committed)
    if url.startswith(("mongodb://", "mongodb+srv://")):
        from lrs.storage.mongo.store import MongoStore  # noqa: PLC0415 (an engine is loaded when it is used)

        return MongoStore(url, clock=clock, queue=queue, secret=secret, committed=committed)
    scheme = url.partition(":")[0]
    raise Misconfigured(f"LRS_STORE_URL: unknown scheme {scheme!r}; use sqlite:///PATH or mongodb://HOST/DATABASE")


def open_to_read(url: str, *, clock: Clock = wall_clock) -> Store:
    """The store at *url*, for reading only. A file and its folder are not changed; a database is opened as usual.

    Raises ``Misconfigured``, also for a file that does not exist or that needs a migration.
    """
    if not url.startswith("sqlite:///"):
        return open_store(url, clock=clock)
    from lrs.storage.sqlite.reading import SqliteToRead  # noqa: PLC0415 (an engine is loaded when it is used)

    return SqliteToRead(url.removeprefix("sqlite:///"), clock=clock)


def migrate_store(url: str, tell: Callable[[str], None]) -> None:
    """Brings the store at *url* to this program's schema, however long that takes. *tell* is called with the progress.

    Raises as ``open_store`` does.
    """
    if url.startswith("mongodb"):
        from lrs.storage.mongo.store import migrate_database  # noqa: PLC0415 (an engine is loaded when it is used)

        migrate_database(url, tell)
    else:
        open_store(url).close()


def drop_store(url: str) -> None:
    """Deletes the store at *url* with its blobs, permanently. Does nothing if it is gone. Nobody may have it open.

    The records go first: if a process dies in between, only files without meaning are left. Raises ``OSError``, or
    ``Misconfigured`` if a server does not answer.
    """
    if url.startswith("sqlite:///"):
        from lrs.storage.sqlite.files import drop_files  # noqa: PLC0415 (an engine is loaded when it is used)

        drop_files(Path(url.removeprefix("sqlite:///")))
    else:
        from lrs.storage.mongo.link import drop_database  # noqa: PLC0415 (an engine is loaded when it is used)

        drop_database(url)


def _open_file(path: str, clock: Clock, queue: QueueLimit, secret: bytes | None, committed: Committed) -> Store:
    from lrs.storage.sqlite.store import SqliteStore  # noqa: PLC0415 (an engine is loaded when it is used)

    if not path:
        raise Misconfigured("LRS_STORE_URL names no file; use sqlite:///PATH")
    try:
        with errors_of_sqlite():
            return SqliteStore(path, clock=clock, queue=queue, secret=secret, committed=committed)
    except (sqlite3.Error, OSError) as error:
        folder = Path(path).parent
        if folder.is_dir() and not os.access(folder, os.W_OK):
            message = f"{folder} is read-only for this user: let it write there, or name another folder in LRS_DATA"
            raise Misconfigured(message) from error
        raise Misconfigured(f"{path} cannot be opened: {error}") from error
