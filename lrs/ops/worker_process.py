"""What one worker process does: its crew, and beside it signs of life, upkeep and the head of the record of actions."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from lrs.composition.kinds import TENANT
from lrs.composition.steps import LANES, STEPS, steps_of
from lrs.kernel.arenas import share_arenas
from lrs.kernel.settings import Settings
from lrs.storage.drafts import drafts_in, remove_left
from lrs.tenancy.audit_head import Publisher
from lrs.tenancy.control import check_made
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.states import erase_due
from lrs.tenancy.tenants import Tenant
from lrs.tenancy.usage import stored_by
from lrs.work.over import clear_over
from lrs.work.sweep import swept
from lrs.work.upkeep import Rest, Task, Upkeep
from lrs.work.visits import Visits
from lrs.work.worker import Crew
from lrs.xapi.statements.replay import expire

BEAT = 20.0
"""Seconds between two signs of life, which ``lrs doctor`` reads."""
HAND_OVER = 0.0005
"""Seconds that a thread may compute while others wait. A call to a receiver waits for it after each part: beside badges
that are signed 40 calls a second arrived at Python's 5 ms, 75 to 230 at this.
"""
BEATS_BETWEEN_DELETIONS = 30
"""Signs of life between two checks for tenants that are due to be deleted, which read all tenants."""

_log = structlog.get_logger()
T = TypeVar("T")


@contextmanager
def working(settings: Settings, idle: float, place: int) -> Iterator[Crew]:
    """A crew that works for every tenant as long as the block lasts, with its signs of life.

    Upkeep, which one process does for all, is done at *place* 0.
    """
    share_arenas()
    sys.setswitchinterval(HAND_OVER)
    check_made(settings)
    remove_left(drafts_in(settings.data))
    tenants = Tenants(settings)
    over = threading.Event()
    pulse = threading.Thread(target=_beat, args=(settings, tenants, over), name="pulse")
    try:
        tenants.start()
        visits = Visits()
        crew = Crew([steps_of(names) for names in LANES], tenants, idle, visits.hear)
        tenants.control.due.call_here(crew.call)
        publisher = Publisher(tenants.busy, settings.audit_head, every=settings.audit_log_every) if place == 0 else None
        upkeep = Upkeep(partial(_visited, tenants, visits), _tasks(tenants, crew, publisher)) if publisher else None
        pulse.start()
        try:
            yield crew
        finally:
            over.set()
            for one in (upkeep, crew, publisher):
                if one is not None:
                    one.close()
            pulse.join()
    finally:
        tenants.close()


def _visited(tenants: Tenants, visits: Visits) -> Iterator[Tenant]:
    """The tenants that one walk of upkeep visits. The walk also finds what a dead process left undone."""
    names = tenants.control.open_tenants()
    for name in tenants.left_open(names):
        visits.hear(name)
    return tenants.each_of(visits.walk(names))


def _tasks(tenants: Tenants, crew: Crew, publisher: Publisher) -> list[Task]:
    """The tasks of upkeep."""

    def call(tenant: Tenant, _: Rest) -> None:
        """Calls the crew for a tenant that owes anything, which also frees what a clock that was ahead has locked."""
        if tenant.store.next_due(list(STEPS)) is not None:
            crew.call(tenant.id)

    def publish(tenant: Tenant, _: Rest) -> None:
        publisher.look_at(tenant)

    def sweep(tenant: Tenant, rest: Rest) -> None:
        tenants.control.due.hush(tenant.id)
        swept(TENANT, tenant, rest)

    def end_waits(tenant: Tenant, _: Rest) -> None:
        """Deletes what was in quarantine, or known by its fingerprint, for long enough."""
        expire(tenant)

    def clear(tenant: Tenant, rest: Rest) -> None:
        """Deletes links, exchanges and nonces that are over."""
        clear_over(TENANT, tenant, rest, begun=partial(tenants.control.due.hush, tenant.id))

    return [sweep, end_waits, clear, partial(_measure, tenants), publish, call]


def _measure(tenants: Tenants, tenant: Tenant, _rest: Rest) -> None:
    """Stores how many bytes a tenant has, if it has a limit."""
    if tenant.record.storage_limit is not None and (stored := stored_by(tenant.settings, tenant.id)) is not None:
        tenants.control.change(tenant.id, lambda record, _: msgspec.structs.replace(record, stored=stored.bytes))


def _beat(settings: Settings, tenants: Tenants, over: threading.Event) -> None:
    name = name_of_process()
    beats = 0
    while not over.is_set():
        _tell(tenants.control.beat, name)
        tenants.trim()
        if beats % BEATS_BETWEEN_DELETIONS == 0:
            _tell(partial(erase_due, settings, tenants.control), tenants.control.clock())
        beats += 1
        over.wait(BEAT)
    _tell(tenants.control.leave, name)


def _tell(sign: Callable[[T], object], about: T) -> None:
    try:
        sign(about)
    except Exception as error:  # noqa: BLE001 (a sign of life, or a deletion, that is late harms nothing)
        _log.warning("the control store cannot be written", error=type(error).__name__)


def name_of_process() -> str:
    """By which the control store and the broker tell this worker from others."""
    return f"lrs-{os.getpid()}@{socket.gethostname()}"
