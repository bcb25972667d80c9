"""Ed25519 keys as text: Multikey, did:key and base58. Knows no tenant and no credential.

Sources: W3C Controlled Identifiers 1.0, section 2.2.2 (Multikey), section 2.4 (Multibase); did:key 0.7.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lrs.kernel.base64url import from_base64url

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519 = b"\xed\x01"
_LONGEST = 160
_REMEMBERED = 64
"""Cached texts of keys and signatures: base58 takes 40 µs, and the same few come with each badge."""
DID_CONTEXT = "https://www.w3.org/ns/did/v1"
KEY_CONTEXTS = {
    "Multikey": "https://w3id.org/security/multikey/v1",
    "JsonWebKey": "https://w3id.org/security/jwk/v1",
}
"""The context that defines each type of a key (W3C Controlled Identifiers 1.0, 2.2)."""


def base58(value: bytes) -> str:
    """*value* in base58btc, without the multibase prefix."""
    number, text = int.from_bytes(value), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return "1" * (len(value) - len(value.lstrip(b"\0"))) + text


@lru_cache(_REMEMBERED)
def from_base58(text: str) -> bytes:
    """The bytes that *text* encodes. Raises ``ValueError`` for other characters, and for more than 160 characters."""
    if len(text) > _LONGEST:
        raise ValueError("too long for a key or a signature")
    number = 0
    for character in text:
        number = number * 58 + _ALPHABET.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)


@lru_cache(_REMEMBERED)
def multibase_of_public(raw: bytes) -> str:
    """A public key, 32 bytes, as a Multikey, ``z6Mk…``."""
    return "z" + base58(_ED25519 + raw)


def raw_of(x: str) -> bytes:
    """The public key that a JWK has as *x* (RFC 8037)."""
    return from_base64url(x)


def public_key(multibase: str) -> Ed25519PublicKey:
    """The key in a Multikey. Raises ``ValueError`` for anything but an Ed25519 key in base58btc."""
    raw = from_base58(multibase[1:]) if multibase.startswith("z") else b""
    if len(raw) != 34 or not raw.startswith(_ED25519):
        raise ValueError("not an Ed25519 key in Multikey form")
    return Ed25519PublicKey.from_public_bytes(raw[2:])


def did_document(did: str, multibase: str) -> dict[str, object]:
    """The DID document of *did* with one key, good for assertions only; ``assertionMethod`` holds strings."""
    method = f"{did}#{multibase}"
    return {
        "@context": [DID_CONTEXT, KEY_CONTEXTS["Multikey"]],
        "id": did,
        "verificationMethod": [{"id": method, "type": "Multikey", "controller": did, "publicKeyMultibase": multibase}],
        "assertionMethod": [method],
    }
