"""Signed texts in the compact form of JOSE (RFC 7515), signed by whoever keeps the key. Knows no badge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from badges.keys.issuer import Issuer
from badges.keys.ring import Key
from lrs.kernel.base64url import base64url


def key_for_jwt(issuer: Issuer) -> Key | None:
    """The key with which *issuer* signs JWTs: RS256 if it has such a key, else ES256; a demonstration its only key.

    1EdTech takes RS256 and ES256. EdDSA, the only one that a did:key of Ed25519 can give, it does not.
    """
    if issuer.demonstration:
        return issuer.key
    return issuer.ring.active("RS256") or issuer.ring.active("ES256")


def signed(issuer: Issuer, key: Key, payload: Mapping[str, Any], typ: str) -> str:
    """*payload* as a JWS with the absolute id of *key* in its header. Raises ``SignerAway``."""
    header = {"alg": key.jws_algorithm, "kid": issuer.method_of(key), "typ": typ}
    text = f"{_part(header)}.{_part(payload)}"
    return f"{text}.{base64url(key.sign(text.encode()))}"


def _part(value: Mapping[str, Any]) -> str:
    return base64url(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
