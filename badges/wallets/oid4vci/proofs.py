"""Checks the proof of a wallet's key: a JWT for this issuer, signed by the key that the badge is to name. Pure.

Source: OpenID4VCI 1.0, 8.2.1.1 and appendix F.1. Wallets of Draft 13 (oid4-client) leave out ``typ`` and ``iat``; that
is taken from them alone, and only with an ``exp``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from badges.keys.did_keys import ALGORITHMS, WalletKey, did_of, key_of_did, key_of_jwk
from badges.keys.invalid import Invalid
from badges.keys.public_keys import is_signed
from badges.verifying.tokens import SignedToken, read_token
from badges.wallets.oid4vci.refusals import WalletRefused
from lrs.kernel.times import SECOND

TYPE = "openid4vci-proof+jwt"
AGE, SKEW = 600, 60
"""Seconds: how old a proof may be, and how far a wallet's clock may be off."""
LONGEST = 8_192


class KeyProof(msgspec.Struct, frozen=True):
    """What a proof says: the DID of the key, and the nonce that it answers, not yet used."""

    did: str
    nonce: str


def checked(jwt: Any, audience: str, now: int, *, is_draft: bool = False) -> KeyProof:
    """The proof in *jwt* for the issuer *audience* at the time *now* (microseconds UTC). Raises ``Refused``."""
    token = _read(jwt)
    header, payload = token.header, token.claims
    key, did = _key(header)
    typ = header.get("typ")
    if typ != TYPE and not (is_draft and typ is None):
        raise _wrong(f"its typ is not {TYPE}")
    if {"x5c", "trust_chain", "key_attestation"} & header.keys():
        raise _wrong("its header has x5c, trust_chain or key_attestation, which are not taken here")
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise _wrong(f"its alg is none of {', '.join(ALGORITHMS)}")
    if not is_signed(key, str(algorithm), token.signature, token.signed):
        raise _wrong("its signature is not of the key that it names")
    heard = payload.get("aud")
    if audience not in (heard if isinstance(heard, list) else [heard]):
        raise _wrong(f"it is for another issuer than {audience}")
    _check_times(payload, now // SECOND, is_draft=is_draft)
    nonce = payload.get("nonce")
    if not isinstance(nonce, str):
        raise WalletRefused("invalid_nonce", "The proof has no nonce. Ask the nonce endpoint for one.")
    return KeyProof(did, nonce)


def _read(jwt: Any) -> SignedToken:
    if not isinstance(jwt, str) or len(jwt) > LONGEST:
        raise _wrong("it is no JWT in the compact form")
    try:
        return read_token(jwt, LONGEST)
    except Invalid as error:
        raise _wrong(str(error)) from error


def _key(header: Mapping[str, Any]) -> tuple[WalletKey, str]:
    """The key that *header* names, by ``jwk`` or by ``kid``, and its DID."""
    if ("jwk" in header) == ("kid" in header):
        raise _wrong("its header has to name the key by jwk or by kid, and not by both")
    try:
        if "jwk" in header:
            key = key_of_jwk(header["jwk"])
            return key, did_of(key)
        did, sharp, fragment = str(header["kid"]).partition("#")
        key = key_of_did(did)
    except Invalid as error:
        raise _wrong(str(error)) from error
    if not sharp or fragment not in {did.removeprefix("did:key:"), "0"}:
        raise _wrong("its kid is no DID URL of a key")
    return key, did


def _check_times(payload: Mapping[str, Any], now: int, *, is_draft: bool) -> None:
    times = {name: payload[name] for name in ("iat", "nbf", "exp") if name in payload}
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in times.values()):
        raise _wrong("its times are not numbers")
    if "iat" not in times and not (is_draft and "exp" in times):
        raise _wrong("it has no iat")
    if not now - AGE <= times.get("iat", now) <= now + SKEW:
        raise _wrong("its iat is too long ago, or in the future")
    if times.get("nbf", now) > now + SKEW or times.get("exp", now) < now - SKEW:
        raise _wrong("it is not valid yet, or not any more")


def _wrong(why: str) -> WalletRefused:
    return WalletRefused("invalid_proof", f"The key proof was not taken: {why}.", pointer="/proofs/jwt/0")
