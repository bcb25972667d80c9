"""The condition of a store by its file, without opening the store: opening each at a start would take minutes.

Opening an embedded store makes a log beside it, and closing it properly removes the log. Knows no record.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from enum import Enum
from pathlib import Path

from lrs.storage.damage import errors_of_sqlite

_NUMBERS = ("user_version", "application_id")
"""Of the header of a file (https://www.sqlite.org/fileformat.html, 1.3)."""


class StoreCondition(Enum):
    """The condition of a store, as far as its file shows."""

    AT_REST = "closed by whoever used it last, and of this program's schema"
    UNSETTLED = "open, or left by a process that died, or of an older schema: to be opened soon"
    ODD = "not there, or not to be opened as far as one sees: to be opened to know why"
    UNKNOWN = "in a database, which tells nothing from outside"


def seen(url: str) -> StoreCondition:
    """The condition of the store at *url*. Damage inside the file is not noticed."""
    if not url.startswith("sqlite:///"):
        return StoreCondition.UNKNOWN
    if has_log(url):
        return StoreCondition.UNSETTLED
    try:
        return _condition_of(*_numbers_in(url.removeprefix("sqlite:///")))
    except sqlite3.Error:
        return StoreCondition.ODD


def has_log(url: str) -> bool:
    """Whether the log beside the file has commits: a process has the store open, or died with it open."""
    if not url.startswith("sqlite:///"):
        return False
    try:
        return Path(f"{url.removeprefix('sqlite:///')}-wal").stat().st_size > 0
    except OSError:
        return False


def _numbers_in(path: str) -> tuple[int, int]:
    """The schema of the file at *path*, and whose file it is. Raises ``sqlite3.Error``.

    SQLite reads them, and not ``open``: a process that closes any descriptor of a file loses all its locks on that file
    (POSIX ``fcntl``). SQLite keeps its descriptor as long as this process has the store open, so no lock is lost.
    """
    address = f"{Path(path).absolute().as_uri()}?mode=ro&immutable=1"
    with errors_of_sqlite(), closing(sqlite3.connect(address, uri=True)) as connection:
        version, owner = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _NUMBERS)
    return version, owner


def _condition_of(version: int, owner: int) -> StoreCondition:
    from lrs.storage.sqlite.schema import APPLICATION_ID, SCHEMA_VERSION  # noqa: PLC0415 (an engine is loaded when used)

    if owner != APPLICATION_ID or version > SCHEMA_VERSION:
        return StoreCondition.ODD
    return StoreCondition.AT_REST if version == SCHEMA_VERSION else StoreCondition.UNSETTLED
