"""The tenants that a process has open: opened when somebody asks for one, closed when nobody has used it for a while.

Whoever works for a tenant holds it; only what nobody holds is closed. A tenant that cannot be opened concerns no other.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from types import TracebackType

import structlog

from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.settings import Settings
from lrs.storage import Clock, Load, wall_clock
from lrs.tenancy.control import open_control
from lrs.tenancy.master_key import OtherKey
from lrs.tenancy.record import TenantRecord
from lrs.tenancy.tenants import TENANT_ID, Tenant, open_tenant

AGAIN_AFTER = 30.0
"""Seconds after which a tenant that could not be opened is tried again."""
IDLE = 60.0
"""Seconds without use after which a tenant is closed."""
REMEMBERED = 0.5
"""Seconds for which the state of an open tenant is remembered: one that is suspended is not served a second on."""
TRIM_EVERY = 20.0
"""Seconds between two looks for tenants to be closed."""

_log = structlog.get_logger()


class Unusable(Refused):
    """A tenant's store cannot be opened. What a caller is told names no file; *reason* does, for the operator."""

    def __init__(self, tenant: str, reason: str) -> None:
        super().__init__(
            "the store of this tenant cannot be opened at present; lrs doctor tells its operator why",
            status=503,
            error="unavailable",
            headers=(("Retry-After", str(round(AGAIN_AFTER))),),
        )
        self.tenant = tenant
        self.reason = reason


class _Open:
    """An open tenant, by how many it is held, and when the last of them gave it back (seconds, monotonic).

    Until *fresh* (the same clock) it is as the register says.
    """

    __slots__ = ("fresh", "holds", "tenant", "used")

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.holds = 0
        self.used = 0.0
        self.fresh = time.monotonic() + REMEMBERED


class Hold:
    """Holds one tenant for the length of a block."""

    __slots__ = ("_held", "_tenants", "_wanted")

    def __init__(self, tenants: Tenants, wanted: str) -> None:
        self._tenants = tenants
        self._wanted = wanted

    def __enter__(self) -> Tenant:
        """The tenant. Refuses as ``Tenants.take`` does, and 404 if there is none of that name."""
        self._held = self._tenants.take_open(self._wanted) or _found(self._tenants.take(self._wanted))
        return self._held

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._tenants.give_back(self._held)


