"""The register of tenants, kept apart from their data, and which workers run. Opens no tenant by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import Clock, Record, Store, Tx, open_store, pages, wall_clock
from lrs.storage.kinds import Kind
from lrs.tenancy import master_key
from lrs.tenancy.due import Due
from lrs.tenancy.record import TenantRecord, record_of
from lrs.tenancy.tenants import (
    DEFAULT,
    Tenant,
    check_id,
    check_whole,
    control_url,
    data_folder,
    is_there,
    open_tenant,
    open_tenant_to_read,
    read_master_key,
    store_url,
)

KIND, WORKER, DEATHS = "tenant", "worker", "worker-deaths"
FORGOTTEN = 24 * 3_600 * 1_000_000
"""Microseconds after which a worker that died is no longer listed."""


class Control:
    """The register of tenants; the default one is always in it. Other rooms keep in its *store* what is no tenant's."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.due = Due(store, clock)
        if not self.has(DEFAULT):
            self.add(DEFAULT)

    def has(self, tenant: str) -> bool:
        """Whether there is a tenant of that id, whatever its state."""
        return self.get(tenant) is not None

    def get(self, tenant: str) -> TenantRecord | None:
        """What is known of the tenant; ``None`` if there is none of that id, or it was deleted."""
        found = self.store.get(KIND, tenant)
        record = record_of(found.body) if found else None
        return None if record is None or record.state == "deleted" else record

    def records(self) -> dict[str, TenantRecord]:
        """All there are, and all there were, oldest first, by id."""
        return {record.id: record_of(record.body) for record in pages(self.store, KIND)}

    def tenants(self) -> list[str]:
        """The ids of those there are, oldest first."""
        return [id for id, record in self.records().items() if record.state != "deleted"]

    def open_tenants(self) -> list[str]:
        """The ids of those that are served and worked for."""
        return [id for id, record in self.records().items() if record.state == "open"]

    def add(self, tenant: str, name: str = "") -> bool:
        """Registers *tenant*; ``False`` if it is registered already, or was and is deleted.

        Raises ``Misconfigured`` for an unusable id.
        """
        check_id(tenant)
        now = self.clock()
        body = msgspec.json.encode(TenantRecord(created=now, since=now, name=name))

        def decide(tx: Tx) -> bool:
            if tx.get(KIND, tenant) is not None:
                return False
            tx.insert(Record(KIND, tenant, body))
            return True

        return self.store.write(decide).result()

    def change(self, tenant: str, change: Callable[[TenantRecord, int], TenantRecord]) -> TenantRecord:
        """Puts what *change* makes of the record, and of the time, in its place; gives that.

        Raises ``Misconfigured`` if there is no such tenant. What *change* raises leaves it as it is.
        """
        now = self.clock()

        def decide(tx: Tx) -> TenantRecord | None:
            found = tx.get(KIND, tenant)
            record = record_of(found.body) if found else None
            if found is None or record is None:
                return None
            changed = change(record, now)
            if changed != record:
                tx.replace(msgspec.structs.replace(found, body=msgspec.json.encode(changed)))
            return changed

        changed = self.store.write(decide).result()
        if changed is None:
            raise Misconfigured(self.none_such(tenant))
        return changed

    def none_such(self, tenant: str) -> str:
        """What to say where there is no tenant of that id."""
        return f"there is no tenant {tenant!r}; there are {', '.join(self.tenants())}"

    def beat(self, worker: str) -> None:
        """Puts down that *worker* runs now."""
        now = self.clock()

        def decide(tx: Tx) -> None:
            tx.put(Record(WORKER, worker, meta={"seen": now}))
            for old in tx.find(WORKER, limit=1_000).records:
                if old.meta["seen"] < now - FORGOTTEN:
                    tx.delete(WORKER, old.id)

        self.store.write(decide).result()

    def leave(self, worker: str) -> None:
        """Puts down that *worker* ended."""
        self.store.write(lambda tx: tx.delete(WORKER, worker)).result()

    def workers(self) -> dict[str, int]:
        """When each worker was last seen (microseconds UTC)."""
        return {record.id: record.meta["seen"] for record in self.store.find(WORKER, limit=1_000).records}

    def died(self, server: str, count: int, reason: str, again: float) -> None:
        """Puts down that the worker of *server* died *count* times in a row, and starts in *again* seconds."""
        now = self.clock()
        meta = {"at": now, "count": count, "reason": reason, "again": again}

        def decide(tx: Tx) -> None:
            for old in tx.find(DEATHS, limit=1_000).records:
                if old.meta["at"] < now - FORGOTTEN:
                    tx.delete(DEATHS, old.id)
            tx.put(Record(DEATHS, server, meta=meta))

        self.store.write(decide).result()

    def recovered(self, server: str) -> None:
        """Puts down that the worker of *server* is well, or that its server ended."""
        self.store.write(lambda tx: tx.delete(DEATHS, server)).result()

    def deaths(self) -> list[Mapping[str, Any]]:
        """Of servers whose worker died: when last (``at``), how often in a row, why, and the pause after it."""
        return [record.meta for record in self.store.find(DEATHS, limit=1_000).records]

    def close(self) -> None:
        """Lets go of the store."""
        self.store.close()


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


