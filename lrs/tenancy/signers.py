"""Who keeps private keys and signs with them: this program (``Sealing``), or what ``LRS_SIGNER`` names.

A key is made by the signer of that time, which its ``kept-key`` record names, and only that one can sign with it. To
keep keys in a KMS or an HSM, write a ``Signer`` and set ``LRS_SIGNER=module:function``: a function without arguments
that gives it. Signatures have the form of JOSE (RFC 7518, 3.3 and 3.4; RFC 8037, 3.1). Knows no badge.
"""

from __future__ import annotations

import base64
import importlib
import secrets
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, cast

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256

from lrs.kernel.base64url import base64url, from_base64url
from lrs.kernel.errors import Misconfigured, Refused
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.signing_keys import (
    FIRST,
    FIRST_JWT,
    Algorithm,
    KeptKey,
    SigningKey,
    first_for_jwt,
    first_private,
)
from lrs.tenancy.tenants import Tenant

PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
HERE = "here"
"""The name of ``Sealing``."""
_PURPOSE = "signing-keys/1"
_RSA_BITS = 3072
_NONCE = 12


class SignerAway(Refused):
    """The signer does not answer, or does not have the key. Over HTTP it is 503."""

    def __init__(self, why: str) -> None:
        super().__init__(why, status=503, error="signer_away")


class FreshKey(NamedTuple):
    """A key as its signer made it: the public part, and what the signer wants back with each message to sign."""

    public: PublicKey
    kept: str


class Signer(Protocol):
    """Makes keys, and signs with those that it made."""

    @property
    def name(self) -> str:
        """Its name in the records of its keys; it must stay the same, and be another one than ``here``."""

    def make(self, id: str, algorithm: Algorithm) -> FreshKey:
        """A new key for *algorithm*. Two calls with the same *id* make two keys. Raises ``SignerAway``."""

    def sign(self, id: str, kept: str, message: bytes) -> bytes:
        """The signature of *message* with the key that ``make`` gave as *kept* for *id*. Raises ``SignerAway``."""


class Sealing(msgspec.Struct, frozen=True):
    """Keeps private keys as texts that are encrypted under the tenant's root key, and signs in this process.

    The id of a key is associated data, so no text can stand for another key. Equal messages give equal signatures (for
    ES256: RFC 6979).
    """

    secrets: Secrets
    name: str = HERE

    def make(self, id: str, algorithm: Algorithm) -> FreshKey:
        """See ``Signer``."""
        private = _generated(algorithm)
        raw = private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher().encrypt(nonce, raw, _about(id))
        return FreshKey(private.public_key(), base64.b64encode(sealed).decode())

    def sign(self, id: str, kept: str, message: bytes) -> bytes:
        """See ``Signer``. Raises ``Misconfigured`` for a text that was changed or is another key's."""
        return signature(self._private(id, kept), message)

    def _private(self, id: str, kept: str) -> PrivateKey:
        if id in _FIRST:
            return _FIRST[id](self.secrets)
        sealed = base64.b64decode(kept)
        try:
            raw = self._cipher().decrypt(sealed[:_NONCE], sealed[_NONCE:], _about(id))
        except (InvalidTag, ValueError) as error:
            raise Misconfigured(f"the key {id!r} cannot be opened: restore the store from a backup") from error
        # It is as this program made it, which its seal proves: to try its numbers takes 60 ms of CPU.
        return cast("PrivateKey", serialization.load_der_private_key(raw, None, unsafe_skip_rsa_key_validation=True))

    def _cipher(self) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(self.secrets.secret(_PURPOSE))


def signature(private: PrivateKey, message: bytes) -> bytes:
    """The signature of *message* in the form of JOSE."""
    if isinstance(private, Ed25519PrivateKey):
        return private.sign(message)
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(message, padding.PKCS1v15(), SHA256())
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
    return r.to_bytes(32) + s.to_bytes(32)


_FIRST: Mapping[str, Callable[[Secrets], PrivateKey]] = {FIRST: first_private, FIRST_JWT: first_for_jwt}


def first_keys(secrets: Secrets) -> dict[str, SigningKey]:
    """The first keys of a tenant, as records would have them; only the one of 0.2.0 without a root key."""
    made: dict[str, tuple[PublicKey, Algorithm]] = {FIRST: (first_private(secrets).public_key(), "Ed25519")}
    if secrets.has_root:
        made[FIRST_JWT] = (first_for_jwt(secrets).public_key(), "ES256")
    return {id: SigningKey(1, algorithm, stored_public(key), 0, "active") for id, (key, algorithm) in made.items()}


def signers(tenant: Tenant) -> Mapping[str, Signer]:
    """The signers of *tenant* by name. The last one makes new keys. Raises ``Misconfigured``."""
    here = Sealing(tenant.secrets)
    if tenant.settings.signer is None:
        return {HERE: here}
    outside = _named(tenant.settings.signer)
    return {HERE: here, outside.name: outside}


def signer_of(tenant: Tenant, kept: KeptKey, id: str) -> Signer:
    """The signer that has the key *id*. Raises ``SignerAway`` if it is not set up here."""
    found = signers(tenant).get(kept.signer)
    if found is None:
        raise SignerAway(f"the key {id} is kept by {kept.signer!r}: set LRS_SIGNER to it")
    return found


def _named(path: str) -> Signer:
    module, _, function = path.partition(":")
    try:
        made: Signer = getattr(importlib.import_module(module), function)()
    except (ImportError, AttributeError, ValueError) as error:
        raise Misconfigured(f"LRS_SIGNER: {path!r} is no function ({error}): write it as module:function") from error
    if made.name == HERE:
        raise Misconfigured(f"LRS_SIGNER: {path!r} has the name {HERE!r}, which is this program's own")
    return made


def stored_public(key: PublicKey) -> str:
    """*key* in the form of a ``signing-key`` record."""
    if isinstance(key, Ed25519PublicKey):
        return base64url(key.public_bytes_raw())
    return base64url(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def public_of(stored: str, algorithm: Algorithm) -> PublicKey:
    """The key in a ``signing-key`` record."""
    raw = from_base64url(stored)
    if algorithm == "Ed25519":
        return Ed25519PublicKey.from_public_bytes(raw)
    return cast("PublicKey", serialization.load_der_public_key(raw))


def _generated(algorithm: Algorithm) -> PrivateKey:
    if algorithm == "Ed25519":
        return Ed25519PrivateKey.generate()
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65_537, _RSA_BITS)


def _about(id: str) -> bytes:
    return msgspec.json.encode(("engraft signing key", id))
