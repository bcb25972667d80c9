"""The step ``import``: a short turn at a job, again and again until it is over. And what lets go of its files later.

A turn is at most one commit: the statements of some rows, their ledger entries and how far the job is, and that it owes
its next turn. So a process may end anywhere: the job is walked through again, and what it has done already is known by
its ledger entries. Knows no file format.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from adapters import job as jobs
from adapters.apply import Delivery, Piece, Refusals, store
from adapters.job import FORGET, STEP, Job, Problem, change, is_first, is_outdated, job_of
from adapters.ledger import Overtaken
from adapters.walk import Asked, Commit, Finished, Walker, new_worker
from adapters.walks import Walk, Walks
from lrs.kernel.errors import Overloaded, Refused, StoreFull
from lrs.storage import ROW_BYTES, Claim, Owed, Tx
from lrs.tenancy.tenants import Tenant
from lrs.work.rounds import SECOND, Step, park
from lrs.xapi.statements.subscriptions import Subscriptions

SLICE = 0.25
"""Seconds of a turn in which the walk through the file goes on."""
TELL = 1.0
"""Seconds after which progress is put down where there is nothing else to write."""
LEASE = 30
"""Seconds of a turn's lease: so long after a process was killed another one goes on."""
STARTS = 5
"""How often a file is opened without any row of it being worked through, before the job is given up."""
ELSEWHERE = 5 * SECOND
"""Microseconds for which a job is left to the process that was last at it."""
NO_ROOM, SOON = 60 * SECOND, SECOND
DAY = 24 * 3_600 * SECOND
_log = structlog.get_logger()
Turns = Walks[Asked, Refusals]


class Imports:
    """The turns of one process at the jobs of its tenants."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._walks: Turns = Walks(each=2, most=8, patience=60.0)
        self._worker = new_worker()

    def run(self, tenant: Tenant, claims: Sequence[Claim]) -> None:
        """A turn at each job."""
        for claim in claims:
            self._turn(tenant, claim)

    def give_up(self, tenant: Tenant, claim: Claim, reason: str) -> None:
        """The job failed: it is over, its provider's next file begins, and the entry is put aside with the reason."""
        self._walks.drop(tenant.id, claim.record.id)
        message = f"the import was given up: {reason}; send the file again, what is in already will not change"
        problem = Problem(503, "import_failed", message)
        new = {"state": "failed", "problem": problem, "ended": tenant.clock()}
        tenant.store.write(lambda tx: change(tx, claim.record.id, **new)).result()
        park(tenant, claim, reason)

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
        """Opens the file, if it is its turn; the job before it of the same provider owes it one once that is over."""
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

        if tenant.store.settle([claim], decide).result():
            walker = Walker(self._delivery(tenant, job), job)
            self._walks.begin(tenant.id, job.id, Walk(walker.run, job.id, tenant.store))

    def _go_on(self, tenant: Tenant, claim: Claim, job: Job, walk: Walk[Asked, Refusals]) -> None:
        try:
            asked = _next(walk, told=job.seen > tenant.clock() - TELL * SECOND)
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

    def _answer(self, tenant: Tenant, claim: Claim, job: Job, walk: Walk[Asked, Refusals], asked: Asked | None) -> None:
        if isinstance(asked, Finished):
            _finish(tenant, claim, job, asked)
            self._walks.drop(tenant.id, job.id)
            return
        new = {"seen": tenant.clock(), "worker": self._worker}
        if asked is None:
            _again(tenant, claim, 0, **new)
            return
        further = asked.rows > job.rows  # not while a job that was broken off is walked through again
        progress = {"rows": max(asked.rows, job.rows), "starts": 0 if further else job.starts, "error": "", **new}

        def commit(decide: Callable[[Tx], None], piece: Piece) -> None:
            def decided(tx: Tx) -> None:
                decide(tx)
                change(tx, job.id, **progress)
                tx.owe(jobs.KIND, job.id, Owed(STEP))

            tenant.store.settle([claim], decided, weight=piece.weight, reads=piece.reads).result()

        walk.answer(store(self._delivery(tenant, job), asked.piece, commit))

    def _delivery(self, tenant: Tenant, job: Job) -> Delivery:
        caller = job.sender.caller(tenant.id)
        return Delivery(tenant, caller, self._subscriptions, f"{job.adapter}/{job.provider}", job.id)

    def _failed(self, tenant: Tenant, claim: Claim, job: Job, error: Exception) -> None:
        """What kept the walk from going on: a store without room is waited for, anything else is tried a few times."""
        reason = f"the file could not be worked through ({type(error).__name__})"
        _log.warning("an import was broken off", tenant=tenant.id, id=job.id, error=type(error).__name__)
        if isinstance(error, Overloaded | StoreFull | OSError):
            _again(tenant, claim, tenant.clock() + NO_ROOM, error=f"{reason}; it is tried again", starts=0)
        elif job.starts < STARTS:
            _again(tenant, claim, tenant.clock() + 2**job.starts * SECOND, error=f"{reason}; it is tried again")
        else:
            self.give_up(tenant, claim, reason)


