"""A badge as an SD-JWT VC of the type that we issue: what its holder chose to show of it.

Sources: RFC 9901 (SD-JWT), 7.1; IETF "SD-JWT-based Verifiable Credentials", 2.2 and 3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from badges.forms.sd_jwt import CHOSEN, TYPE
from badges.keys.public_keys import JWS_ALGORITHMS, VerifyingKey, is_signed, of_jwk
from badges.verifying.shape import named
from badges.verifying.tokens import SignedToken, check_token, read_token
from badges.verifying.verdict import Invalid
from badges.verifying.verification import Verification, site_of
from lrs.kernel.base64url import base64url, from_base64url
from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import Json, JsonView, parse

MOST_DISCLOSURES = 100
_LAST = 253_402_300_800
"""The first second after the year 9999."""
_TYPES = ("dc+sd-jwt", "vc+sd-jwt")


def read_sd_jwt(text: str, limit: int) -> tuple[SignedToken, Json]:
    """The signed token in *text*, and what it and the disclosures behind it say together. Raises ``Invalid``."""
    signed, *shown = text.split("~")
    token = read_token(signed, limit)
    if shown and shown[-1]:
        raise Invalid("a proof of its holder (key binding) is attached, which is not supported", "token_not_supported")
    if len(shown) - 1 > MOST_DISCLOSURES:
        raise Invalid(f"more than {MOST_DISCLOSURES} disclosures", "too_complex")
    if token.header.get("typ") not in _TYPES or token.claims.get("vct") != TYPE:
        raise Invalid("an SD-JWT of a type that is not supported: it is no Open Badge", "type_not_supported")
    return token, _opened(token.claims, shown[:-1])


def _opened(claims: Json, shown: list[str]) -> Json:
    """*claims* with what is *shown* in the places of its digests."""
    if claims.get("_sd_alg", "sha-256") != "sha-256":
        raise Invalid("the digests of the SD-JWT are not SHA-256", "algorithm_not_supported")
    digests = claims.get("_sd", [])
    found = {name: value for name, value in claims.items() if name not in {"_sd", "_sd_alg"}}
    for one in shown:
        digest = base64url(hashlib.sha256(one.encode("ascii", "replace")).digest())
        if not isinstance(digests, list) or digests.count(digest) != 1:
            raise Invalid("something is shown that the issuer did not sign", "bad_disclosure")
        name, value = _disclosure(one)
        if name in found or name in {"_sd", "..."}:
            raise Invalid(f"{name} is said twice", "bad_disclosure")
        found[name] = value
    return found


def withheld(claims: JsonView, shown: JsonView) -> tuple[str, ...]:
    """Which claims of ours are not *shown* by a token whose signed *claims* have digests of more than is shown.

    A digest does not tell its name. So a claim that the badge never had is named, too, where another one is withheld.
    """
    digests = claims.get("_sd", [])
    opened = len(shown.keys() - claims.keys())
    if not isinstance(digests, list) or len(digests) <= opened:
        return ()
    return tuple(name for name in CHOSEN if name not in shown)


def _disclosure(text: str) -> tuple[str, Any]:
    try:
        parts = parse(from_base64url(text))
    except (Refused, ValueError) as error:
        raise Invalid("a disclosure cannot be read", "bad_disclosure") from error
    if not isinstance(parts, list) or len(parts) != 3 or not isinstance(parts[1], str):
        raise Invalid("a disclosure is no salt, name and value", "bad_disclosure")
    return parts[1], parts[2]


def check_claims(claims: JsonView) -> str:
    """Checks that *claims* say what a badge of ours says, and says what it is and whose."""
    achievement = claims.get("achievement")
    if not isinstance(achievement, Mapping) or not isinstance(achievement.get("name"), str):
        raise Invalid("the token does not say what was achieved", "incomplete")
    return f"{named(achievement['name'])}, issued by {named(claims.get('issuer_name'))}"


def check_issuer(token: SignedToken, asked: Verification) -> str:
    """Checks that ``iss`` signed *token*: a DID, or an https address whose metadata have the keys."""
    issuer = token.claims.get("iss")
    if not isinstance(issuer, str):
        raise Invalid("the token has no issuer", "incomplete")
    if issuer.startswith("did:"):
        return check_token(token, issuer, asked)
    algorithm = str(token.header.get("alg"))
    if algorithm not in JWS_ALGORITHMS:
        raise Invalid(f"the JWT is signed by none of {', '.join(JWS_ALGORITHMS)}", "algorithm_not_supported")
    if not is_signed(_key(token, issuer, asked), algorithm, token.signature, token.signed):
        raise Invalid("the signature does not fit what the badge says", "bad_signature")
    return f"SD-JWT ({algorithm}), by {issuer}"


def list_issuer(token: SignedToken, claims: JsonView) -> str:
    """Who signs the status list: the DID in front of the key's name, else the issuer of the token."""
    kid = token.header.get("kid")
    is_did = isinstance(kid, str) and kid.startswith("did:")
    return str(kid).partition("#")[0] if is_did else str(claims.get("iss"))


def metadata_url(issuer: str) -> str:
    """Where the metadata of *issuer*, an https address, are (SD-JWT VC, 5). Raises ``Invalid``."""
    site = site_of(issuer)
    return f"https://{site.netloc}/.well-known/jwt-vc-issuer{site.path.rstrip('/')}"


def _key(token: SignedToken, issuer: str, asked: Verification) -> VerifyingKey:
    told = asked.document(metadata_url(issuer))
    jwks = told.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if told.get("issuer") == issuer and isinstance(keys, list):
        for key in keys:
            if isinstance(key, Mapping) and key.get("kid") == token.header.get("kid"):
                return of_jwk(key)
    raise Invalid("the issuer's site does not list this key", "key_not_listed")


def as_credential(claims: JsonView) -> Json:
    """*claims* in the members of an Open Badge, as far as they are shown: for pages."""
    achievement, level = claims.get("achievement"), claims.get("level")
    if isinstance(achievement, Mapping):
        scale = [{"requiredLevel": "level", "rubricCriterionLevel": [{"id": "level", "name": level}]}]
        shown = {"criteria": claims.get("criteria"), "resultDescription": scale if level else None}
        achievement = {**achievement, **{name: value for name, value in shown.items() if value}}
    told = {
        "id": claims.get("badge"),
        "issuer": {"id": str(claims.get("iss")), "name": claims.get("issuer_name")},
        "credentialSubject": {"achievement": achievement, "identifier": claims.get("identifier") or []},
        "awardedDate": claims.get("awarded"),
        "evidence": claims.get("evidence"),
        "validFrom": _moment(claims.get("iat")),
        "validUntil": _moment(claims.get("exp")),
    }
    made: Json = json.loads(json.dumps({name: value for name, value in told.items() if value is not None}))
    return made


def _moment(seconds: object) -> str | None:
    """A NumericDate (RFC 7519, 2) as RFC 3339; ``None`` for anything that is none."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds < _LAST:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat()
