"""Which tenants there are, kept apart from their data and backups; and those that a process has opened."""

from __future__ import annotations

import threading

import msgspec

from lrs import master_key
from lrs.errors import Misconfigured, Refused
from lrs.settings import Settings
from lrs.storage import Clock, Record, Store, Tx, open_store, pages, wall_clock
from lrs.tenants import (
    DEFAULT,
    TENANT_ID,
    Tenant,
    check_id,
    check_whole,
    control_url,
    data_folder,
    open_tenant,
    read_master_key,
)

KIND, WORKER = "tenant", "worker"
FORGOTTEN = 24 * 3_600 * 1_000_000
"""Microseconds after which a worker that died is no longer listed."""


class Control:
    """The register of tenants; the default one is always in it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        if not self.has(DEFAULT):
            self.add(DEFAULT)

    def has(self, tenant: str) -> bool:
        """Whether there is a tenant of that id."""
        return self._store.get(KIND, tenant) is not None

    def tenants(self) -> list[str]:
        """The ids, oldest first."""
        return [record.id for record in pages(self._store, KIND)]

    def add(self, tenant: str) -> bool:
        """Registers *tenant*; ``False`` if it is registered already. Raises ``Misconfigured`` for an unusable id."""
        check_id(tenant)
        body = msgspec.json.encode({"v": 1, "created": self._clock()})

        def decide(tx: Tx) -> bool:
            if tx.get(KIND, tenant) is not None:
                return False
            tx.insert(Record(KIND, tenant, body))
            return True

        return self._store.write(decide).result()

    def beat(self, worker: str) -> None:
        """Puts down that *worker* runs now."""
        now = self._clock()

        def decide(tx: Tx) -> None:
            there = tx.get(WORKER, worker)
            beat = Record(WORKER, worker, meta={"seen": now}, rev=there.rev if there else 0)
            _ = tx.replace(beat) if there else tx.insert(beat)
            for old in tx.find(WORKER, limit=1_000).records:
                if old.meta["seen"] < now - FORGOTTEN:
                    tx.delete(WORKER, old.id)

        self._store.write(decide).result()

    def leave(self, worker: str) -> None:
        """Puts down that *worker* ended."""
        self._store.write(lambda tx: tx.delete(WORKER, worker)).result()

    def workers(self) -> dict[str, int]:
        """When each worker was last seen (microseconds UTC)."""
        return {record.id: record.meta["seen"] for record in self._store.find(WORKER, limit=1_000).records}

    def close(self) -> None:
        """Lets go of the store."""
        self._store.close()


def open_control(settings: Settings, *, clock: Clock = wall_clock) -> Control:
    """The control store of this installation. Raises ``Misconfigured``, also under another master key than its own."""
    check_whole(settings)
    key = read_master_key(settings)
    data_folder(settings)
    store = open_store(control_url(settings), clock=clock)
    try:
        master_key.claim(store, key, master_key.path_of(settings))
        return Control(store, clock)
    except BaseException:
        store.close()
        raise


def open_registered(settings: Settings, tenant: str) -> Tenant:
    """Opens *tenant* as *settings* say. Raises ``Misconfigured``, also if there is none of that name."""
    check_id(tenant)
    control = open_control(settings)
    try:
        if not control.has(tenant):
            raise Misconfigured(f"there is no tenant {tenant!r}; there are {', '.join(control.tenants())}")
    finally:
        control.close()
    return open_tenant(settings, tenant)


class Tenants:
    """The open tenants of this process, opened when first asked for."""

    def __init__(self, settings: Settings, clock: Clock = wall_clock) -> None:
        self._settings = settings
        self._clock = clock
        self.control = open_control(settings, clock=clock)
        self._open: dict[str, Tenant] = {}
        self._lock = threading.Lock()

    def named(self, tenant: str) -> Tenant:
        """The tenant. Refuses 404 if there is none of that name."""
        found = self.get(tenant)
        if found is None:
            raise Refused("there is no such tenant", status=404, error="not_found")
        return found

    def all(self) -> list[Tenant]:
        """Every tenant there is, opened."""
        return [tenant for name in self.control.tenants() if (tenant := self.get(name))]

    def opened(self, tenant: str) -> Tenant | None:
        """The tenant if it is open already: reads nothing."""
        return self._open.get(tenant)

    def get(self, tenant: str) -> Tenant | None:
        """The tenant, or ``None`` if there is none of that name."""
        found = self.opened(tenant)
        if found is not None or not TENANT_ID.fullmatch(tenant):
            return found
        with self._lock:
            if tenant not in self._open and self.control.has(tenant):
                self._open[tenant] = open_tenant(self._settings, tenant, clock=self._clock)
            return self._open.get(tenant)

    def close(self) -> None:
        """Finishes all accepted writes and closes every store."""
        with self._lock:
            for tenant in self._open.values():
                tenant.store.close()
            self._open.clear()
        self.control.close()
