"""One opened tenant: its store, its secrets, its clock. Knows no HTTP and no command line."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lrs.kernel.admission import QueueLimit
from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import ROWS, Clock, Store, open_store, open_to_read, wall_clock
from lrs.storage.private import private_folder
from lrs.storage.records import Committed
from lrs.storage.versions import found_and_known
from lrs.tenancy import audit, master_key, root_keys
from lrs.tenancy.record import TenantRecord
from lrs.tenancy.root_keys import Secrets

DEFAULT = "default"
CONTROL = "control"
"""The name of the control store, used where a tenant's id would be, as for the installation; no tenant has this id."""
RESTORING = "RESTORING"
"""A file under ``LRS_DATA`` that exists during a restore, and after one that was killed."""
UNKNOWN = TenantRecord(created=0)
"""The record of a tenant that was opened without the control store."""
TENANT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
UNREADABLE = (Misconfigured, sqlite3.Error, OSError)
"""What opening or reading a tenant's store raises if it is damaged, missing, or wrapped by another master key."""


_KEY_MISSING = (
    "{} is missing, the master key of a store that is there: put it back from where it is kept, or name it in"
    " LRS_MASTER_KEY_FILE. Another key would open nothing and make every badge invalid"
)


class Remembered(set[str]):
    """A set that forgets everything when it is full. For values that can be looked up again."""

    def __init__(self, full: int) -> None:
        super().__init__()
        self._full = full

    def learn(self, ids: Iterable[str]) -> None:
        """Adds *ids*."""
        if len(self) > self._full:
            self.clear()
        self.update(ids)


@dataclass(frozen=True, slots=True)
class Tenant:
    """Everything needed to work for one tenant. It is passed to functions and never looked up."""

    id: str
    store: Store
    settings: Settings
    secrets: Secrets = field(repr=False)
    clock: Clock = wall_clock
    seen: Remembered = field(default_factory=lambda: Remembered(50_000))
    """Ids of insert-only records that are certainly stored, so that they are not looked up again."""
    record: TenantRecord = UNKNOWN
    """Its record in the control store. What it decided is also in *settings*, in place of the process's."""

    @property
    def is_installation(self) -> bool:
        """Whether this is the installation itself, and no tenant (see ``lrs.tenancy.installation``)."""
        return self.id == CONTROL

    def secret(self, purpose: str) -> bytes:
        """32 bytes for *purpose*, which never change (see ``lrs.tenancy.root_keys``)."""
        return self.secrets.secret(purpose)


def open_tenant(
    settings: Settings,
    tenant: str = DEFAULT,
    *,
    clock: Clock = wall_clock,
    committed: Committed = lambda _: None,
) -> Tenant:
    """Opens *tenant* with *settings*. *committed* is as in ``open_store``.

    Raises ``Misconfigured``, which says what to change.
    """
    check_id(tenant)
    key = read_master_key(settings)
    queue = QueueLimit(settings.queue_count * ROWS, settings.queue_age)
    store = open_store(store_url(settings, tenant), clock=clock, queue=queue, committed=committed)
    try:
        return in_store(store, settings, tenant, key, clock)
    except BaseException:
        store.close()
        raise


def in_store(store: Store, settings: Settings, tenant: str, key: bytes, clock: Clock = wall_clock) -> Tenant:
    """*tenant*, whose *store* is open, with the secrets that the master key *key* unwraps. Raises ``Misconfigured``."""
    path = master_key.path_of(settings)
    secrets = root_keys.claim(store, tenant, key, path)
    store.use_secret(secrets.secret("audit"))
    master_key.claim(store, key, path, audit.begin)
    return Tenant(tenant, store, settings, secrets, clock)


