"""Records that the decisions of one group will look at, looked up together. Knows no engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from lrs.storage.contract import Reader
from lrs.storage.records import Record


class Lookup(Protocol):
    """Finds records by id."""

    def get(self, kind: str, id: str) -> Record | None:
        """See ``Reader.get``."""

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """See ``Reader.get_many``."""

    def get_all(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Record]:
        """The records of *wanted* (kind, id) that exist."""


class Known:
    """Remembers records that were loaded, and those that do not exist, until the transaction changes them."""

    def __init__(self, reader: Lookup) -> None:
        self._reader = reader
        self._found: dict[tuple[str, str], Record | None] = {}

    def load(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Looks up all *wanted* (kind, id) at once."""
        names = list(wanted)
        if names:
            found = self._reader.get_all(names)
            self._found.update((name, found.get(name)) for name in names)

    def forget(self, kind: str, id: str) -> None:
        """Call it for what the transaction inserts, replaces or deletes."""
        self._found.pop((kind, id), None)

    def get(self, kind: str, id: str) -> Record | None:
        """See ``Reader.get``."""
        if (kind, id) in self._found:
            return self._found[kind, id]
        found = self._reader.get(kind, id)
        if found is None:
            self._found[kind, id] = None
        return found

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        """See ``Reader.get_many``."""
        found: dict[str, Record] = {}
        rest = []
        for id in ids:
            if (kind, id) not in self._found:
                rest.append(id)
            elif record := self._found[kind, id]:
                found[id] = record
        if rest:
            read = self._reader.get_many(kind, rest)
            found |= read
            self._found.update(((kind, id), None) for id in rest if id not in read)
        return found


def in_its_place(reader: Reader, record: Record) -> Record:
    """*record* with the ``rev`` of the stored one, 0 if there is none. A record with a ``rev`` is returned as it is."""
    there = None if record.rev else reader.get(record.kind, record.id)
    return msgspec.structs.replace(record, rev=there.rev) if there else record
