"""Checks an installation for faults. One finding for each check, with what to do. Prints nothing, changes nothing.

A problem needs somebody to act; a warning is something to know. No finding names a person.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import asdict

from lrs.competency.strangers import counted_for_nobody
from lrs.composition.steps import undone
from lrs.kernel.errors import Misconfigured
from lrs.kernel.plain_text import counted
from lrs.kernel.settings import MIB, UNKNOWN, Settings, unknown_names
from lrs.kernel.times import SECOND
from lrs.outbox import listing
from lrs.outbox.channel import Channels
from lrs.storage import Walk, micros_of
from lrs.storage.versions import found_and_known
from lrs.tenancy import master_key
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.opening import TenantUnusable
from lrs.tenancy.tenants import Tenant, store_url
from lrs.xapi.statements.plan import KIND as STATEMENT

LITTLE_ROOM, NO_ROOM = 1_024 * MIB, 256 * MIB
SLOW_SYNC = 0.02
"""Seconds. A disk that takes longer to sync slows every writer down."""
LATE = 60
"""Seconds of lag after which a step is late."""
FAR_BEHIND = 3_600
"""Seconds that a destination may be behind without a warning."""
ALIVE = 60
"""Seconds within which a running worker gives a sign of life."""
STILL_DYING = 360
"""Seconds after the restart of a dead worker before it counts as healthy."""
TOO_OFTEN = 3
"""Deaths in a row that make a problem of a warning."""
AHEAD = 5
"""Seconds that the newest record may be ahead of the clock, because machines differ a little."""

_OLDER = (
    "the store has schema {}, of an earlier version. Take a backup with that version; then lrs serve or lrs tenants"
    " migrate brings it to schema {}, which the earlier version refuses"
)

CheckStatus = Literal["ok", "warning", "problem"]


class Finding(msgspec.Struct, frozen=True):
    """The outcome of one check."""

    check: str
    status: CheckStatus
    message: str

    def shown(self) -> dict[str, str]:
        """As JSON shows it."""
        return asdict(self)


def of_settings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Findings about the settings, before any store is opened."""
    unknown = unknown_names(environment)
    for name in unknown:
        yield Finding("settings", "problem", UNKNOWN.format(name))
    if not unknown:
        yield Finding("settings", "ok", "every LRS_ variable is known")
    url = settings.public_url or ""
    if url.startswith("https://"):
        yield Finding("public-url", "ok", f"permanent addresses begin with {url}")
    else:
        message = "LRS_PUBLIC_URL is no https address: badges are demonstrations that nobody else can look up"
        yield Finding("public-url", "warning", message)
    yield _master_key(settings)


def of_store(settings: Settings, tenant: str) -> Finding:
    """Whether *tenant*'s store exists and has a schema that this program can use."""
    try:
        found, known = found_and_known(store_url(settings, tenant))
    except (Misconfigured, sqlite3.Error, OSError) as error:
        return Finding("store", "problem", f"the store cannot be used: {error}")
    if found is None:
        return Finding("store", "warning", "there is no store yet: lrs serve makes one")
    if found > known:
        message = f"the store has schema {found}, this program knows up to {known}: start the newer version"
        return Finding("store", "problem", message)
    if found < known:
        return Finding("store", "warning", _OLDER.format(found, known))
    return Finding("store", "ok", f"reached, schema {found}")


def is_older(url: str) -> bool:
    """Whether opening the store at *url* would migrate it: it is of an earlier version. ``False`` if unknown."""
    try:
        found, known = found_and_known(url)
    except (Misconfigured, sqlite3.Error, OSError):
        return False
    return found is not None and found < known


def of_disk(settings: Settings) -> Iterator[Finding]:
    """Free space and speed of the disk under ``LRS_DATA``."""
    folder = settings.data
    if not folder.is_dir():
        return
    free = shutil.disk_usage(folder).free
    status: CheckStatus = "problem" if free < NO_ROOM else "warning" if free < LITTLE_ROOM else "ok"
    yield Finding("disk-space", status, f"{free // MIB} MiB are free under {folder}")
    try:
        took = _sync_time(folder)
    except OSError as error:
        yield Finding("disk-sync", "problem", f"{folder} cannot be written: {error.strerror}")
        return
    status = "warning" if took > SLOW_SYNC else "ok"
    yield Finding("disk-sync", status, f"a sync takes {took * 1_000:.1f} ms")


def of_work(
    tenant: Tenant, workers: Mapping[str, int], deaths: Sequence[Mapping[str, Any]] = (), locked: Mapping[str, int] = {}
) -> Iterator[Finding]:
    """Whether owed work is being done.

    *workers* says when each was last seen (microseconds UTC), *deaths* is from ``Control.deaths``, *locked* says how
    many entries of each step are locked by a clock that was ahead.
    """
    now = tenant.clock()
    dying = [one for one in deaths if abs(now - one["at"]) < (one["again"] + STILL_DYING) * SECOND]
    alive = sum(abs(now - seen) < ALIVE * SECOND for seen in workers.values())
    for one in dying:
        yield _dying(one, now, alive)
    if alive:
        yield Finding("worker", "ok", f"{alive} running")
    elif not dying:
        yield Finding("worker", "problem", "no worker runs: start lrs serve, or lrs work")
    for backlog in tenant.store.backlog():
        name, lag = f"step {backlog.step}", backlog.lag(now) / SECOND
        if backlog.parked:
            message = (
                f"{backlog.parked} put aside: lrs work status says why, lrs work retry tries again; until then"
                f" {undone(backlog.step)}"
            )
            yield Finding(name, "problem", message)
        if count := locked.get(backlog.step):
            message = (
                f"{count} locked by a clock that was ahead when they were claimed or put off: a worker frees them"
                " within a minute, lrs work retry at once"
            )
            yield Finding(name, "problem", message)
        status: CheckStatus = "problem" if lag > LATE else "ok"
        yield Finding(name, status, f"{backlog.waiting} waiting, the oldest due for {lag:.0f} s")


