"""Records that are read before they are asked for, many in each round trip to a server. Knows no engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lrs.storage.contract import Store
from lrs.storage.records import Page, Record, RecordName, Walk


class ReadAhead:
    """Answers as ``Reader`` from what was loaded, and asks *store* for what was not.

    What was loaded is not read again, so all who ask see one revision of a record. Load what a commit compares before
    what follows from it: then a change in between is found.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._records: dict[RecordName, Record | None] = {}
        self._walks: dict[tuple[str, int], tuple[Record, ...]] = {}

    def load(self, names: Iterable[RecordName]) -> None:
        """Reads the records *names*, or that they do not exist, unless they were loaded."""
        wanted = [name for name in dict.fromkeys(names) if name not in self._records]
        found: Mapping[RecordName, Record] = self._store.get_all(wanted) if wanted else {}
        self._records.update((name, found.get(name)) for name in wanted)

    def load_with(self, kind: str, keys: Iterable[int]) -> list[Record]:
        """Reads all records of *kind* with one of *keys*, and gives them."""
        wanted = list(dict.fromkeys(keys))
        found: Mapping[int, Sequence[Record]] = self._store.find_any(kind, wanted) if wanted else {}
        for key, records in found.items():
            self._walks[kind, key] = tuple(records)
            self._records.update(((kind, record.id), record) for record in records)
        return [record for records in found.values() for record in records]

    def remember(self, records: Iterable[Record]) -> None:
        """Answers with *records*, which were read a moment ago."""
        self._records.update(((record.kind, record.id), record) for record in records)

    def forget(self, names: Iterable[RecordName]) -> None:
        """Reads the records *names* again when they are asked for, because they were written."""
        for name in names:
            self._records.pop(name, None)

    def has(self, kind: str, id: str) -> bool:
        """Whether it is known here if there is such a record."""
        return (kind, id) in self._records

    def get(self, kind: str, id: str) -> Record | None:
        """See ``Reader.get``."""
        if (kind, id) not in self._records:
            self._records[kind, id] = self._store.get(kind, id)
        return self._records[kind, id]

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """See ``Reader.get_many``."""
        wanted = list(ids)
        self.load((kind, id) for id in wanted)
        return {id: record for id in wanted if (record := self._records[kind, id]) is not None}

    def find(self, walk: Walk) -> Page:
        """See ``Reader.find``. A walk of one key that was loaded has all its records in one page."""
        plain = Walk(walk.kind, walk.keys, limit=walk.limit)
        if len(walk.keys) == 1 and walk == plain and (walk.kind, walk.keys[0]) in self._walks:
            return Page(self._walks[walk.kind, walk.keys[0]])
        return self._store.find(walk)


class StoreAhead(ReadAhead):
    """The *store* itself, but for reading records: this answers as ``ReadAhead``."""

    def __getattr__(self, name: str) -> Any:
        """Everything that does not read records is the store's."""
        return getattr(self._store, name)
