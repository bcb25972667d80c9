"""The list of learners who are invited to sign in: a table of learners and addresses. Reads it, and invites nobody."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lrs.kernel.errors import Refused
from lrs.kernel.tables.header import headers_of
from lrs.kernel.tables.opening import open_table

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "learner": ("who", "person", "learner_ref", "uln", "account"),
    "email": ("e-mail", "address", "mail"),
}
"""The columns of a list, and their other names."""
MOST = 5_000
"""Rows of a list."""


def rows_in(content: Path | bytes) -> list[tuple[str, str]]:
    """Learners and addresses in a table. Raises ``Refused`` for one that cannot be read whole."""
    table = open_table(content, headers_of(COLUMNS, comments=True)).first_sheet()
    if "learner" not in table.sheets[0].header.columns:
        raise Refused("the file needs a column learner", error="bad_file")
    rows: list[tuple[str, str]] = []
    for row in table.rows():
        fault = row.trouble or next((row.faults[name] for name in COLUMNS if name in row.faults), None)
        if fault:
            raise Refused(f"row {row.place.row}: {fault.message}", error="bad_file")
        rows.append((row["learner"], row["email"]))
        if len(rows) > MOST:
            raise Refused(f"the list has more than {MOST:,} rows: send it in parts", error="bad_file")
    return rows
