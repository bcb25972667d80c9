"""Public keys as others publish them, and signatures by them. Knows not whose a key is.

Sources: W3C Controlled Identifiers 1.0, 2.2.2 (Multikey); RFC 7517, 7518 and 8037 (JWK, JWA, EdDSA); RFC 7468 (PEM);
FIPS 186-5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from badges.keys.invalid import Invalid
from badges.keys.multikey import from_base58
from lrs.kernel.base64url import base64url, from_base64url

VerifyingKey = Ed25519PublicKey | ec.EllipticCurvePublicKey | RSAPublicKey
ED25519, P256, P384 = b"\xed\x01", b"\x80\x24", b"\x81\x24"
"""Multicodec prefixes of public keys."""
_CURVES: Mapping[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
_BITS = (2048, 4096)
"""Sizes of RSA keys: smaller ones are weak, larger ones are slow."""
_LONGEST_PEM = 4_096
_REMEMBERED, _SIGNATURES = 64, 8
"""Cached keys, and signatures with what they are of: up to a MiB each."""
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k"}
JWS_ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")


@lru_cache(_REMEMBERED)
def of_multibase(text: str) -> VerifyingKey:
    """The key in a Multikey, ``z6Mk…`` (Ed25519), ``zDna…`` (P-256), ``z82L…`` (P-384). Raises ``Invalid``."""
    try:
        raw = from_base58(text[1:]) if text.startswith("z") else b""
        if raw.startswith(ED25519) and len(raw) == 34:
            return Ed25519PublicKey.from_public_bytes(raw[2:])
        if raw.startswith((P256, P384)):
            curve = _CURVES["P-256" if raw.startswith(P256) else "P-384"]
            return ec.EllipticCurvePublicKey.from_encoded_point(curve, raw[2:])
    except ValueError as error:
        raise Invalid("the key is no valid Multikey", "bad_key") from error
    raise Invalid("the key is no Multikey of a kind that is supported (Ed25519, P-256, P-384)", "bad_key")


def of_jwk(jwk: Mapping[str, Any]) -> VerifyingKey:
    """The public key in a JWK. Raises ``Invalid``, also if it has a private part."""
    if _PRIVATE & jwk.keys():
        raise Invalid("the key is published with its private part: anybody can sign with it", "key_compromised")
    try:
        kind, curve = jwk.get("kty"), jwk.get("crv")
        if kind == "OKP" and curve == "Ed25519":
            return Ed25519PublicKey.from_public_bytes(_raw(jwk, "x"))
        if kind == "EC" and isinstance(curve, str) and curve in _CURVES:
            return ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), _CURVES[curve]).public_key()
        if kind == "RSA" and _BITS[0] <= _number(jwk, "n").bit_length() <= _BITS[1]:
            return RSAPublicNumbers(min(_number(jwk, "e"), 2**32), _number(jwk, "n")).public_key()
    except ValueError as error:
        raise Invalid("the key is no valid JWK", "bad_key") from error
    raise Invalid("the key is no JWK of a kind that is supported (Ed25519, P-256, P-384, RSA 2048 to 4096)", "bad_key")


def of_pem(text: Any) -> VerifyingKey:
    """The public key in PEM, as Open Badges 2 has it. Raises ``Invalid``."""
    try:
        if not isinstance(text, str) or len(text) > _LONGEST_PEM:
            raise ValueError
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Invalid("the key is no public key in PEM", "bad_key") from error
    is_rsa = isinstance(key, RSAPublicKey) and _BITS[0] <= key.key_size <= _BITS[1]
    is_ec = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _EC
    if not isinstance(key, VerifyingKey) or not (is_rsa or is_ec or isinstance(key, Ed25519PublicKey)):
        raise Invalid("the key is of no kind that is supported (Ed25519, P-256, P-384, RSA 2048 to 4096)", "bad_key")
    return key


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """What a JWK is, whatever it is called (RFC 7638)."""
    names = {"OKP": "crv kty x", "EC": "crv kty x y", "RSA": "e kty n"}.get(str(jwk.get("kty")), "kty")
    told = ",".join(f'"{name}":"{jwk.get(name)}"' for name in names.split())
    return base64url(hashlib.sha256(f"{{{told}}}".encode()).digest())


def is_signed(key: VerifyingKey, algorithm: str, signature: bytes, data: bytes) -> bool:
    """Whether *signature*, in the form of JOSE, is *key*'s over *data* by *algorithm* (``alg`` of a JWS)."""
    try:
        if isinstance(key, Ed25519PublicKey) and algorithm in {"EdDSA", "Ed25519"}:
            _verify_ed25519(key.public_bytes_raw(), signature, data)
        elif isinstance(key, RSAPublicKey) and algorithm == "RS256":
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm == _EC.get(key.curve.name):
            _verify_ec(key, signature, data)
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(_SIGNATURES)
def _verify_ed25519(raw: bytes, signature: bytes, data: bytes) -> None:
    """Raises ``InvalidSignature``. What was right is cached: each badge of a batch names the same status list."""
    Ed25519PublicKey.from_public_bytes(raw).verify(signature, data)


_EC = {"secp256r1": "ES256", "secp384r1": "ES384"}


def algorithm_of(key: VerifyingKey) -> str:
    """The algorithm with which *key* signs Data Integrity proofs, by its name in JOSE."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _EC[key.curve.name]
    return "RS256" if isinstance(key, RSAPublicKey) else "EdDSA"


def _verify_ec(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> None:
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        raise InvalidSignature
    numbers = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    digest = hashes.SHA256() if size == 32 else hashes.SHA384()
    key.verify(encode_dss_signature(*numbers), data, ec.ECDSA(digest))


def _raw(jwk: Mapping[str, Any], name: str) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str) or not text.isascii() or len(text) > 1_024:
        raise ValueError(name)
    return from_base64url(text)


def _number(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_raw(jwk, name))
