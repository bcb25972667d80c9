"""An import as a record: what is to be done with which file, on whose behalf, how far it is, what it came to.

A job is made with the right of a key as it was then, and carries source and authority, never a secret. Per provider one
job runs at a time, in the order of upload: a file may correct what the one before it said. Knows no HTTP and no rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from adapters.profile import Profile
from lrs.access import KEY, Caller
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.printing import time_of
from lrs.storage import Owed, Reader, Record, Store, Tx
from lrs.storage.kinds import Kind

KIND, STEP, FORGET = "import", "import", "import-files"
"""The kind of its record; the step that works at it; the step that lets go of its files."""
State = Literal["waiting", "running", "done", "refused", "failed"]
OPEN: tuple[State, ...] = ("waiting", "running")
_FILE, _RETURNED, _REPORT = "file", "returned", "report"


class Problem(msgspec.Struct, frozen=True):
    """Why nothing came of the file: where, why, what to do; *status* as a request would be answered."""

    status: int
    error: str
    message: str


class Told(msgspec.Struct, frozen=True):
    """What a finished job came to. *text* is the report for people, *waiting* the first rows to be repaired.

    *media_type* is that of the file that goes back.
    """

    counts: Mapping[str, int]
    usable: bool
    text: str = ""
    notes: tuple[str, ...] = ()
    waiting: tuple[Mapping[str, Any], ...] = ()
    media_type: str = ""


class Sender(msgspec.Struct, frozen=True):
    """On whose behalf statements are stored: *source*, *authority* (JSON), *rights* of *subject* as they were then."""

    source: str
    authority: str
    rights: Mapping[str, str] = {}
    subject: str = ""

    def caller(self, tenant: str) -> Caller:
        """As the sender of a request."""
        return Caller(self.subject, self.source, self.authority.encode(), self.rights, tenant, KEY)


def sender_of(caller: Caller) -> Sender:
    """*caller* as a job keeps it."""
    return Sender(caller.source, caller.authority.decode(), dict(caller.rights), caller.subject)


class Job(msgspec.Struct, frozen=True):
    """One import. Times are microseconds UTC; *blobs* are names by what they hold (file, returned, report).

    *rows* is how many rows of the file have been worked through, *starts* how often the file was opened since the last
    of them, *seen* when *worker* was last at it. *error* is what went wrong the last time.
    """

    id: str
    adapter: str
    provider: str
    file: str
    sender: Sender
    at: int
    blobs: Mapping[str, str] = {}
    profile: Profile = Profile()
    dry_run: bool = False
    state: State = "waiting"
    rows: int = 0
    starts: int = 0
    seen: int = 0
    worker: str = ""
    error: str = ""
    ended: int | None = None
    problem: Problem | None = None
    told: Told | None = None
    v: int = 1

    @property
    def is_over(self) -> bool:
        """Whether nothing more is done."""
        return self.state not in OPEN

    def shown(self) -> dict[str, Any]:
        """The job as programs see it: never who sent it with which key, nor its rows."""
        return {
            "id": self.id,
            "name": self.file,
            "state": self.state,
            "adapter": self.adapter,
            "provider": self.provider,
            "source": self.sender.source,
            "dryRun": self.dry_run,
            "created": time_of(self.at),
            "ended": time_of(self.ended),
            "rows": self.rows,
            "counts": dict(self.told.counts) if self.told else None,
            "usable": self.told.usable if self.told else None,
            "reason": self.problem.message if self.problem else self.error or None,
        }

    def told_whole(self) -> dict[str, Any]:
        """``shown``, and what the job came to."""
        report = None
        if self.told:
            report = {"text": self.told.text, "notes": self.told.notes, "waiting": self.told.waiting}
        problem = msgspec.to_builtins(self.problem) if self.problem else None
        return {**self.shown(), "problem": problem, "report": report}


def _blobs(record: Record) -> Iterable[str]:
    blobs: Mapping[str, str] = record.meta["blobs"]
    return blobs.values()


KINDS = (
    # Its rows are masked, and whom the file is about is in its blobs alone.
    Kind(KIND, "fact", Job, 1, subjects=None, retention="upload", exported=True, blobs=_blobs),
)


def record_of(job: Job, rev: int = 0, seq: int = 0, owed: tuple[Owed, ...] = ()) -> Record:
    """The record of *job*."""
    keys = (provider_key(job.provider), *(() if job.is_over else (open_key(job.provider),)))
    meta = {"state": job.state, "blobs": dict(job.blobs)}
    return Record(KIND, job.id, msgspec.json.encode(job), meta, keys, owed, seq, rev)


def job_of(record: Record) -> Job:
    """The job in *record*."""
    return msgspec.json.decode(record.body, type=Job)


def provider_key(provider: str) -> int:
    """Finds the jobs of a provider."""
    return key("import.provider", provider)


def open_key(provider: str) -> int:
    """Finds the jobs of a provider that are not over, in the order of upload."""
    return key("import.open", provider)


def add(store: Store, job: Job) -> Job:
    """Keeps a new *job*, and owes its step."""
    store.write(lambda tx: tx.insert(record_of(job, owed=(Owed(STEP),)))).result()
    return job


def find(reader: Reader, id: str) -> Job:
    """The job. Refuses 404 if there is none of that id."""
    record = reader.get(KIND, id)
    if record is None:
        raise Refused(f"there is no import {id!r}", status=404, error="not_found")
    return job_of(record)


def newest(reader: Reader, limit: int = 100) -> Iterator[Job]:
    """The newest jobs first, at most *limit*."""
    start: str | None = None
    while limit > 0:
        page = reader.find(KIND, newest_first=True, limit=min(limit, 100), start=start)
        yield from map(job_of, page.records)
        limit -= len(page.records)
        start = page.next
        if start is None:
            return


def is_first(reader: Reader, job: Job) -> bool:
    """Whether no earlier file of its provider is still to be worked through."""
    first = reader.find(KIND, [open_key(job.provider)], limit=1).records
    return not first or first[0].id == job.id


def is_outdated(reader: Reader, job: Job) -> bool:
    """Whether a later file of its provider was brought in: then this one would put back what that one corrected."""
    latest = reader.find(KIND, [provider_key(job.provider)], newest_first=True, limit=1).records
    return bool(latest) and latest[0].id != job.id


def change(tx: Tx, id: str, **new: Any) -> Job:
    """The job with *new* in the place of what it had. One that is over lets the next of its provider begin."""
    record = tx.get(KIND, id)
    if record is None:
        raise KeyError(id)
    before = job_of(record)
    job = msgspec.structs.replace(before, **new)
    tx.replace(record_of(job, record.rev, record.seq))
    if job.is_over and not before.is_over:
        for one in tx.find(KIND, [open_key(job.provider)], limit=1).records:
            tx.owe(KIND, one.id, Owed(STEP))
    return job
