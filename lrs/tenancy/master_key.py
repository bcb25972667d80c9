"""The master key: its file, and the fingerprint by which a store recognises it. Knows no tenant.

The fingerprint is a keyed hash (HMAC-SHA256 with the key itself), so it says nothing about the key.
"""

from __future__ import annotations

import hmac
import os
import pwd
import secrets
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import Reader, Record, Store, Tx
from lrs.storage.blobs import sync_folder
from lrs.storage.kinds import Kind

SHORTEST = 32
"""Bytes."""
KIND, ID = "master-key", "fingerprint"
UNDER_WAY = (KIND, "rewrap")
"""The kind and id of the record that the control store has while keys are being wrapped by another master key."""
_LONGEST_FILE = 4_096


class OtherKey(Misconfigured):
    """The store belongs to another master key than the one in the file."""


def path_of(settings: Settings) -> Path:
    """The file of the key: ``LRS_MASTER_KEY_FILE``, or ``master.key`` under ``LRS_DATA``."""
    return (settings.master_key_file or settings.data / "master.key").absolute()


def read(path: Path) -> bytes:
    """The key in *path*. Raises ``Misconfigured`` with one line if it cannot be read or is not a key."""
    try:
        text = _content(path)
    except FileNotFoundError as error:
        raise Misconfigured(f"the master key {path} does not exist: LRS_MASTER_KEY_FILE names the file") from error
    except PermissionError as error:
        raise Misconfigured(f"the master key {path} cannot be read: {_whose(path)}") from error
    except OSError as error:
        raise Misconfigured(f"the master key {path} cannot be read: {error.strerror}") from error
    if not text.strip():
        raise Misconfigured(f"the master key {path} is empty: expected at least 64 hexadecimal digits")
    return parsed(text, path)


def parsed(text: bytes, path: Path) -> bytes:
    """The key written as *text* in *path*. Raises ``Misconfigured`` for fewer than 32 bytes of hex."""
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError as error:
        raise Misconfigured(f"the master key {path}: expected at least 64 hexadecimal digits") from error
    if len(key) < SHORTEST or len(text) > _LONGEST_FILE:
        raise Misconfigured(f"the master key {path}: expected at least 64 hexadecimal digits, found {2 * len(key)}")
    return key


def make(path: Path) -> None:
    """Makes a key in *path*, unless another process just did."""
    keep(path, secrets.token_hex(SHORTEST))


def keep(path: Path, text: str) -> None:
    """Writes the key. If two processes start at once the first link wins, and no reader sees a half-written key.

    Durable when it returns, with its folder, because secrets of a lost key open nothing any more.
    """
    # Not named by the process: in a container that has the same number at each start, also after one that was killed.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    sync_folder(path.parent)  # also if another process won, because it may not have synced yet


def fingerprint(key: bytes) -> str:
    """The fingerprint of *key*: 64 hexadecimal digits."""
    return hmac.digest(key, b"engraft master key fingerprint", "sha256").hex()


def claim(store: Store, key: bytes, path: Path, first: Callable[[Tx], object] = lambda _: None) -> None:
    """Stores the fingerprint of *key*, which is in *path*, in a *store* without one, with what *first* writes.

    Raises ``OtherKey`` if the store has another fingerprint. Of two processes that start at once one wins.
    """
    ours = fingerprint(key)

    def decide(tx: Tx) -> str:
        there = tx.get(KIND, ID)
        if there is None:
            tx.insert(Record(KIND, ID, meta={"fingerprint": ours}))
            first(tx)
        return ours if there is None else str(there.meta["fingerprint"])

    there = store.get(KIND, ID)
    check(key, str(there.meta["fingerprint"]) if there else store.write(decide).result(), path)


def change(tx: Tx, old: bytes, new: bytes, path: Path) -> None:
    """Replaces the fingerprint of *old*, which is in *path*, by that of *new*. Does nothing if there is none.

    Raises ``OtherKey`` if the store has neither.
    """
    there = tx.get(KIND, ID)
    if there is None or there.meta["fingerprint"] == fingerprint(new):
        return
    check(old, str(there.meta["fingerprint"]), path)
    tx.replace(msgspec.structs.replace(there, meta={"fingerprint": fingerprint(new)}))


def check_settled(register: Reader) -> None:
    """Raises ``Misconfigured`` while some tenants' keys are wrapped by the former key, and others' by the new one."""
    if register.get(*UNDER_WAY) is not None:
        raise Misconfigured(
            "the master key is being changed, or that was broken off: wait for lrs tenants rewrap, or run it again with"
            " the same FILE, and the former key where it was"
        )


def check(key: bytes, known: str, path: Path) -> None:
    """Raises ``OtherKey`` unless *key*, which is in *path*, has the fingerprint *known*."""
    ours = fingerprint(key)
    if not hmac.compare_digest(known.encode(), ours.encode()):
        raise OtherKey(
            f"{path} is not the master key of this store: its key has the fingerprint {known[:16]}, this file's has"
            f" {ours[:16]}. Name the right file in LRS_MASTER_KEY_FILE, or put it back from where it is kept"
        )


def _content(path: Path) -> bytes:
    """The content of the file, cut a little above the length of a key.

    Raises ``OSError``, or ``Misconfigured`` for no file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # does not wait for a pipe without a writer
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Misconfigured(f"the master key {path} is a folder or a device, not a file: name the file itself")
        return os.read(descriptor, _LONGEST_FILE + 1)
    finally:
        os.close(descriptor)


def _whose(path: Path) -> str:
    try:
        owner = path.stat().st_uid
    except OSError:
        return "its folder is closed to this program"
    if owner == os.geteuid():
        return f"its own rights do not allow it: chmod 600 {path}"
    return f"it belongs to {_name(owner)}, and this program runs as {_name(os.geteuid())}"


def _name(user: int) -> str:
    try:
        return f"the user {pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"the user {user}"


KINDS = (Kind(KIND, "working", subjects=None, retention="operational", exported=False),)
"""The fingerprint of the key. With another key nothing starts; a store without one takes that of its first start."""
