"""The contents of a backup, and the checks that it is complete. Knows no store and no key."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec

from lrs.kernel.errors import Misconfigured, NewerSchema
from lrs.ops.backup.archive import FORMAT, HEADER, MANIFEST, ArchiveReader, BackupDamaged, Trailer, json_of
from lrs.ops.backup.passphrase import Sealed

KEY, CONTROL = "master.key.sealed", "control.db"


class BackupHeader(msgspec.Struct, frozen=True):
    """``backup.json``, the first member.

    *created* is ISO 8601, *schema* that of the stores, *program* the version that wrote it.
    """

    engraft: str
    format: int
    program: str
    id: str
    created: str
    schema: int


class StoreFile(msgspec.Struct, frozen=True):
    """One store in a backup."""

    bytes: int
    sha256: str
    schema: int
    records: dict[str, int]


class TenantPart(msgspec.Struct, frozen=True):
    """A tenant's store and blobs. *names* is the SHA-256 of the blobs' names in order, *audit* the last entry."""

    store: StoreFile
    blobs: int
    blob_bytes: int
    names: str
    missing: int
    audit: dict[str, int | str]


class Manifest(msgspec.Struct, frozen=True):
    """``manifest.json``: everything in the backup.

    *fingerprint* is that of the master key, whether its key is inside or not.
    """

    id: str
    fingerprint: str
    key_sealed: bool
    control: StoreFile
    tenants: dict[str, TenantPart]


class Backup(msgspec.Struct, frozen=True):
    """A backup that was read to its end and checked."""

    header: BackupHeader
    manifest: Manifest
    sealed: Sealed | None
    end: Trailer


class Names:
    """Counts the blobs of one tenant and their bytes, and hashes their names in order."""

    def __init__(self) -> None:
        self.count = self.bytes = 0
        self._digest = sha256()

    def add(self, name: str, size: int) -> None:
        """Adds a blob."""
        self.count += 1
        self.bytes += size
        self._digest.update(name.encode())

    def digest(self) -> str:
        """The SHA-256 of the names."""
        return self._digest.hexdigest()


@contextmanager
def opened(path: Path) -> Iterator[tuple[ArchiveReader, BinaryIO]]:
    """A reader of the backup in *path*, and its file. Raises ``OSError`` and ``BackupDamaged``."""
    with path.open("rb") as file:
        yield ArchiveReader(file, str(path)), file


def header_of(text: bytes, name: str, known_schema: int) -> BackupHeader:
    """The first member of the backup *name*. Raises ``BackupDamaged``; ``NewerSchema`` if a later version made it."""
    try:
        told = msgspec.json.decode(text)
        found = told["format"]
        if told["engraft"] != "backup":
            raise BackupDamaged(f"{name} is no backup of this program")
        if isinstance(found, int) and found > FORMAT:
            raise NewerSchema(f"{name} has format {found}, this program knows up to {FORMAT}: {_newer(told)}")
        header = msgspec.convert(told, BackupHeader)
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise BackupDamaged(f"{name} is no backup of this program") from error
    if header.schema > known_schema:
        raise NewerSchema(
            f"{name} has stores of schema {header.schema}, this program knows up to {known_schema}: {_newer(told)}"
        )
    return header


def _newer(told: dict[str, object]) -> str:
    return f"a newer version wrote it ({str(told.get('program'))[:20]}); restore it with that version"


def examine(path: Path, known_schema: int) -> Backup:
    """Reads the backup in *path* to its end. Raises ``BackupDamaged`` unless it is whole and unchanged."""
    with opened(path) as (reader, _):
        files: dict[str, tuple[int, str]] = {}
        blobs: dict[str, Names] = {}
        small: dict[str, bytes] = {}
        header: BackupHeader | None = None
        for name, size, chunks in reader.members():
            if header is None and name != HEADER:
                raise BackupDamaged(f"{path} is no backup of this program")
            if name in files or name in small:
                raise BackupDamaged(f"{path} was changed since it was written: it has {name} twice")
            if name.endswith((".json", ".sealed")):
                small[name] = json_of(chunks, size)
                header = header or header_of(small[HEADER], str(path), known_schema)
            elif "/blobs/" in name:
                _take_blob(path, name, size, chunks, blobs)
            else:
                files[name] = (size, _digest(chunks))
    assert header is not None  # noqa: S101 (the first member, or Damaged)
    assert reader.end is not None  # noqa: S101 (the members were read to their end)
    return _agreed(path, Backup(header, _manifest(path, small), _sealed(path, small), reader.end), files, blobs)


def _take_blob(path: Path, name: str, size: int, chunks: Iterator[bytes], blobs: dict[str, Names]) -> None:
    tenant, blob = name.split("/")[1], name.rpartition("/")[2]
    if _digest(chunks) != blob:
        raise BackupDamaged(f"{path} was changed since it was written: {name} has another content")
    blobs.setdefault(tenant, Names()).add(blob, size)


def _agreed(path: Path, backup: Backup, files: dict[str, tuple[int, str]], blobs: dict[str, Names]) -> Backup:
    """*backup*, if what was read is what its manifest names. Raises ``BackupDamaged`` otherwise."""
    manifest = backup.manifest
    parts = {CONTROL: manifest.control}
    parts |= {f"tenants/{tenant}/store.db": part.store for tenant, part in manifest.tenants.items()}
    wanted = {name: (part.bytes, part.sha256) for name, part in parts.items()}
    found = {tenant: (names.count, names.bytes, names.digest()) for tenant, names in blobs.items()}
    told = {t: (part.blobs, part.blob_bytes, part.names) for t, part in manifest.tenants.items() if part.blobs}
    whole = (wanted, told, manifest.id, manifest.key_sealed)
    if whole != (files, found, backup.header.id, backup.sealed is not None):
        raise BackupDamaged(f"{path} was changed since it was written: what is in it is not what its manifest names")
    return backup


def mac_of(key: bytes, digest: bytes) -> str:
    """The MAC that an installation with this master *key* gives a backup with this SHA-256."""
    return hmac.digest(key, b"engraft backup\n" + digest, "sha256").hex()


def check_mac(backup: Backup, key: bytes) -> None:
    """Raises ``BackupDamaged`` unless the backup was written with this master key."""
    mac = mac_of(key, bytes.fromhex(backup.end.sha256))
    if not hmac.compare_digest(mac.encode(), backup.end.mac.encode()):
        raise BackupDamaged(
            "the backup was not written by this installation, or was written anew by somebody without its key"
        )


def _manifest(path: Path, small: dict[str, bytes]) -> Manifest:
    try:
        return msgspec.json.decode(small[MANIFEST], type=Manifest)
    except (msgspec.MsgspecError, KeyError) as error:
        raise BackupDamaged(f"{path} has no manifest that can be read") from error


def _sealed(path: Path, small: dict[str, bytes]) -> Sealed | None:
    try:
        return msgspec.json.decode(small[KEY], type=Sealed) if KEY in small else None
    except msgspec.MsgspecError as error:
        raise Misconfigured(f"{path}: the sealed master key cannot be read") from error


def _digest(chunks: Iterator[bytes]) -> str:
    digest = sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
