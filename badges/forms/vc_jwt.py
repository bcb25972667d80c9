"""Open Badges 3.0 as a JWT: the stored badge without its proof, with the claims that stand for its members.

Sources: 1EdTech Open Badges 3.0, 8.2.4; W3C VC-JOSE-COSE 1.0. It has no ``vc`` claim and no claim without a term, so it
passes JSON-LD's safe mode. ``sub`` is required: where the badge names no subject by an id, it is a name of this badge.
"""

from __future__ import annotations

import json
from typing import Any

from badges.forms.form import Form, NotInThisForm, StoredBadge
from badges.keys.issuer import Issuer
from badges.keys.jose import key_for_jwt, signed
from badges.keys.ring import Key
from lrs.kernel.names import name
from lrs.kernel.times import SECOND, micros_of_timestamp

MEDIA_TYPE = "application/vc+jwt"


def jwt_key(issuer: Issuer) -> Key:
    """The key for JWTs of *issuer*. Raises ``NotInThisForm`` if it has none yet."""
    key = key_for_jwt(issuer)
    if key is None:
        raise NotInThisForm("No key signs JWTs: lrs badges keys rotate --algorithm ES256 makes one.")
    return key


def subject_id(badge: StoredBadge, credential: dict[str, Any]) -> str:
    """The id of the subject: what the badge says, else a ``urn:uuid:`` that only this badge has."""
    return str(credential["credentialSubject"].get("id") or f"urn:uuid:{name('badge-subject', badge.id)}")


def numeric_date(timestamp: str) -> int:
    """A time as seconds since 1970 (RFC 7519, 2), rounded down."""
    return micros_of_timestamp(timestamp) // SECOND


def _jwt(badge: StoredBadge) -> bytes:
    issuer = badge.signer()
    credential = {name: value for name, value in json.loads(badge.credential).items() if name != "proof"}
    subject = subject_id(badge, credential)
    credential["credentialSubject"] = {"id": subject, **credential["credentialSubject"]}
    claims = {
        "iss": issuer.id,
        "jti": credential["id"],
        "sub": subject,
        "nbf": numeric_date(credential["validFrom"]),
    }
    if "validUntil" in credential:
        claims["exp"] = numeric_date(credential["validUntil"])
    return signed(issuer, jwt_key(issuer), {**credential, **claims}, "JWT").encode()


FORM = Form(
    name="jwt",
    media_type=MEDIA_TYPE,
    ending=".jwt",
    make=_jwt,
    title="File (JWT)",
    about="The same, for programs that want this form.",
    place=50,
)
