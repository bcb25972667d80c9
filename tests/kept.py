"""All that is kept in files, to look for what must not be: a compressed body does not show its words."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from lrs.storage.sqlite.bodies import body_of


def bytes_in(path: Path) -> bytes:
    """The bytes of a file; of a store, too, what its compressed bodies say."""
    found = [path.read_bytes()]
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT size, kept FROM record WHERE size > 0").fetchall()
        found += [body_of(*row) for row in rows]
    return b"\n".join(found)


def bytes_below(folder: Path) -> list[bytes]:
    """Those of each file below *folder*."""
    return [bytes_in(path) for path in folder.rglob("*") if path.is_file()]
