"""The list of persons that may be one, for people to decide on. Knows only pairs of identifiers.

A suggestion has its two identifiers as search keys, so the list may be long.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.storage import Record, Tx
from lrs.storage.about import Whose, by_keys, shown_as
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.statements.identity import Identifier

KIND = "suggestion"


class Suggestion(msgspec.Struct, frozen=True):
    """Two identifiers (by id) that may be one person's: the reason, and the source. *conflict* speaks against it."""

    v: int
    identifiers: tuple[str, str]
    reason: str
    source: str
    conflict: str | None = None


def suggestion_id(first: str, second: str) -> str:
    """The id of the suggestion for the identifiers *first* and *second*, in this order."""
    return name(KIND, first, second)


def suggestion_keys(first: str, second: str) -> tuple[int, int]:
    """The search keys of the suggestion for the identifiers *first* and *second*."""
    return about_key(first), about_key(second)


def about_key(identifier: str) -> int:
    """The search key of the suggestions about *identifier* (by id)."""
    return key(KIND, identifier)


def suggest(
    tx: Tx, one: Identifier, other: Identifier, reason: str, *, source: str, conflict: str | None = None
) -> None:
    """Puts the pair on the list, once. A conflict that is found later is added to it.

    A dismissed suggestion stays dismissed, unless the conflict is new, because whoever dismissed it did not know of it.
    """
    first, second = sorted((one.id, other.id))
    suggestion = Suggestion(1, (first, second), reason, source, conflict)
    id, keys = suggestion_id(first, second), suggestion_keys(first, second)
    record = Record(KIND, id, msgspec.json.encode(suggestion), keys=keys)
    there = tx.get(KIND, id)
    if there is None:
        tx.insert(record)
    elif conflict and there.body != record.body:
        is_known = msgspec.json.decode(there.body, type=Suggestion).conflict == conflict
        tx.replace(msgspec.structs.replace(there, body=record.body, keys=keys, meta=there.meta if is_known else {}))


def _pair(record: Record) -> Subjects:
    return subjects(identifiers=msgspec.json.decode(record.body, type=Suggestion).identifiers)


def _shown(record: Record, whose: Whose) -> dict[str, Any]:
    one = msgspec.json.decode(record.body, type=Suggestion)
    mine = [id for id in one.identifiers if id in whose.identifiers]
    return shown_as(record, {"identifiers": mine, "reason": one.reason, "source": one.source})


KINDS = (
    Kind(
        KIND,
        "fact",
        Suggestion,
        1,
        subjects=_pair,
        retention="evidence",
        exported=True,
        find=by_keys(KIND, lambda whose: map(about_key, whose.identifiers)),
        shown=_shown,
    ),
)
"""A suggestion is a fact, although it comes from statements, because dismissing it is a decision."""
