"""What the same rows cost in raw SQLite: one table, WAL, ``synchronous=FULL``, one thread. Knows no server."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from tests.bench.statements import Made

_SCHEMA = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -32000",
    (
        "CREATE TABLE statement (seq INTEGER PRIMARY KEY, id BLOB, stored INTEGER, agent INTEGER, verb INTEGER,"
        " activity INTEGER, registration TEXT, raw BLOB)"
    ),
    "CREATE UNIQUE INDEX by_id ON statement (id)",
    "CREATE INDEX by_agent ON statement (agent, verb, seq)",
    "CREATE INDEX by_activity ON statement (activity, seq)",
    "CREATE INDEX by_registration ON statement (registration, seq)",
)
_INSERT = "INSERT INTO statement (id, stored, agent, verb, activity, registration, raw) VALUES (?, ?, ?, ?, ?, ?, ?)"
_QUERY = "SELECT raw FROM statement WHERE agent = ? AND verb = ? ORDER BY seq DESC LIMIT 50"


class RawSqlite:
    """The yardstick table."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for line in _SCHEMA:
            self._connection.execute(line).fetchall()

    def insert(self, made: Sequence[Made], size: int) -> float:
        """Rows a second when *made* is committed *size* at a time."""
        rows = [
            (UUID(one.id).bytes, place, one.learner, one.verb, one.activity, one.registration, one.raw)
            for place, one in enumerate(made)
        ]
        begun = time.perf_counter()
        for start in range(0, len(rows), size):
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_INSERT, rows[start : start + size])
            self._connection.execute("COMMIT")
        return len(rows) / (time.perf_counter() - begun)

    def query(self, pairs: Sequence[tuple[int, int]], seconds: float) -> float:
        """Queries a second for the newest 50 texts of an agent and verb, over *pairs* for about *seconds*."""
        done = 0
        begun = time.perf_counter()
        while time.perf_counter() - begun < seconds:
            for pair in pairs:
                self._connection.execute(_QUERY, pair).fetchall()
            done += len(pairs)
        return done / (time.perf_counter() - begun)

    def count(self, pair: tuple[int, int]) -> int:
        """How many statements the query gives."""
        return len(self._connection.execute(_QUERY, pair).fetchall())

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()
