"""The paths of the files of the embedded store, for backup and restore. Knows no archive."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import DEFAULT, control_url, store_url

_SQLITE = "sqlite:///"
_KEPT = {"lost+found"}
"""Names that the root of a new file system contains."""


def control_file(settings: Settings) -> Path:
    """The file of the control store. Raises ``Misconfigured`` if it is on MongoDB."""
    return _file(control_url(settings), settings)


def store_file(settings: Settings, tenant: str) -> Path:
    """The file of a tenant's store. Raises ``Misconfigured`` if it is on MongoDB."""
    return _file(store_url(settings, tenant), settings)


def check_empty(settings: Settings, tenants: Iterable[str] = (DEFAULT,), *, but: str = "") -> None:
    """Raises ``Misconfigured`` if the place to which stores of *tenants* are restored has any file except *but*."""
    folder = settings.data.absolute()
    kept = {*_KEPT, but}
    there = sorted(path.name for path in folder.iterdir() if path.name not in kept) if folder.is_dir() else []
    if there:
        told = ", ".join(there[:5]) + (", …" if len(there) > 5 else "")
        raise Misconfigured(
            f"{folder} is not empty ({told}): a store is restored into an empty folder only; stop the server that uses"
            " this one and move it away, or name another with --data"
        )
    for path in (control_file(settings), *(store_file(settings, tenant) for tenant in tenants)):
        if path.exists():
            raise Misconfigured(f"{path} exists: a store is restored where there is none; move it away first")


def _file(url: str, settings: Settings) -> Path:
    if not url.startswith(_SQLITE):
        raise Misconfigured(
            "the store is on MongoDB, which lrs backup and lrs restore do not copy: use mongodump --oplog and"
            " mongorestore --oplogReplay, or snapshots of its disks, and keep the master key apart"
            f" ({_key_place(settings)})"
        )
    return Path(url.removeprefix(_SQLITE)).absolute()


def _key_place(settings: Settings) -> Path:
    return (settings.master_key_file or settings.data / "master.key").absolute()
