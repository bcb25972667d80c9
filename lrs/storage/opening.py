"""From the address of a store to the store. Knows the engines by their names, and loads the one that is used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from lrs.kernel.errors import Misconfigured
from lrs.storage.contract import Store
from lrs.storage.records import USUAL, Clock, Queue, wall_clock


def open_store(
    url: str,
    *,
    clock: Clock = wall_clock,
    queue: Queue = USUAL,
    secret: bytes | None = None,
    committed: Callable[[], None] = lambda: None,
) -> Store:
    """Opens the store at *url*: ``sqlite:///path/to/file.db`` or ``mongodb://host/…``, and migrates it forward.

    *secret* is what ``mac`` uses (see ``Store.use_secret``). *committed* is called in the writer's thread after each
    commit, before its callers are answered: it must not wait, and not raise.

    Raises ``Misconfigured`` for another scheme and for what cannot be opened, ``NewerSchema`` for a later version's.
    """
    if url.startswith("sqlite:///"):
        return _open_file(url.removeprefix("sqlite:///"), clock, queue, secret, committed)
    if url.startswith(("mongodb://", "mongodb+srv://")):
        from lrs.storage.mongo.store import MongoStore  # noqa: PLC0415 (an engine is loaded when it is used)

        return MongoStore(url, clock=clock, queue=queue, secret=secret, committed=committed)
    scheme = url.partition(":")[0]
    raise Misconfigured(f"LRS_STORE_URL: unknown scheme {scheme!r}; use sqlite:///PATH or mongodb://HOST/DATABASE")


def open_to_read(url: str, *, clock: Clock = wall_clock, secret: bytes | None = None) -> Store:
    """The store at *url*, to be read only: a file and its folder are left as they are; a database is opened as usual.

    Raises ``Misconfigured``, also for a file that is not there or would have to be migrated.
    """
    if not url.startswith("sqlite:///"):
        return open_store(url, clock=clock, secret=secret)
    from lrs.storage.sqlite.reading import SqliteToRead  # noqa: PLC0415 (an engine is loaded when it is used)

    return SqliteToRead(url.removeprefix("sqlite:///"), clock=clock, secret=secret)


def drop_store(url: str) -> None:
    """Drops the store at *url* with its blobs, for good; nothing happens where it is gone. Nobody may have it open.

    The records go first: a process that dies in between leaves what only they gave a meaning to. Raises ``OSError``,
    or ``Misconfigured`` if a server does not answer.
    """
    if url.startswith("sqlite:///"):
        from lrs.storage.sqlite.store import drop_files  # noqa: PLC0415 (an engine is loaded when it is used)

        drop_files(Path(url.removeprefix("sqlite:///")))
    else:
        from lrs.storage.mongo.link import drop_database  # noqa: PLC0415 (an engine is loaded when it is used)

        drop_database(url)


def _open_file(path: str, clock: Clock, queue: Queue, secret: bytes | None, committed: Callable[[], None]) -> Store:
    from lrs.storage.sqlite.store import SqliteStore  # noqa: PLC0415 (an engine is loaded when it is used)

    if not path:
        raise Misconfigured("LRS_STORE_URL names no file; use sqlite:///PATH")
    try:
        return SqliteStore(path, clock=clock, queue=queue, secret=secret, committed=committed)
    except (sqlite3.Error, OSError) as error:
        folder = Path(path).parent
        if folder.is_dir() and not os.access(folder, os.W_OK):
            message = f"{folder} is read-only for this user: let it write there, or name another folder in LRS_DATA"
            raise Misconfigured(message) from error
        raise Misconfigured(f"{path} cannot be opened: {error}") from error