class Tenants:
    """The open tenants of this process. All of it may be used by several threads at once."""

    def __init__(self, settings: Settings, clock: Clock = wall_clock) -> None:
        self._settings = settings
        self._clock = clock
        self.control = open_control(settings, clock=clock)
        self._open: dict[str, _Open] = {}
        self._moving: set[str] = set()
        """Those being opened or closed: whoever wants one waits for that, and for no other tenant."""
        self._unusable: dict[str, tuple[Unusable, float]] = {}
        self._closed = Load(0, 0, 0, 0)
        self._lock = threading.Lock()
        self._moved = threading.Condition(self._lock)
        self._started = False

    def start(self, look: Callable[[Tenant], None] = lambda _: None) -> list[Unusable]:
        """Opens every tenant once, has a *look* at it, and tells which cannot be opened.

        Raises ``Misconfigured`` if none can, and if one has another master key: with the reason of the first.
        """
        try:
            opened = 0
            for tenant in self.each():
                opened += 1
                look(tenant)
            failed = self.unusable()
            for one in failed:
                if isinstance(one.__cause__, OtherKey) or not opened:
                    raise Misconfigured(one.reason)
        except BaseException:
            self.close()
            raise
        if not self._started:
            self._started = True
            for one in failed:
                _tell(one)
        return failed

    def hold(self, tenant: str) -> Hold:
        """A block that holds *tenant*; takes well under a microsecond for one that is open."""
        return Hold(self, tenant)

    def take_open(self, tenant: str) -> Tenant | None:
        """The tenant, held once more, if it is open and known to be as it was: reads nothing and waits for nobody."""
        with self._lock:
            one = self._open.get(tenant)
            if one is None or one.fresh < time.monotonic():
                return None
            one.holds += 1
            return one.tenant

    def take(self, tenant: str) -> Tenant | None:
        """The tenant, opened if it is not, held once more; ``None`` if there is none of that name.

        Raises ``Unusable`` if it cannot be opened, and refuses (403) unless its state is open. Each call wants a
        ``give_back``.
        """
        record = self.control.get(tenant) if TENANT_ID.fullmatch(tenant) else None
        if record is None:
            return None
        record.check_open(tenant)
        with self._lock:
            while tenant in self._moving:
                self._moved.wait()
            if (one := self._open.get(tenant)) is not None:
                self._refresh(one, record)
                one.holds += 1
                return one.tenant
            self._moving.add(tenant)
        opened = None
        try:
            opened = self._opened(tenant, record)
        finally:
            with self._lock:
                self._moving.discard(tenant)
                if opened is not None:
                    one = self._open[tenant] = _Open(opened)
                    one.holds = 1
                self._moved.notify_all()
        self.trim()
        return opened

    def _refresh(self, one: _Open, record: TenantRecord) -> None:
        """Brings an open tenant to what the register says now; who holds it already goes on as they began."""
        one.fresh = time.monotonic() + REMEMBERED
        if one.tenant.record != record:
            one.tenant = replace(one.tenant, record=record, settings=record.decided.settings(self._settings))

    def give_back(self, tenant: Tenant) -> None:
        """Ends one hold of *tenant*."""
        now = time.monotonic()
        with self._lock:
            if (one := self._open.get(tenant.id)) is not None:
                one.holds -= 1
                one.used = now

    @contextmanager
    def look(self, tenant: str) -> Iterator[Tenant]:
        """As ``hold``, for who only looks: one that was opened for this alone is closed again."""
        was_open = self.opened(tenant)
        try:
            with self.hold(tenant) as held:
                yield held
        finally:
            if not was_open:
                self._close_unused([tenant])

    def each(self) -> Iterator[Tenant]:
        """Every tenant that can be opened, one after the other, each looked at until the next is asked for."""
        yield from self._look_at(self.control.open_tenants())

    def _look_at(self, names: Sequence[str]) -> Iterator[Tenant]:
        for name in names:
            with suppress(Refused), self.look(name) as tenant:
                yield tenant

    def due(self) -> list[str]:
        """Tenants for which something may be due now."""
        return self.control.due.tenants()

    def busy(self) -> Iterator[Tenant]:
        """As ``each``, only those for which something may be due now."""
        yield from self._look_at(self.due())

    def rest(self, tenant: str, steps: Sequence[str]) -> bool:
        """Says that nothing was found due; if so, ``due`` leaves it out until something of *steps* is.

        Then it is closed. ``False`` if something is due after all, or may be in a moment.
        """
        with self.hold(tenant) as held:
            is_at_rest = self.control.due.rest(tenant, lambda: held.store.next_due(steps))
        if is_at_rest:
            self._close_unused([tenant])
        return is_at_rest

    def unusable(self) -> list[Unusable]:
        """Those that could not be opened when they were last asked for."""
        return [error for error, _ in list(self._unusable.values())]

    def loads(self) -> list[Load]:
        """What the writers of this process do and have done, those of tenants that were closed among them."""
        with self._lock:
            return [self._closed, *(one.tenant.store.load() for one in self._open.values())]

    def opened(self, tenant: str) -> bool:
        """Whether the tenant is open already."""
        return tenant in self._open

    def trim(self, idle: float = IDLE) -> None:
        """Closes whom nobody has used for *idle* seconds, and of more than ``LRS_OPEN_TENANTS`` the longest unused."""
        now = time.monotonic()
        with self._lock:
            unused = sorted((one.used, name) for name, one in self._open.items() if not one.holds)
            over = len(self._open) - self._settings.open_tenants
        self._close_unused([name for place, (used, name) in enumerate(unused) if place < over or used <= now - idle])

    def _close_unused(self, names: list[str]) -> None:
        """Closes those of *names* that nobody holds."""
        for name in names:
            with self._lock:
                one = self._open.get(name)
                if one is None or one.holds:
                    continue
                del self._open[name]
                self._moving.add(name)
            try:
                one.tenant.store.close()
            finally:
                with self._lock:
                    self._closed = _sum(self._closed, one.tenant.store.load())
                    self._moving.discard(name)
                    self._moved.notify_all()

    def _opened(self, tenant: str, record: TenantRecord) -> Tenant:
        """Opens it; one that could not be is not tried again for some seconds, and its reason is logged once."""
        known, again = self._unusable.get(tenant, (None, 0.0))
        if known and time.monotonic() < again:
            raise known
        try:
            opened = open_tenant(
                record.decided.settings(self._settings),
                tenant,
                clock=self._clock,
                committed=partial(self.control.due.note, tenant),
            )
        except (Misconfigured, sqlite3.Error, OSError) as error:
            unusable = Unusable(tenant, str(error))
            unusable.__cause__ = error
            if self._started and (known is None or known.reason != unusable.reason):
                _tell(unusable)
            self._unusable[tenant] = (unusable, time.monotonic() + AGAIN_AFTER)
            raise unusable from error
        self._unusable.pop(tenant, None)
        return replace(opened, record=record)

    def close(self) -> None:
        """Finishes all accepted writes and closes every store, whoever holds it."""
        with self._lock:
            tenants = [one.tenant for one in self._open.values()]
            self._open.clear()
        for tenant in tenants:
            tenant.store.close()
        self.control.close()


def _found(tenant: Tenant | None) -> Tenant:
    if tenant is None:
        raise Refused("there is no such tenant", status=404, error="not_found")
    return tenant


def _sum(before: Load, load: Load) -> Load:
    return Load(0, 0, before.commits + load.commits, before.decisions + load.decisions)


def _tell(one: Unusable) -> None:
    _log.error("a tenant cannot be opened; the others are served", tenant=one.tenant, reason=one.reason)
