"""Owed work on MongoDB outside the order: leasing entries, handing them back, looking at what waits.

None of it draws a place in the order, so none of it holds the head: each change is one document's, by compare-and-set
on ``owed_rev``. A group that changes the same document meanwhile meets a write conflict and is run again. Clearing
entries belongs to the facts that follow from them and is done by the transaction. Knows no queue.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from pymongo import ReturnDocument, UpdateOne
from pymongo.collection import Collection as Records

from lrs import storage
from lrs.storage import Backlog, Claim, Clock, Owed, Record
from lrs.storage.leases import Ahead, new_token
from lrs.storage.mongo.entries import PARKED, Entry, changed, is_locked, leased, leased_alone, owed_of, update_of
from lrs.storage.mongo.read import Document, name_of, record_of
from lrs.storage.mongo.schema import BY_ID, BY_STEP

_ANY_STEP: Document = {"owed.step": {"$gte": ""}, "due": {"$gte": 0}}
_DUE: Document = {"owed": 1, "owed_rev": 1, "size": {"$binarySize": "$body"}}
_BACKLOG: list[Document] = [
    {"$match": _ANY_STEP},
    {"$unwind": "$owed"},
    {
        "$group": {
            "_id": "$owed.step",
            "waiting": {"$sum": {"$cond": [{"$lt": ["$owed.at", PARKED]}, 1, 0]}},
            "parked": {"$sum": {"$cond": [{"$lt": ["$owed.at", PARKED]}, 0, 1]}},
            "oldest": {"$min": {"$cond": [{"$lt": ["$owed.at", PARKED]}, "$owed.due", None]}},
        }
    },
    {"$sort": {"_id": 1}},
]


class MongoOwed:
    """What records of one collection owe."""

    def __init__(self, records: Records[Document], clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def claim(self, steps: Sequence[str], *, limit: int, lease: int) -> list[Claim]:
        """See ``Store.claim``. Takes a shuffled choice of what is due, so that workers seldom want the same."""
        now = self._clock()
        due: dict[str, Document] = {}
        for step in dict.fromkeys(steps):
            due.update((found["_id"], found) for found in self._due(step, now, 4 * limit, {"token": None}))
        found = list(due.values())
        random.shuffle(found)
        chosen: list[tuple[Document, Sequence[Entry]]] = []
        tokens: set[str] = set()
        size = 0
        for document in found:
            if len(tokens) >= limit or size > storage.PAGE_BYTES:
                break
            some = [new_token().hex() for _ in range(min(limit - len(tokens), len(document["owed"])))]
            entries = leased(document["owed"], steps, now, now + lease, some)
            tokens.update(entry["token"] for entry in entries if entry["token"] in some)
            size += int(document["size"])
            chosen.append((document, entries))
        return self._lease(chosen, tokens)

    def claim_lost(self, steps: Sequence[str], *, lease: int) -> Claim | None:
        """See ``Store.claim_lost``."""
        now = self._clock()
        found = [one for step in steps for one in self._due(step, now, 8, {"token": {"$ne": None}})]
        random.shuffle(found)
        for document in found:
            token = new_token(alone=True).hex()
            entries = leased_alone(document["owed"], steps, now, now + lease, token)
            for claim in self._lease([(document, entries)], {token}):
                return claim
        return None

    def _lease(self, chosen: Iterable[tuple[Document, Sequence[Entry]]], tokens: Collection[str]) -> list[Claim]:
        """Gives the documents their *entries*, if they owe what they owed; the claims are those with *tokens*."""
        writes = {
            found["_id"]: UpdateOne({"_id": found["_id"], "owed_rev": found["owed_rev"]}, update_of(entries))
            for found, entries in chosen
        }
        if not writes:
            return []
        self._records.bulk_write(list(writes.values()), ordered=False)
        leased = self._records.find({"_id": {"$in": list(writes)}}, hint=BY_ID, batch_size=len(writes) + 1)
        return [
            Claim(record_of(document), owed_of(entry), entry["token"])
            for document in leased
            for entry in document["owed"]
            if entry["token"] in tokens
        ]

    def locked(self, step: str, ahead: Ahead) -> int:
        """See ``Store.locked``."""
        return len(self._locked(step, ahead, self._clock()))

    def unlock(self, step: str, ahead: Ahead) -> int:
        """See ``Store.unlock``."""
        now = self._clock()
        return sum(
            self._change(
                {"_id": name, **_ahead(step, now + ahead.least)},
                lambda entry: is_locked(entry, step, ahead, now),
                lambda entry: {"at": 0, "due": min(entry["due"], now), "token": None},
            )
            for name in self._locked(step, ahead, now)
        )

    def _locked(self, step: str, ahead: Ahead, now: int) -> list[str]:
        found = self._records.find(_ahead(step, now + ahead.least), {"owed": 1}, hint=BY_STEP)
        return [one["_id"] for one in found if any(is_locked(entry, step, ahead, now) for entry in one["owed"])]

    def defer(self, claim: Claim, *, due: int, error: str | None, parked: bool) -> bool:
        """See ``Store.defer``."""
        at = PARKED if parked else due
        return self._change(
            _held(claim),
            lambda entry: entry["step"] == claim.owed.step and entry["token"] == claim.token,
            lambda entry: {"at": at, "due": due, "tries": entry["tries"] + 1, "error": error, "token": None},
        )

    def holds(self, claim: Claim) -> bool:
        """See ``Store.holds``."""
        return self._records.find_one(_held(claim), {"_id": 1}) is not None

    def backlog(self) -> list[Backlog]:
        """See ``Store.backlog``."""
        return [
            Backlog(row["_id"], int(row["waiting"]), int(row["parked"]), _int_or_none(row["oldest"]))
            for row in self._records.aggregate(_BACKLOG, hint=BY_STEP)
        ]

    def is_due(self, steps: Sequence[str]) -> bool:
        """See ``Store.is_due``."""
        now = self._clock()
        return any(self._due(step, now, 1, {}) for step in steps)

    def next_due(self, steps: Sequence[str]) -> int | None:
        """See ``Store.next_due``. Records are in the order of their first entry, of whichever step."""
        found: list[Document] = []
        for step in steps:
            where = {"owed.step": step, "due": {"$lt": PARKED}}
            found += self._records.find(where, {"due": 1}, hint=BY_STEP, sort=[("due", 1)], limit=1)
        return min((int(one["due"]) for one in found), default=None)

    def failing(self, step: str | None, *, limit: int) -> list[tuple[Record, Owed]]:
        """See ``Store.failing``."""
        return self._entries(_failing(step), lambda entry: _is_failing(entry, step), limit)

    def parked(self, step: str | None, *, limit: int) -> list[tuple[Record, Owed]]:
        """See ``Store.parked``."""
        return self._entries(_parked(step), lambda entry: _is_parked(entry, step), limit)

    def retry(self, step: str | None, *, kind: str | None, id: str | None) -> int:
        """See ``Store.retry``."""
        now = self._clock()
        where = _parked(step) | {name: value for name, value in (("kind", kind), ("id", id)) if value is not None}
        entries = [
            (document["_id"], entry["step"])
            for document in self._records.find(where, {"owed": 1}, hint=BY_STEP)
            for entry in document["owed"]
            if _is_parked(entry, step)
        ]
        return sum(self._revive(name, chosen, now) for name, chosen in entries)

    def _revive(self, name: str, step: str, now: int) -> bool:
        return self._change(
            {"_id": name, "owed": {"$elemMatch": {"step": step, "at": PARKED}}},
            lambda entry: _is_parked(entry, step),
            lambda _: {"at": 0, "due": now, "tries": 0},
        )

    def _entries(self, where: Document, chosen: Callable[[Entry], bool], limit: int) -> list[tuple[Record, Owed]]:
        found = self._records.find(where, hint=BY_STEP, limit=limit)
        entries = ((document, entry) for document in found for entry in document["owed"] if chosen(entry))
        return [(record_of(document), owed_of(entry)) for document, entry in entries][:limit]

    def _due(self, step: str, now: int, limit: int, which: Document) -> list[Document]:
        entry = {"step": step, "at": {"$lte": now}, **which}
        where = {"owed.step": step, "due": {"$lte": now}, "owed": {"$elemMatch": entry}}
        return list(self._records.find(where, _DUE, hint=BY_STEP, limit=limit, batch_size=limit + 1))

    def _change(self, where: Document, chosen: Callable[[Entry], bool], change: Callable[[Entry], Entry]) -> bool:
        """Changes the entries of a document as long as *where* finds it; ``False`` once it does not."""
        while found := self._records.find_one(where, {"owed": 1, "owed_rev": 1}, hint=BY_ID):
            if self._set(found, changed(found["owed"], chosen, change)) is not None:
                return True
        return False

    def _set(self, found: Document, entries: Sequence[Entry]) -> Record | None:
        """The record as it is now, if its entries were still those *found*."""
        changed = self._records.find_one_and_update(
            {"_id": found["_id"], "owed_rev": found["owed_rev"]},
            update_of(entries),
            hint=BY_ID,
            return_document=ReturnDocument.AFTER,
        )
        return None if changed is None else record_of(changed)


def _ahead(step: str, least: int) -> Document:
    """Records with an entry of *step* that is for a time after *least*."""
    return _with_entry({"at": {"$gt": least, "$lt": PARKED}}, step)


def _held(claim: Claim) -> Document:
    """The record of *claim*, as long as its lease stands."""
    return {
        "_id": name_of(claim.record.kind, claim.record.id),
        "owed": {"$elemMatch": {"step": claim.owed.step, "token": claim.token}},
    }


def _parked(step: str | None) -> Document:
    return _with_entry({"at": PARKED}, step)


def _failing(step: str | None) -> Document:
    return _with_entry({"at": {"$lt": PARKED}, "error": {"$ne": None}}, step)


def _with_entry(where: Document, step: str | None) -> Document:
    if step is None:
        return {**_ANY_STEP, "owed": {"$elemMatch": where}}
    return {**_ANY_STEP, "owed": {"$elemMatch": where | {"step": step}}, "owed.step": step}


def _is_failing(entry: Entry, step: str | None) -> bool:
    return entry["at"] < PARKED and entry["error"] is not None and step in {None, entry["step"]}


def _is_parked(entry: Entry, step: str | None) -> bool:
    return entry["at"] == PARKED and step in {None, entry["step"]}


def _int_or_none(value: Any) -> int | None:
    return None if value is None else int(value)
