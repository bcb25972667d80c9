"""Owed work on MongoDB without a place in the order: leasing entries, handing them back, looking at what waits.

None of this draws a place in the order, so none of it holds the head. Each change is of one document, by
compare-and-set on ``owed_rev``. A group that changes the same document meanwhile gets a write conflict and is run
again. The transaction clears entries, together with the facts that follow from them. Knows no queue.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from pymongo import ASCENDING, ReturnDocument, UpdateOne
from pymongo.collection import Collection as Records

from lrs.storage import records
from lrs.storage.leases import Ahead, first_leased, new_token
from lrs.storage.mongo.entries import PARKED, OwedEntry, changed, is_locked, leased, leased_alone, owed_of, update_of
from lrs.storage.mongo.link import answering
from lrs.storage.mongo.read import Document, name_of, record_of
from lrs.storage.mongo.schema import BY_ID, BY_STEP
from lrs.storage.records import Backlog, Claim, Clock, Owed, Record

_ANY_STEP: Document = {"owed.step": {"$gte": ""}, "due": {"$gte": 0}}
_DUE: Document = {"seq": 1, "due": 1, "owed": 1, "owed_rev": 1, "size": {"$binarySize": "$body"}}
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
    """The part of ``Store`` about owed work."""

    def __init__(self, records: Records[Document], clock: Clock) -> None:
        self._records = records
        self._clock = clock

    @answering()
    def claim(
        self, steps: Sequence[str], *, limit: int, lease: int, oldest: bool = False, without: Sequence[int] = ()
    ) -> list[Claim]:
        """See ``Store.claim``. Takes a random choice of what is due, so that workers seldom choose the same."""
        now = self._clock()
        due: dict[str, Document] = {}
        for step in dict.fromkeys(steps):
            due.update((found["_id"], found) for found in self._due(step, now, 4 * limit, {"token": None}, without))
        found = list(due.values())
        random.shuffle(found)
        if oldest:
            found.sort(key=lambda one: (one["due"], one["seq"]))
        chosen: list[tuple[Document, Sequence[OwedEntry]]] = []
        tokens: set[str] = set()
        size = 0
        for document in found:
            if len(tokens) >= limit or size > records.PAGE_BYTES:
                break
            some = [new_token().hex() for _ in range(min(limit - len(tokens), len(document["owed"])))]
            entries = leased(document["owed"], steps, now, now + lease, some)
            tokens.update(entry["token"] for entry in entries if entry["token"] in some)
            size += int(document["size"])
            chosen.append((document, entries))
        return self._lease(chosen, tokens)

    @answering()
    def claim_lost(self, steps: Sequence[str], *, lease: int, without: Sequence[int] = ()) -> Claim | None:
        """See ``Store.claim_lost``."""
        now = self._clock()

        def look() -> list[Document]:
            return [one for step in steps for one in self._due(step, now, 8, {"token": {"$ne": None}}, without)]

        def lease_one(document: Document) -> list[Claim]:
            token = new_token(alone=True).hex()
            return self._lease([(document, leased_alone(document["owed"], steps, now, now + lease, token))], {token})

        return first_leased(look, lease_one)

    def _lease(self, chosen: Iterable[tuple[Document, Sequence[OwedEntry]]], tokens: Collection[str]) -> list[Claim]:
        """Sets *entries* in the documents whose entries did not change. Gives the claims with *tokens*."""
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

    @answering()
    def locked(self, step: str, ahead: Ahead) -> int:
        """See ``Store.locked``."""
        return len(self._locked(step, ahead, self._clock()))

    @answering()
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

    @answering()
    def defer(self, claim: Claim, *, due: int, error: str | None, parked: bool = False) -> bool:
        """See ``Store.defer``."""
        at = PARKED if parked else due
        return self._change(
            _held(claim),
            lambda entry: entry["step"] == claim.owed.step and entry["token"] == claim.token,
            lambda entry: {"at": at, "due": due, "tries": entry["tries"] + 1, "error": error, "token": None},
        )

    @answering()
    def release(self, claims: Sequence[Claim]) -> None:
        """See ``Store.release``."""
        change = {"$set": {"owed.$.at": 0, "owed.$.token": None, "due": 0}, "$inc": {"owed_rev": 1}}
        if claims:
            self._records.bulk_write([UpdateOne(_held(claim), change) for claim in claims], ordered=False)

    @answering()
    def holds(self, claim: Claim) -> bool:
        """See ``Store.holds``."""
        return self._records.find_one(_held(claim), {"_id": 1}) is not None

    @answering()
    def backlog(self) -> list[Backlog]:
        """See ``Store.backlog``."""
        return [
            Backlog(row["_id"], int(row["waiting"]), int(row["parked"]), _int_or_none(row["oldest"]))
            for row in self._records.aggregate(_BACKLOG, hint=BY_STEP)
        ]

    @answering()
    def is_due(self, steps: Sequence[str]) -> bool:
        """See ``Store.is_due``."""
        now = self._clock()
        return any(self._due(step, now, 1, {}) for step in steps)

    @answering()
    def next_due(self, steps: Sequence[str]) -> int | None:
        """See ``Store.next_due``. The order of records is by their first entry, of any step."""
        found: list[Document] = []
        for step in steps:
            where = {"owed.step": step, "due": {"$lt": PARKED}}
            found += self._records.find(where, {"due": 1}, hint=BY_STEP, sort=[("due", 1)], limit=1)
        return min((int(one["due"]) for one in found), default=None)

    @answering()
    def failing(self, step: str | None = None, *, limit: int = 100) -> list[tuple[Record, Owed]]:
        """See ``Store.failing``."""
        return self._entries(_failing(step), lambda entry: _is_failing(entry, step), limit)

    @answering()
    def parked(self, step: str | None = None, *, limit: int = 100) -> list[tuple[Record, Owed]]:
        """See ``Store.parked``."""
        return self._entries(_parked(step), lambda entry: _is_parked(entry, step), limit)

    def _entries(self, where: Document, chosen: Callable[[OwedEntry], bool], limit: int) -> list[tuple[Record, Owed]]:
        found = self._records.find(where, hint=BY_STEP, limit=limit)
        entries = ((document, entry) for document in found for entry in document["owed"] if chosen(entry))
        return [(record_of(document), owed_of(entry)) for document, entry in entries][:limit]

    def _due(self, step: str, now: int, limit: int, which: Document, without: Sequence[int] = ()) -> list[Document]:
        entry = {"step": step, "at": {"$lte": now}, **which}
        where = {"owed.step": step, "due": {"$lte": now}, "owed": {"$elemMatch": entry}}
        if without:
            where["keys"] = {"$nin": list(without)}
        order = [("due", ASCENDING)]
        return list(self._records.find(where, _DUE, sort=order, hint=BY_STEP, limit=limit, batch_size=limit + 1))

    def _change(
        self, where: Document, chosen: Callable[[OwedEntry], bool], change: Callable[[OwedEntry], OwedEntry]
    ) -> bool:
        """Changes the entries of a document as long as *where* finds it. ``False`` when it does not."""
        while found := self._records.find_one(where, {"owed": 1, "owed_rev": 1}, hint=BY_ID):
            if self._set(found, changed(found["owed"], chosen, change)) is not None:
                return True
        return False

    def _set(self, found: Document, entries: Sequence[OwedEntry]) -> Record | None:
        """The record as it is now, if its entries were still those in *found*."""
        changed = self._records.find_one_and_update(
            {"_id": found["_id"], "owed_rev": found["owed_rev"]},
            update_of(entries),
            hint=BY_ID,
            return_document=ReturnDocument.AFTER,
        )
        return None if changed is None else record_of(changed)


def _ahead(step: str, least: int) -> Document:
    """Records with an entry of *step* due after *least*."""
    return _with_entry({"at": {"$gt": least, "$lt": PARKED}}, step)


def _held(claim: Claim) -> Document:
    """The record of *claim*, as long as its lease is valid."""
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


def _is_failing(entry: OwedEntry, step: str | None) -> bool:
    return entry["at"] < PARKED and entry["error"] is not None and step in {None, entry["step"]}


def _is_parked(entry: OwedEntry, step: str | None) -> bool:
    return entry["at"] == PARKED and step in {None, entry["step"]}


def _int_or_none(value: Any) -> int | None:
    return None if value is None else int(value)