@contextmanager
def registered(settings: Settings, tenant: str) -> Iterator[Tenant]:
    """*tenant* for a command, open for the length of the block.

    Raises ``Misconfigured``, also if there is none of that name, and where there is no store: commands make none.
    """
    with control_there(settings, tenant) as control:
        record = control.get(tenant)
        if record is None:
            raise Misconfigured(control.none_such(tenant))
        record.check_open(tenant)
        _check_there(settings, tenant)
        noting = partial(control.due.note, tenant)
        opened = open_tenant(record.decided.settings(settings), tenant, committed=noting)
        try:
            yield replace(opened, record=record)
        finally:
            opened.store.close()
            control.due.mark(tenant)


@contextmanager
def registered_to_read(settings: Settings, tenant: str) -> Iterator[Tenant]:
    """*tenant* for a command that only shows something, whatever its state. Raises ``Misconfigured`` as ``registered``.

    A file and its folder are left as they are, the register too: that the file is there says that there is the tenant.
    """
    if not store_url(settings, tenant).startswith("sqlite:///"):
        with control_there(settings, tenant) as control:
            record = control.get(tenant)
            if record is None:
                raise Misconfigured(control.none_such(tenant))
        _check_there(settings, tenant)
    opened = open_tenant_to_read(settings, tenant)
    try:
        yield opened
    finally:
        opened.store.close()


@contextmanager
def control_there(settings: Settings, tenant: str = DEFAULT) -> Iterator[Control]:
    """The register for a command that makes no store. Raises ``Misconfigured`` where neither it nor *tenant* is."""
    check_id(tenant)
    check_made(settings, tenant)
    control = open_control(settings)
    try:
        yield control
    finally:
        control.close()


def check_made(settings: Settings, tenant: str = DEFAULT) -> None:
    """Raises ``Misconfigured`` where neither the register nor the store of *tenant* is: most commands make none."""
    check_whole(settings)
    if not _is_made(control_url(settings)):
        _check_there(settings, tenant)


def _is_made(url: str) -> bool:
    """Whether somebody made the store at *url*. A file is not opened, which may need rights that nobody has here."""
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///")).exists()
    return is_there(url) if url.startswith("mongodb") else True


def _check_there(settings: Settings, tenant: str) -> None:
    url = store_url(settings, tenant)
    if not _is_made(url):
        where = url.removeprefix("sqlite:///") if url.startswith("sqlite") else "the database"
        raise Misconfigured(
            f"tenant {tenant!r} has no store in {where}: lrs serve makes the first one, and --data or LRS_DATA names"
            " its folder"
        )


KINDS = (
    Kind(KIND, "fact", TenantRecord, 2, subjects=None, retention="configuration", exported=False),
    Kind(WORKER, "working", subjects=None, retention="operational", exported=False),
    Kind(DEATHS, "working", subjects=None, retention="operational", exported=False),
)
