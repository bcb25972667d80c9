"""What a MongoDB record owes, as a list of sub-documents: pure functions on that list. Knows no connection.

An entry is ``{step, at, due, tries, token, error}``. ``at`` is when it may be claimed (``due``, the end of a lease, or
never while it is put aside); times are microseconds UTC. The document has ``due``, the least ``at``, for its index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from lrs.storage.leases import Ahead, is_alone
from lrs.storage.records import NEWEST, Owed

PARKED = NEWEST
OwedEntry = dict[str, Any]


def owing(entries: Sequence[OwedEntry], more: Iterable[Owed], now: int) -> list[OwedEntry]:
    """*entries* and *more*, which are owed since *now* if they are due at once. See ``Tx.owe``."""
    by_step = {entry["step"]: entry for entry in entries}
    for owed in more:
        old = by_step.get(owed.step)
        at, due = owed.due, owed.due or now
        if owed.parked:
            by_step[owed.step] = _entry(owed.step, PARKED, due, owed.tries, owed.error)
            continue
        if old is not None and old["at"] != PARKED:
            at, due = min(old["due"], at), min(old["due"], due)
        by_step[owed.step] = _entry(owed.step, at, due)
    return list(by_step.values())


def _entry(step: str, at: int, due: int, tries: int = 0, error: str | None = None) -> OwedEntry:
    return {"step": step, "at": at, "due": due, "tries": tries, "token": None, "error": error}


def leased(
    entries: Sequence[OwedEntry], steps: Collection[str], now: int, until: int, tokens: Iterable[str]
) -> list[OwedEntry]:
    """*entries*, with due ones leased while there are *tokens*. Those whose lease ran out are left out."""
    token = iter(tokens)
    changed = []
    for entry in entries:
        free = entry["step"] in steps and entry["at"] <= now and entry["token"] is None
        name = next(token, None) if free else None
        changed.append(entry if name is None else entry | {"at": until, "token": name})
    return changed


def leased_alone(
    entries: Sequence[OwedEntry], steps: Collection[str], now: int, until: int, token: str
) -> list[OwedEntry]:
    """*entries*, with the first one whose lease ran out leased again. If that lease was alone, a try is counted."""
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


def is_locked(entry: OwedEntry, step: str, ahead: Ahead, now: int) -> bool:
    """Whether the entry, of *step*, is further ahead than it can be, and was not put aside."""
    bound = ahead.lease if entry["token"] else ahead.tried if entry["tries"] else ahead.untried
    return entry["step"] == step and bound is not None and now + bound < entry["at"] < PARKED


def without(entries: Sequence[OwedEntry], step: str, token: str) -> list[OwedEntry] | None:
    """*entries* without the one leased with *token*; ``None`` if there is none."""
    rest = [entry for entry in entries if entry["step"] != step or entry["token"] != token]
    return rest if len(rest) < len(entries) else None


def due_again(entries: Sequence[OwedEntry], step: str, now: int) -> list[OwedEntry] | None:
    """*entries* with the one of *step* that was put aside due, and without tries; ``None`` if there is none."""
    aside = [entry for entry in entries if entry["step"] == step and entry["at"] == PARKED]
    return changed(entries, aside.__contains__, lambda _: {"at": 0, "due": now, "tries": 0}) if aside else None


def changed(
    entries: Sequence[OwedEntry], chosen: Callable[[OwedEntry], bool], change: Callable[[OwedEntry], OwedEntry]
) -> list[OwedEntry]:
    """*entries*, with the fields of *change* set in those *chosen*."""
    return [entry | change(entry) if chosen(entry) else entry for entry in entries]


def update_of(entries: Sequence[OwedEntry]) -> dict[str, dict[str, Any]]:
    """The update that sets these entries. ``owed_rev`` is the compare-and-set token of the list."""
    count = {"$inc": {"owed_rev": 1}}
    if not entries:
        return {"$set": {"owed": []}, "$unset": {"due": ""}, **count}
    return {"$set": {"owed": list(entries), "due": min(entry["at"] for entry in entries)}, **count}


def owed_of(entry: OwedEntry) -> Owed:
    """The entry as ``Owed``."""
    return Owed(entry["step"], int(entry["due"]), int(entry["tries"]), entry["error"], parked=entry["at"] == PARKED)
