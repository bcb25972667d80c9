"""An import as a record: the file, what to do with it, for whom, its progress and its result.

A job is made with the rights that a key had at that time. It has source and authority, never a secret. For each
provider one job runs at a time, in the order of upload, because a file may correct the one before it. Knows no HTTP and
no rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal

import msgspec

from adapters.imports.look import Look
from adapters.reading.day_order import DayQuestion
from adapters.reading.profile import MappingProfile
from lrs.access import KEY, Caller
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.printing import time_of
from lrs.storage import Owed, Reader, Record, Store, Tx, Walk, walked
from lrs.storage.kinds import Kind

KIND, STEP, FORGET = "import", "import", "import-files"
"""The kind of its record; the step that works at it; the step that removes its files."""
JobState = Literal["waiting", "running", "done", "refused", "failed"]
OPEN: tuple[JobState, ...] = ("waiting", "running")
FILE, BASE = "file", "base-"
"""The names of blobs: the sent file, and the files whose rows it repairs, oldest first (``base-0``, ``base-1`` …)."""
SAMPLES = "samples"
"""The name of the blob with the first values beneath each header, as JSON."""
MOST_BASES = 20
"""How often rows of one file can be repaired by further files."""


class JobError(msgspec.Struct, frozen=True):
    """Why nothing of the file was imported: what, where, what to do. *status* is the HTTP status for a request.

    *asks* is the question whose answer would make the file usable.
    """

    status: int
    error: str
    message: str
    asks: DayQuestion | None = None

    def shown(self) -> dict[str, Any]:
        """The error for programs."""
        return {"status": self.status, "error": self.error, "message": self.message}


class JobResult(msgspec.Struct, frozen=True):
    """The result of a finished job. *text* is the report for people, *waiting* the first rows to be repaired.

    *media_type* is that of the returned file, *asks* what only a person can say of the dates of the file.
    """

    counts: Mapping[str, int]
    usable: bool
    text: str = ""
    notes: tuple[str, ...] = ()
    waiting: tuple[Mapping[str, Any], ...] = ()
    media_type: str = ""
    asks: DayQuestion | None = None


class Sender(msgspec.Struct, frozen=True):
    """For whom statements are stored: *source*, *authority* (JSON), and the *rights* that *subject* had then."""

    source: str
    authority: str
    rights: Mapping[str, str] = {}
    subject: str = ""

    def caller(self, tenant: str) -> Caller:
        """The sender as the caller of a request."""
        return Caller(self.subject, self.source, self.authority.encode(), self.rights, tenant, KEY)


def sender_of(caller: Caller) -> Sender:
    """*caller* in the form that a job keeps."""
    return Sender(caller.source, caller.authority.decode(), dict(caller.rights), caller.subject)


class Job(msgspec.Struct, frozen=True):
    """One import. Times are microseconds UTC. *blobs* names the blobs by their content (file, returned, report …).

    *rows* is how many rows of the file have been processed, *written* how many lines of the file that goes back after
    the last of them are written, *starts* how often the file was opened since the last of
    them, *seen* when *worker* last worked on it. *error* is the last error.

    *look* is what the file says of itself, once it was read, or once its adapter and its columns were found: with
    *guess* they are still to be. *plan* is the id of the dry run that it follows. *mends* is the id of the import whose
    rows it repairs.
    """

    id: str
    adapter: str
    provider: str
    file: str
    sender: Sender
    at: int
    blobs: Mapping[str, str] = {}
    profile: MappingProfile = MappingProfile()
    dry_run: bool = False
    state: JobState = "waiting"
    rows: int = 0
    written: int = 0
    starts: int = 0
    seen: int = 0
    worker: str = ""
    error: str = ""
    ended: int | None = None
    problem: JobError | None = None
    told: JobResult | None = None
    look: Look | None = None
    guess: bool = False
    plan: str = ""
    mends: str = ""
    v: int = 1

    @property
    def asks(self) -> DayQuestion | None:
        """What only a person can say of the dates of the file."""
        return self.told.asks if self.told else self.problem.asks if self.problem else None

    @property
    def is_over(self) -> bool:
        """Whether the job is finished, refused or failed."""
        return self.state not in OPEN

    @property
    def has_arrived(self) -> bool:
        """Whether rows of the file may be in the ledger: a dry run and an unreadable file change nothing there."""
        return not self.dry_run and (self.state in {"running", "done"} or self.rows > 0)

    @property
    def bases(self) -> tuple[str, ...]:
        """The blobs of the files whose rows this file repairs, oldest first."""
        return tuple(self.blobs[name] for at in range(MOST_BASES) if (name := f"{BASE}{at}") in self.blobs)

    def shown(self) -> dict[str, Any]:
        """The job for programs, without its sender and without its rows."""
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
        """``shown``, with the result of the job."""
        report = None
        if self.told:
            report = {"text": self.told.text, "notes": self.told.notes, "waiting": self.told.waiting}
        problem = self.problem.shown() if self.problem else None
        return {**self.shown(), "problem": problem, "report": report}


def _blobs(record: Record) -> Iterable[str]:
    blobs: Mapping[str, str] = record.meta["blobs"]
    return blobs.values()


KINDS = (
    # Its rows are masked. Only the blobs name the persons in the file.
    Kind(KIND, "fact", Job, 1, subjects=None, retention="upload", exported=True, blobs=_blobs),
)


def record_of(job: Job, rev: int = 0, seq: int = 0, owed: tuple[Owed, ...] = ()) -> Record:
    """The record of *job*."""
    keys = (*([arrived_key(job)] if job.has_arrived else ()), *(() if job.is_over else (open_key(job.provider),)))
    meta = {"state": job.state, "blobs": dict(job.blobs)}
    return Record(KIND, job.id, msgspec.json.encode(job), meta, keys, owed, seq, rev)


def job_of(record: Record) -> Job:
    """The job in *record*."""
    return msgspec.json.decode(record.body, type=Job)


def arrived_key(job: Job) -> int:
    """The search key of the jobs that may have changed the ledger of *job*."""
    return key("import.arrived", job.adapter, job.provider)


def open_key(provider: str) -> int:
    """The search key of a provider's jobs that are not over, in the order of upload."""
    return key("import.open", provider)


