"""The ledger of a provider: a record for each fact that one of its files ever had. Knows no statements, no files.

A record is written in the commit that stores its statements, so the two always agree, whenever a process ends. It names
the job that wrote it last, and the entry before that job. An interrupted job is run again from its first row, decides
as before, and finds what it has done already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from adapters.ledger.diff import LedgerEntry
from lrs.kernel.keys import key as search_key
from lrs.storage import Reader, Record, Tx, each, newest_place
from lrs.storage.kinds import Kind

KIND = "import-row"
ROWS_EACH = 4
"""About how many rows of the store one record is."""


REMEMBERED = 20_000
"""Entries that are cached, so that they are not read again for each row about the same learner."""


class LedgerRecord(msgspec.Struct, frozen=True):
    """The body of a record: the present *entry*, the *job* that wrote it, and the entry *before* that job.

    *job* is empty for one of version 0.2.
    """

    entry: LedgerEntry
    job: str = ""
    before: LedgerEntry | None = None
    v: int = 1


KINDS = (
    # The id is a hash of the row's key, so only the statements of a row say whom it is about.
    Kind(KIND, "fact", LedgerRecord, 1, subjects=None, retention="evidence", exported=True),
)


class Overtaken(Exception):
    """The ledger changed since a decision was made: another process works at the same job. Decide again."""


class LedgerWrite(msgspec.Struct, frozen=True):
    """One entry to write, and the entry that must be there now (*expected*; ``None``: none)."""

    key: str
    entry: LedgerEntry
    expected: LedgerEntry | None


class Ledger:
    """The entries of one *adapter* and *provider* as the *job* found them, and those that it decided on since."""

    def __init__(self, reader: Reader, adapter: str, provider: str, job: str = "") -> None:
        self._reader = reader
        self._job = job
        self._found: dict[str, LedgerRecord | None] = {}
        self._decided: dict[str, LedgerEntry] = {}
        self.source = f"{adapter}/{provider}"

    def look_up(self, keys: Iterable[str]) -> None:
        """Reads the entries of *keys* together. Writes of this job do not change what it found."""
        if len(self._found) > REMEMBERED:
            self._found.clear()
        wanted = [key for key in dict.fromkeys(keys) if key not in self._found]
        found = self._reader.get_many(KIND, [record_id(self.source, key) for key in wanted])
        self._found |= {key: _kept(found.get(record_id(self.source, key))) for key in wanted}

    def get(self, key: str) -> LedgerEntry | None:
        """The entry for *key*: as this job has decided, else as it was before the job."""
        return self._decided.get(key) or self.before(key)

    def before(self, key: str) -> LedgerEntry | None:
        """The entry for *key* before this job."""
        kept = self._read(key)
        if kept is None:
            return None
        return kept.before if kept.job and kept.job == self._job else kept.entry

    def all_before(self) -> Iterator[tuple[str, LedgerEntry]]:
        """Every entry of the source before this job, with its key. They are read once, and not remembered."""
        for record in each(self._reader, KIND, source_key(self.source)):
            kept = msgspec.json.decode(record.body, type=LedgerRecord)
            entry = kept.before if kept.job and kept.job == self._job else kept.entry
            if entry is not None:
                yield record.id.rpartition("/")[2], entry

    def done(self, key: str) -> LedgerEntry | None:
        """The entry that this job wrote for *key* before it was interrupted."""
        kept = self._read(key)
        return kept.entry if kept and kept.job and kept.job == self._job else None

    def decide(self, key: str, entry: LedgerEntry) -> None:
        """Remembers that *key* will have *entry*."""
        self._decided[key] = entry

    def take_back(self, key: str) -> None:
        """Forgets the decision on *key*, because the store refused it."""
        self._decided.pop(key, None)

    def _read(self, key: str) -> LedgerRecord | None:
        if key not in self._found:
            self._found[key] = _kept(self._reader.get(KIND, record_id(self.source, key)))
        return self._found[key]


def record_id(source: str, key: str) -> str:
    """The record's id; *source* names adapter and provider, *key* is ``diff.key_of``."""
    return f"{source}/{key}"


def source_key(source: str) -> int:
    """The search key of every entry of a *source*."""
    return search_key(KIND, source)


def newest_change(reader: Reader, source: str) -> int:
    """The place of the entry of a *source* that was written last; 0 for none. It grows with each change."""
    return newest_place(reader, KIND, source_key(source))


def write_in(tx: Tx, source: str, job: str, rows: Iterable[LedgerWrite]) -> None:
    """Writes *rows* for *job*. What it has written already stays. Raises ``Overtaken``."""
    wanted = _joined(rows)
    stored = tx.get_many(KIND, [record_id(source, key) for key in wanted])
    for key, row in wanted.items():
        old = stored.get(record_id(source, key))
        kept = _kept(old)
        if kept is not None and kept.job == job and kept.entry == row.entry:
            continue
        now = kept.entry if kept else None
        if now != row.expected:
            raise Overtaken(key)
        before = kept.before if kept and kept.job == job else now
        record = record_of(source, key, LedgerRecord(row.entry, job, before), old.rev if old else 0)
        _ = tx.replace(record) if old else tx.insert(record)


def record_of(source: str, key: str, kept: LedgerRecord, rev: int = 0) -> Record:
    """The record of one entry."""
    return Record(KIND, record_id(source, key), msgspec.json.encode(kept), keys=(source_key(source),), rev=rev)


def _joined(rows: Iterable[LedgerWrite]) -> Mapping[str, LedgerWrite]:
    """Each key once: with what the first of its rows expects and what the last one wants."""
    found: dict[str, LedgerWrite] = {}
    for row in rows:
        first = found.get(row.key)
        found[row.key] = msgspec.structs.replace(row, expected=first.expected) if first else row
    return found


def _kept(record: Record | None) -> LedgerRecord | None:
    return msgspec.json.decode(record.body, type=LedgerRecord) if record else None
