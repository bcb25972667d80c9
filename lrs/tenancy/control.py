"""The control store: the records of tenants, apart from the tenants' data, and which workers run. Opens no tenant."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from lrs.kernel.errors import Damaged, Misconfigured
from lrs.kernel.settings import Settings
from lrs.kernel.times import DAY
from lrs.storage import Clock, Reader, Record, Store, Tx, Walk, each, open_store, wall_clock
from lrs.storage.kinds import Kind
from lrs.storage.wakeups import Wakeups, wakeups_in
from lrs.tenancy import master_key
from lrs.tenancy.due import DueIndex
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
FORGOTTEN = DAY
"""Microseconds after which a dead worker is no longer listed."""


class Control:
    """The records of tenants; the default tenant always has one.

    Other rooms keep in *store* what belongs to no tenant.
    """

    def __init__(self, store: Store, clock: Clock, wakeups: Wakeups | None = None) -> None:
        self.store = store
        self.clock = clock
        self.due = DueIndex(store, clock, wakeups)
        self._key = store.get(master_key.KIND, master_key.ID)
        if not self.has(DEFAULT):
            self.add(DEFAULT)

    def has(self, tenant: str) -> bool:
        """Whether a tenant with this id exists, in whatever state."""
        return self.get(tenant) is not None

    def get(self, tenant: str) -> TenantRecord | None:
        """The record of the tenant; ``None`` if there is none with this id, or it was deleted."""
        found = self.store.get(KIND, tenant)
        record = record_of(found.body) if found else None
        return None if record is None or record.state == "deleted" else record

    def records(self) -> dict[str, TenantRecord]:
        """The records of all tenants, deleted ones too, by id, oldest first."""
        return {record.id: record_of(record.body) for record in each(self.store, KIND)}

    def tenants(self) -> list[str]:
        """The ids of tenants that exist, oldest first."""
        return [id for id, record in self.records().items() if record.state != "deleted"]

    def open_tenants(self) -> list[str]:
        """The ids of open tenants."""
        return [id for id, record in self.records().items() if record.state == "open"]

    def add(self, tenant: str, name: str = "") -> bool:
        """Registers *tenant*. ``False`` if it is registered already, or was and is deleted.

        Raises ``Misconfigured`` for an unusable id, and if the master key was changed since this was opened: the
        tenant's store has the former one.
        """
        check_id(tenant)
        now = self.clock()
        body = msgspec.json.encode(TenantRecord(created=now, since=now, name=name))

        def decide(tx: Tx) -> bool:
            if tx.get(KIND, tenant) is not None:
                return False
            self.check_key(tx)
            tx.insert(Record(KIND, tenant, body))
            return True

        return self.store.write(decide).result()

    def check_key(self, reader: Reader | None = None) -> None:
        """Raises ``Misconfigured`` if the master key was changed since this was opened, or is being changed."""
        reader = reader or self.store
        master_key.check_settled(reader)
        if reader.get(master_key.KIND, master_key.ID) != self._key:
            raise Misconfigured("the master key was changed meanwhile: start again with the new one")

    def change(self, tenant: str, change: Callable[[TenantRecord, int], TenantRecord]) -> TenantRecord:
        """Replaces the record by what *change* makes of it and of the time, and returns that.

        Raises ``Misconfigured`` if there is no such tenant. If *change* raises, the record does not change.
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
        """The message that there is no tenant with this id."""
        return f"there is no tenant {tenant!r}; there are {', '.join(self.tenants())}"

    def beat(self, worker: str) -> None:
        """Records that *worker* is running."""
        now = self.clock()

        def decide(tx: Tx) -> None:
            tx.put(Record(WORKER, worker, meta={"seen": now}))
            for old in tx.find(Walk(WORKER, limit=1_000)).records:
                if old.meta["seen"] < now - FORGOTTEN:
                    tx.delete(WORKER, old.id)

        self.store.write(decide).result()

    def leave(self, worker: str) -> None:
        """Records that *worker* has ended."""
        self.store.write(lambda tx: tx.delete(WORKER, worker)).result()

    def workers(self) -> dict[str, int]:
        """When each worker was last seen (microseconds UTC)."""
        return {record.id: record.meta["seen"] for record in self.store.find(Walk(WORKER, limit=1_000)).records}

    def died(self, server: str, count: int, reason: str, again: float) -> None:
        """Records that the worker of *server* died *count* times in a row, and is restarted in *again* seconds."""
        now = self.clock()
        meta = {"at": now, "count": count, "reason": reason, "again": again}

        def decide(tx: Tx) -> None:
            for old in tx.find(Walk(DEATHS, limit=1_000)).records:
                if old.meta["at"] < now - FORGOTTEN:
                    tx.delete(DEATHS, old.id)
            tx.put(Record(DEATHS, server, meta=meta))

        self.store.write(decide).result()

    def recovered(self, server: str) -> None:
        """Records that the worker of *server* is healthy, or that its server ended."""
        self.store.write(lambda tx: tx.delete(DEATHS, server)).result()

    def deaths(self) -> list[Mapping[str, Any]]:
        """For servers whose worker died: when last (``at``), how often in a row, why, and the pause after it."""
        return [record.meta for record in self.store.find(Walk(DEATHS, limit=1_000)).records]

    def close(self) -> None:
        """Closes the store."""
        self.store.close()
        self.due.close()


