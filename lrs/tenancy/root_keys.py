"""A tenant's secrets. All are derived from its root key, which is in its own store, wrapped by the master key.

So a tenant moves with its store, and a change of the master key wraps the keys again and changes no secret. A tenant
from before root keys keeps the secrets that the master key gave it: each is wrapped beside the root key. Records
``wrapped-key``: id ``root/1`` or the purpose of a kept secret. A key is wrapped with ChaCha20-Poly1305 (RFC 8439) under
a key that HKDF-SHA256 (RFC 5869) derives from the master key. The tenant and the record's id are the associated data,
so no wrapped key can be used as another one. Knows no use of a secret.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lrs.kernel.errors import Misconfigured
from lrs.storage import Owed, Reader, Record, Store, Tx, Walk, each
from lrs.storage.kinds import Kind
from lrs.tenancy import master_key, signing_keys

KIND = "wrapped-key"
ROOT = "root/1"
FROM_MASTER = (
    "access-token",
    "api-key",
    "audit",
    "badge-recipient/1",
    "badge-signing-key/1",
    "client-secret",
    "consent-form",
    "cursor",
    "link",
    "more",
    "pages-form",
    "pages-session",
    "pairwise",
    "person-ids",
    "webhook",
)
"""The purposes whose secrets came from the master key up to 0.2.0. Later ones are derived from the root key alone."""
RENAMING = ("renaming", "identifiers")
"""The kind and id of the record by which a store of 0.2.0 owes that its identifiers are renamed (``lrs.people.ids``).
"""
_EVIDENCE_OF_BEFORE = (master_key.KIND, "audit-head", "key", "statement", "person")
"""Kinds of records. A store with none of them has given out no secret, so it can start with a root key."""
_NONCE = 12


class Wrapped(msgspec.Struct, frozen=True):
    """The body of a ``wrapped-key`` record: base64 of nonce and ciphertext, and the fingerprint of the master key."""

    v: int
    wrapped: str
    master: str


class Secrets:
    """The secrets of a tenant: derived from its *root* key, 32 bytes, or kept from before it had one.

    Without a *root* (a store of 0.2.0 opened for reading) there are only the latter.
    """

    def __init__(self, root: bytes | None, kept: Mapping[str, bytes] | None = None) -> None:
        self._root = root
        self._known = dict(kept or {})

    @property
    def has_root(self) -> bool:
        """Whether there is a root key."""
        return self._root is not None

    def secret(self, purpose: str) -> bytes:
        """32 bytes for *purpose*, which never change. Raises ``KeyError`` for a later purpose without a root key."""
        found = self._known.get(purpose)
        if found is None:
            if self._root is None:
                raise KeyError(purpose)
            found = self._known[purpose] = _derived(self._root, f"engraft/{purpose}")
        return found


def read(reader: Reader, tenant: str, master: bytes, path: Path) -> Secrets | None:
    """The secrets in the store of *tenant*; ``None`` if it has no root key yet. *path* is the file of the master key.

    Raises ``OtherKey`` for keys wrapped by another master key, ``Misconfigured`` if one cannot be unwrapped.
    """
    keys = {}
    for record in each(reader, KIND):
        wrapped = _wrapped(record)
        master_key.check(master, wrapped.master, path)
        keys[record.id] = _unwrapped(wrapped, tenant, record.id, master)
    if not keys:
        return None
    if ROOT not in keys:
        raise Misconfigured(f"the root key of tenant {tenant!r} is not in its store: restore it from a backup")
    return Secrets(keys.pop(ROOT), keys)


def of_before(tenant: str, master: bytes) -> Secrets:
    """The secrets of *tenant* without a root key."""
    return Secrets(None, {purpose: _derived(master, f"engraft/{tenant}/{purpose}") for purpose in FROM_MASTER})


def claim(store: Store, tenant: str, master: bytes, path: Path) -> Secrets:
    """The secrets in the *store* of *tenant*. One without a root key gets one, and keeps the secrets that it had.

    All keys are written in one commit; of two processes that start at once one writes them. Raises as ``read`` does.
    """
    there = read(store, tenant, master, path)
    if there is not None:
        return there
    known = store.get(master_key.KIND, master_key.ID)
    if known is not None:
        master_key.check(master, str(known.meta["fingerprint"]), path)
    root, before = secrets.token_bytes(32), of_before(tenant, master)
    new = {ROOT: _wrap(root, tenant, ROOT, master)}
    kept = {purpose: _wrap(before.secret(purpose), tenant, purpose, master) for purpose in FROM_MASTER}
    public_new, public_kept = (signing_keys.first_public(one) for one in (Secrets(root), before))

    def decide(tx: Tx) -> None:
        if tx.get(KIND, ROOT) is not None:
            return
        is_old = any(tx.find(Walk(kind, limit=1)).records for kind in _EVIDENCE_OF_BEFORE)
        for id, wrapped in (new | kept if is_old else new).items():
            tx.insert(Record(KIND, id, msgspec.json.encode(wrapped)))
        signing_keys.begin(tx, public_kept if is_old else public_new)
        if is_old:
            tx.insert(Record(*RENAMING, owed=(Owed("rename"),)))

    store.write(decide).result()
    made = read(store, tenant, master, path)
    if made is None:
        raise Misconfigured(f"the root key of tenant {tenant!r} was written and is not in its store: start again")
    return made


def claim_new(store: Store, name: str, master: bytes, path: Path) -> Secrets:
    """The secrets in a *store* that gave out none before root keys: the control store. One without a root key gets one.

    Raises as ``read`` does.
    """
    there = read(store, name, master, path)
    if there is not None:
        return there
    wrapped = msgspec.json.encode(_wrap(secrets.token_bytes(32), name, ROOT, master))

    def decide(tx: Tx) -> None:
        if tx.get(KIND, ROOT) is None:
            tx.insert(Record(KIND, ROOT, wrapped))

    store.write(decide).result()
    made = read(store, name, master, path)
    if made is None:
        raise Misconfigured(f"the root key of {name!r} was written and is not in its store: start again")
    return made


def are_wrapped_by(reader: Reader, master: bytes) -> bool:
    """Whether a store has keys, and all are wrapped by *master*."""
    found = list(each(reader, KIND))
    return bool(found) and all(_wrapped(record).master == master_key.fingerprint(master) for record in found)


def rewrap(tx: Tx, tenant: str, old: bytes, new: bytes) -> None:
    """Wraps all keys in the store of *tenant* by the master key *new* instead of *old*. No secret changes.

    Raises ``Misconfigured`` if *old* does not unwrap one.
    """
    for record in list(each(tx, KIND)):
        key = _unwrapped(_wrapped(record), tenant, record.id, old)
        tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(_wrap(key, tenant, record.id, new))))


def _wrapped(record: Record) -> Wrapped:
    return msgspec.json.decode(record.body, type=Wrapped)


def _wrap(key: bytes, tenant: str, id: str, master: bytes) -> Wrapped:
    nonce = secrets.token_bytes(_NONCE)
    wrapped = nonce + _cipher(master).encrypt(nonce, key, _about(tenant, id))
    return Wrapped(1, base64.b64encode(wrapped).decode(), master_key.fingerprint(master))


def _unwrapped(wrapped: Wrapped, tenant: str, id: str, master: bytes) -> bytes:
    try:
        raw = base64.b64decode(wrapped.wrapped, validate=True)
        return _cipher(master).decrypt(raw[:_NONCE], raw[_NONCE:], _about(tenant, id))
    except (InvalidTag, ValueError) as error:
        raise Misconfigured(
            f"the key {id!r} of tenant {tenant!r} cannot be unwrapped: it was changed, or is another tenant's. Restore"
            " the store from a backup"
        ) from error


def _cipher(master: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(_derived(master, "engraft wrapping key/1"))


def _about(tenant: str, id: str) -> bytes:
    return msgspec.json.encode(("engraft wrapped key", tenant, id))


def _derived(key: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info.encode()).derive(key)


KINDS = (Kind(KIND, "fact", Wrapped, 1, subjects=None, retention="configuration", exported=False),)
