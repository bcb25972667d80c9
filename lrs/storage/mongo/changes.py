"""What a transaction on MongoDB will write: one change for each record. Knows no connection.

Decisions insert, replace, delete and owe. Each of these changes what is noted here, and everything is written at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from pymongo import DeleteOne, UpdateOne

from lrs.storage.mongo.entries import OwedEntry, update_of
from lrs.storage.mongo.read import Document, fields_of, name_of
from lrs.storage.records import Record, RecordName

WriteOperation = UpdateOne | DeleteOne


class There(msgspec.Struct, frozen=True):
    """What the database has about a record, except its content.

    That is its revision, what it owes, and the compare-and-set token of what it owes.
    """

    rev: int
    entries: Sequence[OwedEntry]
    owed_rev: int


class RecordChange(msgspec.Struct, frozen=True):
    """One record: as it was (*before*, ``None`` if it did not exist) and as it will be.

    *record* is its new content, ``None`` if that stays. *entries* are what it owes, ``None`` if it is deleted. *looked*
    is false if nobody has checked whether it exists: an insert that may meet a record of the same name.
    """

    before: There | None
    record: Record | None
    entries: Sequence[OwedEntry] | None
    looked: bool = True

    @property
    def after(self) -> There | None:
        """What the database has after this is written."""
        if self.entries is None:
            return None
        before = self.before or There(0, (), -1)
        owed_rev = before.owed_rev + (self.entries is not before.entries)
        return There(self.record.rev if self.record else before.rev, self.entries, owed_rev)


class Changes:
    """The changes of a transaction by record; can be undone to an earlier state."""

    def __init__(self) -> None:
        self._changes: dict[RecordName, RecordChange] = {}
        self._undone: list[tuple[RecordName, RecordChange | None]] = []

    def get(self, name: RecordName) -> RecordChange | None:
        """The change of the record; ``None`` if there is none."""
        return self._changes.get(name)

    def set(self, name: RecordName, change: RecordChange) -> None:
        """Sets the change of the record."""
        self._undone.append((name, self._changes.get(name)))
        self._changes[name] = change

    def concern(self, kind: str) -> bool:
        """Whether a record of *kind* will change."""
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
        """The ``_id`` of each record that must not exist and was not checked."""
        return [name_of(*name) for name, change in self._changes.items() if not change.looked]

    def operations(self) -> Iterator[WriteOperation]:
        """What to write: at most one operation for each record, in any order."""
        for name, change in self._changes.items():
            operation = _operation(name, change)
            if operation is not None:
                yield operation

    def taken(self) -> Mapping[RecordName, There | None]:
        """What the database has after everything is written. Nothing is left to write or undo."""
        after = {name: change.after for name, change in self._changes.items()}
        self._changes.clear()
        self._undone.clear()
        return after


def _operation(name: RecordName, change: RecordChange) -> WriteOperation | None:
    before, record, entries = change.before, change.record, change.entries
    id = name_of(*name)
    if entries is None:
        return DeleteOne({"_id": id}) if before else None
    if before is None:
        assert record is not None  # noqa: S101 (what was not there is inserted)
        # An upsert that can only insert: an existing record gives a duplicate key error. So everything is one command.
        return UpdateOne({"_id": id, "rev": 0}, {"$set": _document(record, entries)}, upsert=True)
    changed = update_of(entries) if entries is not before.entries else {}
    fields = (fields_of(record) if record else {}) | changed.get("$set", {})
    return UpdateOne({"_id": id}, {**changed, "$set": fields}) if fields else None


def _document(record: Record, entries: Sequence[OwedEntry]) -> Document:
    name = {"kind": record.kind, "id": record.id}
    return name | fields_of(record) | update_of(entries)["$set"] | {"owed_rev": 0}
