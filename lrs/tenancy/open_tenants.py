"""The tenants that a process has open: opened when they are needed, closed when they were not used for a while.

Whoever works for a tenant holds it; only tenants that nobody holds are closed. A tenant that cannot be opened does not
affect others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import TracebackType

from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.settings import Settings
from lrs.storage import Clock, Load, wall_clock
from lrs.storage.outside import StoreCondition, has_log, seen
from lrs.tenancy.control import open_control
from lrs.tenancy.installation import installation
from lrs.tenancy.master_key import OtherKey
from lrs.tenancy.opening import Opener, TenantUnusable
from lrs.tenancy.openings import Openings
from lrs.tenancy.record import TenantRecord
from lrs.tenancy.tenants import TENANT_ID, Tenant, store_url

IDLE = 60.0
"""Seconds without use after which a tenant is closed."""
REMEMBERED = 0.5
"""Seconds for which the state of an open tenant is cached, so that a suspended one is refused within a second."""
TRIM_EVERY = 20.0
"""Seconds between two checks for tenants to close."""


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
    """Holds one tenant as long as a block lasts."""

    __slots__ = ("_held", "_tenants", "_wanted")

    def __init__(self, tenants: Tenants, wanted: str) -> None:
        self._tenants = tenants
        self._wanted = wanted

    def __enter__(self) -> Tenant:
        """The tenant. Refuses as ``Tenants.take`` does, and with 404 if there is none of that name."""
        self._held = self._tenants.take_open(self._wanted) or _found(self._tenants.take(self._wanted))
        return self._held

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._tenants.give_back(self._held)


class Tenants:
    """The open tenants of this process. Several threads may use it at once."""

    def __init__(self, settings: Settings, clock: Clock = wall_clock) -> None:
        self._settings = settings
        self.control = open_control(settings, clock=clock)
        self.since = clock()
        """When this process began, in microseconds UTC."""
        self.installation = installation(self.control, settings)
        """The installation itself, for its operators' pages."""
        self._opener = Opener(settings, self.control, clock)
        self._openings = Openings(self._open_for_others)
        self._open: dict[str, _Open] = {}
        self._moving: set[str] = set()
        """Those being opened or closed: whoever wants one waits for that, and for no other tenant."""
        self._closed = Load(0, 0, 0, 0)
        self._lock = threading.Lock()
        self._moved = threading.Condition(self._lock)

    def start(self) -> list[TenantUnusable]:
        """Opens one tenant, and each whose file looks as if it could not be opened. Gives those that cannot.

        Stores that a process has left open, and those of an older schema, are made due, and a worker opens them. All
        others are opened when they are needed. Raises ``Misconfigured`` if none can be opened, and if one that was
        tried has another master key, with the first reason.
        """
        try:
            self._try()
        except BaseException:
            self.close()
            raise
        self._opener.tell()
        return self.unusable()

    def _try(self) -> None:
        looks = {name: seen(store_url(self._settings, name)) for name in self.control.open_tenants()}
        self.control.due.look_into(
            [name for name, look in looks.items() if look in {StoreCondition.UNSETTLED, StoreCondition.UNKNOWN}]
        )
        opened = False
        for name, look in looks.items():
            if not opened or look is StoreCondition.ODD:
                with suppress(Refused), self.look(name):
                    opened = True
        for one in self.unusable():
            if isinstance(one.__cause__, OtherKey) or not opened:
                raise Misconfigured(one.reason)

    def hold(self, tenant: str) -> Hold:
        """A block that holds *tenant*. Takes well under a microsecond for an open one."""
        return Hold(self, tenant)

    def take_open(self, tenant: str, record: TenantRecord | None = None) -> Tenant | None:
        """The tenant with one more hold, if it is open and its state is cached, or told by *record*.

        Reads nothing and does not wait.
        """
        with self._lock:
            one = self._open.get(tenant)
            if one is None or (record is None and one.fresh < time.monotonic()):
                return None
            if record is not None:
                self._refresh(one, record)
            one.holds += 1
            return one.tenant

    def record_of(self, tenant: str) -> TenantRecord | None:
        """The tenant as the register has it, ``None`` if there is none. Refuses (403) unless its state is open."""
        record = self.control.get(tenant) if TENANT_ID.fullmatch(tenant) else None
        if record is not None:
            record.check_open(tenant)
        return record

    def begin_to_open(self, tenant: str) -> Future[None]:
        """Done when the tenant has been opened, or cannot be, as ``take`` says. Raises as ``Openings.begin``."""
        return self._openings.begin(tenant)

    def _open_for_others(self, tenant: str) -> None:
        with self.hold(tenant):
            pass

    def take(self, tenant: str) -> Tenant | None:
        """The tenant, opened if necessary, with one more hold; ``None`` if there is none of that name.

        Raises ``TenantUnusable`` if it cannot be opened, and refuses (403) unless its state is open. Each call needs a
        ``give_back``.
        """
        record = self.record_of(tenant)
        if record is None:
            return None
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
            opened = self._opener.open(tenant, record)
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
        """Updates an open tenant to its present record. Those who hold it already keep the former one."""
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
    def look(self, tenant: str, patience: float | None = None) -> Iterator[Tenant]:
        """As ``hold``, but a tenant that was opened only for this is closed afterwards.

        Raises ``TimeoutError`` if the opening takes more than *patience* seconds.
        """
        was_open = self.opened(tenant)
        try:
            if patience is not None and not was_open:
                self.begin_to_open(tenant).result(patience)
            with self.hold(tenant) as held:
                yield held
        finally:
            if not was_open:
                self._close_unused([tenant])

    def each(self) -> Iterator[Tenant]:
        """Every tenant that can be opened, one after the other. Each is held until the next is asked for."""
        yield from self.each_of(self.control.open_tenants())

    def each_of(self, names: Iterable[str]) -> Iterator[Tenant]:
        """The same, for *names* only."""
        for name in names:
            with suppress(Refused), self.look(name) as tenant:
                yield tenant

    def left_open(self, names: Iterable[str]) -> list[str]:
        """Those of *names* that a process has open, or had open when it died, as far as their files show."""
        return [name for name in names if has_log(store_url(self._settings, name))]

    def due(self) -> list[str]:
        """The tenants that may have due work now."""
        return self.control.due.tenants()

    def busy(self) -> Iterator[Tenant]:
        """As ``each``, only for tenants that may have due work now."""
        yield from self.each_of(self.due())

    def rest(self, tenant: str, steps: Sequence[str]) -> bool:
        """Says that nothing was found due. If so, ``due`` leaves the tenant out until something of *steps* is due.

        Then it is closed. ``False`` if something is due, or may be in a moment.
        """
        with self.hold(tenant) as held:
            is_at_rest = self.control.due.rest(tenant, lambda: held.store.next_due(steps))
        if is_at_rest:
            self._close_unused([tenant])
        return is_at_rest

    def unusable(self) -> list[TenantUnusable]:
        """The tenants that could not be opened when they were last needed."""
        return self._opener.unusable()

    def loads(self) -> list[Load]:
        """The load of each writer of this process, also of tenants that were closed."""
        with self._lock:
            return [self._closed, *(one.tenant.store.load() for one in self._open.values())]

    def opened(self, tenant: str) -> bool:
        """Whether the tenant is open."""
        return tenant in self._open

    def trim(self, idle: float = IDLE) -> None:
        """Closes tenants unused for *idle* seconds. Above ``LRS_OPEN_TENANTS``, also those unused for longest."""
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

    def close(self) -> None:
        """Finishes all accepted writes and closes every store, even if it is held."""
        self._openings.close()
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
