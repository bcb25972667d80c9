"""Imports a file into the store on this machine, by a job. A running worker does the job, or else this process.

Knows no command line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from uuid import uuid4

import msgspec

from adapters.apprenticeship.standard_records import lars_codes
from adapters.imports import job as jobs
from adapters.imports.arriving_files import filtered
from adapters.imports.before import read_documents
from adapters.imports.job import Job, Sender
from adapters.imports.run import Order, check_order, run_file
from adapters.imports.walk import blocks_of
from adapters.ledger.ledger import Ledger
from adapters.reports.report import Report
from lrs.access.keys import authority_of, check_source
from lrs.kernel.settings import Settings
from lrs.kernel.times import MINUTE
from lrs.storage.drafts import draft_folder, drafts_in
from lrs.tenancy.control import open_control
from lrs.tenancy.tenants import Tenant
from lrs.work.rounds import Work
from lrs.work.step import Step

ALIVE = MINUTE
"""Microseconds since its last sign of life within which a worker counts as running."""
PATIENCE = 10.0
"""Seconds that a job waits for a running worker that does nothing for the provider; then it is done here."""
_LOOK = 0.1


def try_here(tenant: Tenant, order: Order) -> Report:
    """The report that the file would get. Writes nothing of it."""
    check_source(order.provider)
    read_documents(tenant)
    with draft_folder(drafts_in(tenant.settings.data)) as folder:
        path = folder / "upload"
        with path.open("wb") as draft:
            draft.writelines(filtered(blocks_of(order.path), order.adapter, order.file))
        kept = msgspec.structs.replace(order, path=path, standards=lars_codes(tenant.store))
        return run_file(kept, Ledger(tenant.store, order.adapter, order.provider), now=tenant.clock())


def job_here(tenant: Tenant, order: Order) -> Job:
    """A job for the file, with all rights: whoever can write the store's files may do this."""
    check_order(order.adapter, order.provider, order.profile)
    check_source(order.provider)
    sender = Sender(order.provider, authority_of(tenant, f"{tenant.id}.import", order.provider).decode())
    blob = tenant.store.blobs.put(filtered(blocks_of(order.path), order.adapter, order.file))
    job = Job(
        id=uuid4().hex,
        adapter=order.adapter,
        provider=order.provider,
        file=order.file,
        sender=sender,
        at=tenant.clock(),
        blobs={"file": blob},
        profile=order.profile,
    )
    return jobs.add(tenant.store, job)


def somebody_works(settings: Settings) -> bool:
    """Whether a worker is running that will do the job."""
    control = open_control(settings)
    try:
        seen = control.workers().values()
    finally:
        control.close()
    now = time.time_ns() // 1_000
    return any(now - at < ALIVE for at in seen)


def follow(tenant: Tenant, job: Job, steps: Mapping[str, Step], *, theirs: bool, say: Callable[[Job], None]) -> Job:
    """*job* when it is over. *say* is called with its progress.

    *theirs* says that a worker is running. The job is done here if there is none, or if ten seconds pass in which it
    works neither at the job nor at the one before which the provider's others wait.
    """
    work = Work(tenant, steps)
    seen, since = -1, time.monotonic()
    while not (now := jobs.find(tenant.store, job.id)).is_over:
        say(now)
        if theirs and (sign := jobs.last_seen(tenant.store, now)) != seen:
            seen, since = sign, time.monotonic()
        theirs = theirs and time.monotonic() - since < PATIENCE
        if theirs:
            time.sleep(_LOOK)
            continue
        pause = work.turn()
        if pause is not None and not pause.claimed:
            time.sleep(_LOOK)
    return now
