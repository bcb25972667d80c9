"""The forms of a status list, all at one address: the stored JSON with its proof, a JWT, a token status list.

The two others are signed when they are asked for, from the stored list, so all say the same. Sources: W3C Bitstring
Status List 1.0; W3C VC-JOSE-COSE 1.0; IETF "Token Status List" (draft-ietf-oauth-status-list), 4 and 5.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping

from badges.credentials import status
from badges.forms.vc_jwt import MEDIA_TYPE, jwt_key, numeric_date
from badges.keys.issuer import Issuer, issuer_named
from badges.keys.jose import signed
from badges.keys.ring import KeyRing
from badges.proofs.contexts import OPEN_BADGES
from lrs.kernel.base64url import base64url

JSON, TOKEN = "application/vc", "application/statuslist+jwt"
TTL = 300
"""Seconds for which a token status list may be kept."""


def _stored(body: bytes, _: KeyRing) -> bytes:
    return body


def _jwt(body: bytes, ring: KeyRing) -> bytes:
    """With the context of Open Badges, which defines the claims of a JWT: without it they fail JSON-LD's safe mode."""
    issuer = _owner(body, ring)
    listed = {name: value for name, value in json.loads(body).items() if name != "proof"}
    listed["@context"] = [*listed["@context"], OPEN_BADGES]
    claims = {"iss": issuer.id, "jti": listed["id"], "sub": listed["credentialSubject"]["id"]}
    nbf = {"nbf": numeric_date(listed["validFrom"])}
    return signed(issuer, jwt_key(issuer), {**listed, **claims, **nbf}, "JWT").encode()


def _owner(body: bytes, ring: KeyRing) -> Issuer:
    """The issuer of the list, with the keys that sign now: also while the stored list still has to be signed anew."""
    return issuer_named({"id": json.loads(body)["issuer"], "name": ""}, ring)


def _token(body: bytes, ring: KeyRing) -> bytes:
    issuer, listed = _owner(body, ring), json.loads(body)
    bits = status.bits_of(listed, listed["credentialSubject"]["statusPurpose"])
    packed = base64url(zlib.compress(mirrored(bits), 9))
    payload = {
        "iss": issuer.id,
        "sub": listed["id"],
        "iat": numeric_date(listed["validFrom"]),
        "ttl": TTL,
        "status_list": {"bits": 1, "lst": packed},
    }
    return signed(issuer, jwt_key(issuer), payload, "statuslist+jwt").encode()


def mirrored(bits: bytes) -> bytes:
    """*bits* with the bits of each byte turned round: a token status list counts from the least significant one."""
    return bits.translate(_MIRROR)


_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
LIST_FORMS: Mapping[str, Callable[[bytes, KeyRing], bytes]] = {JSON: _stored, MEDIA_TYPE: _jwt, TOKEN: _token}
"""By media type; the first one is given to whoever names none."""
