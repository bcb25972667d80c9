"""The list of persons that may be one, for people to decide on. Knows no persons, only pairs of identifiers."""

from __future__ import annotations

import msgspec

from lrs.kernel.names import name
from lrs.storage import Record, Tx
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.statements.identity import Identifier


class Suggestion(msgspec.Struct, frozen=True):
    """Two identifiers (by name) that may be one person's, why, and who said so; *conflict*: and what speaks against."""

    v: int
    identifiers: tuple[str, str]
    reason: str
    source: str
    conflict: str | None = None


def suggestion_id(first: str, second: str) -> str:
    """The id of what suggests that the identifiers *first* and *second*, in order, are one person's."""
    return name("suggestion", first, second)


def suggest(
    tx: Tx, one: Identifier, other: Identifier, reason: str, *, source: str, conflict: str | None = None
) -> None:
    """Puts the pair on the list, once; a conflict found later is added to what stands there.

    One that was dismissed stays so, unless the conflict is a new one: that is more than whoever dismissed it knew.
    """
    first, second = sorted((one.id, other.id))
    suggestion = Suggestion(1, (first, second), reason, source, conflict)
    record = Record("suggestion", suggestion_id(first, second), msgspec.json.encode(suggestion))
    there = tx.get("suggestion", record.id)
    if there is None:
        tx.insert(record)
    elif conflict and there.body != record.body:
        is_known = msgspec.json.decode(there.body, type=Suggestion).conflict == conflict
        tx.replace(msgspec.structs.replace(there, body=record.body, meta=there.meta if is_known else {}))


def _pair(record: Record) -> Subjects:
    return subjects(identifiers=msgspec.json.decode(record.body, type=Suggestion).identifiers)


KINDS = (Kind("suggestion", "fact", Suggestion, 1, subjects=_pair, retention="evidence", exported=True),)
"""A fact, though it comes from statements: whoever dismissed it decided something."""
