"""A write transaction on MongoDB: what is read is remembered, what is written is gathered and sent in one call.

MongoDB has no savepoints and ends a transaction with its first error. So nothing is sent that could fail: ids are
looked up before they are inserted, and the head, which this transaction holds, keeps every other writer out meanwhile.
Leases are taken without the head: then the server reports a conflict, and the group is run again.
Knows no queue and no retry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from lrs.storage import NEWEST, TIE_BITS, Claim, Clock, Exists, Owed, Page, Record, Stale, mac_with
from lrs.storage.known import Known, in_its_place
from lrs.storage.mongo.changes import Change, Changes, Operation, There
from lrs.storage.mongo.entries import owing, without
from lrs.storage.mongo.read import Document, MongoReader, Name
from lrs.storage.sizes import check_size

_DUPLICATE = 11000
Mark = tuple[int, int, int, Exists | None]


class MongoTx:
    """See ``Tx``. *seq* is the last place in the order that was drawn before it.

    *sent* counts what went to the server, and so can no longer be taken back by itself.
    """

    def __init__(
        self, records: Collection[Document], session: ClientSession, seq: int, clock: Clock, secret: bytes | None
    ) -> None:
        self._reader = MongoReader(records, session, self._note)
        self._known = Known(self._reader)
        self._there: dict[Name, There | None] = {}
        self._changes = Changes()
        self._clock = clock
        self._secret = secret
        self._exists: Exists | None = None
        self.seq = seq
        self.sent = 0

    # -- reading ----------------------------------------------------------------------------------------------------

    def load(self, wanted: Iterable[Name]) -> None:
        """Looks up *wanted* (kind, id) before the decisions ask for them."""
        names = list(wanted)
        self._known.load(names)
        self._note_missing(names)

    def look(self, names: Iterable[Name]) -> None:
        """Looks up what the records *names* owe, and nothing else of them, with one question."""
        unknown = [name for name in dict.fromkeys(names) if name not in self._there]
        self._reader.note_owed(unknown)
        self._note_missing(unknown)

    def get(self, kind: str, id: str) -> Record | None:
        """See ``Reader.get``."""
        change = self._changes.get((kind, id))
        if change and (change.record or change.entries is None):
            return _bare(change.record)
        found = self._known.get(kind, id)
        if found is None:
            self._note_missing([(kind, id)])
        return found

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """See ``Reader.get_many``."""
        wanted = dict.fromkeys(ids)
        changed = {id: change for id in wanted if (change := self._changes.get((kind, id)))}
        settled = {id for id, change in changed.items() if change.record or change.entries is None}
        found = self._known.get_many(kind, [id for id in wanted if id not in settled])
        self._note_missing((kind, id) for id in wanted if id not in settled and id not in found)
        return found | {id: one for id in settled if (one := _bare(changed[id].record)) is not None}

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
        if self._changes.concern(kind):
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
        """See ``Tx.insert``. A duplicate that nobody has looked for surfaces when the group is written."""
        check_size(record)
        name = record.kind, record.id
        change = self._changes.get(name)
        there = change.after if change else self._there.get(name)
        if there is not None:
            self._exists = Exists(*name)
            raise self._exists
        stored = msgspec.structs.replace(record, seq=record.seq or self.next_seq(), rev=1)
        entries = owing((), record.owed, self._clock())
        looked = change.looked if change else name in self._there
        self._changes.set(name, Change(change.before if change else None, stored, entries, looked))
        return stored

    def replace(self, record: Record) -> Record:
        """See ``Tx.replace``."""
        check_size(record)
        name = record.kind, record.id
        change = self._change(name)
        there = change.after
        if there is None or there.rev != record.rev:
            raise Stale(*name)
        stored = msgspec.structs.replace(record, seq=record.seq or self.next_seq(), rev=record.rev + 1)
        entries = owing(there.entries, record.owed, self._clock()) if record.owed else there.entries
        self._changes.set(name, msgspec.structs.replace(change, record=stored, entries=entries))
        return stored

    def put(self, record: Record) -> Record:
        """See ``Tx.put``."""
        record = in_its_place(self, record)
        return self.replace(record) if record.rev else self.insert(record)

    def delete(self, kind: str, id: str) -> bool:
        """See ``Tx.delete``."""
        change = self._change((kind, id))
        if change.entries is None:
            return False
        self._changes.set((kind, id), msgspec.structs.replace(change, record=None, entries=None))
        return True

    def owe(self, kind: str, id: str, owed: Owed) -> None:
        """See ``Tx.owe``."""
        change = self._change((kind, id))
        if change.entries is None:
            raise Stale(kind, id)
        entries = owing(change.entries, [owed], self._clock())
        self._changes.set((kind, id), msgspec.structs.replace(change, entries=entries))

    def clear(self, claims: Sequence[Claim]) -> None:
        """Removes settled entries. Raises ``Stale`` if a token is no longer the one."""
        self.look((claim.record.kind, claim.record.id) for claim in claims)
        for claim in claims:
            name = claim.record.kind, claim.record.id
            change = self._change(name)
            rest = without(change.entries or (), claim.owed.step, claim.token)
            if rest is None:
                raise Stale(*name)
            self._changes.set(name, msgspec.structs.replace(change, entries=rest))

    # -- the group --------------------------------------------------------------------------------------------------

    def mark(self) -> Mark:
        """Where the transaction stands, to be able to take one decision's writes back."""
        return self.sent, self._changes.mark(), self.seq, self._exists

    def undo(self, mark: Mark) -> bool:
        """Takes back what was written since *mark*; ``False`` if some of it has been sent already."""
        if self.sent != mark[0]:
            return False
        self._changes.undo(mark[1])
        self.seq, self._exists = mark[2:]
        return True

    def flush(self) -> None:
        """Sends what was gathered. Raises ``Exists`` for an insert of something that is there."""
        operations, unlooked = list(self._changes.operations()), self._changes.unlooked()
        self.sent += bool(operations or unlooked)
        if unlooked:
            self._refuse_those_there(unlooked)
        if operations:
            self._send(operations)
        for name, there in self._changes.taken().items():
            self._known.forget(*name)
            self._there[name] = there

    def finish(self) -> None:
        """Sends the rest."""
        self.flush()
        if self._exists:  # a decision caught it and went on: what it wrote may be half of what it meant
            raise self._exists

    def _send(self, operations: Sequence[Operation]) -> None:
        try:
            self._reader.records.bulk_write(operations, ordered=False, session=self._reader.session)
        except BulkWriteError as error:
            if any(each.get("code") == _DUPLICATE for each in error.details.get("writeErrors", ())):
                raise Exists(str(error)) from error
            raise

    def _refuse_those_there(self, ids: Sequence[str]) -> None:
        taken = self._reader.records.find_one({"_id": {"$in": ids}}, {"_id": 1}, session=self._reader.session)
        if taken is not None:
            self._exists = Exists(taken["_id"])
            raise self._exists

    def _change(self, name: Name) -> Change:
        """What becomes of the record; as it is there, if nothing does."""
        change = self._changes.get(name)
        if change is not None:
            return change
        self.look([name])
        there = self._there[name]
        return Change(there, None, there.entries if there else None)

    def _note(self, document: Document) -> None:
        there = There(int(document["rev"]), document["owed"], int(document["owed_rev"]))
        self._there[document["kind"], document["id"]] = there

    def _note_missing(self, names: Iterable[Name]) -> None:
        for name in names:
            self._there.setdefault(name, None)


def _bare(record: Record | None) -> Record | None:
    return msgspec.structs.replace(record, owed=()) if record else None
