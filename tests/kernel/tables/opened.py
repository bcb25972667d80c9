"""Opens what a test has written as a table with columns of its own."""

from __future__ import annotations

from pathlib import Path

from lrs.kernel.tables.header import headers_of
from lrs.kernel.tables.opening import open_table
from lrs.kernel.tables.row import Row
from lrs.kernel.tables.table import Table


def opened(source: Path | bytes, columns: str, *, comments: bool = False, **more) -> Table:
    """*source* as a table with *columns*, which are separated by blanks."""
    return open_table(source, headers_of(dict.fromkeys(columns.split(), ()), comments=comments), **more)


def cells(source: Path | bytes, columns: str, **more) -> list[dict[str, str]]:
    """The cells of every row."""
    return [dict(row.cells) for row in opened(source, columns, **more).rows()]


def troubles(rows: list[Row]) -> list[tuple[int, str]]:
    """Which rows cannot be read, and why."""
    return [(row.place.row, row.trouble.code) for row in rows if row.trouble]
