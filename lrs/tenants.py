"""One tenant opened for work: its store, its secrets, its clock. Knows no HTTP and no command line."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lrs.errors import Misconfigured
from lrs.settings import Settings
from lrs.storage import ROWS, Clock, Queue, Store, open_store, wall_clock
from lrs.storage.blobs import sync_folder

DEFAULT = "default"
CONTROL = "control"
"""Names the control store where a tenant's name would stand, so no tenant has it."""
TENANT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Remembered(set[str]):
    """A set that forgets everything once it is full: good enough for what can be looked up again."""

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
    """Everything the product needs to work for one tenant; passed in, never looked up."""

    id: str
    store: Store
    settings: Settings
    master_key: bytes = field(repr=False)
    clock: Clock = wall_clock
    seen: Remembered = field(default_factory=lambda: Remembered(50_000))
    """Ids of insert-only records that are certainly stored, so that they need not be looked up again."""

    def secret(self, purpose: str) -> bytes:
        """32 bytes for *purpose*, the same for ever, derived from the master key (HKDF-SHA256, RFC 5869)."""
        return _derived(self.master_key, f"engraft/{self.id}/{purpose}")


@lru_cache(maxsize=256)
def _derived(master_key: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info.encode()).derive(master_key)


def open_tenant(settings: Settings, tenant: str = DEFAULT, *, clock: Clock = wall_clock) -> Tenant:
    """Opens *tenant* as *settings* say. Raises ``Misconfigured`` with what to change."""
    check_id(tenant)
    key = read_master_key(settings)
    queue = Queue(settings.queue_count * ROWS, settings.queue_age)
    return Tenant(tenant, open_store(store_url(settings, tenant), clock=clock, queue=queue), settings, key, clock)


def check_id(tenant: str) -> None:
    """Raises ``Misconfigured`` for an id that no tenant can have."""
    if not TENANT_ID.fullmatch(tenant) or tenant == CONTROL:
        raise Misconfigured(f"tenant {tenant!r}: use 1 to 40 lower-case letters, digits and hyphens, not {CONTROL!r}")


def store_url(settings: Settings, tenant: str) -> str:
    """Where *tenant*'s records are: a file under ``LRS_DATA``, or as ``LRS_STORE_URL`` says."""
    url = settings.store_url
    if url is None:
        return f"sqlite:///{(settings.data / 'tenants' / tenant / 'store.db').absolute()}"
    if url.startswith("mongodb"):
        return mongo_database(url, tenant)
    if tenant == DEFAULT:
        return url
    path = Path(url.removeprefix("sqlite:///"))
    return f"sqlite:///{path.with_name(f'{path.stem}-{tenant}{path.suffix}')}"


def mongo_database(url: str, name: str) -> str:
    """*url* with a database of its own for *name*; a database in *url* is the prefix (``lrs`` without one)."""
    base, question, options = url.partition("?")
    scheme, _, rest = base.partition("://")
    hosts, _, prefix = rest.partition("/")
    return f"{scheme}://{hosts}/{prefix or 'lrs'}_{name}{question}{options}"


def data_folder(settings: Settings) -> Path:
    """The folder of the embedded store, made for nobody else to look into if it is not there.

    Raises ``Misconfigured`` if it cannot be.
    """
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"LRS_DATA: {settings.data} cannot be a folder of ours: {error.strerror}") from error
    return settings.data.absolute()


def read_master_key(settings: Settings) -> bytes:
    """The key all secrets derive from: ``LRS_MASTER_KEY_FILE``, or made once under ``LRS_DATA``.

    Raises ``Misconfigured`` for a file that is missing or holds fewer than 32 bytes of hex.
    """
    path = settings.master_key_file or settings.data / "master.key"
    if not path.exists():
        if settings.master_key_file:
            raise Misconfigured(f"LRS_MASTER_KEY_FILE: {path} does not exist")
        data_folder(settings)
        _create_once(path, secrets.token_hex(32))
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError as error:
        raise Misconfigured(f"{path}: expected at least 64 hexadecimal digits") from error
    if len(key) < 32:
        raise Misconfigured(f"{path}: expected at least 64 hexadecimal digits, found {2 * len(key)}")
    return key


def _create_once(path: Path, text: str) -> None:
    """Two processes may start at once: whoever links first wins, and no reader sees a half-written key.

    Durable on return, the folder too: secrets handed out under a key that is lost open nothing any more.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    sync_folder(path.parent)  # also where another one won: it may not have come to this yet
