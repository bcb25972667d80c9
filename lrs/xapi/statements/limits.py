"""How much work one statement, and one request, may be for the writer: counted in rows, not in statements. Pure.

A plain statement is 19 rows: 17 search keys, itself, what it owes.
"""

from __future__ import annotations

from collections.abc import Iterable

from lrs.kernel.errors import Refused
from lrs.storage import ROW_BYTES
from lrs.xapi.statements.chains import MOST_INHERITED
from lrs.xapi.statements.plan import Prepared

MOST_KEYS = 2_000
"""Search keys of one statement. A group of 400 members, with an activity and a registration, has so many."""
MOST_ROWS = 64_000
"""Rows of one request: about 3,300 plain statements."""


def rows_of(prepared: Prepared) -> int:
    """About how many rows the statement will be. Inherited keys count in full, without the marks for another source.

    A large text counts as the rows that its bytes are worth, if these are more, because it occupies the writer for as
    long.
    """
    written = max(len(prepared.keys) + 2, len(prepared.rest) // ROW_BYTES)
    return written + (MOST_INHERITED if prepared.refers else 0)


def check_rows(batch: Iterable[Prepared]) -> None:
    """Refuses a request of more than ``MOST_ROWS`` (413), before it reaches the writer."""
    rows = sum(len(prepared.keys) + 2 for prepared in batch)
    if rows > MOST_ROWS:
        raise too_many_rows(rows)


def too_many_rows(rows: int) -> Refused:
    """The refusal (413) of a request with so many *rows*."""
    return Refused(
        f"the statements of this request change {rows} entries in the store, at most {MOST_ROWS} are allowed"
        " (one for each thing a statement can be found by: agents, members of groups, activities; those of what is"
        " voided or referred to count too); send fewer statements at a time",
        status=413,
        error="too_large",
    )


def check_keys(keys: int) -> None:
    """Refuses a statement with more than ``MOST_KEYS`` search keys (400)."""
    if keys > MOST_KEYS:
        raise Refused(
            f"the statement can be found in {keys} ways, at most {MOST_KEYS} are allowed: each agent, member of a"
            " group and activity counts, each agent once more with the verb, the activity and the registration;"
            " name fewer members or activities, or send a statement for each part of the group",
            pointer="",
            error="too_many_keys",
        )
