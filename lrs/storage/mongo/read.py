"""Reads records from a MongoDB collection, inside a transaction or not. Knows no writer.

A record is one flat document. What users chose (``meta``, ``body``) is inside binary values and never a field name, so
none of it can act as an operator. Filters are made of our own strings and integers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from bson.binary import Binary
from pymongo import ASCENDING, DESCENDING
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.cursor import Cursor

from lrs.storage import records
from lrs.storage.mongo.schema import BY_KEY, BY_ORDER
from lrs.storage.records import SMALL_BODY, JoinedPage, Page, Record, RecordName, Walk
from lrs.storage.sizes import check_found

WALK_CAP = 10_000
"""How many entries of the first key one call looks at if further keys must match."""

_SEPARATOR = "\x1f"
_IDS_AT_ONCE = 2_000
_RECORD = {"kind": 1, "id": 1, "seq": 1, "rev": 1, "meta": 1, "keys": 1, "body": 1}
_OWED = {"kind": 1, "id": 1, "rev": 1, "owed": 1, "owed_rev": 1}
_PLACE = {"seq": 1}
_meta = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode
Document = dict[str, Any]


class MongoReader:
    """The questions of ``Reader`` on one collection, in *session* if there is one.

    *note* is called with each document that is read, with what it owes.
    """

    def __init__(
        self,
        records: Collection[Document],
        session: ClientSession | None = None,
        note: Callable[[Document], None] | None = None,
    ) -> None:
        self.records = records
        self.session = session
        self._note = note
        self._fields = _RECORD if note is None else _RECORD | _OWED

    def get(self, kind: str, id: str) -> Record | None:
        """See ``Reader.get``."""
        return self.get_all([(kind, id)]).get((kind, id))

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """See ``Reader.get_many``."""
        return {id: record for (_, id), record in self.get_all((kind, id) for id in ids).items()}

    def get_all(self, wanted: Iterable[RecordName]) -> dict[RecordName, Record]:
        """The records of *wanted* (kind, id) that exist."""
        names = iter(wanted)
        batches = iter(lambda: [name_of(kind, id) for kind, id in islice(names, _IDS_AT_ONCE)], [])
        documents = (one for some in batches for one in self._noted(self._named(some, self._fields)))
        return {(one["kind"], one["id"]): record_of(one) for one in _bounded(documents)}

    def find_any(self, kind: str, keys: Iterable[int]) -> dict[int, list[Record]]:
        """See ``Store.find_any``. Ordered here: the server would sort in its memory."""
        found: dict[int, list[Record]] = {key: [] for key in keys}
        where = {"kind": kind, "keys": {"$in": list(found)}}
        documents = self.records.find(where, self._fields, hint=BY_KEY, batch_size=_IDS_AT_ONCE, session=self.session)
        records = [record_of(document) for document in _bounded(self._noted(documents))]
        for record in sorted(records, key=lambda one: (one.seq, one.id)):
            for key in found.keys() & set(record.keys):
                found[key].append(record)
        return found

    def note_owed(self, wanted: Iterable[RecordName]) -> None:
        """Reads what the records of *wanted* owe, and notes it."""
        names = iter(wanted)
        while some := [name_of(kind, id) for kind, id in islice(names, _IDS_AT_ONCE)]:
            for _ in self._noted(self._named(some, _OWED)):
                pass

    def _named(self, names: Sequence[str], fields: Document) -> Cursor[Document]:
        """The documents with these ``_id``, all in the first batch. A single one is found by equality."""
        where = names[0] if len(names) == 1 else {"$in": names}
        return self.records.find({"_id": where}, fields, batch_size=len(names) + 1, session=self.session)

    def _noted(self, found: Iterable[Document]) -> Iterator[Document]:
        for document in found:
            if self._note is not None:
                self._note(document)
            yield document

    def find(self, walk: Walk) -> Page:
        """See ``Reader.find``."""
        where: Document = {"kind": walk.kind, **_span(walk)}
        order = DESCENDING if walk.newest_first else ASCENDING
        if walk.keys:
            where["keys"] = walk.keys[0]
        if len(walk.keys) > 1:
            return self._find_all(walk, where, order)
        found = self.records.find(
            where,
            self._fields_for(walk),
            sort=[("seq", order), ("_id", order)],
            limit=walk.limit + 1,
            hint=BY_KEY if walk.keys else BY_ORDER,
            session=self.session,
        )
        return _page(walk, self._noted(found))

    def joined(self, walk: Walk) -> JoinedPage | None:
        """See ``Store.joined``."""
        page = self.find(walk)
        sizes = [len(record.body) for record in page.records]
        if sum(sizes) > (walk.most or records.PAGE_BYTES) or max(sizes, default=0) > SMALL_BODY:
            return None
        return JoinedPage(b",".join([record.body for record in page.records]), page.next)

    def _fields_for(self, walk: Walk) -> Document:
        return {name: 1 for name in self._fields if name != "body"} if walk.bare else self._fields

    def _find_all(self, walk: Walk, where: Document, order: int) -> Page:
        """Walks the first key and checks each record for the others, at most ``WALK_CAP`` in one call."""
        found = self.records.aggregate(
            [
                {"$match": where},
                {"$sort": {"seq": order, "_id": order}},
                {"$limit": WALK_CAP},
                {"$match": {"keys": _carrying(walk.keys[1:])}},
                {"$limit": walk.limit + 1},
                {"$project": self._fields_for(walk)},
            ],
            hint=BY_KEY,
            session=self.session,
        )
        page = _page(walk, self._noted(found))
        return page if page.next else Page(page.records, self._end_of_walk(where, order))

    def _end_of_walk(self, where: Document, order: int) -> str | None:
        """Where a walk that met its limit stopped; ``None`` if it had come to the end."""
        last = list(
            self.records.find(
                where,
                _PLACE | {"id": 1},
                sort=[("seq", order), ("_id", order)],
                skip=WALK_CAP - 1,
                limit=2,
                hint=BY_KEY,
                session=self.session,
            )
        )
        return _place(last[0]) if len(last) > 1 else None

    def count(self, kind: str, keys: Sequence[int] = ()) -> int:
        """See ``Store.count``."""
        where: Document = {"kind": kind, "keys": _carrying(keys)} if keys else {"kind": kind}
        return self.records.count_documents(where, hint=BY_KEY if keys else BY_ORDER, session=self.session)


def name_of(kind: str, id: str) -> str:
    """The ``_id`` of a record's document."""
    return kind + _SEPARATOR + id


