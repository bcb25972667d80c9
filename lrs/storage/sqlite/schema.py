"""The SQLite schema and its forward migrations. Knows no record.

``user_version`` counts the migrations that ran. A released step never changes: frozen files of every released version
are opened in the tests.
"""

from __future__ import annotations

import sqlite3

from lrs.kernel.errors import Misconfigured, NewerSchema

APPLICATION_ID = 0x454E4752  # "ENGR"

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, row INTEGER NOT NULL)",
        "INSERT INTO head VALUES (1, 0, 0)",
        "CREATE TABLE kind (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        (
            "CREATE TABLE record (row INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id TEXT NOT NULL,"
            " seq INTEGER NOT NULL, rev INTEGER NOT NULL, meta BLOB NOT NULL, keys BLOB NOT NULL, body BLOB NOT NULL)"
        ),
        "CREATE UNIQUE INDEX record_id ON record (id, kind)",
        "CREATE INDEX record_order ON record (kind, seq)",
        (
            "CREATE TABLE ref (key INTEGER NOT NULL, seq INTEGER NOT NULL, row INTEGER NOT NULL,"
            " PRIMARY KEY (key, seq, row)) WITHOUT ROWID"
        ),
        (
            "CREATE TABLE owed (row INTEGER NOT NULL, step TEXT NOT NULL, at INTEGER NOT NULL, due INTEGER NOT NULL,"
            " tries INTEGER NOT NULL, token TEXT, error TEXT, PRIMARY KEY (row, step)) WITHOUT ROWID"
        ),
        "CREATE INDEX owed_at ON owed (step, at)",
    ),
    (),  # excludes programs from before root keys and keyed ids, which would give persons new ids
)
SCHEMA_VERSION = len(MIGRATIONS)
READABLE_SINCE = 1
"""The oldest schema that can be read without a migration, because later ones changed no table."""


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Brings the file to this program's schema. Each step is one transaction, so a kill between them does no harm.

    Raises ``NewerSchema`` for a file of a later version, ``Misconfigured`` for a file that is not ours.
    """
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = version_of(connection, path)
            if version == SCHEMA_VERSION:
                return
            for statement in MIGRATIONS[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def version_of(connection: sqlite3.Connection, path: str) -> int:
    """The schema of the file, called *path* in messages; 0 for an empty one. Raises as ``migrate`` does."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and owner != APPLICATION_ID:
        raise Misconfigured(f"{path} is a SQLite file of another program; name another file in LRS_STORE_URL")
    if version > SCHEMA_VERSION:
        raise NewerSchema(
            f"{path} has schema {version}, this program knows up to {SCHEMA_VERSION}: a newer version wrote it;"
            " start that version, or restore a backup made before the upgrade"
        )
    return version