def open_control(settings: Settings, *, clock: Clock = wall_clock) -> Control:
    """The control store of this installation. Raises ``Misconfigured``, also for a wrong master key."""
    check_whole(settings)
    key = read_master_key(settings)
    data_folder(settings)
    store = open_store(control_url(settings), clock=clock)
    try:
        with damage_told(settings):
            master_key.claim(store, key, master_key.path_of(settings))
            master_key.check_settled(store)
            return Control(store, clock, Wakeups(wakeups_in(settings.data)))
    except BaseException:
        store.close()
        raise


@contextmanager
def damage_told(settings: Settings) -> Iterator[None]:
    """Raises ``Misconfigured`` for what reading a damaged control store raises."""
    try:
        yield
    except (sqlite3.DatabaseError, Damaged) as error:
        where = control_url(settings).removeprefix("sqlite:///")
        raise Misconfigured(f"{where} is damaged: {error}; restore it from a backup") from error


@contextmanager
def registered(settings: Settings, tenant: str) -> Iterator[Tenant]:
    """*tenant* for a command, open as long as the block lasts.

    Raises ``Misconfigured``, also if there is no tenant of that name, or no store, because most commands make none.
    """
    with control_there(settings, tenant) as control:
        record = control.get(tenant)
        if record is None:
            raise Misconfigured(control.none_such(tenant))
        record.check_open(tenant)
        _check_there(settings, tenant)
        control.due.mark(tenant)  # without room for it, the command ends before anything is done
        noting = partial(control.due.committed, tenant)
        opened = open_tenant(record.decided.settings(settings), tenant, committed=noting)
        try:
            yield replace(opened, record=record)
        finally:
            opened.store.close()
            control.due.mark_done(tenant)


@contextmanager
def registered_to_read(settings: Settings, tenant: str) -> Iterator[Tenant]:
    """*tenant* for a command that only shows something, in whatever state. Raises ``Misconfigured``.

    Files and folders are not changed, and the control store is not read: if the tenant's file exists, the tenant does.
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
    """The control store for a command that makes no store.

    Raises ``Misconfigured`` if neither it nor *tenant* exists.
    """
    check_id(tenant)
    check_made(settings, tenant)
    control = open_control(settings)
    try:
        yield control
    finally:
        control.close()


def check_made(settings: Settings, tenant: str = DEFAULT) -> None:
    """Raises ``Misconfigured`` if neither the control store nor the store of *tenant* exists.

    Most commands make none.
    """
    check_whole(settings)
    if not _is_made(control_url(settings)):
        _check_there(settings, tenant)


def _is_made(url: str) -> bool:
    """Whether the store at *url* exists. A file is not opened, because that may need rights that nobody has here."""
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