def record_of(document: Mapping[str, Any]) -> Record:
    """The record in a document."""
    return Record(
        document["kind"],
        document["id"],
        bytes(document.get("body", b"")),
        _meta.decode(document["meta"]),
        tuple(int(key) for key in document["keys"]),
        (),
        int(document["seq"]),
        int(document["rev"]),
    )


def fields_of(record: Record) -> Document:
    """The fields that a change of a record sets in its document."""
    return {
        "seq": record.seq,
        "rev": record.rev,
        "meta": Binary(_encode(record.meta)),
        "keys": list(record.keys),
        "body": Binary(record.body),
    }


def _span(walk: Walk) -> Document:
    after, until = walk.after, walk.until
    if walk.start is None:
        return {"seq": {"$gt": after, "$lte": until}}
    digits, _, id = walk.start.partition(".")
    seq = int(digits)
    beyond = "$lt" if walk.newest_first else "$gt"
    # The range on `seq` limits the walk of the index. The `$or` only applies to records with the same first `seq`.
    edge = {"$gt": after, "$lte": min(until, seq)} if walk.newest_first else {"$gt": max(after, seq - 1), "$lte": until}
    return {"seq": edge, "$or": [{"seq": {beyond: seq}}, {"_id": {beyond: name_of(walk.kind, id)}}]}


def _carrying(keys: Sequence[int]) -> Document:
    """The condition on ``keys``: all of them, and none of those given as ``~key``."""
    wanted, unwanted = [key for key in keys if key >= 0], [~key for key in keys if key < 0]
    return {name: some for name, some in (("$all", wanted), ("$nin", unwanted)) if some}


def _bounded(found: Iterable[Document]) -> Iterator[Document]:
    """The same. Raises ``Refused`` once they are together too large."""
    size = 0
    for document in found:
        check_found(size := size + len(document["body"]))
        yield document


def _page(walk: Walk, found: Iterable[Document]) -> Page:
    """The first documents, as many as *walk* allows, and whether there are more."""
    limit, most = walk.limit, walk.most or records.PAGE_BYTES
    documents: list[Document] = []
    size = 0
    for document in found:
        documents.append(document)
        size += len(document.get("body", b"")) + len(document["meta"]) + 8 * len(document["keys"])
        if len(documents) > limit or size > most:
            del documents[limit:]
            return Page(tuple(map(record_of, documents)), _place(documents[-1]))
    return Page(tuple(map(record_of, documents)))


def _place(document: Document) -> str:
    return f"{int(document['seq'])}.{document['id']}"
