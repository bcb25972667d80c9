"""Copies of a SQLite store that is in use, and questions about a copy. Knows no meaning of a record."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from lrs.kernel.errors import Damaged, Misconfigured
from lrs.storage.damage import errors_of_sqlite
from lrs.storage.private import private_file
from lrs.storage.records import NEWEST, Record
from lrs.storage.sqlite.bodies import body_of
from lrs.storage.sqlite.schema import COMPRESSED_SINCE, version_of

_PAGES = 4_096
"""Pages copied between two moments at which the program can be stopped."""
_PATIENCE_S = 30.0
_NAMED = 3
"""Faults that are told of one copy."""
_meta = msgspec.json.Decoder(dict[str, Any])


def snapshot(source: Path, target: Path) -> None:
    """Copies the store in *source*, as it was at one moment, to the new file *target*. Writers can go on.

    The one read transaction keeps SQLite from restarting the log, so the log grows by what is written meanwhile. Raises
    ``sqlite3.Error``.
    """
    private_file(target)
    with (
        errors_of_sqlite(),
        closing(_opened(source)) as live,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        copy.execute("PRAGMA synchronous = OFF")  # a copy left by a crash is deleted
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the moment
        live.backup(copy, pages=_PAGES)
        live.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def examine(path: Path, source: Path) -> tuple[int, dict[str, int]]:
    """Checks the copy of *source* in *path*. Gives its schema and the number of records of each kind.

    Raises ``Misconfigured`` for a damaged copy and ``NewerSchema`` for one of a later version.
    """
    with errors_of_sqlite(), closing(_opened(path)) as connection:
        told = [row[0] for row in connection.execute(f"PRAGMA integrity_check({_NAMED})")]
        if told != ["ok"]:
            raise Misconfigured(f"{source} is damaged: {'; '.join(told)}")
        schema = version_of(connection, str(source))
        if schema >= COMPRESSED_SINCE and (lost := list(islice(_damaged(connection), _NAMED))):
            raise Misconfigured(f"{source} is damaged: {'; '.join(lost)}")
        counts = connection.execute(
            "SELECT k.name, count(*) FROM record r JOIN kind k ON k.number = r.kind GROUP BY k.name ORDER BY k.name"
        )
        return schema, dict(counts.fetchall())


def _damaged(connection: sqlite3.Connection) -> Iterator[str]:
    """What is said of each record whose body cannot be decoded, of which SQLite itself knows nothing."""
    compressed = "SELECT k.name, r.id, r.size, r.kept FROM record r JOIN kind k ON k.number = r.kind WHERE r.size"
    for kind, id, size, kept in connection.execute(compressed):
        try:
            body_of(size, kept)
        except Damaged as damaged:
            yield f"{kind} {id}: {damaged}"


def records_of(path: Path, kinds: Sequence[str]) -> Iterator[Record]:
    """Every record of *kinds* in the file, without its body, in no order."""
    marks = ", ".join("?" * len(kinds))
    with closing(_opened(path)) as connection:
        rows = connection.execute(
            "SELECT k.name, r.id, r.meta, r.seq, r.rev FROM record r JOIN kind k ON k.number = r.kind"
            f" WHERE k.name IN ({marks})",
            kinds,
        )
        for kind, id, meta, seq, rev in rows:
            yield Record(kind, id, b"", _meta.decode(meta), seq=seq, rev=rev)


def end_leases(path: Path) -> None:
    """Makes what was leased at the time of the copy due, because its workers do not know the copy. Counts no try."""
    with closing(sqlite3.connect(path, timeout=_PATIENCE_S)) as connection, connection:
        connection.execute("UPDATE owed SET at = due, token = NULL WHERE token IS NOT NULL AND at < ?", (NEWEST,))


def _opened(path: Path) -> sqlite3.Connection:
    """Not ``mode=ro``: that cannot read a store with a log that a crash has left."""
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
    connection.execute("PRAGMA query_only = 1")
    return connection
