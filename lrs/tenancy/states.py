"""Makes, suspends, resumes and deletes tenants.

Each is one change of the tenant's record in the control store, which every process reads. A deletion waits for
``GRACE``; then a worker erases the store with its blobs. The record stays, so that the id is not given out again, with
the last entry of the record of actions, which proves what was in a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from functools import partial

import structlog
from msgspec.structs import replace

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.kernel.times import timestamp_of_micros
from lrs.storage import drop_store
from lrs.tenancy import audit
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.audit_head import putting_down
from lrs.tenancy.control import Control
from lrs.tenancy.record import GRACE, TenantRecord, TenantState
from lrs.tenancy.tenants import DEFAULT, UNREADABLE, is_there, open_tenant, open_tenant_to_read, store_url

_log = structlog.get_logger()


def create(settings: Settings, control: Control, tenant: str, name: str, *, by: str = BY_COMMAND) -> bool:
    """Makes the tenant's store and registers it. ``False`` if it exists. Raises ``Misconfigured``.

    The store comes first: if a try ends before it is registered, the next try uses it. The default tenant is always
    registered; its store is made here, or by the first start.
    """
    if tenant in control.records():
        if control.get(tenant) is None:
            raise Misconfigured(f"tenant {tenant!r} was deleted, and its id is not used again: choose another")
        if is_there(store_url(settings, tenant)):
            return False
    control.check_key()  # ``add`` asks again, but the store would be there by then, with the former key
    _append(settings, tenant, "tenant.created", {"tenant": tenant}, by)
    if not control.add(tenant, name):
        control.change(tenant, lambda record, _: replace(record, name=name))
    return True


def suspend(settings: Settings, control: Control, tenant: str, *, by: str = BY_COMMAND) -> TenantRecord:
    """Suspends the tenant until ``resume``: it is not served and no work is done for it.

    Raises ``Misconfigured``, also for one that is to be deleted: nothing but ``resume`` takes a deletion back.
    """
    return _bring(settings, control, tenant, "suspended", by)


def resume(settings: Settings, control: Control, tenant: str, *, by: str = BY_COMMAND) -> TenantRecord:
    """Resumes a tenant that was suspended, or was to be deleted. Raises ``Misconfigured``."""
    record = _bring(settings, control, tenant, "open", by)
    control.due.mark(tenant)
    return record


def delete(settings: Settings, control: Control, tenant: str) -> TenantRecord:
    """Suspends the tenant and has it deleted after ``GRACE``. A second call changes nothing.

    Raises ``Misconfigured``.
    """
    if tenant == DEFAULT:
        raise Misconfigured(
            "the default tenant is a part of the installation and cannot be deleted: lrs tenants suspend suspends it"
        )
    return _bring(settings, control, tenant, "closing", BY_COMMAND)


def erase_due(settings: Settings, control: Control, now: int) -> list[str]:
    """Erases the tenants whose time has come, and those that a dead process was erasing. Gives their ids.

    A tenant that cannot be erased is logged and tried again by the next call; the others are erased.
    """
    erased = []
    for tenant, known in control.records().items():
        record = known
        if known.state == "closing" and known.delete_at is not None and known.delete_at <= now:
            record = control.change(tenant, partial(_deleted, _head(settings, tenant), now))
        if record.state == "deleted" and not record.erased:
            try:
                drop_store(store_url(settings, tenant))
            except (Misconfigured, OSError) as error:
                _log.error("a deleted tenant cannot be erased", tenant=tenant, reason=str(error))
                continue
            control.change(tenant, lambda known, _: replace(known, erased=True))
            _log.warning("a tenant was deleted", tenant=tenant, last_entry=record.audit)
            erased.append(tenant)
    return erased


def _bring(settings: Settings, control: Control, tenant: str, state: TenantState, by: str) -> TenantRecord:
    """Brings the tenant into *state*, unless it is in it. The entry in the record of actions comes first."""
    known = control.get(tenant)
    if known is None:
        raise Misconfigured(control.none_such(tenant))
    if known.state == state:
        return known
    _check_way(tenant, state, known)
    put_down(settings, tenant, f"tenant.{state}", {"tenant": tenant}, by=by)
    record = control.change(tenant, partial(_changed, tenant, state))
    if state != "open":
        control.due.clear(tenant)
    return record


def _changed(tenant: str, state: TenantState, record: TenantRecord, now: int) -> TenantRecord:
    if record.state == "deleted":
        raise Misconfigured("this tenant was deleted meanwhile")
    _check_way(tenant, state, record)
    return replace(record, state=state, since=now, delete_at=now + GRACE if state == "closing" else None)


def _check_way(tenant: str, state: TenantState, record: TenantRecord) -> None:
    if (record.state, state) == ("closing", "suspended"):
        day = timestamp_of_micros(record.delete_at or 0)[:10]
        raise Misconfigured(
            f"tenant {tenant!r} is shut already, and is to be deleted on {day}:"
            f" lrs tenants resume {tenant} takes the deletion back, and then it can be suspended"
        )


def _deleted(head: tuple[int, str] | None, now: int, record: TenantRecord, _: int) -> TenantRecord:
    if record.state != "closing" or record.delete_at is None or record.delete_at > now:
        return record  # it was resumed meanwhile
    return replace(record, state="deleted", since=now, delete_at=None, audit=head)


def put_down(settings: Settings, tenant: str, action: str, about: Mapping[str, str], *, by: str = BY_COMMAND) -> None:
    """Adds an entry to the tenant's own record of actions, if its store can be opened."""
    try:
        if not is_there(store_url(settings, tenant)):
            return
        _append(settings, tenant, action, about, by)
    except UNREADABLE as error:
        _log.warning("not in the record of actions, or its end not in LRS_AUDIT_HEAD", tenant=tenant, reason=str(error))


def _append(settings: Settings, tenant: str, action: str, about: Mapping[str, str], by: str) -> None:
    """Adds the entry, and its end to ``LRS_AUDIT_HEAD``: no worker looks at a tenant that is not open."""
    opened = open_tenant(settings, tenant)
    with closing(opened.store), putting_down(opened):
        opened.store.write(lambda tx: audit.append(tx, by, action, about)).result()


def _head(settings: Settings, tenant: str) -> tuple[int, str] | None:
    try:
        with closing(open_tenant_to_read(settings, tenant).store) as store:
            head = audit.head_of(store)
    except UNREADABLE:  # there is none to read; the tenant is deleted all the same
        return None
    return (head.number, head.hash) if head else None
