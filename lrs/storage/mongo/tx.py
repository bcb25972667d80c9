"""A write transaction on MongoDB: remembers what it reads, gathers what it writes, and sends that in one call.

MongoDB has no savepoints, and the first error ends a transaction. So nothing is sent that could fail: ids are looked up
before they are inserted, and this transaction holds the head, which excludes every other writer. Leases are taken
without the head: then the server reports a conflict, and the group is run again. Knows no queue and no retry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from lrs.storage.known import Known, in_its_place
from lrs.storage.mongo.changes import Changes, RecordChange, There, WriteOperation
from lrs.storage.mongo.entries import OwedEntry, due_again, owing, without
from lrs.storage.mongo.read import Document, MongoReader
from lrs.storage.records import TIE_BITS, Claim, Clock, Exists, Owed, Page, Record, RecordName, Stale, Walk, mac_with
from lrs.storage.sizes import check_size

_DUPLICATE = 11000
Mark = tuple[int, int, int, Exists | None]


class MongoTx:
    """See ``Tx``. *seq* is the last place in the order before this transaction.

    *sent* counts what was sent to the server, which cannot be undone alone. *called* are the steps owed at once.
    """

    def __init__(
        self, records: Collection[Document], session: ClientSession, seq: int, clock: Clock, secret: bytes | None
    ) -> None:
        self._reader = MongoReader(records, session, self._note)
        self._known = Known(self._reader)
        self._there: dict[RecordName, There | None] = {}
        self._changes = Changes()
        self._clock = clock
        self._secret = secret
        self._exists: Exists | None = None
        self.seq = seq
        self.sent = 0
        self.called: set[str] = set()

    # -- reading ----------------------------------------------------------------------------------------------------

    def load(self, wanted: Iterable[RecordName]) -> None:
        """Looks up *wanted* (kind, id) before the decisions ask for them."""
        names = list(wanted)
        self._known.load(names)
        self._note_missing(names)

    def look(self, names: Iterable[RecordName]) -> None:
        """Reads what the records *names* owe, and nothing else of them, with one query."""
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

    def find(self, walk: Walk) -> Page:
        """See ``Reader.find``."""
        if self._changes.concern(walk.kind):
            self.flush()
        return self._reader.find(walk)

    def find_any(self, kind: str, keys: Iterable[int]) -> dict[int, list[Record]]:
        """See ``Store.find_any``."""
        if self._changes.concern(kind):
            self.flush()
        return self._reader.find_any(kind, keys)

    def mac(self, text: bytes) -> bytes:
        """See ``Store.mac``."""
        return mac_with(self._secret, text)

    # -- writing ----------------------------------------------------------------------------------------------------

    def next_seq(self) -> int:
        """See ``Tx.next_seq``: the next free microsecond, so that no two records share a ``stored``."""
        self.seq = max(self._clock(), (self.seq >> TIE_BITS) + 1) << TIE_BITS
        return self.seq

    def insert(self, record: Record) -> Record:
        """See ``Tx.insert``. A duplicate that nobody has looked for is found when the group is written."""
        check_size(record)
        name = record.kind, record.id
        change = self._changes.get(name)
        there = change.after if change else self._there.get(name)
        if there is not None:
            self._exists = Exists(*name)
            raise self._exists
        stored = msgspec.structs.replace(record, seq=record.seq or self.next_seq(), rev=1)
        entries = self._owing((), record.owed)
        looked = change.looked if change else name in self._there
        self._changes.set(name, RecordChange(change.before if change else None, stored, entries, looked))
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
        entries = self._owing(there.entries, record.owed) if record.owed else there.entries
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
        entries = self._owing(change.entries, [owed])
        self._changes.set((kind, id), msgspec.structs.replace(change, entries=entries))

    def retry(self, kind: str, id: str, step: str) -> bool:
        """See ``Tx.retry``."""
        change = self._change((kind, id))
        self.called.add(step)
        entries = due_again(change.entries or (), step, self._clock())
        if entries is not None:
            self._changes.set((kind, id), msgspec.structs.replace(change, entries=entries))
        return entries is not None

    def clear(self, claims: Sequence[Claim]) -> None:
        """Removes settled entries. Raises ``Stale`` if a token is no longer valid."""
        self.look((claim.record.kind, claim.record.id) for claim in claims)
        for claim in claims:
            name = claim.record.kind, claim.record.id
            change = self._change(name)
            rest = without(change.entries or (), claim.owed.step, claim.token)
            if rest is None:
                raise Stale(*name)
            self._changes.set(name, msgspec.structs.replace(change, entries=rest))

    def _owing(self, entries: Sequence[OwedEntry], more: Sequence[Owed]) -> list[OwedEntry]:
        now = self._clock()
        self.called.update(owed.step for owed in more if owed.is_called(now))
        return owing(entries, more, now)

    # -- the group --------------------------------------------------------------------------------------------------

    def mark(self) -> Mark:
        """The present state, so that one decision's writes can be undone."""
        return self.sent, self._changes.mark(), self.seq, self._exists

    def undo(self, mark: Mark) -> bool:
        """Undoes what was written since *mark*. ``False`` if some of it was sent."""
        if self.sent != mark[0]:
            return False
        self._changes.undo(mark[1])
        self.seq, self._exists = mark[2:]
        return True

    def flush(self) -> None:
        """Sends what was gathered. Raises ``Exists`` for an insert of an existing record."""
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
        if self._exists:  # a decision caught it and went on, so what it wrote may be incomplete
            raise self._exists

    def _send(self, operations: Sequence[WriteOperation]) -> None:
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

    def _change(self, name: RecordName) -> RecordChange:
        """The change of the record; if it has none yet, one to its present state."""
        change = self._changes.get(name)
        if change is not None:
            return change
        self.look([name])
        there = self._there[name]
        return RecordChange(there, None, there.entries if there else None)

    def _note(self, document: Document) -> None:
        there = There(int(document["rev"]), document["owed"], int(document["owed_rev"]))
        self._there[document["kind"], document["id"]] = there

    def _note_missing(self, names: Iterable[RecordName]) -> None:
        for name in names:
            self._there.setdefault(name, None)


def _bare(record: Record | None) -> Record | None:
    return msgspec.structs.replace(record, owed=()) if record else None