def add(store: Store, job: Job) -> Job:
    """Stores a new *job*, which owes its step."""
    store.write(lambda tx: tx.insert(record_of(job, owed=(Owed(STEP),)))).result()
    return job


def find(reader: Reader, id: str) -> Job:
    """The job with this id. Refuses (404) if there is none."""
    record = reader.get(KIND, id)
    if record is None:
        raise Refused(f"there is no import {id!r}", status=404, error="not_found")
    return job_of(record)


def newest(reader: Reader, limit: int = 100) -> Iterator[Job]:
    """The newest jobs, newest first, at most *limit*."""
    found = walked(reader, Walk(KIND, newest_first=True, limit=max(1, min(limit, 100))))
    return map(job_of, islice(found, max(0, limit)))


def is_first(reader: Reader, job: Job) -> bool:
    """Whether no earlier file of its provider is waiting or running."""
    first = reader.find(Walk(KIND, [open_key(job.provider)], limit=1)).records
    return not first or first[0].id == job.id


def last_seen(reader: Reader, job: Job) -> int:
    """When a process last worked at the files of *job*'s provider: at the first that is not over."""
    first = reader.find(Walk(KIND, [open_key(job.provider)], limit=1)).records
    return job_of(first[0]).seen if first else job.seen


def is_outdated(reader: Reader, job: Job) -> bool:
    """Whether a later file of its adapter and provider was imported. Then this one would undo the later corrections."""
    record = reader.get(KIND, job.id)
    after = record.seq if record else 0
    return bool(reader.find(Walk(KIND, [arrived_key(job)], after=after, limit=1)).records)


def change(tx: Tx, id: str, **new: Any) -> Job:
    """Changes the job by *new*. If it is now over, the next job of its provider is owed its step."""
    record = tx.get(KIND, id)
    if record is None:
        raise KeyError(id)
    before = job_of(record)
    job = msgspec.structs.replace(before, **new)
    tx.replace(record_of(job, record.rev, record.seq))
    if job.is_over and not before.is_over:
        for one in tx.find(Walk(KIND, [open_key(job.provider)], limit=1)).records:
            tx.owe(KIND, one.id, Owed(STEP))
    return job
