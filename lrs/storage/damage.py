"""Whether an error says that the file of a store is damaged. Knows no store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from lrs.kernel.errors import Damaged

CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""Primary result codes of SQLite (https://www.sqlite.org/rescode.html)."""


def is_damage(error: Exception) -> bool:
    """Whether *error*, of a read or a write, is about a damaged file. A write raises ``Damaged``."""
    if isinstance(error, sqlite3.DatabaseError):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in CODES
    return isinstance(error, Damaged)


@contextmanager
def errors_of_sqlite() -> Iterator[None]:
    """Raises ``sqlite3.DatabaseError`` also for a schema so damaged that Python cannot read SQLite's message."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise sqlite3.DatabaseError("its schema is damaged") from error
