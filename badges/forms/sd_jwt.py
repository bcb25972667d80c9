"""The badge as an SD-JWT VC, which wallets of the EUDI kind take: holders show of it what they choose.

Sources: IETF "SD-JWT-based Verifiable Credentials" (draft-ietf-oauth-sd-jwt-vc), 2.2; RFC 9901 (SD-JWT), 4 and 5; the
status is the same bit, in the token status list at the address of the badge's list. What is earned, by which issuer and
until when, is always shown; who earned it, when, and by which evidence only if the holder wants it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

from badges.content.medal import medal_of
from badges.forms.form import Form, StoredBadge
from badges.forms.vc_jwt import jwt_key, numeric_date, subject_id
from badges.keys.did_keys import jwk_of, key_of_did
from badges.keys.issuer import Issuer, did_url
from badges.keys.jose import signed
from lrs.kernel.base64url import base64url
from lrs.kernel.strict_json import Json

TYPE = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential"
"""``vct``: what the type of an Open Badge is as an address."""
MEDIA_TYPE = "application/dc+sd-jwt"
CHOSEN = ("awarded", "criteria", "identifier", "alignment", "evidence")
"""The claims that the holder shows or not; a badge without such a thing has no claim of it, except the first two."""
_SALT = 16


def issuer_address(issuer: Issuer) -> str:
    """``iss``: the https address whose metadata have the keys; a demonstration has only its DID."""
    return issuer.id if issuer.demonstration else did_url(issuer.id).removesuffix("/did.json")


def _sd_jwt(badge: StoredBadge) -> bytes:
    issuer, credential = badge.signer(), json.loads(badge.credential)
    seed = hashlib.sha256(issuer.key.sign(f"engraft sd-jwt salts {badge.id}".encode())).digest()
    hidden = [_disclosure(seed, name, value) for name, value in _chosen(credential)]
    digests = sorted(base64url(hashlib.sha256(one.encode()).digest()) for one in hidden)
    payload = {**_shown(badge, issuer, credential), "_sd_alg": "sha-256", "_sd": digests}
    return "~".join([signed(issuer, jwt_key(issuer), payload, "dc+sd-jwt"), *hidden, ""]).encode()


def _shown(badge: StoredBadge, issuer: Issuer, credential: Json) -> Json:
    achievement, status = credential["credentialSubject"]["achievement"], credential["credentialStatus"]
    medal = medal_of(credential)
    claims = {
        "iss": issuer_address(issuer),
        "vct": TYPE,
        "iat": numeric_date(credential["validFrom"]),
        "exp": numeric_date(credential["validUntil"]) if "validUntil" in credential else None,
        "sub": subject_id(badge, credential),
        "cnf": _confirmed(credential["credentialSubject"].get("id", "")),
        "badge": credential["id"],
        "issuer_name": credential["issuer"]["name"],
        "achievement": {name: achievement[name] for name in ("id", "name", "description")},
        "level": medal.level or None,
        "status": {
            "status_list": {"idx": int(status["statusListIndex"]), "uri": status["statusListCredential"]},
        },
    }
    return {name: value for name, value in claims.items() if value is not None}


def _confirmed(did: str) -> Json | None:
    """``cnf``: the key of the wallet that holds the badge, where its subject is such a key (RFC 7800)."""
    if not did.startswith(("did:key:", "did:jwk:")):
        return None
    return {"jwk": jwk_of(key_of_did(did))}


def _chosen(credential: Json) -> Iterator[tuple[str, Any]]:
    """What the holder may show or not."""
    subject = credential["credentialSubject"]
    yield "awarded", credential["awardedDate"]
    yield "criteria", subject["achievement"]["criteria"]
    for name, value in (
        ("identifier", subject.get("identifier")),
        ("alignment", subject["achievement"].get("alignment")),
        ("evidence", credential.get("evidence")),
    ):
        if value:
            yield name, value


def _disclosure(seed: bytes, name: str, value: object) -> str:
    """Salt, name and value. The salt is made from *seed*, which only the issuer has, so it is the same each time."""
    salt = base64url(hmac.digest(seed, name.encode(), hashlib.sha256)[:_SALT])
    return base64url(json.dumps([salt, name, value], ensure_ascii=False, separators=(",", ":")).encode())


FORM = Form(
    name="sd-jwt",
    media_type=MEDIA_TYPE,
    ending=".sd-jwt",
    make=_sd_jwt,
    title="File (SD-JWT)",
    about="For wallets of the European kind, which show only the parts that you choose.",
    place=60,
)
