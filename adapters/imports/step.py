"""The step ``import``: a short turn at a job, again until it is over; and the step that removes its files later.

A turn makes at most one commit: the statements of some rows, their ledger entries, the job's progress, and that the
next turn is owed. So a process may end at any time: the job is run again, and its ledger entries show what it has done.
Knows no file format.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from adapters.imports import job as jobs
from adapters.imports.job import FORGET, STEP, Job, JobError, change, is_first, is_outdated, job_of
from adapters.imports.walk import Commit, FileLookedAt, Finished, Walker, WalkRequest, new_worker
from adapters.imports.walks import FileWalk, FileWalks
from adapters.ledger.apply import ImportChunk, ImportTarget, RefusedRows, store
from adapters.ledger.ledger import Overtaken
from adapters.reading.day_order import DatesContradict
from adapters.reading.never_kept import NEVER_KEPT
from lrs.kernel.admission import IMPORT, Overloaded
from lrs.kernel.errors import Refused, StoreFull
from lrs.kernel.times import DAY, MINUTE, SECOND
from lrs.storage import ROW_BYTES, Claim, Owed, RecordName, Tx, put_aside
from lrs.tenancy.tenants import Tenant
from lrs.work.step import Step
from lrs.xapi.statements.subscriptions import Subscriptions

SLICE = 0.25
"""Seconds of a turn in which the file is read on."""
TELL = 1.0
"""Seconds after which progress, or a sign of life, is stored if there is nothing else to write."""
LEASE = 30
"""Seconds of a turn's lease: after this time another process continues the job of a killed one."""
STARTS = 5
"""How often a file is opened without progress before the job is given up."""
ELSEWHERE = 5 * SECOND
"""Microseconds for which a job is left to the process that last worked on it."""
NO_ROOM, SOON = MINUTE, SECOND
_log = structlog.get_logger()
JobWalk = FileWalk[WalkRequest, RefusedRows]
Turns = FileWalks[WalkRequest, RefusedRows]


