"""The SQLite schema and its forward migrations. Knows no record.

``user_version`` counts the migrations that ran. A released step never changes: frozen files of every released version
are opened in the tests.
"""

from __future__ import annotations

import sqlite3
from array import array
from itertools import chain

from lrs.kernel.errors import Misconfigured, NewerSchema
from lrs.storage.records import NEWEST
from lrs.storage.sqlite.rows import json_list

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
    (  # search keys in segments (see ``keys``). Processes of before that still run fail at the new name: they would
        # write search keys where nobody looks for them.
        "ALTER TABLE ref RENAME TO early_key",
        (
            "CREATE TABLE segment_key (segment INTEGER NOT NULL, key INTEGER NOT NULL, seq INTEGER NOT NULL,"
            " row INTEGER NOT NULL, PRIMARY KEY (segment, key, seq, row)) WITHOUT ROWID"
        ),
        (
            "CREATE TABLE segment (first INTEGER PRIMARY KEY, number INTEGER NOT NULL, level INTEGER NOT NULL,"
            " target INTEGER)"
        ),
        (
            "CREATE TABLE merge (target INTEGER PRIMARY KEY, level INTEGER NOT NULL, key INTEGER NOT NULL,"
            " seq INTEGER NOT NULL, row INTEGER NOT NULL)"
        ),
        "CREATE TABLE merged (number INTEGER PRIMARY KEY, level INTEGER NOT NULL)",
        "ALTER TABLE head ADD COLUMN segment INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE head ADD COLUMN entries INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE head ADD COLUMN newest INTEGER NOT NULL DEFAULT 0",
        "INSERT INTO segment SELECT 1 + seq, 1, 0, NULL FROM head",
        (  # the entries at places that were not drawn yet belong to the first segment
            "INSERT OR IGNORE INTO segment_key SELECT 1, j.value, r.seq, r.row FROM head h CROSS JOIN kind k CROSS JOIN"
            " record r ON r.kind = k.number AND r.seq > h.seq CROSS JOIN json_each(keys_as_json(r.keys)) j"
        ),
        "DELETE FROM early_key WHERE (key, seq, row) IN (SELECT key, seq, row FROM segment_key)",
        "UPDATE head SET (entries, newest) = (SELECT count(*), coalesce(max(seq), 0) FROM segment_key)",
    ),
    (  # bodies that are compressed (see ``bodies``). Processes of before that still run fail at the new name: they
        # would give frames out as bodies.
        "ALTER TABLE record RENAME COLUMN body TO kept",
        "ALTER TABLE record ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
    ),
)
SCHEMA_VERSION = len(MIGRATIONS)
COMPRESSED_SINCE = 4
"""The schema from which on small bodies are frames (``bodies``)."""
READABLE_SINCE = 1
"""The oldest schema that can be read without a migration (``read_as_present``)."""
_BEFORE_SEGMENTS = (
    "CREATE TEMP VIEW early_key AS SELECT key, seq, row FROM ref",
    "CREATE TEMP VIEW head AS SELECT one, seq, row, 1 AS segment, 0 AS entries, 0 AS newest FROM main.head",
    "CREATE TEMP TABLE segment (first INTEGER PRIMARY KEY, number INTEGER, level INTEGER, target INTEGER)",
    f"INSERT INTO segment VALUES ({NEWEST}, 1, 0, NULL)",  # every place is before it
    "CREATE TEMP TABLE merged (number INTEGER PRIMARY KEY, level INTEGER)",
    "CREATE TEMP TABLE segment_key (segment, key, seq, row, PRIMARY KEY (segment, key, seq, row)) WITHOUT ROWID",
)
_BEFORE_COMPRESSION = (
    "CREATE TEMP VIEW record AS SELECT row, kind, id, seq, rev, meta, keys, body AS kept, 0 AS size FROM main.record",
)
_PRESENT = ((3, _BEFORE_SEGMENTS), (4, _BEFORE_COMPRESSION))
"""What a schema added, for questions to a file of before. If the file is migrated meanwhile, ``ref`` or ``body`` is no
more, and questions fail instead of missing what is new.
"""


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Brings the file to this program's schema. Each step is one transaction, so a kill between them does no harm.

    Raises ``NewerSchema`` for a file of a later version, ``Misconfigured`` for a file that is not ours.
    """
    connection.create_function("keys_as_json", 1, lambda keys: json_list(list(array("q", keys))), deterministic=True)
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


def read_as_present(connection: sqlite3.Connection) -> None:
    """Lets *connection*, which only reads, answer the questions of this schema on a file of an earlier one."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for statement in chain.from_iterable(added for schema, added in _PRESENT if version < schema):
        connection.execute(statement)