def open_tenant_to_read(settings: Settings, tenant: str = DEFAULT) -> Tenant:
    """*tenant* for a command that only shows something; nothing is written. Raises ``Misconfigured``."""
    check_id(tenant)
    check_whole(settings)
    path = store_url(settings, tenant).removeprefix("sqlite:///")
    is_file = "://" not in path
    if is_file and not Path(path).is_file():
        raise Misconfigured(f"tenant {tenant!r} has no store {path}: --data or LRS_DATA names the folder of one")
    key_file = master_key.path_of(settings)
    if is_file and not settings.master_key_file and not key_file.exists():
        raise Misconfigured(_KEY_MISSING.format(key_file))
    key = master_key.read(key_file)
    store = open_to_read(store_url(settings, tenant))
    try:
        known = store.get(master_key.KIND, master_key.ID)
        if known is not None:
            master_key.check(key, str(known.meta["fingerprint"]), key_file)
        secrets = root_keys.read(store, tenant, key, key_file) or root_keys.of_before(tenant, key)
        store.use_secret(secrets.secret("audit"))
    except BaseException:
        store.close()
        raise
    return Tenant(tenant, store, settings, secrets, wall_clock)


def read_master_key(settings: Settings) -> bytes:
    """The key of this installation. Makes one if there is neither a key nor a store. Raises ``Misconfigured``."""
    path = master_key.path_of(settings)
    if not settings.master_key_file and not path.exists():
        there = is_there(control_url(settings)) or is_there(store_url(settings, DEFAULT))
        # Checked once more: another process that starts now makes the key before the store.
        if there and not path.exists():
            raise Misconfigured(_KEY_MISSING.format(path))
        data_folder(settings)
        master_key.make(path)
    return master_key.read(path)


def is_there(url: str) -> bool:
    """Whether there is a store at *url*. Raises ``Misconfigured`` if that cannot be found out."""
    try:
        return found_and_known(url)[0] is not None
    except sqlite3.Error as error:
        raise Misconfigured(f"{url.removeprefix('sqlite:///')} cannot be opened: {error}") from error


def check_id(tenant: str) -> None:
    """Raises ``Misconfigured`` if *tenant* cannot be the id of a tenant."""
    if not TENANT_ID.fullmatch(tenant) or tenant == CONTROL:
        raise Misconfigured(f"tenant {tenant!r}: use 1 to 40 lower-case letters, digits and hyphens, not {CONTROL!r}")


def store_url(settings: Settings, tenant: str) -> str:
    """The address of *tenant*'s store: a file under ``LRS_DATA``, or by ``LRS_STORE_URL``."""
    url = settings.store_url
    if url is None:
        return f"sqlite:///{(settings.data / 'tenants' / tenant / 'store.db').absolute()}"
    if url.startswith("mongodb"):
        return mongo_database(url, tenant)
    if tenant == DEFAULT:
        return url
    path = Path(url.removeprefix("sqlite:///"))
    return f"sqlite:///{path.with_name(f'{path.stem}-{tenant}{path.suffix}')}"


def control_url(settings: Settings) -> str:
    """The address of the control store: ``LRS_CONTROL_URL``, or beside the tenants' stores."""
    if settings.control_url is not None:
        return settings.control_url
    if (settings.store_url or "").startswith("mongodb"):
        return mongo_database(settings.store_url or "", CONTROL)
    return f"sqlite:///{settings.data.absolute() / 'control.db'}"


def mongo_database(url: str, name: str) -> str:
    """*url* with a database of its own for *name*. A database in *url* is the prefix (``lrs`` without one)."""
    base, question, options = url.partition("?")
    scheme, _, rest = base.partition("://")
    hosts, _, prefix = rest.partition("/")
    return f"{scheme}://{hosts}/{prefix or 'lrs'}_{name}{question}{options}"


def check_whole(settings: Settings) -> None:
    """Raises ``Misconfigured`` if a restore into ``LRS_DATA`` has not finished."""
    marker = settings.data.absolute() / RESTORING
    if marker.exists():
        raise Misconfigured(
            f"{marker.parent} is being restored, or a restore was broken off: wait for it, or empty the folder and run"
            " lrs restore again"
        )


def data_folder(settings: Settings) -> Path:
    """The folder of the embedded store, made for its owner alone if it does not exist.

    Raises ``Misconfigured`` if it cannot be made.
    """
    try:
        private_folder(settings.data)
    except OSError as error:
        raise Misconfigured(f"LRS_DATA: {settings.data} cannot be a folder of ours: {error.strerror}") from error
    return settings.data.absolute()
