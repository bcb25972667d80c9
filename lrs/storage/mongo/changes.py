"""What a transaction on MongoDB is going to write: one change for each record. Knows no connection.

Decisions insert, replace, delete and owe; each of these changes what is noted here, and all of it is written at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from pymongo import DeleteOne, UpdateOne

from lrs.storage import Record
from lrs.storage.mongo.entries import Entry, update_of
from lrs.storage.mongo.read import Document, Name, fields_of, name_of

Operation = UpdateOne | DeleteOne


class There(msgspec.Struct, frozen=True):
    """What the database holds of a record, besides what it says: its revision, what it owes, and the token of that."""

    rev: int
    entries: Sequence[Entry]
    owed_rev: int


class Change(msgspec.Struct, frozen=True):
    """One record: as it was (*before*, ``None`` if it was not there) and as it is going to be.

    *record* is its new content, ``None`` if that stays; *entries* are what it owes, ``None`` if it is deleted. *looked*
    is false where nobody has looked whether it is there: an insert that may meet a record of the same name.
    """

    before: There | None
    record: Record | None
    entries: Sequence[Entry] | None
    looked: bool = True

    @property
    def after(self) -> There | None:
        """What the database holds once this is written."""
        if self.entries is None:
            return None
        before = self.before or There(0, (), -1)
        owed_rev = before.owed_rev + (self.entries is not before.entries)
        return There(self.record.rev if self.record else before.rev, self.entries, owed_rev)


class Changes:
    """The changes of a transaction by record, and the way back to an earlier one of its states."""

    def __init__(self) -> None:
        self._changes: dict[Name, Change] = {}
        self._undone: list[tuple[Name, Change | None]] = []

    def get(self, name: Name) -> Change | None:
        """What is going to become of the record, ``None`` if nothing."""
        return self._changes.get(name)

    def set(self, name: Name, change: Change) -> None:
        """From now on *change* is what becomes of the record."""
        self._undone.append((name, self._changes.get(name)))
        self._changes[name] = change

    def concern(self, kind: str) -> bool:
        """Whether a record of *kind* is going to change."""
        return any(name[0] == kind for name in self._changes)

    def mark(self) -> int:
        """The present state, for ``undo``."""
        return len(self._undone)

    def undo(self, mark: int) -> None:
        """Goes back to the state at *mark*."""
        while len(self._undone) > mark:
            name, before = self._undone.pop()
            if before is None:
                del self._changes[name]
            else:
                self._changes[name] = before

    def unlooked(self) -> list[str]:
        """The ``_id`` of each record of which nobody knows whether it is there, and which must not be."""
        return [name_of(*name) for name, change in self._changes.items() if not change.looked]

    def operations(self) -> Iterator[Operation]:
        """What to write: at most one operation a record, in any order."""
        for name, change in self._changes.items():
            operation = _operation(name, change)
            if operation is not None:
                yield operation

    def taken(self) -> Mapping[Name, There | None]:
        """What the database holds once everything is written; then nothing is left to be written, or to be undone."""
        after = {name: change.after for name, change in self._changes.items()}
        self._changes.clear()
        self._undone.clear()
        return after


def _operation(name: Name, change: Change) -> Operation | None:
    before, record, entries = change.before, change.record, change.entries
    id = name_of(*name)
    if entries is None:
        return DeleteOne({"_id": id}) if before else None
    if before is None:
        assert record is not None  # noqa: S101 (what was not there is inserted)
        # An upsert that can only insert: a record with this name would meet it as a duplicate. So all is one command.
        return UpdateOne({"_id": id, "rev": 0}, {"$set": _document(record, entries)}, upsert=True)
    changed = update_of(entries) if entries is not before.entries else {}
    fields = (fields_of(record) if record else {}) | changed.get("$set", {})
    return UpdateOne({"_id": id}, {**changed, "$set": fields}) if fields else None


def _document(record: Record, entries: Sequence[Entry]) -> Document:
    name = {"kind": record.kind, "id": record.id}
    return name | fields_of(record) | update_of(entries)["$set"] | {"owed_rev": 0}
