"""How much a tenant stores: bytes of its file and of its blobs. Knows no record."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from lrs.kernel.settings import Settings
from lrs.storage.blobs import blobs_beside
from lrs.tenancy.tenants import store_url

COUNTED = {"statements": "statement", "persons": "person", "badges": "credential"}
"""What is counted, with the kind of its records."""


class Stored(msgspec.Struct, frozen=True):
    """Bytes of records, number and bytes of blobs."""

    records: int = 0
    blobs: int = 0
    blob_bytes: int = 0

    @property
    def bytes(self) -> int:
        """All bytes together."""
        return self.records + self.blob_bytes


def stored_by(settings: Settings, tenant: str) -> Stored | None:
    """The sizes of the tenant's files; ``None`` on MongoDB, which has none. Looks at each blob."""
    url = store_url(settings, tenant)
    if not url.startswith("sqlite:///"):
        return None
    path = Path(url.removeprefix("sqlite:///"))
    files = [path, path.with_name(f"{path.name}-wal")]
    records = sum(file.stat().st_size for file in files if file.exists())
    sizes = _sizes(blobs_beside(path))
    return Stored(records, len(sizes), sum(sizes))


def _sizes(root: Path) -> list[int]:
    sizes = []
    for folder, _, names in os.walk(root):
        for name in names:
            try:
                sizes.append((Path(folder) / name).stat().st_size)
            except FileNotFoundError:  # just deleted by a sweep
                continue
    return sizes
