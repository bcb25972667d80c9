"""Reading records from a MongoDB collection, inside a transaction or not. Knows no writer.

A record is one flat document: what users chose (``meta``, ``body``) is inside binary values, never a field name, so no
key of theirs can be an operator. Filters are made of our own strings and integers only.
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

from lrs import storage
from lrs.storage import NEWEST, Page, Record
from lrs.storage.mongo.schema import BY_KEY, BY_ORDER
from lrs.storage.sizes import check_found

WALK_CAP = 10_000
"""How many entries of the first key one call looks at when further keys must hold as well."""

_SEPARATOR = "\x1f"
_IDS_AT_ONCE = 2_000
_RECORD = {"kind": 1, "id": 1, "seq": 1, "rev": 1, "meta": 1, "keys": 1, "body": 1}
_OWED = {"kind": 1, "id": 1, "rev": 1, "owed": 1, "owed_rev": 1}
_PLACE = {"seq": 1}
_meta = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode
Document = dict[str, Any]
Name = tuple[str, str]
"""The kind and the id of a record."""
Bounds = tuple[int, int]


class MongoReader:
    """The questions of ``Reader`` on one collection, in *session* if there is one.

    *note* is given each document that is read, with what it owes.
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

    def get_all(self, wanted: Iterable[Name]) -> dict[Name, Record]:
        """The records of *wanted* (kind, id) that exist."""
        names = iter(wanted)
        records: dict[Name, Record] = {}
        size = 0
        while some := [name_of(kind, id) for kind, id in islice(names, _IDS_AT_ONCE)]:
            for document in self._noted(self._named(some, self._fields)):
                records[document["kind"], document["id"]] = record_of(document)
                check_found(size := size + len(document["body"]))
        return records

    def note_owed(self, wanted: Iterable[Name]) -> None:
        """Reads what the records of *wanted* owe, and has it noted."""
        names = iter(wanted)
        while some := [name_of(kind, id) for kind, id in islice(names, _IDS_AT_ONCE)]:
            for _ in self._noted(self._named(some, _OWED)):
                pass

    def _named(self, names: Sequence[str], fields: Document) -> Cursor[Document]:
        """The documents with these ``_id``, all in the first answer. One alone is asked for by an equality."""
        where = names[0] if len(names) == 1 else {"$in": names}
        return self.records.find({"_id": where}, fields, batch_size=len(names) + 1, session=self.session)

    def _noted(self, found: Iterable[Document]) -> Iterator[Document]:
        for document in found:
            if self._note is not None:
                self._note(document)
            yield document

    def find(
        self,
        kind: str,
        keys: Sequence[int] = (),
        *,
        after: int = 0,
        until: int = NEWEST,
        newest_first: bool = False,
        limit: int = 100,
        start: str | None = None,
        most: int | None = None,
    ) -> Page:
        """See ``Reader.find``."""
        where: Document = {"kind": kind, **_span(kind, after, until, newest_first=newest_first, start=start)}
        order = DESCENDING if newest_first else ASCENDING
        if keys:
            where["keys"] = keys[0]
        if len(keys) > 1:
            return self._find_all(where, keys[1:], order, (limit, most or storage.PAGE_BYTES))
        found = self.records.find(
            where,
            self._fields,
            sort=[("seq", order), ("_id", order)],
            limit=limit + 1,
            hint=BY_KEY if keys else BY_ORDER,
            session=self.session,
        )
        return _page(self._noted(found), (limit, most or storage.PAGE_BYTES))

    def _find_all(self, where: Document, others: Sequence[int], order: int, bounds: Bounds) -> Page:
        """Walks the first key and looks at each record for the others, at most ``WALK_CAP`` a call."""
        found = self.records.aggregate(
            [
                {"$match": where},
                {"$sort": {"seq": order, "_id": order}},
                {"$limit": WALK_CAP},
                {"$match": {"keys": _carrying(others)}},
                {"$limit": bounds[0] + 1},
                {"$project": self._fields},
            ],
            hint=BY_KEY,
            session=self.session,
        )
        page = _page(self._noted(found), bounds)
        return page if page.next else Page(page.records, self._end_of_walk(where, order))

    def _end_of_walk(self, where: Document, order: int) -> str | None:
        """Where a walk that met its cap stopped; ``None`` if it had come to the end."""
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
        bytes(document["body"]),
        _meta.decode(document["meta"]),
        tuple(int(key) for key in document["keys"]),
        (),
        int(document["seq"]),
        int(document["rev"]),
    )


def fields_of(record: Record) -> Document:
    """What a change of a record sets in its document."""
    return {
        "seq": record.seq,
        "rev": record.rev,
        "meta": Binary(_encode(record.meta)),
        "keys": list(record.keys),
        "body": Binary(record.body),
    }


def _span(kind: str, after: int, until: int, *, newest_first: bool, start: str | None) -> Document:
    if start is None:
        return {"seq": {"$gt": after, "$lte": until}}
    digits, _, id = start.partition(".")
    seq = int(digits)
    beyond = "$lt" if newest_first else "$gt"
    # The range on `seq` bounds the walk of the index; the alternative only looks at those that share the first one.
    edge = {"$gt": after, "$lte": min(until, seq)} if newest_first else {"$gt": max(after, seq - 1), "$lte": until}
    return {"seq": edge, "$or": [{"seq": {beyond: seq}}, {"_id": {beyond: name_of(kind, id)}}]}


def _carrying(keys: Sequence[int]) -> Document:
    """The condition on ``keys``: all of them, and none of those given as ``~key``."""
    wanted, unwanted = [key for key in keys if key >= 0], [~key for key in keys if key < 0]
    return {name: some for name, some in (("$all", wanted), ("$nin", unwanted)) if some}


def _page(found: Iterable[Document], bounds: Bounds) -> Page:
    """The first documents, as many as *bounds* (documents, bytes) allow, and whether there are more."""
    limit, most = bounds
    documents: list[Document] = []
    size = 0
    for document in found:
        documents.append(document)
        size += len(document["body"]) + len(document["meta"]) + 8 * len(document["keys"])
        if len(documents) > limit or size > most:
            del documents[limit:]
            return Page(tuple(map(record_of, documents)), _place(documents[-1]))
    return Page(tuple(map(record_of, documents)))


def _place(document: Document) -> str:
    return f"{int(document['seq'])}.{document['id']}"
