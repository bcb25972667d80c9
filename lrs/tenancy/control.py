"""The register of tenants, kept apart from their data, and which workers run. Opens no tenant by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import Clock, Record, Store, Tx, open_store, pages, wall_clock
from lrs.storage.kinds import Kind
from lrs.tenancy import master_key
from lrs.tenancy.tenants import (
    DEFAULT,
    Tenant,
    check_id,
    check_whole,
    control_url,
    data_folder,
    open_tenant,
    open_tenant_to_read,
    read_master_key,
    store_url,
)

KIND, WORKER, DEATHS = "tenant", "worker", "worker-deaths"
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
            tx.put(Record(WORKER, worker, meta={"seen": now}))
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

    def died(self, server: str, count: int, reason: str, again: float) -> None:
        """Puts down that the worker of *server* died *count* times in a row, and starts in *again* seconds."""
        now = self._clock()
        meta = {"at": now, "count": count, "reason": reason, "again": again}

        def decide(tx: Tx) -> None:
            for old in tx.find(DEATHS, limit=1_000).records:
                if old.meta["at"] < now - FORGOTTEN:
                    tx.delete(DEATHS, old.id)
            tx.put(Record(DEATHS, server, meta=meta))

        self._store.write(decide).result()

    def recovered(self, server: str) -> None:
        """Puts down that the worker of *server* is well, or that its server ended."""
        self._store.write(lambda tx: tx.delete(DEATHS, server)).result()

    def deaths(self) -> list[Mapping[str, Any]]:
        """Of servers whose worker died: when last (``at``), how often in a row, why, and the pause after it."""
        return [record.meta for record in self._store.find(DEATHS, limit=1_000).records]

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


def open_registered_to_read(settings: Settings, tenant: str) -> Tenant:
    """*tenant* for a command that only shows something. Raises ``Misconfigured``, also if there is none of that name.

    A file and its folder are left as they are, the register too: that the file is there says that there is the tenant.
    """
    if store_url(settings, tenant).startswith("sqlite:///"):
        return open_tenant_to_read(settings, tenant)
    return open_registered(settings, tenant)


KINDS = (
    Kind(KIND, "fact", version=1, subjects=None, retention="configuration", exported=False),
    Kind(WORKER, "working", subjects=None, retention="operational", exported=False),
    Kind(DEATHS, "working", subjects=None, retention="operational", exported=False),
)
