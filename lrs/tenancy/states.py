"""How a tenant is made, suspended, let go on, and deleted.

Each is one change of its record in the register, which every process asks. A deletion waits ``GRACE``; then a worker
erases the store with its blobs. The record stays, so that the id is not given out again, with the last entry of its
record of actions: it proves what stood in a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import structlog
from msgspec.structs import replace

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import drop_store
from lrs.tenancy import audit
from lrs.tenancy.control import Control
from lrs.tenancy.record import GRACE, State, TenantRecord
from lrs.tenancy.tenants import DEFAULT, is_there, open_tenant, open_tenant_to_read, store_url

BY = "operator"
_log = structlog.get_logger()


def create(settings: Settings, control: Control, tenant: str, name: str) -> bool:
    """Makes the tenant's store and registers it; ``False`` if there is one already. Raises ``Misconfigured``.

    The store comes first: one that nobody registered is taken by the next try. The default tenant is registered from
    the beginning; its store is made here, or by the first start.
    """
    if tenant in control.records():
        if control.get(tenant) is None:
            raise Misconfigured(f"tenant {tenant!r} was deleted, and its id is not given out again: choose another")
        if is_there(store_url(settings, tenant)):
            return False
    made = open_tenant(settings, tenant)
    try:
        made.store.write(lambda tx: audit.append(tx, BY, "tenant.created", {"tenant": tenant})).result()
    finally:
        made.store.close()
    control.add(tenant, name)
    return True


def suspend(settings: Settings, control: Control, tenant: str) -> TenantRecord:
    """Nothing of the tenant is served or worked for until ``resume``. Raises ``Misconfigured``."""
    return _bring(settings, control, tenant, "suspended")


def resume(settings: Settings, control: Control, tenant: str) -> TenantRecord:
    """Lets a tenant go on that was suspended, or was to be deleted. Raises ``Misconfigured``."""
    record = _bring(settings, control, tenant, "open")
    control.due.mark(tenant)
    return record


def delete(settings: Settings, control: Control, tenant: str) -> TenantRecord:
    """Suspends the tenant and has it deleted after ``GRACE``; again changes nothing. Raises ``Misconfigured``."""
    if tenant == DEFAULT:
        raise Misconfigured("the default tenant is a part of the installation, and stays: lrs tenants suspend shuts it")
    return _bring(settings, control, tenant, "closing")


def erase_due(settings: Settings, control: Control, now: int) -> list[str]:
    """Erases the tenants whose time has come, and those that a process was erasing when it died; which."""
    erased = []
    for tenant, known in control.records().items():
        record = known
        if known.state == "closing" and known.delete_at is not None and known.delete_at <= now:
            record = control.change(tenant, partial(_deleted, _head(settings, tenant), now))
        if record.state == "deleted" and not record.erased:
            drop_store(store_url(settings, tenant))
            control.change(tenant, lambda known, _: replace(known, erased=True))
            _log.warning("a tenant was deleted", tenant=tenant, last_entry=record.audit)
            erased.append(tenant)
    return erased


def _bring(settings: Settings, control: Control, tenant: str, state: State) -> TenantRecord:
    """Puts the tenant into *state*, unless it is in it already; the record of actions comes first."""
    known = control.get(tenant)
    if known is None:
        raise Misconfigured(control.none_such(tenant))
    if known.state == state:
        return known
    put_down(settings, tenant, f"tenant.{state}", {"tenant": tenant})
    record = control.change(tenant, partial(_changed, state))
    if state != "open":
        control.due.clear(tenant)
    return record


def _changed(state: State, record: TenantRecord, now: int) -> TenantRecord:
    if record.state == "deleted":
        raise Misconfigured("this tenant was deleted meanwhile")
    return replace(record, state=state, since=now, delete_at=now + GRACE if state == "closing" else None)


def _deleted(head: tuple[int, str] | None, now: int, record: TenantRecord, _: int) -> TenantRecord:
    if record.state != "closing" or record.delete_at is None or record.delete_at > now:
        return record  # it was let go on a moment ago
    return replace(record, state="deleted", since=now, delete_at=None, audit=head)


def put_down(settings: Settings, tenant: str, action: str, about: Mapping[str, str]) -> None:
    """An entry in the tenant's own record of actions, if its store is there and can be opened."""
    if not is_there(store_url(settings, tenant)):
        return
    try:
        opened = open_tenant(settings, tenant)
    except Misconfigured as error:
        _log.warning("not in the record of actions: the store cannot be opened", tenant=tenant, reason=str(error))
        return
    try:
        opened.store.write(lambda tx: audit.append(tx, BY, action, about)).result()
    finally:
        opened.store.close()


def _head(settings: Settings, tenant: str) -> tuple[int, str] | None:
    try:
        opened = open_tenant_to_read(settings, tenant)
    except Misconfigured:  # there is none to be read: it is deleted all the same
        return None
    try:
        head = audit.head_of(opened.store)
    finally:
        opened.store.close()
    return (head.number, head.hash) if head else None
