"""The keys of a tenant as badges need them: what is published of each, and what signs. Knows no credential.

A key has two names: the id of its record, and its *fragment*, which stands behind the issuer's DID in proofs: the
Multikey of an Ed25519 key, the RFC 7638 thumbprint of another. So a fragment never means another key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from joserfc.jwk import ECKey, RSAKey

from badges.keys import multikey
from lrs.tenancy import signers, signing_keys
from lrs.tenancy.signing_keys import FIRST, FIRST_JWT, KEPT, Algorithm, KeptKey, KeyState, SigningKey
from lrs.tenancy.tenants import Tenant


@dataclass(frozen=True, slots=True)
class Key:
    """One key. *public* is as in its record; *signing* is asked for each signature and may ask a KMS."""

    id: str
    algorithm: Algorithm
    public: str
    state: KeyState
    since: int
    until: int | None
    signing: Callable[[bytes], bytes] = field(repr=False, compare=False)

    def sign(self, message: bytes) -> bytes:
        """The signature in the form of JOSE. Raises ``SignerAway``."""
        return self.signing(message)

    @property
    def fragment(self) -> str:
        """Its name in proofs, behind ``<did>#``."""
        return self.multibase if self.algorithm == "Ed25519" else str(self.jwk()["kid"])

    @property
    def jws_algorithm(self) -> str:
        """``alg`` in the header of a JWS (RFC 7518, 3.1; RFC 8037, 3.1)."""
        return "EdDSA" if self.algorithm == "Ed25519" else self.algorithm

    @property
    def multibase(self) -> str:
        """An Ed25519 key as a Multikey."""
        return multikey.multibase_of_public(multikey.raw_of(self.public))

    def jwk(self) -> dict[str, Any]:
        """The public part as a JWK (RFC 7517), with ``alg``, ``use`` and ``kid``."""
        if self.algorithm == "Ed25519":
            named = {"alg": self.jws_algorithm, "use": "sig", "kid": self.fragment}
            return {"kty": "OKP", "crv": "Ed25519", "x": self.public, **named}
        pem = signers.public_of(self.public, self.algorithm).public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        key = ECKey.import_key(pem) if self.algorithm == "ES256" else RSAKey.import_key(pem)
        return {**key.as_dict(private=False), "alg": self.algorithm, "use": "sig", "kid": key.thumbprint()}

    def verification_method(self, did: str) -> dict[str, Any]:
        """Its entry in the document of *did* (W3C Controlled Identifiers 1.0, 2.2)."""
        named = {"id": f"{did}#{self.fragment}", "controller": did}
        if self.algorithm == "Ed25519":
            return {"id": named["id"], "type": "Multikey", "controller": did, "publicKeyMultibase": self.fragment}
        return {**named, "type": "JsonWebKey", "publicKeyJwk": self.jwk()}


class KeyRing(msgspec.Struct, frozen=True):
    """All keys of a tenant, oldest first."""

    keys: tuple[Key, ...]

    @property
    def published(self) -> tuple[Key, ...]:
        """Those whose signatures count, or will: all but the compromised ones.

        A retired key stays for good: a badge that it signed can be in a wallet for as long as its holder likes.
        """
        return tuple(key for key in self.keys if key.state != "compromised")

    def active(self, algorithm: Algorithm = "Ed25519") -> Key | None:
        """The key that signs with *algorithm* now."""
        return next((key for key in self.keys if (key.algorithm, key.state) == (algorithm, "active")), None)

    def of_did_key(self, did: str) -> Key | None:
        """The key that *did*, a did:key, is."""
        wanted = did.removeprefix("did:key:")
        return next((key for key in self.keys if key.algorithm == "Ed25519" and key.fragment == wanted), None)


def ring_of(tenant: Tenant) -> KeyRing:
    """The keys of *tenant*, as its store has them."""
    found = {id: signing_keys.read(record) for id, record in signing_keys.records(tenant.store).items()}
    every = {**signers.first_keys(tenant.secrets), **found}
    return KeyRing(tuple(_key(tenant, id, one) for id, one in every.items()))


def _key(tenant: Tenant, id: str, one: SigningKey) -> Key:
    is_first = id in {FIRST, FIRST_JWT}
    sign = partial(signers.Sealing(tenant.secrets).sign, id, "") if is_first else _Kept(tenant, id).sign
    return Key(id, one.algorithm, one.public, one.state, one.since or one.created, one.until, sign)


class _Kept:
    """A private part, asked for by the record that says who keeps it. The record is read once."""

    def __init__(self, tenant: Tenant, id: str) -> None:
        self._tenant, self._id = tenant, id
        self._sign: Callable[[bytes], bytes] | None = None

    def sign(self, message: bytes) -> bytes:
        """Raises ``SignerAway``."""
        if self._sign is None:
            record = self._tenant.store.get(KEPT, self._id)
            if record is None:
                raise signers.SignerAway(f"the private part of the key {self._id} is not in this store")
            kept = msgspec.json.decode(record.body, type=KeptKey)
            self._sign = partial(signers.signer_of(self._tenant, kept, self._id).sign, self._id, kept.kept)
        return self._sign(message)
