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
BY_HAND = "kept apart by hand"
"""The reason of a pair that nothing suggested, and that somebody keeps apart."""


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
    record = _record(Suggestion(1, _ordered(one, other), reason, source, conflict))
    there = tx.get(KIND, record.id)
    if there is None:
        tx.insert(record)
        return
    known = read(there)
    if there.body != record.body and (conflict or known.reason == BY_HAND):
        stays = conflict in {None, known.conflict}
        tx.replace(msgspec.structs.replace(there, body=record.body, keys=record.keys, meta=there.meta if stays else {}))


def _ordered(one: Identifier, other: Identifier) -> tuple[str, str]:
    first, second = sorted((one.id, other.id))
    return first, second


def _record(one: Suggestion) -> Record:
    id, keys = suggestion_id(*one.identifiers), suggestion_keys(*one.identifiers)
    return Record(KIND, id, msgspec.json.encode(one), keys=keys)


def read(record: Record) -> Suggestion:
    """The suggestion in *record*."""
    return msgspec.json.decode(record.body, type=Suggestion)


def is_dismissed(record: Record) -> bool:
    """Whether somebody decided that the suggestion in *record* is wrong."""
    return "dismissed" in record.meta


def note_apart(tx: Tx, one: Identifier, other: Identifier, conflict: str | None, by: str) -> None:
    """Remembers that somebody keeps a pair apart that nothing suggests."""
    record = _record(Suggestion(1, _ordered(one, other), BY_HAND, "", conflict))
    tx.insert(msgspec.structs.replace(record, meta={"dismissed": by}))


def mark(tx: Tx, record: Record, dismissed_by: str | None) -> bool:
    """Takes a suggestion off the list, or puts it back; ``False`` if nothing suggested it, and it is forgotten."""
    if dismissed_by is None and read(record).reason == BY_HAND:
        tx.delete(KIND, record.id)
        return False
    tx.replace(msgspec.structs.replace(record, meta={"dismissed": dismissed_by} if dismissed_by else {}))
    return True


def _pair(record: Record) -> Subjects:
    return subjects(identifiers=read(record).identifiers)


def _shown(record: Record, whose: Whose) -> dict[str, Any]:
    one = read(record)
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
