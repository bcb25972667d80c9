"""What a MongoDB record owes, as a list of sub-documents: pure changes to that list. Knows no connection.

An entry is ``{step, at, due, tries, token, error}``: ``at`` is when it may be claimed (``due``, the end of a lease, or
never while it is parked), times in microseconds UTC. The document carries ``due``, the least ``at``, for its index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from lrs.storage import NEWEST, Owed
from lrs.storage.leases import Ahead, is_alone

PARKED = NEWEST
Entry = dict[str, Any]


def owing(entries: Sequence[Entry], more: Iterable[Owed], now: int) -> list[Entry]:
    """*entries* and *more*, which are owed since *now* if they are due at once; see ``Tx.owe``."""
    by_step = {entry["step"]: entry for entry in entries}
    for owed in more:
        old = by_step.get(owed.step)
        at, due = owed.due, owed.due or now
        if old is not None and old["at"] != PARKED:
            at, due = min(old["due"], at), min(old["due"], due)
        by_step[owed.step] = {"step": owed.step, "at": at, "due": due, "tries": 0, "token": None, "error": None}
    return list(by_step.values())


def leased(
    entries: Sequence[Entry], steps: Collection[str], now: int, until: int, tokens: Iterable[str]
) -> list[Entry]:
    """*entries* with those due leased, as long as there are *tokens*; those whose lease ran out are left alone."""
    token = iter(tokens)
    changed = []
    for entry in entries:
        free = entry["step"] in steps and entry["at"] <= now and entry["token"] is None
        name = next(token, None) if free else None
        changed.append(entry if name is None else entry | {"at": until, "token": name})
    return changed


def leased_alone(entries: Sequence[Entry], steps: Collection[str], now: int, until: int, token: str) -> list[Entry]:
    """*entries* with the first of those leased whose lease ran out; its tries count one that was by itself."""
    changed, free = [], True
    for entry in entries:
        lost = entry["step"] in steps and entry["at"] <= now and entry["token"] is not None
        if free and lost:
            tries = entry["tries"] + is_alone(bytes.fromhex(entry["token"]))
            changed.append(entry | {"at": until, "token": token, "tries": tries})
            free = False
        else:
            changed.append(entry)
    return changed


def is_locked(entry: Entry, step: str, ahead: Ahead, now: int) -> bool:
    """Whether the entry, of *step*, lies further ahead than it can, and is not parked."""
    bound = ahead.lease if entry["token"] else ahead.tried if entry["tries"] else ahead.untried
    return entry["step"] == step and bound is not None and now + bound < entry["at"] < PARKED


def without(entries: Sequence[Entry], step: str, token: str) -> list[Entry] | None:
    """*entries* less the one leased with *token*; ``None`` if there is none such."""
    rest = [entry for entry in entries if entry["step"] != step or entry["token"] != token]
    return rest if len(rest) < len(entries) else None


def changed(entries: Sequence[Entry], chosen: Callable[[Entry], bool], change: Callable[[Entry], Entry]) -> list[Entry]:
    """*entries*, those *chosen* with the fields of their *change*."""
    return [entry | change(entry) if chosen(entry) else entry for entry in entries]


def update_of(entries: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    """The update that gives a record these entries; ``owed_rev`` is the compare-and-set token of the list."""
    count = {"$inc": {"owed_rev": 1}}
    if not entries:
        return {"$set": {"owed": []}, "$unset": {"due": ""}, **count}
    return {"$set": {"owed": list(entries), "due": min(entry["at"] for entry in entries)}, **count}


def owed_of(entry: Entry) -> Owed:
    """The entry as the contract shows it."""
    return Owed(entry["step"], int(entry["due"]), int(entry["tries"]), entry["error"], parked=entry["at"] == PARKED)
