"""The keys a tenant signs with, as records ``signing-key``: which there are, their public parts, which one signs now.

A record names its key and keeps nothing secret: the private part is the tenant's secret of that name. A key that is
retired signs nothing more, and its public part stays to be looked up. Knows no badge and no DID.
"""

from __future__ import annotations

import base64
from typing import Literal, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lrs.storage import Reader, Record, Tx, micros_of, pages
from lrs.storage.kinds import Kind

KIND = "signing-key"
FIRST = "badge-signing-key/1"
"""The id of the first key of every tenant, and the purpose of its secret."""


class SigningKey(msgspec.Struct, frozen=True):
    """The body of a ``signing-key`` record; *public* is base64url, as ``x`` in a JWK (RFC 8037); microseconds UTC."""

    v: int
    algorithm: Literal["Ed25519"]
    public: str
    created: int
    state: Literal["active", "retired"]


class _HasSecrets(Protocol):
    def secret(self, purpose: str) -> bytes:
        """32 bytes for *purpose*."""


def private_of(secrets: _HasSecrets, id: str) -> Ed25519PrivateKey:
    """The private key *id* of whose *secrets* they are."""
    return Ed25519PrivateKey.from_private_bytes(secrets.secret(id))


def public_of(secrets: _HasSecrets, id: str = FIRST) -> str:
    """Its public part, as the record keeps it."""
    raw = private_of(secrets, id).public_key().public_bytes_raw()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def begin(tx: Tx, public: str) -> None:
    """Puts down the first key, unless it is there."""
    if tx.get(KIND, FIRST) is None:
        seq = tx.next_seq()
        key = SigningKey(1, "Ed25519", public, micros_of(seq), "active")
        tx.insert(Record(KIND, FIRST, msgspec.json.encode(key), seq=seq))


def active(reader: Reader) -> str:
    """The id of the key that signs now: the newest that is not retired; the first in a store that names none yet."""
    found = [one.id for one in pages(reader, KIND) if msgspec.json.decode(one.body, type=SigningKey).state == "active"]
    return found[-1] if found else FIRST


KINDS = (Kind(KIND, "fact", SigningKey, 1, subjects=None, retention="evidence", exported=True),)
"""Kept as long as what was signed: a badge is looked up by the key that signed it."""
