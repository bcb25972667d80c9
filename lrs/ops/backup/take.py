"""Takes a backup while the server runs: a copy of each store at one moment, and then the blobs that it names.

A record's blobs exist before the record, and stay for a day after it is gone (see ``lrs.work.sweep``). So every blob
that a copied store names is found. The file has another name until it is complete, synced, and was read back to its
end.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from lrs.composition.kinds import TENANT
from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.kernel.times import timestamp_of_micros
from lrs.ops.backup import contents
from lrs.ops.backup.archive import CHUNK, FORMAT, HEADER, MANIFEST, Writer
from lrs.ops.backup.contents import Backup, BackupHeader, Manifest, Names, StoreFile, TenantPart
from lrs.ops.backup.passphrase import seal
from lrs.ops.backup.places import control_file, store_file
from lrs.storage import Clock, wall_clock
from lrs.storage.blobs import FileBlobs, blobs_beside, sync_folder
from lrs.storage.drafts import draft_folder
from lrs.storage.private import private_file
from lrs.storage.sqlite.copy import examine, records_of, snapshot
from lrs.storage.sqlite.schema import SCHEMA_VERSION
from lrs.tenancy import master_key
from lrs.tenancy.audit import HEAD_KIND
from lrs.tenancy.control import KIND as REGISTERED
from lrs.tenancy.tenants import check_whole


def back_up(settings: Settings, file: Path, passphrase: bytes | None, *, clock: Clock = wall_clock) -> Backup:
    """Writes a backup of all tenants to the new *file*, and gives what is in it. The server may run.

    Raises ``Misconfigured`` and ``OSError``; then there is no *file*.
    """
    file = file.absolute()
    control = control_file(settings)
    if file.exists():
        raise Misconfigured(f"{file} exists: a backup is never written over another file")
    if not control.exists():
        raise Misconfigured(f"there is no store in {settings.data.absolute()}: nothing was backed up")
    check_whole(settings)
    key = master_key.read(master_key.path_of(settings))
    with draft_folder(file.parent) as folder:
        draft = folder / "backup"
        try:
            private_file(draft)
            with draft.open("wb") as written:
                _Taking(settings, Writer(written), folder, key).take(passphrase, clock())
                written.flush()
                os.fsync(written.fileno())
        except sqlite3.Error as error:
            raise Misconfigured(f"the copy of a store in {file.parent} cannot be read: {error}") from error
        backup = contents.examine(draft, SCHEMA_VERSION)
        _place(draft, file)
    return backup


def _place(draft: Path, file: Path) -> None:
    """Renames *draft* to its final name, unless that exists by now."""
    try:
        os.link(draft, file)
    except FileExistsError as error:
        raise Misconfigured(f"{file} exists: a backup is never written over another file") from error
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP}:
            raise
        draft.rename(file)  # the file system has no hard links, such as FAT on a USB stick
    sync_folder(file.parent)


class _Taking:
    """A backup that is being written. Copies of stores are in *folder* while they are read."""

    def __init__(self, settings: Settings, writer: Writer, folder: Path, key: bytes) -> None:
        self._settings = settings
        self._writer = writer
        self._copy = folder / "copy.db"
        self._key = key
        self._fingerprint = master_key.fingerprint(key)

    def take(self, passphrase: bytes | None, now: int) -> None:
        """Writes all members."""
        id = str(uuid4())
        header = BackupHeader("backup", FORMAT, version("engraft-lrs"), id, timestamp_of_micros(now), SCHEMA_VERSION)
        self._writer.add_json(HEADER, header)
        control = self._add_store(contents.CONTROL, control_file(self._settings))
        tenants = sorted(record.id for record in records_of(self._copy, (REGISTERED,)))
        self._copy.unlink()
        parts = {tenant: part for tenant in tenants if (part := self._add_tenant(tenant)) is not None}
        if passphrase is not None:
            self._writer.add_json(contents.KEY, seal(self._key, passphrase, id))
        self._writer.add_json(MANIFEST, Manifest(id, self._fingerprint, passphrase is not None, control, parts))
        self._writer.end(lambda digest: contents.mac_of(self._key, digest))

    def _add_tenant(self, tenant: str) -> TenantPart | None:
        """Adds a tenant; ``None`` for one that was registered and never opened."""
        source = store_file(self._settings, tenant)
        if not source.exists():
            return None
        store = self._add_store(f"tenants/{tenant}/store.db", source)
        blobs, names, missing = FileBlobs(blobs_beside(source), wall_clock), Names(), 0
        for blob in _blobs_of(self._copy):
            try:
                size = blobs.size(blob)
                found = self._writer.add(f"tenants/{tenant}/blobs/{blob}", size, blobs.open(blob))
            except KeyError:
                missing += 1
                continue
            if found != blob:
                raise Misconfigured(
                    f"{blobs.path_of(blob)} is damaged: its content is not what its name says. Put it back from an"
                    " earlier backup, or move it away, then the backup names it as missing"
                )
            names.add(blob, size)
        head = next((record.meta for record in records_of(self._copy, (HEAD_KIND,))), {})
        audit = {name: head[name] for name in ("number", "hash") if name in head}
        self._copy.unlink()
        return TenantPart(store, names.count, names.bytes, names.digest(), missing, audit)

    def _add_store(self, name: str, source: Path) -> StoreFile:
        """Adds a store, and leaves the copy for further reading. Raises ``Misconfigured``, which names *source*."""
        try:
            snapshot(source, self._copy)
            schema, counts = examine(self._copy, source)
        except sqlite3.Error as error:
            raise Misconfigured(f"{source} cannot be copied to {self._copy.parent.parent}: {error}") from error
        for record in records_of(self._copy, (master_key.KIND,)):
            master_key.check(self._key, str(record.meta["fingerprint"]), master_key.path_of(self._settings))
        size = self._copy.stat().st_size
        digest = self._writer.add(name, size, _chunks(self._copy))
        return StoreFile(size, digest, schema, counts)


def _named_in(copy: Path) -> Iterator[str]:
    kinds = {kind.name: kind.blobs for kind in TENANT.values() if kind.blobs}
    return (name for record in records_of(copy, tuple(kinds)) for name in kinds[record.kind](record))


def _blobs_of(copy: Path) -> Iterator[str]:
    """The names of all blobs that the store names, without duplicates, in order. They are sorted on disk."""
    with closing(sqlite3.connect("", isolation_level=None)) as sorting:
        sorting.execute("CREATE TABLE blob (name TEXT PRIMARY KEY) WITHOUT ROWID")
        sorting.execute("BEGIN")
        sorting.executemany("INSERT OR IGNORE INTO blob VALUES (?)", ((name,) for name in _named_in(copy)))
        for (name,) in sorting.execute("SELECT name FROM blob ORDER BY name"):
            yield name


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
