"""Restores a backup into an empty folder: all of it, or nothing. The format is in ``lrs.ops.backup.contents``.

The backup is read twice: first to its end, to check it, then again to unpack it. Meanwhile, and after a restore that
was killed, a file ``RESTORING`` prevents every other command from starting in the folder.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.matching import changes
from lrs.ops.backup import contents
from lrs.ops.backup.contents import Backup
from lrs.ops.backup.passphrase import unseal
from lrs.ops.backup.places import check_empty, control_file, store_file
from lrs.storage import Clock, Tx, open_store, wall_clock
from lrs.storage.blobs import FileBlobs, blobs_beside, sync_folder
from lrs.storage.private import FILE, private_file, private_folder
from lrs.storage.sqlite.copy import end_leases
from lrs.storage.sqlite.schema import SCHEMA_VERSION
from lrs.tenancy import audit, master_key
from lrs.tenancy.control import Control
from lrs.tenancy.tenants import RESTORING, check_whole, control_url, data_folder, open_tenant

BY = "lrs restore"
_BESIDE = ("", "-wal", "-shm", "-journal", "-horizon", "-turn")


def restore(settings: Settings, file: Path, passphrase: bytes | None, *, clock: Clock = wall_clock) -> Backup:
    """Restores the backup in *file* to the place of the store in *settings*. Gives what was in it.

    Raises ``Misconfigured`` and ``OSError``; then nothing of it is left.
    """
    check_whole(settings)
    check_empty(settings)
    backup = contents.examine(file, SCHEMA_VERSION)
    key = _key_of(settings, backup, passphrase)
    contents.check_mac(backup, key)
    with _restoring(settings, backup):
        try:
            _unpack(settings, file, backup)
            path = master_key.path_of(settings)
            if not path.exists():
                private_folder(path.parent)
                master_key.keep(path, key.hex())
            _take_over(settings, backup, clock)
        except sqlite3.Error as error:
            raise Misconfigured(f"the store cannot be written to {settings.data.absolute()}: {error}") from error
    return backup


def _key_of(settings: Settings, backup: Backup, passphrase: bytes | None) -> bytes:
    """The master key from the file in the settings or from the backup. Raises ``Misconfigured`` if it is in neither."""
    path = master_key.path_of(settings)
    if passphrase is not None and backup.sealed is not None:
        key = unseal(backup.sealed, passphrase, backup.header.id)
        if path.exists():
            master_key.check(master_key.read(path), backup.manifest.fingerprint, path)
        return key
    if path.exists():
        key = master_key.read(path)
        master_key.check(key, backup.manifest.fingerprint, path)
        return key
    if backup.sealed is not None:
        raise Misconfigured(
            "the master key in this backup is sealed: give its passphrase (--passphrase-file,"
            " LRS_BACKUP_PASSPHRASE_FILE or LRS_BACKUP_PASSPHRASE), or name a file with the key in LRS_MASTER_KEY_FILE"
        )
    raise Misconfigured(
        "this backup was made without a passphrase, so the master key is not in it: name the file that was kept apart"
        " in LRS_MASTER_KEY_FILE. Without it no key opens anything and no badge is valid"
    )


@contextmanager
def _restoring(settings: Settings, backup: Backup) -> Iterator[None]:
    """Marks the folder as unfinished during the block. If the block fails, what it made is deleted.

    If deleting fails too, the mark stays, so that nothing starts with what is left.
    """
    there_before = settings.data.is_dir()
    folder = data_folder(settings)
    key_before = master_key.path_of(settings).exists()
    marker = folder / RESTORING
    try:
        os.close(os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))
    except FileExistsError as error:
        raise Misconfigured(f"another restore into {folder} has begun") from error
    except OSError:
        _unmake(folder, there_before=there_before)
        raise
    ours = False
    try:
        # Checked again now that nothing else can start here: something may have started while the backup was read.
        check_empty(settings, backup.manifest.tenants, but=RESTORING)
        ours = True
        sync_folder(folder)
        yield
    except BaseException:
        if ours:
            _take_away(settings, backup, key_before=key_before)
        _unmark(marker, there_before=there_before)
        raise
    _unmark(marker, there_before=there_before)


def _unmark(marker: Path, *, there_before: bool) -> None:
    marker.unlink()
    sync_folder(marker.parent)
    _unmake(marker.parent, there_before=there_before)


def _unmake(folder: Path, *, there_before: bool) -> None:
    if not there_before:
        with suppress(OSError):  # not empty: it was restored
            folder.rmdir()


def _take_away(settings: Settings, backup: Backup, *, key_before: bool) -> None:
    for store in (control_file(settings), *(store_file(settings, tenant) for tenant in backup.manifest.tenants)):
        for suffix in _BESIDE:
            store.with_name(store.name + suffix).unlink(missing_ok=True)
        shutil.rmtree(blobs_beside(store), ignore_errors=True)
    for name in (*(f"tenants/{tenant}" for tenant in backup.manifest.tenants), "tenants"):
        with suppress(OSError):  # not there, with a store elsewhere
            (settings.data / name).rmdir()
    if not key_before:
        master_key.path_of(settings).unlink(missing_ok=True)


def _unpack(settings: Settings, file: Path, backup: Backup) -> None:
    """Writes stores and blobs and syncs each.

    Compares them with the first reading, because the file may have changed.
    """
    folders: set[Path] = set()
    with contents.opened(file) as (reader, _):
        for name, _, chunks in reader.members():
            target = _target(settings, name, backup)
            if target is None:
                for _ in chunks:
                    pass
            else:
                _write(target, chunks)
                folders.add(target.parent)
        if reader.end != backup.end:
            raise Misconfigured(f"{file} was changed while it was read: restore again")
    for above in {above for folder in folders for above in (folder, *folder.parents[:3])}:
        sync_folder(above)


def _target(settings: Settings, name: str, backup: Backup) -> Path | None:
    """The path for the member; ``None`` if it is no file of a store."""
    if name == contents.CONTROL:
        return control_file(settings)
    parts = name.split("/")
    if parts[0] != "tenants" or parts[1] not in backup.manifest.tenants:
        return None
    store = store_file(settings, parts[1])
    return store if parts[2] == "store.db" else FileBlobs(blobs_beside(store), wall_clock).path_of(parts[3])


def _write(target: Path, chunks: Iterator[bytes]) -> None:
    private_folder(target.parent)
    private_file(target)
    with target.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _take_over(settings: Settings, backup: Backup, clock: Clock) -> None:
    """Opens the restored stores as the server does, and records in each record of actions that it was restored."""
    end_leases(control_file(settings))
    control = Control(open_store(control_url(settings), clock=clock), clock)
    try:
        for id, record in control.records().items():
            if record.state == "closing":  # its day may have come since, and it may be why somebody restores
                control.change(id, lambda known, _: replace(known, state="suspended", delete_at=None))
        for worker in control.workers():  # they run on another store
            control.leave(worker)
        control.due.look_into(control.open_tenants())  # stores were copied later than the control store
    finally:
        control.close()
    for name, part in backup.manifest.tenants.items():
        end_leases(store_file(settings, name))
        tenant = open_tenant(settings, name, clock=clock)
        try:
            about = {
                "backup": backup.header.id,
                "taken": backup.header.created,
                "entries": str(part.audit.get("number", 0)),
            }
            tenant.store.write(partial(_restored, about=about, now=clock())).result()
        finally:
            tenant.store.close()


def _restored(tx: Tx, *, about: Mapping[str, str], now: int) -> None:
    audit.append(tx, BY, audit.RESTORED, about)
    changes.raise_versions(tx, now)
