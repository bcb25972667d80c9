"""A change of the master key: all that it wraps in an installation is wrapped by another one. Knows no secret.

The register comes first, so that nothing starts any more with the former key; then each tenant, in a commit of its own.
Whoever runs it again after a kill goes on where it stopped.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import Store, open_store, pages
from lrs.storage.versions import found_and_known
from lrs.tenancy import master_key, root_keys
from lrs.tenancy.control import KIND
from lrs.tenancy.tenants import check_whole, control_url, store_url


def rewrap(settings: Settings, path: Path) -> list[str]:
    """Wraps by the master key in *path* what the one of *settings* has wrapped; the tenants for which it did.

    Raises ``Misconfigured`` for files that hold no two keys, for a store of neither, and where there is no store.
    """
    check_whole(settings)
    before = master_key.path_of(settings)
    new, old = master_key.read(path), master_key.read(before)
    if old == new:
        raise Misconfigured(f"{path} holds the master key that {before} holds: nothing was changed")
    if found_and_known(control_url(settings))[0] is None:
        raise Misconfigured(f"there is no store in {settings.data.absolute()}: nothing was changed")
    with closing(open_store(control_url(settings))) as control:
        control.write(lambda tx: master_key.change(tx, old, new, before)).result()
        tenants = _with_a_store(settings, control)
    done = []
    for tenant in tenants:
        with closing(open_store(store_url(settings, tenant))) as store:
            if root_keys.rewrap(store, tenant, old, new, before):
                done.append(tenant)
    return done


def _with_a_store(settings: Settings, control: Store) -> list[str]:
    """Deleted ones, too, as long as they can be had back."""
    known = [record.id for record in pages(control, KIND)]
    return [tenant for tenant in known if found_and_known(store_url(settings, tenant))[0] is not None]
