"""Badges of Open Badges 2.0 and 2.1 that are signed: the assertion is the content of a JWS, the key its issuer's.

Whose the key is, the profile at the issuer's own address says; what stands inside the badge says nothing of that.
Source: 1EdTech Open Badges 2.0, "Verification" (signed), "CryptographicKey" and "RevocationList".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from badges.keys.public_keys import JWS_ALGORITHMS, is_signed, of_pem
from badges.verifying.hosted import known_members, object_at
from badges.verifying.tokens import SignedToken
from badges.verifying.verdict import Invalid
from badges.verifying.verification import Verification, site_of
from lrs.kernel.strict_json import Json, JsonView

MOST_KEYS = 20


def assertion_in(token: SignedToken, asked: Verification) -> Json:
    """The assertion in *token*, with its badge class and the profile of its issuer put in.

    Raises ``Invalid``, and ``Unavailable``.
    """
    told = token.claims
    if not isinstance(told.get("id"), str):
        raise Invalid("the badge has no id", "incomplete")
    named = told.get("badge")
    badge = object_at(named, asked)
    issuer = _issuer(badge.get("issuer"), asked)
    if isinstance(named, str) and site_of(named).netloc != site_of(issuer["id"]).netloc:
        raise Invalid("what the badge is for is not at the site of its issuer", "key_not_issuers")
    return {**known_members(told), "badge": {**badge, "issuer": issuer}}


def _issuer(part: Any, asked: Verification) -> JsonView:
    """The profile at the issuer's own address."""
    id = part.get("id") if isinstance(part, Mapping) else part
    site_of(id)
    return object_at(id, asked)


def check_signed(assertion: JsonView, token: SignedToken, asked: Verification) -> str:
    """Checks that a key which the issuer lists signed *token*, and says by what it is signed."""
    algorithm = token.header.get("alg")
    if algorithm not in JWS_ALGORITHMS:
        raise Invalid(f"the badge is signed by none of {', '.join(JWS_ALGORITHMS)}", "algorithm_not_supported")
    issuer = assertion["badge"]["issuer"]
    told = token.claims.get("verification", token.claims.get("verify"))
    name = told.get("creator", told.get("url")) if isinstance(told, Mapping) else None
    key = _key(issuer, name, asked)
    if not is_signed(of_pem(key.get("publicKeyPem")), str(algorithm), token.signature, token.signed):
        raise Invalid("the signature does not fit what the badge says", "bad_signature")
    return f"JWS ({algorithm}), by {key.get('id') or issuer['id']}"


def _key(issuer: JsonView, name: Any, asked: Verification) -> JsonView:
    """The key called *name*, or the only one, of those in the profile of *issuer*."""
    part = issuer.get("publicKey")
    listed = (part if isinstance(part, list) else [part])[:MOST_KEYS]
    found = [one for one in listed if name is None or name in (one, one.get("id") if isinstance(one, Mapping) else "")]
    if len(found) != 1 or found[0] is None:
        raise Invalid("the issuer's profile does not list this key", "key_not_listed")
    key = found[0] if isinstance(found[0], Mapping) and "publicKeyPem" in found[0] else object_at(name, asked)
    if key.get("owner", issuer["id"]) != issuer["id"]:
        raise Invalid("the key says that it is another's", "key_not_issuers")
    return key


def check_not_listed(assertion: JsonView, asked: Verification) -> str:
    """Checks that the issuer's list of revoked assertions does not name this one. Raises ``Unavailable``."""
    issuer = assertion["badge"]["issuer"]
    address = issuer.get("revocationList")
    if address is None:
        return "its issuer keeps no list of revoked badges"
    if not isinstance(address, str) or not address.startswith("https://"):
        raise Invalid("the issuer's list of revoked badges has no https address", "bad_status_list")
    listed = asked.document(address)
    if listed.get("issuer", issuer["id"]) != issuer["id"]:
        raise Invalid("the list of revoked badges is another issuer's", "status_list_not_issuers")
    revoked = listed.get("revokedAssertions")
    if not isinstance(revoked, list):
        raise Invalid("the list of revoked badges lists nothing", "bad_status_list")
    names = {one.get("id", one.get("uid")) if isinstance(one, Mapping) else one for one in revoked if _is_name(one)}
    if assertion["id"] in names:
        raise Invalid("revoked", "revoked")
    return "not among the revoked badges of its issuer"


def _is_name(part: Any) -> bool:
    named = part.get("id", part.get("uid")) if isinstance(part, Mapping) else part
    return isinstance(named, str)
