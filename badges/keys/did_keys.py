"""Keys of wallets: a DID that is a key (did:key, did:jwk), or a JWK. Of the keys that are read, wallets have two kinds.

Sources: did:key 0.7 and did:jwk method specifications; RFC 7517, 7518 3.4 (ES256), 8037 (EdDSA), 9864 (Ed25519).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from badges.keys.invalid import Invalid
from badges.keys.multikey import base58
from badges.keys.public_keys import ED25519, P256, VerifyingKey, of_jwk, of_multibase
from lrs.kernel import strict_json
from lrs.kernel.base64url import base64url, from_base64url
from lrs.kernel.errors import Refused

WalletKey = Ed25519PublicKey | ec.EllipticCurvePublicKey
ALGORITHMS = ("ES256", "EdDSA", "Ed25519")
"""Of signatures of wallets. ``EdDSA`` is the name of before RFC 9864, which wallets still send."""
_LONGEST = 1_000
_OTHER = "the key is neither an Ed25519 nor a P-256 key, or no valid one"


def key_of_did(did: str) -> WalletKey:
    """The key that *did* is. Raises ``Invalid``."""
    if len(did) > _LONGEST:
        raise Invalid("the DID is too long", "bad_key")
    method, _, name = did.partition("did:")[2].partition(":")
    if method == "key":
        return _of_wallet(of_multibase(name))
    if method != "jwk":
        raise Invalid("the DID is neither a did:key nor a did:jwk", "bad_key")
    try:
        jwk = strict_json.parse(from_base64url(name))
    except (ValueError, Refused) as error:
        raise Invalid("the DID is not a key", "bad_key") from error
    return key_of_jwk(jwk)


def key_of_jwk(jwk: Any) -> WalletKey:
    """The public key in *jwk*: Ed25519 or P-256. Raises ``Invalid``, also for one with a private part."""
    if not isinstance(jwk, Mapping):
        raise Invalid("the key is no JWK", "bad_key")
    try:
        return _of_wallet(of_jwk(jwk))
    except Invalid as error:
        if error.code == "key_compromised":
            raise
        raise Invalid(_OTHER, "bad_key") from error


def _of_wallet(key: VerifyingKey) -> WalletKey:
    is_p256 = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    if not isinstance(key, WalletKey) or not (is_p256 or isinstance(key, Ed25519PublicKey)):
        raise Invalid(_OTHER, "bad_key")
    return key


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
