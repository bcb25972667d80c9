"""What a provider's earlier files came to: a record for each thing that one ever said. Knows no statements, no files.

A record is written in the commit that stores the statements it stands for, so the two never differ, wherever a process
ends. It names the job that wrote it last, and what stood before that job: a job that was broken off is worked through
again from its first row, decides as it did, and finds what it has done already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from adapters.diff import Entry
from lrs.kernel.keys import key as search_key
from lrs.storage import Reader, Record, Tx
from lrs.storage.kinds import Kind

KIND = "import-row"
ROWS_EACH = 4
"""About how many rows of the store one record is."""


REMEMBERED = 20_000
"""Entries that are kept in memory, so that they need not be read again for each row about the same learner."""


class Kept(msgspec.Struct, frozen=True):
    """The body of a record: the *entry* now, the *job* that wrote it (empty: one of version 0.2), what was *before*."""

    entry: Entry
    job: str = ""
    before: Entry | None = None
    v: int = 1


KINDS = (
    # By a hash of what the row was about: whom, follows from the statements it stands for alone.
    Kind(KIND, "fact", Kept, 1, subjects=None, retention="evidence", exported=True),
)


class Overtaken(Exception):
    """The ledger is not what a decision was made on: another process works at the same job. Decide again."""


class Written(msgspec.Struct, frozen=True):
    """One entry to be written: what it is to be, and what it must be now for that (``None``: not there)."""

    key: str
    entry: Entry
    expected: Entry | None


class Ledger:
    """The entries of one *adapter* and *provider* as the *job* finds them, and those it has decided on since."""

    def __init__(self, reader: Reader, adapter: str, provider: str, job: str = "") -> None:
        self._reader = reader
        self._job = job
        self._found: dict[str, Kept | None] = {}
        self._decided: dict[str, Entry] = {}
        self.source = f"{adapter}/{provider}"

    def look_up(self, keys: Iterable[str]) -> None:
        """Reads the entries of *keys* together; what this job writes changes nothing of what it found."""
        if len(self._found) > REMEMBERED:
            self._found.clear()
        wanted = [key for key in dict.fromkeys(keys) if key not in self._found]
        found = self._reader.get_many(KIND, [record_id(self.source, key) for key in wanted])
        self._found |= {key: _kept(found.get(record_id(self.source, key))) for key in wanted}

    def get(self, key: str) -> Entry | None:
        """What is known of *key*: as this job has decided, else as it was before the job."""
        return self._decided.get(key) or self.before(key)

    def before(self, key: str) -> Entry | None:
        """What was known of *key* before this job."""
        kept = self._read(key)
        if kept is None:
            return None
        return kept.before if kept.job and kept.job == self._job else kept.entry

    def done(self, key: str) -> Entry | None:
        """What this job, before it was broken off, made of *key*."""
        kept = self._read(key)
        return kept.entry if kept and kept.job and kept.job == self._job else None

    def decide(self, key: str, entry: Entry) -> None:
        """Keeps that *entry* is to stand under *key* from now on."""
        self._decided[key] = entry

    def take_back(self, key: str) -> None:
        """Forgets what was decided on *key*: the store refused it."""
        self._decided.pop(key, None)

    def _read(self, key: str) -> Kept | None:
        if key not in self._found:
            self._found[key] = _kept(self._reader.get(KIND, record_id(self.source, key)))
        return self._found[key]


def record_id(source: str, key: str) -> str:
    """The record's id; *source* names adapter and provider, *key* is ``diff.key_of``."""
    return f"{source}/{key}"


def source_key(source: str) -> int:
    """Finds every entry of a *source*."""
    return search_key(KIND, source)


def write_in(tx: Tx, source: str, job: str, rows: Iterable[Written]) -> None:
    """Writes *rows* for *job*; what it has written already stays. Raises ``Overtaken``."""
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
        record = record_of(source, key, Kept(row.entry, job, before), old.rev if old else 0)
        _ = tx.replace(record) if old else tx.insert(record)


def record_of(source: str, key: str, kept: Kept, rev: int = 0) -> Record:
    """The record of one entry."""
    return Record(KIND, record_id(source, key), msgspec.json.encode(kept), keys=(source_key(source),), rev=rev)


def _joined(rows: Iterable[Written]) -> Mapping[str, Written]:
    """Each key once: what the first of its rows expects, and what the last wants."""
    found: dict[str, Written] = {}
    for row in rows:
        first = found.get(row.key)
        found[row.key] = msgspec.structs.replace(row, expected=first.expected) if first else row
    return found


def _kept(record: Record | None) -> Kept | None:
    return msgspec.json.decode(record.body, type=Kept) if record else None
