"""Changes the master key: wraps all keys of an installation by another master key. Knows no secret.

The control store comes first, so that nothing starts with the former key any more, nor with the new one before all is
done. Then each tenant, in a commit of its own. After a kill, run it again: it continues where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import Reader, Record, Store, Tx, each, open_store
from lrs.storage.versions import found_and_known
from lrs.tenancy import audit, master_key, root_keys
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.audit_head import putting_down
from lrs.tenancy.control import KIND, damage_told
from lrs.tenancy.tenants import CONTROL, UNREADABLE, check_whole, control_url, in_store, is_there, store_url


def rewrap(settings: Settings, path: Path) -> list[str]:
    """Wraps with the master key in *path* what the one of *settings* has wrapped. Gives the tenants for which it did.

    Raises ``Misconfigured`` if the files do not have two keys, for a store of another key, if there is no store, and if
    a tenant's store cannot be read: from the first change on, nothing starts before all are wrapped.
    """
    check_whole(settings)
    before = master_key.path_of(settings)
    new, old = master_key.read(path), master_key.read(before)
    if old == new:
        raise Misconfigured(f"{path} holds the master key that {before} holds: nothing was changed")
    if not is_there(control_url(settings)):
        raise Misconfigured(f"there is no store in {settings.data.absolute()}: nothing was changed")
    with closing(open_store(control_url(settings))) as control:
        while not _begun(settings, control, old, new):
            pass
        tenants = _with_a_store(settings, _registered(control))
        done = [tenant for tenant in tenants if _rewrapped(settings, tenant, old, new)]
        control.write(lambda tx: tx.delete(*master_key.UNDER_WAY)).result()
    return done


def _begun(settings: Settings, control: Store, old: bytes, new: bytes) -> bool:
    """Checks that all stores can be read, and begins. ``False`` if a tenant was made meanwhile, and nothing is begun.

    No tenant is made after that, see ``Control.add``.
    """
    with damage_told(settings):
        known = _registered(control)
    for tenant in _with_a_store(settings, known):
        _check_readable(settings, tenant)

    def decide(tx: Tx) -> bool:
        if _registered(tx) != known:
            return False
        master_key.change(tx, old, new, master_key.path_of(settings))
        if not root_keys.are_wrapped_by(tx, new):  # or this goes on where a former try stopped
            root_keys.rewrap(tx, CONTROL, old, new)
        tx.put(Record(*master_key.UNDER_WAY))
        return True

    return control.write(decide).result()


def _rewrapped(settings: Settings, tenant: str, old: bytes, new: bytes) -> bool:
    """Wraps the keys of *tenant* in one commit, with an entry in its record of actions. ``False`` if they are."""
    with closing(open_store(store_url(settings, tenant))) as store:
        if root_keys.are_wrapped_by(store, new):
            return False
        about = {"from": master_key.fingerprint(old)[:16], "to": master_key.fingerprint(new)[:16]}

        def decide(tx: Tx) -> None:
            root_keys.rewrap(tx, tenant, old, new)
            master_key.change(tx, old, new, master_key.path_of(settings))
            audit.append(tx, BY_COMMAND, "master-key.changed", about)

        with putting_down(in_store(store, settings, tenant, old)):
            store.write(decide).result()
        return True


def _registered(control: Reader) -> list[str]:
    """The tenants, also deleted ones as long as they can be resumed."""
    return [record.id for record in each(control, KIND)]


def _with_a_store(settings: Settings, tenants: Iterable[str]) -> list[str]:
    return [tenant for tenant in tenants if _has_store(settings, tenant)]


def _has_store(settings: Settings, tenant: str) -> bool:
    try:
        return found_and_known(store_url(settings, tenant))[0] is not None
    except UNREADABLE as error:
        raise _unreadable(tenant, error) from error


def _check_readable(settings: Settings, tenant: str) -> None:
    try:
        with closing(open_store(store_url(settings, tenant))) as store:
            list(each(store, root_keys.KIND))
    except UNREADABLE as error:
        raise _unreadable(tenant, error) from error


def _unreadable(tenant: str, error: Exception) -> Misconfigured:
    return Misconfigured(
        f"the store of tenant {tenant!r} cannot be read, so its keys cannot be wrapped: {error}. Restore it, or put it"
        " elsewhere, then run this again"
    )
