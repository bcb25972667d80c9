"""Results of recent imports, for the administrators' pages. Knows no rows and runs nothing."""

from __future__ import annotations

from adapters.imports.job import Job, newest
from lrs.kernel.printing import time_of
from lrs.pages.facts import Run
from lrs.storage import Store

LOOKED_AT = 200
"""How many of the newest jobs are searched for the last one of each file."""


def recent_runs(store: Store, *, limit: int = 20) -> list[Run]:
    """The last run of each file, newest first, at most *limit*. Dry runs are left out.

    Rows that a later file repaired wait no more.
    """
    latest: dict[tuple[str, str, str], Job] = {}
    found = list(newest(store, LOOKED_AT))
    mended = {job.mends for job in found if job.mends and not job.dry_run and job.state == "done"}
    for job in found:
        if not job.dry_run:
            latest.setdefault((job.adapter, job.provider, job.file), job)
    runs = [_run(job, is_mended=job.id in mended) for job in latest.values()]
    return sorted(runs, key=lambda run: run.at, reverse=True)[:limit]


def _run(job: Job, *, is_mended: bool) -> Run:
    counts = job.told.counts if job.told else {}
    waiting = job.told.waiting if job.told and not is_mended else ()
    reason = job.problem.message if job.problem else job.error
    return Run(
        job.adapter, job.provider, job.file, time_of(job.ended or job.at) or "", counts, waiting, job.state, reason
    )
