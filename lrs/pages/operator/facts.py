"""What the operator's pages show, read from the stores and this machine; bounded, however many organisations there are.

Of an organisation only what it is called, how much it has and how its work goes: nothing of what is in it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from lrs.access import staff
from lrs.access.roles import ADMINISTRATOR
from lrs.kernel.admission import Overloaded
from lrs.kernel.errors import Refused
from lrs.kernel.settings import MIB
from lrs.kernel.times import DAY, MINUTE
from lrs.pages.facts import Neighbours
from lrs.tenancy import backups
from lrs.tenancy.backups import BackupTaken
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.record import TenantRecord
from lrs.tenancy.tenants import UNREADABLE, Tenant
from lrs.tenancy.usage import COUNTED

LOOK_FOR = 1.0
"""Seconds in which stores are opened that are not in use; the work of further organisations is not told."""
ALIVE = MINUTE
"""Microseconds since its last sign within which a worker is taken to run."""
OLD_BACKUP = 7 * DAY
FAILING = 100
"""Entries of work that fail and are counted for an organisation; there may be more."""
LITTLE_ROOM = 1_024 * MIB
CANNOT = (Refused, Overloaded, TimeoutError, *UNREADABLE)
"""What looking at an organisation raises that is shut, broken or busy."""


class OrganisationFacts(msgspec.Struct, frozen=True):
    """An organisation, and how its work goes. *lag* is microseconds; *seen* says whether its store was looked at."""

    id: str
    record: TenantRecord
    unusable: str = ""
    seen: bool = False
    lag: int = 0
    waiting: int = 0
    parked: int = 0
    stopped: int = 0
    failing: int = 0


class InstallationFacts(msgspec.Struct, frozen=True):
    """The whole installation. *workers* run now, *deaths* are of those that died again and again.

    *since* (microseconds UTC) this process serves: one that has just begun knows of no worker yet.
    """

    organisations: Sequence[OrganisationFacts]
    workers: int
    deaths: Sequence[Mapping[str, Any]]
    backups: Sequence[BackupTaken]
    free: int | None
    total: int | None
    since: int


def installation_facts(tenants: Tenants, neighbours: Neighbours) -> InstallationFacts:
    """What there is now."""
    control, folder = tenants.control, tenants.installation.settings.data
    disk = shutil.disk_usage(folder) if folder.is_dir() else None
    now = control.clock()
    return InstallationFacts(
        _organisations(tenants, neighbours),
        sum(now - seen < ALIVE for seen in control.workers().values()),
        control.deaths(),
        backups.newest(control.store),
        disk.free if disk else None,
        disk.total if disk else None,
        tenants.since,
    )


def _organisations(tenants: Tenants, neighbours: Neighbours) -> list[OrganisationFacts]:
    unusable = {one.tenant: one.reason for one in tenants.unusable()}
    until = time.monotonic() + LOOK_FOR
    found = []
    for id, record in tenants.control.records().items():
        fact = OrganisationFacts(id, record, unusable.get(id, ""))
        if record.state == "open" and not fact.unusable and (tenants.opened(id) or time.monotonic() < until):
            fact = _looked_at(tenants, neighbours, fact)
        found.append(fact)
    return found


def _looked_at(tenants: Tenants, neighbours: Neighbours, fact: OrganisationFacts) -> OrganisationFacts:
    try:
        with tenants.look(fact.id, LOOK_FOR) as tenant:
            backlog, now = tenant.store.backlog(), tenant.clock()
            stopped = sum(not one.active for one in neighbours.destinations(tenant))
            failing = len(tenant.store.failing(limit=FAILING))
    except CANNOT as error:
        return OrganisationFacts(fact.id, fact.record, str(error) or type(error).__name__)
    return OrganisationFacts(
        fact.id,
        fact.record,
        seen=True,
        lag=max((one.lag(now) for one in backlog), default=0),
        waiting=sum(one.waiting for one in backlog),
        parked=sum(one.parked for one in backlog),
        stopped=stopped,
        failing=failing,
    )


def counted(tenants: Tenants, id: str) -> Mapping[str, int]:
    """How many statements and so on an organisation has; empty if its store cannot be looked at now."""
    try:
        with tenants.look(id, LOOK_FOR) as tenant:
            return {name: tenant.store.count(kind) for name, kind in COUNTED.items()}
    except CANNOT:
        return {}


def administrators(tenants: Tenants, id: str) -> list[staff.Member]:
    """Those who can let others in at an organisation, or will when they come; empty if that cannot be seen now."""
    try:
        with tenants.look(id, LOOK_FOR) as tenant:
            return administrators_of(tenant)
    except CANNOT:
        return []


def administrators_of(tenant: Tenant) -> list[staff.Member]:
    """The same for an open tenant."""
    return [one for _, one in staff.everyone(tenant.store) if _is_administrator(one)]


def _is_administrator(one: staff.Member) -> bool:
    return not one.is_shut_out and any(role.role == ADMINISTRATOR for role in one.all_roles)


def existing(tenants: Tenants, id: str) -> TenantRecord:
    """The record of an organisation. Raises ``Refused`` (404)."""
    record = tenants.control.get(id)
    if record is None:
        raise Refused("There is no such organisation.", status=404, error="not_found")
    return record


def named(records: Iterable[tuple[str, TenantRecord]]) -> dict[str, str]:
    """What organisations are called, by their ids."""
    return {id: record.name or id for id, record in records}
