"""A file brought into the store on this machine: by a job, which whoever works for the store does, or else we do.

Knows no command line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from uuid import uuid4

from adapters import job as jobs
from adapters.before import read_documents
from adapters.job import Job, Sender
from adapters.ledger import Ledger
from adapters.report import Report
from adapters.run import Order, check_order, run_file
from adapters.walk import blocks_of
from lrs.access.keys import authority_of, check_source
from lrs.kernel.settings import Settings
from lrs.tenancy.control import open_control
from lrs.tenancy.tenants import Tenant
from lrs.work.rounds import SECOND, Step, Work

ALIVE = 60 * SECOND
"""Microseconds since its last sign of life for which a worker is taken to be there."""
PATIENCE = 10.0
"""Seconds that a job waits for a worker that is there; then it is done here."""
_LOOK = 0.1


def try_here(tenant: Tenant, order: Order) -> Report:
    """What would become of the file; writes nothing of it."""
    check_source(order.provider)
    read_documents(tenant)
    return run_file(order, Ledger(tenant.store, order.adapter, order.provider), now=tenant.clock())


def job_here(tenant: Tenant, order: Order) -> Job:
    """A job for the file, with a right of its own: whoever may write the store may do all of this."""
    check_order(order.adapter, order.provider, order.profile)
    check_source(order.provider)
    sender = Sender(order.provider, authority_of(tenant, f"{tenant.id}.import", order.provider).decode())
    blob = tenant.store.blobs.put(blocks_of(order.path))
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
    """Whether a worker is there that will do the job."""
    control = open_control(settings)
    try:
        seen = control.workers().values()
    finally:
        control.close()
    now = time.time_ns() // 1_000
    return any(now - at < ALIVE for at in seen)


def follow(tenant: Tenant, job: Job, steps: Mapping[str, Step], *, theirs: bool, say: Callable[[Job], None]) -> Job:
    """*job* once it is over; *say* is told how far it is.

    *theirs*: a worker is there; if it does not begin in ten seconds, or if there is none, the job is done here.
    """
    work = Work(tenant, steps)
    begun = time.monotonic()
    while not (now := jobs.find(tenant.store, job.id)).is_over:
        say(now)
        if theirs and (now.starts or time.monotonic() - begun < PATIENCE):
            time.sleep(_LOOK)
            continue
        theirs = False
        pause = work.turn()
        if pause is not None and not pause.claimed:
            time.sleep(_LOOK)
    return now