class Imports:
    """The turns of one process at the jobs of its tenants."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._walks: Turns = FileWalks(each=2, most=8, patience=60.0)
        self._worker = new_worker()

    def run(self, tenant: Tenant, claims: Sequence[Claim]) -> None:
        """A turn at each job."""
        for claim in claims:
            self._turn(tenant, claim)

    def give_up(self, tenant: Tenant, claim: Claim, reason: str) -> None:
        """Ends a failed job: the next file of its provider begins, and the entry is put aside with the reason.

        Does nothing if the lease was lost: then another process has gone on with the job.
        """
        self._walks.drop(tenant.id, claim.record.id)
        message = f"the import was given up: {reason}; send the file again, what is in already will not change"
        problem = JobError(IMPORT.status, IMPORT.error, message)
        now = tenant.clock()

        def decide(tx: Tx) -> str:
            change(tx, claim.record.id, state="failed", problem=problem, ended=now)
            tx.owe(jobs.KIND, claim.record.id, Owed(FORGET, now + _kept_for(tenant)))
            return reason

        put_aside(tenant.store, claim, decide, now)

    def _turn(self, tenant: Tenant, claim: Claim) -> None:
        job = job_of(claim.record)
        walk = self._walks.get(tenant.id, job.id, tenant.store)
        if job.is_over:
            self._walks.drop(tenant.id, job.id)
            tenant.store.settle([claim], lambda tx: _tried_again(tx, job)).result()
        elif walk is None:
            self._begin(tenant, claim, job)
        else:
            self._go_on(tenant, claim, job, walk)

    def _begin(self, tenant: Tenant, claim: Claim, job: Job) -> None:
        """Opens the file, if no earlier job of the provider is open. The end of that job will owe this one its step."""
        now = tenant.clock()
        is_elsewhere = job.worker != self._worker and 0 <= now - job.seen < ELSEWHERE
        if is_elsewhere or not self._walks.has_room(tenant.id):
            _again(tenant, claim, now + SOON)
            return
        new: dict[str, Any] = {
            "state": "running",
            "starts": job.starts + 1,
            "worker": self._worker,
            "seen": now,
        }

        def decide(tx: Tx) -> bool:
            if not is_first(tx, job):
                return False
            change(tx, job.id, **new)
            tx.owe(jobs.KIND, job.id, Owed(STEP))
            return True

        if tenant.store.settle([claim], decide, reads=[_name(claim)]).result():
            walker = Walker(self._target(tenant, job), job)
            self._walks.begin(tenant.id, job.id, FileWalk(walker.run, job.id, tenant.store))

    def _go_on(self, tenant: Tenant, claim: Claim, job: Job, walk: JobWalk) -> None:
        try:
            asked = _next(walk, told=_is_told(tenant, job))
        except Refused as refusal:
            self._walks.drop(tenant.id, job.id)
            _refuse(tenant, claim, job, refusal)
            return
        except Exception as error:  # noqa: BLE001 (it is kept with the job, which is tried again or given up)
            self._walks.drop(tenant.id, job.id)
            self._failed(tenant, claim, job, error)
            return
        try:
            self._answer(tenant, claim, job, walk, asked)
        except Overtaken:
            self._walks.drop(tenant.id, job.id)
            _again(tenant, claim, tenant.clock() + SOON)

    def _answer(self, tenant: Tenant, claim: Claim, job: Job, walk: JobWalk, asked: WalkRequest | None) -> None:
        if isinstance(asked, Finished):
            _finish(tenant, claim, job, asked)
            self._walks.drop(tenant.id, job.id)
            return
        new = {"seen": tenant.clock(), "worker": self._worker}
        if isinstance(asked, FileLookedAt):
            now = asked.job
            seen = {name: getattr(now, name) for name in ("adapter", "profile", "blobs", "look", "mends")}
            _again(tenant, claim, 0, guess=False, **seen, **new)
            walk.answer({})
            return
        if asked is None:
            if _is_told(tenant, job):
                tenant.store.release([claim])
            else:
                _again(tenant, claim, 0, **new)
            return
        progress = _progress(job, asked) | new

        def commit(decide: Callable[[Tx], None], chunk: ImportChunk) -> None:
            def decided(tx: Tx) -> None:
                decide(tx)
                change(tx, job.id, **progress)
                tx.owe(jobs.KIND, job.id, Owed(STEP))

            reads = [_name(claim), *chunk.reads(target)]
            tenant.store.settle([claim], decided, weight=chunk.weight, reads=reads).result()

        target = self._target(tenant, job)
        walk.answer(store(target, asked.chunk, commit))

    def _target(self, tenant: Tenant, job: Job) -> ImportTarget:
        caller = job.sender.caller(tenant.id)
        return ImportTarget(tenant, caller, self._subscriptions, f"{job.adapter}/{job.provider}", job.id)

    def _failed(self, tenant: Tenant, claim: Claim, job: Job, error: Exception) -> None:
        """Handles an error of the walk: waits while a store has no room, and tries a few times after another error."""
        reason = f"the file could not be worked through ({type(error).__name__})"
        _log.warning("an import was broken off", tenant=tenant.id, id=job.id, error=type(error).__name__)
        if isinstance(error, Overloaded | StoreFull | OSError):
            _again(tenant, claim, tenant.clock() + NO_ROOM, error=f"{reason}; it is tried again", starts=0)
        elif job.starts < STARTS:
            _again(tenant, claim, tenant.clock() + 2**job.starts * SECOND, error=f"{reason}; it is tried again")
        else:
            self.give_up(tenant, claim, reason)


def _progress(job: Job, asked: Commit) -> dict[str, Any]:
    """What *asked* changes in the job. An interrupted one repeats its rows, which brings it no further."""
    starts = 0 if asked.rows > job.rows or asked.written > job.written else job.starts
    return {"rows": max(asked.rows, job.rows), "written": asked.written, "starts": starts, "error": ""}


def _next(walk: JobWalk, *, told: bool) -> WalkRequest | None:
    """What the walk asks next within a turn. Progress alone is skipped if it was *told* in this turn."""
    end = time.monotonic() + SLICE
    while (left := end - time.monotonic()) > 0:
        asked = walk.next(left)
        if not (told and isinstance(asked, Commit) and not asked.chunk.rows and not asked.chunk.names):
            return asked
        walk.answer({})
    return None


def _again(tenant: Tenant, claim: Claim, due: int, **new: Any) -> None:
    """Ends the turn. The next one is *due* at that time."""

    def decide(tx: Tx) -> None:
        if new:
            change(tx, claim.record.id, **new)
        tx.owe(jobs.KIND, claim.record.id, Owed(STEP, due))

    tenant.store.settle([claim], decide, reads=[_name(claim)]).result()


def _is_told(tenant: Tenant, job: Job) -> bool:
    """Whether the stored sign of life is recent."""
    return job.seen > tenant.clock() - TELL * SECOND


def _name(claim: Claim) -> RecordName:
    return claim.record.kind, claim.record.id


def _tried_again(tx: Tx, job: Job) -> None:
    """Prepares a failed job for another try. Refuses it if a later file was imported."""
    if job.state != "failed":
        return
    if is_outdated(tx, job):
        message = "a later file of this provider came in since: if this one is right all the same, send it again"
        change(tx, job.id, problem=JobError(409, "import_outdated", message))
        return
    change(tx, job.id, state="waiting", starts=0, problem=None, ended=None, error="")
    tx.owe(jobs.KIND, job.id, Owed(STEP))


def _refuse(tenant: Tenant, claim: Claim, job: Job, refusal: Refused) -> None:
    """Ends a job whose file cannot be read, with the refusal as its error."""
    blobs = {} if refusal.error == NEVER_KEPT else job.blobs
    asks = refusal.asks if isinstance(refusal, DatesContradict) else None
    problem = JobError(refusal.status, refusal.error, refusal.message, asks)
    _end(tenant, claim, job, {"state": "refused", "problem": problem, "blobs": blobs})


def _finish(tenant: Tenant, claim: Claim, job: Job, done: Finished) -> None:
    blobs = {**job.blobs, **done.blobs}
    new = {"state": "done", "told": done.told, "look": done.look, "blobs": blobs, "rows": done.rows, "error": ""}
    _end(tenant, claim, job, new, weight=len(done.told.text) // ROW_BYTES + 2 * len(done.told.waiting))


def _end(tenant: Tenant, claim: Claim, job: Job, new: dict[str, Any], weight: int = 0) -> None:
    now = tenant.clock()

    def decide(tx: Tx) -> None:
        change(tx, job.id, **new, ended=now)
        tx.owe(jobs.KIND, job.id, Owed(FORGET, now + _kept_for(tenant)))

    tenant.store.settle([claim], decide, weight=weight, reads=[_name(claim)]).result()


def _kept_for(tenant: Tenant) -> int:
    return round(tenant.settings.import_files_days * DAY)


def forget_files(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """The step ``import-files``: removes the names of files of jobs that ended long enough ago.

    The sweep deletes the blobs.
    """
    now = tenant.clock()

    def decide(tx: Tx) -> None:
        for job in map(job_of, (claim.record for claim in claims)):
            until = (job.ended or now) + _kept_for(tenant)
            if until <= now:
                change(tx, job.id, blobs={})
            else:
                tx.owe(jobs.KIND, job.id, Owed(FORGET, until))

    tenant.store.settle(claims, decide).result()


def import_steps(first: Callable[[Tenant], None], subscriptions: Subscriptions) -> dict[str, Step]:
    """The steps of imports for one process. *first* is called before the first turn at a tenant's jobs.

    *subscriptions* say which steps the stored statements owe.
    """
    imports = Imports(subscriptions)
    return {
        STEP: Step(
            imports.run,
            lease=LEASE,
            give_up=imports.give_up,
            first=first,
            planned=NO_ROOM // SECOND,
            undone={"": "the file is not brought in any further"},
        ),
        FORGET: Step(
            forget_files,
            batch=50,
            planned=None,
            undone={"": "the file of the import is kept for longer than it need be"},
        ),
    }
