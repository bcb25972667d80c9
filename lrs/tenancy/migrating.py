"""Migrates all stores of an installation to this program's schema, one after the other, however long that takes.

A server does the same when it opens a store, except for a large database, which would delay its start too long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import msgspec

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import each, open_store
from lrs.storage.opening import migrate_store
from lrs.storage.versions import found_and_known
from lrs.tenancy.control import KIND, damage_told
from lrs.tenancy.tenants import CONTROL, UNREADABLE, check_whole, control_url, is_there, store_url


class Migrated(msgspec.Struct, frozen=True):
    """A store, by its tenant or ``control``: the schema before and after, or why it was not migrated."""

    store: str
    before: int | None
    after: int | None
    error: str | None = None


def migrate(settings: Settings, tell: Callable[[str], None]) -> Iterator[Migrated]:
    """Migrates the control store, then each tenant. If one cannot be migrated, the others still are.

    *tell* is called with lines of progress. Raises ``Misconfigured`` if there is no store, and if the control store
    cannot be migrated. After an interruption, run it again: it continues where it stopped.
    """
    check_whole(settings)
    if not is_there(control_url(settings)):
        raise Misconfigured(f"there is no store in {settings.data.absolute()}: nothing was changed")
    yield _migrated(CONTROL, control_url(settings), tell)
    with closing(open_store(control_url(settings))) as control, damage_told(settings):
        names = [record.id for record in each(control, KIND)]
    for name in names:
        try:
            if is_there(store_url(settings, name)):
                yield _migrated(name, store_url(settings, name), tell)
        except UNREADABLE as error:
            yield Migrated(name, None, None, str(error))


def _migrated(name: str, url: str, tell: Callable[[str], None]) -> Migrated:
    before, known = found_and_known(url)
    if before != known:
        tell(f"{name}: from schema {before} to {known}")
        migrate_store(url, lambda text: tell(f"{name}: {text}"))
    return Migrated(name, before, found_and_known(url)[0])
