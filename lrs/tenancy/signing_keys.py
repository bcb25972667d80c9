"""The keys that a tenant signs with, as records ``signing-key``: their public parts, and which one signs now.

Of each algorithm at most one key is active and signs; at most one is next and will. A retired key signs nothing more,
and what it signed stays valid; nothing that a compromised key signed is valid. A record ``signing-key`` has nothing
secret. How the private part is kept stands in the record ``kept-key`` of the same id (``lrs.tenancy.signers``). The
first keys have none: their private parts are made from the tenant's secrets of these names, so every tenant has them,
also one without a record. Knows no badge and no DID.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Literal, Protocol, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lrs.kernel.base64url import base64url
from lrs.storage import Reader, Record, Stale, Tx, each, micros_of
from lrs.storage.kinds import Kind

KIND, KEPT = "signing-key", "kept-key"
FIRST = "badge-signing-key/1"
"""The id of the first key of every tenant, and the purpose of its secret."""
FIRST_JWT = "badge-jwt-key/1"
"""The same for JWTs, ES256."""
PREFIX = "badge-signing-key/"
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
Algorithm = Literal["Ed25519", "ES256", "RS256"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
KeyState = Literal["next", "active", "retired", "compromised"]


class SigningKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of a ``signing-key`` record.

    *public* is base64url: of an Ed25519 key as ``x`` in a JWK (RFC 8037), of others the SubjectPublicKeyInfo in DER
    (RFC 5280). It signs from *since*, or will, until *until*; times are microseconds UTC.
    """

    v: int
    algorithm: Algorithm
    public: str
    created: int
    state: KeyState
    since: int = 0
    until: int | None = None


class KeptKey(msgspec.Struct, frozen=True):
    """The body of a ``kept-key`` record: the name of the signer that has the private part, and what it is given back.

    *kept* is the sealed private part, or the name under which a KMS knows it.
    """

    v: int
    signer: str
    kept: str


class _HasSecrets(Protocol):
    def secret(self, purpose: str) -> bytes:
        """32 bytes for *purpose*."""


def first_private(secrets: _HasSecrets) -> Ed25519PrivateKey:
    """The private part of the first key, from *secrets*."""
    return Ed25519PrivateKey.from_private_bytes(secrets.secret(FIRST))


def first_for_jwt(secrets: _HasSecrets) -> ec.EllipticCurvePrivateKey:
    """The private part of the first key for JWTs. The hash is twice as long as the order, so no key is likelier."""
    number = int.from_bytes(sha512(secrets.secret(FIRST_JWT)).digest())
    return ec.derive_private_key(number % (_P256_ORDER - 1) + 1, ec.SECP256R1())


def first_public(secrets: _HasSecrets) -> str:
    """Its public part, in the form of the record."""
    return base64url(first_private(secrets).public_key().public_bytes_raw())


def begin(tx: Tx, public: str) -> None:
    """Stores the first key, unless it exists."""
    if tx.get(KIND, FIRST) is None:
        seq = tx.next_seq()
        key = SigningKey(1, "Ed25519", public, micros_of(seq), "active")
        tx.insert(Record(KIND, FIRST, msgspec.json.encode(key), seq=seq))


def read(record: Record) -> SigningKey:
    """The key in *record*."""
    return msgspec.json.decode(record.body, type=SigningKey)


def records(reader: Reader) -> dict[str, Record]:
    """The records of all keys by id, oldest first."""
    return {record.id: record for record in each(reader, KIND)}


def found(reader: Reader, algorithm: Algorithm, state: KeyState) -> str | None:
    """The id of the newest key of *algorithm* in *state*."""
    ids = [id for id, one in records(reader).items() if (read(one).algorithm, read(one).state) == (algorithm, state)]
    return ids[-1] if ids else None


def active(reader: Reader, algorithm: Algorithm = "Ed25519") -> str | None:
    """The id of the key of *algorithm* that signs now; the first one in a store without a record of it."""
    first = {"Ed25519": FIRST, "ES256": FIRST_JWT}.get(algorithm)
    without = first if first and reader.get(KIND, first) is None else None
    return found(reader, algorithm, "active") or without


def next_id(reader: Reader) -> str:
    """The id of the next new key."""
    numbers = (int(id.removeprefix(PREFIX)) for id in records(reader) if id.startswith(PREFIX))
    return f"{PREFIX}{max(numbers, default=1) + 1}"


def check(tx: Tx, id: str) -> None:
    """Raises ``Stale`` if the key *id* was compromised since it signed what *tx* is about to store."""
    record = tx.get(KIND, id)
    if record is not None and read(record).state == "compromised":
        raise Stale(f"the key {id} was compromised")


KINDS = (
    Kind(KIND, "fact", SigningKey, 1, subjects=None, retention="evidence", exported=True),
    Kind(KEPT, "fact", KeptKey, 1, subjects=None, retention="configuration", exported=False),
)
"""Kept as long as what was signed, because badges are verified with the key that signed them."""
