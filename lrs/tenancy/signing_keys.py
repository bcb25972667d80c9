"""The keys that a tenant signs with, as records ``signing-key``: their public parts, and which one signs now.

A record names its key and has nothing secret: the private part is the tenant's secret of that name. A retired key signs
nothing more, and its public part stays available. Knows no badge and no DID.
"""

from __future__ import annotations

import base64
from typing import Literal, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lrs.storage import Reader, Record, Tx, each, micros_of
from lrs.storage.kinds import Kind

KIND = "signing-key"
FIRST = "badge-signing-key/1"
"""The id of the first key of every tenant, and the purpose of its secret."""


class SigningKey(msgspec.Struct, frozen=True):
    """The body of a ``signing-key`` record.

    *public* is base64url, as ``x`` in a JWK (RFC 8037); times are microseconds UTC.
    """

    v: int
    algorithm: Literal["Ed25519"]
    public: str
    created: int
    state: Literal["active", "retired"]


class _HasSecrets(Protocol):
    def secret(self, purpose: str) -> bytes:
        """32 bytes for *purpose*."""


def private_of(secrets: _HasSecrets, id: str) -> Ed25519PrivateKey:
    """The private key *id*, from *secrets*."""
    return Ed25519PrivateKey.from_private_bytes(secrets.secret(id))


def public_of(secrets: _HasSecrets, id: str = FIRST) -> str:
    """Its public part, in the form of the record."""
    raw = private_of(secrets, id).public_key().public_bytes_raw()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def begin(tx: Tx, public: str) -> None:
    """Stores the first key, unless it exists."""
    if tx.get(KIND, FIRST) is None:
        seq = tx.next_seq()
        key = SigningKey(1, "Ed25519", public, micros_of(seq), "active")
        tx.insert(Record(KIND, FIRST, msgspec.json.encode(key), seq=seq))


def active(reader: Reader) -> str:
    """The id of the key that signs now: the newest that is not retired; the first one in a store without a record."""
    found = [one.id for one in each(reader, KIND) if msgspec.json.decode(one.body, type=SigningKey).state == "active"]
    return found[-1] if found else FIRST


KINDS = (Kind(KIND, "fact", SigningKey, 1, subjects=None, retention="evidence", exported=True),)
"""Kept as long as what was signed, because badges are verified with the key that signed them."""