def of_search_keys(tenant: Tenant) -> Finding:
    """Whether the newest records are found by their search keys, and by no others."""
    count = tenant.store.wrong_keys()
    if not count:
        return Finding("search-keys", "ok", "the newest records are found by their search keys")
    message = f"{count} of the newest records' search keys are wrong: queries miss records; lrs rebuild puts them right"
    return Finding("search-keys", "problem", message)


def _dying(death: Mapping[str, Any], now: int, alive: int) -> Finding:
    count, ago = death["count"], max(0, now - death["at"]) // SECOND
    times = "once" if count == 1 else f"{count} times in a row"
    status: CheckStatus = "problem" if count >= TOO_OFTEN or not alive else "warning"
    message = (
        f"a worker process died {times}, the last time {ago} s ago: {death['reason']}. It is started again by"
        f" itself, {death['again']:.0f} s after that; its log says more"
    )
    return Finding("worker", status, message)


def of_others(settings: Settings, tenants: Tenants, tenant: str) -> Iterator[Finding]:
    """Tenants other than *tenant* that are open and whose store cannot be used, or is of an earlier version.

    ``--tenant`` checks everything else about them. A store of an earlier version is not opened: that would migrate it.
    """
    for name in tenants.control.open_tenants():
        if name == tenant:
            continue
        if is_older(store_url(settings, name)):
            yield Finding(f"tenant {name}", "warning", of_store(settings, name).message)
            continue
        try:
            with tenants.hold(name) as other:
                other.store.backlog()
        except TenantUnusable as error:
            yield Finding(f"tenant {name}", "problem", f"it is not served: {error.reason}")
        except (sqlite3.Error, OSError) as error:
            yield Finding(f"tenant {name}", "problem", f"its store cannot be read: {error}; restore it from a backup")


def of_clock(tenant: Tenant) -> Finding:
    """Whether the clock is behind what is stored.

    If so, everything is stored with the last time seen, and not with now.
    """
    newest = tenant.store.find(Walk(STATEMENT, newest_first=True, limit=1)).records
    ahead = (micros_of(newest[0].seq) - tenant.clock()) / SECOND if newest else 0.0
    if ahead > AHEAD:
        message = f"the clock is {ahead:.0f} s behind the newest statement: it jumped back, or it jumped ahead before"
        return Finding("clock", "problem", message)
    return Finding("clock", "ok", "not behind what is stored")


def of_destinations(tenant: Tenant, channels: Channels) -> Iterator[Finding]:
    """Destinations of every channel that are stopped or far behind."""
    for one in listing.destinations(tenant, channels):
        name, lag = f"destination {one.destination.channel} {one.destination.id}", one.lag(tenant.clock()) // SECOND
        if not one.active:
            yield Finding(name, "warning", f"{one.stopped}; once it is put right: {one.resume}")
        elif lag > FAR_BEHIND:
            yield Finding(name, "warning", f"{lag} s behind: lrs destinations list, lrs work status say more")


def of_strangers(tenant: Tenant) -> Iterator[Finding]:
    """Whether several guests of a source have become one person."""
    for source, count in sorted(counted_for_nobody(tenant.store).items()):
        pieces = counted(count, "piece of evidence counts", "pieces of evidence count")
        message = (
            f"from {source} {pieces} for a name for nobody, such as guest: lrs persons nobody"
            f" {shlex.quote(source)} --default reads again what it sent, and takes back the levels and badges"
        )
        yield Finding(f"strangers {source}", "warning", message)


def _master_key(settings: Settings) -> Finding:
    path = master_key.path_of(settings)
    if not settings.master_key_file and not path.exists():
        return Finding(
            "master-key",
            "warning",
            "there is no master key: lrs serve makes one with a new store, one that is there needs its own put back",
        )
    try:
        master_key.read(path)
        told = path.stat()
    except (Misconfigured, OSError) as error:
        return Finding("master-key", "problem", str(error))
    mode = told.st_mode & 0o777
    if mode & 0o077:
        return Finding("master-key", "problem", f"{path} is open to others (mode {mode:o}): chmod 600 {path}")
    if told.st_uid not in {os.geteuid(), 0}:
        return Finding("master-key", "warning", f"{path} belongs to the user {told.st_uid}, who can read and change it")
    return Finding("master-key", "ok", f"{path} can be read by its owner only")


def _sync_time(folder: Path) -> float:
    """The median of five syncs of 4 KiB, in seconds."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".sync-")
    try:
        times = []
        for _ in range(5):
            os.write(descriptor, bytes(4_096))
            begun = time.perf_counter()
            os.fsync(descriptor)
            times.append(time.perf_counter() - begun)
        return statistics.median(times)
    finally:
        os.close(descriptor)
        with suppress(FileNotFoundError):
            Path(name).unlink()
