"""A write transaction on MongoDB: inserts are gathered, looked up and written in few calls.

MongoDB has no savepoints and ends a transaction with its first error. So nothing is sent that could fail: ids are
looked up before they are inserted, and the head, which this transaction holds, keeps every other writer out meanwhile.
Knows no queue and no retry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from pymongo.errors import BulkWriteError

from lrs.storage import NEWEST, TIE_BITS, Claim, Clock, Exists, Owed, Page, Record, Stale, mac_with
from lrs.storage.known import Known, in_its_place
from lrs.storage.mongo.entries import Entry, owing, update_of, without
from lrs.storage.mongo.read import Document, MongoReader, fields_of, name_of
from lrs.storage.mongo.schema import BY_ID
from lrs.storage.sizes import check_size

_DUPLICATE = 11000


class MongoTx:
    """See ``Tx``. *sent* counts what went to the server, and so can no longer be taken back by itself."""

    def __init__(self, reader: MongoReader, seq: int, clock: Clock, secret: bytes | None) -> None:
        self._reader = reader
        self._known = Known(reader)
        self._records = reader.records
        self._session = reader.session
        self._clock = clock
        self._secret = secret
        self._pending: dict[tuple[str, str], Record] = {}
        self._exists: Exists | None = None
        self.seq = seq
        self.sent = 0

    # -- reading ----------------------------------------------------------------------------------------------------

    def load(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Looks up *wanted* (kind, id) before the decisions ask for them."""
        self._known.load(wanted)

    def get(self, kind: str, id: str) -> Record | None:
        """See ``Reader.get``."""
        waiting = self._pending.get((kind, id))
        return msgspec.structs.replace(waiting, owed=()) if waiting else self._known.get(kind, id)

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """See ``Reader.get_many``."""
        wanted = list(ids)
        waiting = {id: self._pending[kind, id] for id in wanted if (kind, id) in self._pending}
        found = self._known.get_many(kind, [id for id in wanted if id not in waiting])
        return found | {id: msgspec.structs.replace(record, owed=()) for id, record in waiting.items()}

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
        self.flush()
        return self._reader.find(
            kind, keys, after=after, until=until, newest_first=newest_first, limit=limit, start=start, most=most
        )

    def mac(self, text: bytes) -> bytes:
        """See ``Store.mac``."""
        return mac_with(self._secret, text)

    # -- writing ----------------------------------------------------------------------------------------------------

    def next_seq(self) -> int:
        """See ``Tx.next_seq``: the next free microsecond, so that no two records share a ``stored``."""
        self.seq = max(self._clock(), (self.seq >> TIE_BITS) + 1) << TIE_BITS
        return self.seq

    def insert(self, record: Record) -> Record:
        """See ``Tx.insert``. A duplicate of what is in the database surfaces when the group is written."""
        check_size(record)
        if (record.kind, record.id) in self._pending:
            self._exists = Exists(record.kind, record.id)
            raise self._exists
        self._known.forget(record.kind, record.id)
        stored = msgspec.structs.replace(record, seq=record.seq or self.next_seq(), rev=1)
        self._pending[record.kind, record.id] = stored
        return stored

    def replace(self, record: Record) -> Record:
        """See ``Tx.replace``."""
        check_size(record)
        self._direct()
        self._known.forget(record.kind, record.id)
        name = {"_id": name_of(record.kind, record.id)}
        entries = self._entries({**name, "rev": record.rev})
        if entries is None:
            raise Stale(record.kind, record.id)
        stored = msgspec.structs.replace(record, seq=record.seq or self.next_seq(), rev=record.rev + 1)
        change = update_of(owing(entries, record.owed, self._clock())) if record.owed else {}
        fields = fields_of(stored) | change.get("$set", {})
        self._records.update_one(name, change | {"$set": fields}, session=self._session)
        return stored

    def put(self, record: Record) -> Record:
        """See ``Tx.put``."""
        record = in_its_place(self, record)
        return self.replace(record) if record.rev else self.insert(record)

    def delete(self, kind: str, id: str) -> bool:
        """See ``Tx.delete``."""
        self._direct()
        self._known.forget(kind, id)
        return self._records.delete_one({"_id": name_of(kind, id)}, session=self._session).deleted_count > 0

    def owe(self, kind: str, id: str, owed: Owed) -> None:
        """See ``Tx.owe``."""
        self._direct()
        entries = self._entries({"_id": name_of(kind, id)})
        if entries is None:
            raise Stale(kind, id)
        self._set_entries(kind, id, owing(entries, [owed], self._clock()))

    def clear(self, claims: Sequence[Claim]) -> None:
        """Removes settled entries. Raises ``Stale`` if a token is no longer the one."""
        self._direct()
        for claim in claims:
            kind, id = claim.record.kind, claim.record.id
            rest = without(self._entries({"_id": name_of(kind, id)}) or [], claim.owed.step, claim.token)
            if rest is None:
                raise Stale(kind, id)
            self._set_entries(kind, id, rest)

    # -- the group --------------------------------------------------------------------------------------------------

    def mark(self) -> tuple[int, int, int, Exists | None]:
        """Where the transaction stands, to be able to take one decision's inserts back."""
        return self.sent, len(self._pending), self.seq, self._exists

    def undo(self, mark: tuple[int, int, int, Exists | None]) -> bool:
        """Takes back what was inserted since *mark*; ``False`` if some of it has been sent already."""
        if self.sent != mark[0]:
            return False
        while len(self._pending) > mark[1]:
            self._pending.popitem()
        self.seq, self._exists = mark[2:]
        return True

    def flush(self) -> None:
        """Sends what was gathered. Raises ``Exists`` for an insert of something that is there."""
        if not self._pending:
            return
        self.sent += 1
        now = self._clock()
        documents = [_document(record, now) for record in self._pending.values()]
        self._pending.clear()
        names = [document["_id"] for document in documents]
        taken = self._records.find_one({"_id": {"$in": names}}, {"_id": 1}, session=self._session)
        if taken is not None:
            self._exists = Exists(taken["_id"])
            raise self._exists
        try:
            self._records.insert_many(documents, session=self._session)
        except BulkWriteError as error:
            if any(each.get("code") == _DUPLICATE for each in error.details.get("writeErrors", ())):
                raise Exists(str(error)) from error
            raise

    def finish(self) -> None:
        """Sends the rest."""
        self.flush()
        if self._exists:  # a decision caught it and went on: what it wrote may be half of what it meant
            raise self._exists

    def _direct(self) -> None:
        self.flush()
        self.sent += 1

    def _entries(self, where: Document) -> list[Entry] | None:
        found = self._records.find_one(where, {"owed": 1}, hint=BY_ID, session=self._session)
        return None if found is None else found["owed"]

    def _set_entries(self, kind: str, id: str, entries: Sequence[Entry]) -> None:
        self._records.update_one({"_id": name_of(kind, id)}, update_of(entries), session=self._session)


def _document(record: Record, now: int) -> Document:
    name = {"_id": name_of(record.kind, record.id), "kind": record.kind, "id": record.id}
    return name | fields_of(record) | update_of(owing((), record.owed, now))["$set"] | {"owed_rev": 0}
