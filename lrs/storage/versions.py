"""The schema of a store, without opening the store, because opening migrates. Knows no record."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from lrs.storage.damage import errors_of_sqlite


def found_and_known(url: str) -> tuple[int | None, int]:
    """The schema of the store at *url* (``None`` if there is none yet), and the one that this program writes.

    Raises ``Misconfigured`` if a server does not answer or cannot be used, ``sqlite3.Error`` for an unreadable file.
    """
    if url.startswith("sqlite:///"):
        return _of_sqlite(url.removeprefix("sqlite:///"))
    return _of_mongo(url)


def _of_sqlite(path: str) -> tuple[int | None, int]:
    from lrs.storage.sqlite.schema import SCHEMA_VERSION  # noqa: PLC0415 (an engine is loaded when it is used)

    if not Path(path).exists():
        return None, SCHEMA_VERSION
    # Not `mode=ro`: that cannot read a store with a log that a crash has left.
    with errors_of_sqlite(), closing(sqlite3.connect(path, timeout=5)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0]) or None, SCHEMA_VERSION


def _of_mongo(url: str) -> tuple[int | None, int]:
    from pymongo.errors import PyMongoError  # noqa: PLC0415 (an engine is loaded when it is used)

    from lrs.kernel.errors import Misconfigured  # noqa: PLC0415 (as above)
    from lrs.storage.mongo.link import connect, reason_of  # noqa: PLC0415 (as above)
    from lrs.storage.mongo.schema import SCHEMA_VERSION  # noqa: PLC0415 (as above)
    from lrs.storage.mongo.server import check_server  # noqa: PLC0415 (as above)

    client, name = connect(url)
    with client:
        try:
            check_server(client)
            found = client[name]["meta"].find_one({"_id": "schema"})
        except PyMongoError as error:
            raise Misconfigured(f"LRS_STORE_URL: MongoDB does not answer: {reason_of(error)}") from error
    return (int(found["version"]) if found else None), SCHEMA_VERSION
