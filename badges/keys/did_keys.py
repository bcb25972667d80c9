"""Keys of wallets: as a DID that is a key (did:key, did:jwk), as a JWK, and what they sign. Knows no badge.

Sources: did:key 0.7 and did:jwk method specifications; RFC 7517, 7518 3.4 (ES256), 8037 (EdDSA), 9864 (Ed25519).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from badges.keys.multikey import base58, from_base58
from lrs.kernel.base64url import base64url, from_base64url

WalletKey = Ed25519PublicKey | ec.EllipticCurvePublicKey
ED25519, P256 = b"\xed\x01", b"\x80\x24"
"""The multicodec prefixes of public keys."""
ALGORITHMS = ("ES256", "EdDSA", "Ed25519")
"""Of signatures of wallets. ``EdDSA`` is the name of before RFC 9864, which wallets still send."""
_LONGEST = 1_000
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k"}


class BadKey(Exception):
    """The key is none that is taken here; the message says why."""


def key_of_did(did: str) -> WalletKey:
    """The key that *did* is. Raises ``BadKey``."""
    if len(did) > _LONGEST:
        raise BadKey("the DID is too long")
    method, _, name = did.partition("did:")[2].partition(":")
    try:
        if method == "key" and name.startswith("z"):
            return _of_multikey(from_base58(name[1:]))
        if method == "jwk":
            return key_of_jwk(json.loads(from_base64url(name)))
    except ValueError as error:
        raise BadKey("the DID is not a key") from error
    raise BadKey("the DID is neither a did:key nor a did:jwk")


def key_of_jwk(jwk: Any) -> WalletKey:
    """The public key in *jwk*: Ed25519 or P-256. Raises ``BadKey``, also for one with a private part."""
    if not isinstance(jwk, Mapping) or _PRIVATE & jwk.keys():
        raise BadKey("the JWK is not a public key alone")
    try:
        if (jwk.get("kty"), jwk.get("crv")) == ("OKP", "Ed25519"):
            return Ed25519PublicKey.from_public_bytes(from_base64url(str(jwk.get("x"))))
        if (jwk.get("kty"), jwk.get("crv")) == ("EC", "P-256"):
            x, y = (int.from_bytes(from_base64url(str(jwk.get(one)))) for one in ("x", "y"))
            return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except ValueError as error:
        raise BadKey("the JWK is no point of its curve") from error
    raise BadKey("the JWK is neither an Ed25519 nor a P-256 key")


def did_of(key: WalletKey) -> str:
    """*key* as a did:key."""
    if isinstance(key, Ed25519PublicKey):
        return f"did:key:z{base58(ED25519 + key.public_bytes_raw())}"
    return f"did:key:z{base58(P256 + key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))}"


def jwk_of(key: WalletKey) -> dict[str, str]:
    """*key* as a JWK."""
    if isinstance(key, Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_bytes_raw())}
    numbers = key.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": base64url(numbers.x.to_bytes(32)), "y": base64url(numbers.y.to_bytes(32))}


def is_signed(key: WalletKey, algorithm: str, signature: bytes, signed: bytes) -> bool:
    """Whether *signature*, in the form of JOSE, is one of *signed* by *key* with *algorithm*."""
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, signed)
            return algorithm in {"EdDSA", "Ed25519"}
        if algorithm != "ES256" or len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _of_multikey(raw: bytes) -> WalletKey:
    if raw.startswith(ED25519) and len(raw) == 34:
        return Ed25519PublicKey.from_public_bytes(raw[2:])
    if raw.startswith(P256) and len(raw) == 35:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw[2:])
    raise BadKey("the DID is neither an Ed25519 nor a P-256 key")