def _next(walk: Walk[Asked, Refusals], *, told: bool) -> Asked | None:
    """What the walk asks next within a turn; progress alone is not asked for as long as it was *told* just now."""
    end = time.monotonic() + SLICE
    while (left := end - time.monotonic()) > 0:
        asked = walk.next(left)
        if not (told and isinstance(asked, Commit) and not asked.piece.rows):
            return asked
        walk.answer({})
    return None


def _again(tenant: Tenant, claim: Claim, due: int, **new: Any) -> None:
    """Ends the turn; the next one is *due* then."""

    def decide(tx: Tx) -> None:
        if new:
            change(tx, claim.record.id, **new)
        tx.owe(jobs.KIND, claim.record.id, Owed(STEP, due))

    tenant.store.settle([claim], decide).result()


def _tried_again(tx: Tx, job: Job) -> None:
    """A job that was given up and is to be tried again; what came after it of the same provider must stand."""
    if job.state != "failed":
        return
    if is_outdated(tx, job):
        message = "a later file of this provider came in since: if this one is right all the same, send it again"
        change(tx, job.id, problem=Problem(409, "import_outdated", message))
        return
    change(tx, job.id, state="waiting", starts=0, problem=None, ended=None, error="")
    tx.owe(jobs.KIND, job.id, Owed(STEP))


def _refuse(tenant: Tenant, claim: Claim, job: Job, refusal: Refused) -> None:
    """Nobody can read the file: the job is over, and says where, why and what to do."""
    problem = Problem(refusal.status, refusal.error, refusal.message)
    _end(tenant, claim, job, {"state": "refused", "problem": problem})


def _finish(tenant: Tenant, claim: Claim, job: Job, done: Finished) -> None:
    blobs = {**job.blobs, "returned": done.returned, "report": done.report}
    new = {"state": "done", "told": done.told, "blobs": blobs, "rows": done.rows, "error": ""}
    _end(tenant, claim, job, new, weight=len(done.told.text) // ROW_BYTES + 2 * len(done.told.waiting))


def _end(tenant: Tenant, claim: Claim, job: Job, new: dict[str, Any], weight: int = 0) -> None:
    now = tenant.clock()

    def decide(tx: Tx) -> None:
        change(tx, job.id, **new, ended=now)
        tx.owe(jobs.KIND, job.id, Owed(FORGET, now + _kept_for(tenant)))

    tenant.store.settle([claim], decide, weight=weight).result()


def _kept_for(tenant: Tenant) -> int:
    return round(tenant.settings.import_files_days * DAY)


def forget_files(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Lets go of the files of jobs that were over long enough ago; the sweep drops what no record names any more."""
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
    """The steps of imports for one process; *first* is called before the first turn at a tenant's jobs.

    *subscriptions* say which steps the stored statements owe.
    """
    imports = Imports(subscriptions)
    return {
        STEP: Step(imports.run, lease=LEASE, give_up=imports.give_up, first=first, planned=NO_ROOM // SECOND),
        FORGET: Step(forget_files, batch=50, planned=None),
    }
