"""The contract as a dictionary: what the store must mean, in few lines and without a disk.

Records that share a place come in an order of the engine's own; here they come by id.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from lrs.storage import NEWEST, Backlog, Exists, Owed, Record, Stale, first_seq
from tests.conftest import SetClock


@dataclass
class Entry:
    at: int
    due: int
    tries: int = 0
    error: str | None = None
    leased: bool = False
    alone: bool = False


@dataclass
class Model:
    """What the contract means."""

    clock: SetClock
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    owed: dict[tuple[str, str, str], Entry] = field(default_factory=dict)
    last: int = 0

    def place(self, seq: int) -> int:
        if seq:
            return seq
        self.last = max(self.clock(), self.last + 1)
        return first_seq(self.last)

    def get(self, kind: str, id: str) -> Record | None:
        return self.records.get((kind, id))

    def insert(self, record: Record) -> Record:
        if (record.kind, record.id) in self.records:
            raise Exists
        return self.keep(record, 1)

    def replace(self, record: Record) -> Record:
        old = self.records.get((record.kind, record.id))
        if old is None or old.rev != record.rev:
            raise Stale
        return self.keep(record, record.rev + 1)

    def put(self, record: Record) -> Record:
        old = self.records.get((record.kind, record.id))
        if not record.rev:
            return self.keep(record, old.rev + 1 if old else 1)
        return self.replace(record)

    def keep(self, record: Record, rev: int) -> Record:
        stored = msgspec.structs.replace(record, seq=self.place(record.seq), rev=rev, owed=())
        self.records[record.kind, record.id] = stored
        for owed in record.owed:
            self.owe(record.kind, record.id, owed)
        return stored

    def delete(self, kind: str, id: str) -> bool:
        self.owed = {name: entry for name, entry in self.owed.items() if name[:2] != (kind, id)}
        return self.records.pop((kind, id), None) is not None

    def owe(self, kind: str, id: str, owed: Owed) -> None:
        if (kind, id) not in self.records:
            raise Stale
        old = self.owed.get((kind, id, owed.step))
        at, due = owed.due, owed.due or self.clock()
        if old is not None and old.at != NEWEST:
            at, due = min(old.due, at), min(old.due, due)
        self.owed[kind, id, owed.step] = Entry(at, due)

    def find(self, kind: str, keys: tuple[int, ...], after: int, until: int) -> list[Record]:
        found = [each for each in self.records.values() if each.kind == kind and set(keys) <= set(each.keys)]
        return sorted((each for each in found if after < each.seq <= until), key=lambda each: (each.seq, each.id))

    def due(self, steps: set[str], *, lost: bool = False) -> dict[tuple[str, str, str], Entry]:
        due = {name: entry for name, entry in self.owed.items() if name[2] in steps and entry.at <= self.clock()}
        return {name: entry for name, entry in due.items() if entry.leased is lost}

    def backlog(self) -> list[Backlog]:
        lines = []
        for step in sorted({name[2] for name in self.owed}):
            entries = [entry for name, entry in self.owed.items() if name[2] == step]
            waiting = [entry.due for entry in entries if entry.at < NEWEST]
            lines.append(Backlog(step, len(waiting), len(entries) - len(waiting), min(waiting, default=None)))
        return lines
