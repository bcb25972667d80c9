"""Credentials and lists that are signed as a JWT: the text is read, and the signature checked with the issuer's key.

Sources: RFC 7515 and 7519; 1EdTech Open Badges 3.0, 8.2.4 and its guide, "Key Provenance"; W3C VC-JOSE-COSE 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from badges.keys.public_keys import JWS_ALGORITHMS, VerifyingKey, is_signed, of_jwk, thumbprint
from badges.verifying.controllers import key_of, listed_keys
from badges.verifying.verdict import Invalid, Unavailable
from badges.verifying.verification import Verification, moment, read, site_of
from lrs.kernel.base64url import from_base64url
from lrs.kernel.strict_json import Json, JsonView
from lrs.kernel.times import SECOND

COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
CLAIMS = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "vc", "vp", "nonce"})
"""Claims of a JWT that are no members of the credential."""
_HEADER = 8 * 1024


class SignedToken(msgspec.Struct, frozen=True):
    """A JWT that was read and not checked yet."""

    header: JsonView
    claims: Json
    signed: bytes
    signature: bytes


def read_token(text: str, limit: int) -> SignedToken:
    """The JWT *text*, whose claims may have *limit* bytes. Raises ``Invalid``."""
    if not COMPACT.fullmatch(text):
        raise Invalid("not a JWT: three parts in base64url with dots between", "not_a_jwt")
    head, body, signature = text.split(".")
    try:
        header = read(from_base64url(head), _HEADER)
        claims = read(from_base64url(body), limit)
        raw = from_base64url(signature)
    except ValueError as error:
        raise Invalid("not a JWT: a part is not in base64url", "not_a_jwt") from error
    if "crit" in header or header.get("b64") is False:
        raise Invalid("the header of the JWT asks for what is not supported", "token_not_supported")
    return SignedToken(header, claims, f"{head}.{body}".encode(), raw)


def check_token(token: SignedToken, owner: str, asked: Verification) -> str:
    """Checks that *owner* signed *token*, and says by what it is signed."""
    algorithm = token.header.get("alg")
    if algorithm not in JWS_ALGORITHMS:
        raise Invalid(f"the JWT is signed by none of {', '.join(JWS_ALGORITHMS)}", "algorithm_not_supported")
    if not is_signed(_key(token.header, owner, asked), str(algorithm), token.signature, token.signed):
        raise Invalid("the signature does not fit what the badge says", "bad_signature")
    return f"JWT ({algorithm}), by {token.header.get('kid') or owner}"


def check_times(claims: JsonView, at: int) -> None:
    """Checks ``nbf`` and ``exp`` at *at* (microseconds UTC)."""
    start, end = _micros(claims, "nbf"), _micros(claims, "exp")
    if start is not None and start > at:
        raise Invalid("the JWT is not valid yet", "not_yet_valid")
    if end is not None and end <= at:
        raise Invalid("the JWT has expired", "expired")


def _micros(claims: JsonView, name: str) -> float | None:
    """The time *name*, seconds since 1970, in microseconds."""
    value = claims.get(name)
    if value is not None and (type(value) not in (int, float) or abs(value) > 10**12):
        raise Invalid(f"{name} of the JWT is no time", "bad_date")
    return None if value is None else value * SECOND


def credential_in(claims: Json) -> Json:
    """The credential that *claims* are, or hold as ``vc``.

    Raises ``Invalid`` if a claim contradicts the member that it stands for (VC-JOSE-COSE; VCDM 1.1, 6.3.1).
    """
    wrapped = claims.get("vc")
    credential = dict(wrapped) if isinstance(wrapped, Mapping) else _without(claims)
    subject = credential.get("credentialSubject")
    if isinstance(wrapped, Mapping):
        _fill_in(credential, claims)
    _same("jti", claims, credential.get("id"))
    issuer = credential.get("issuer")
    _same("iss", claims, issuer.get("id") if isinstance(issuer, Mapping) else issuer)
    if isinstance(subject, Mapping) and "id" in subject:
        _same("sub", claims, subject["id"])
    for claim, names in (("nbf", ("validFrom", "issuanceDate")), ("exp", ("validUntil", "expirationDate"))):
        _same_time(claim, claims, credential, names)
    return credential


def _same_time(claim: str, claims: JsonView, credential: JsonView, names: tuple[str, ...]) -> None:
    told = _micros(claims, claim)
    for name in names:
        if told is not None and name in credential and abs(moment(credential, name) - told) > SECOND:
            raise Invalid(f"{claim} of the JWT and {name} of the badge differ", "claims_differ")


def _without(claims: Json) -> Json:
    return {name: value for name, value in claims.items() if name not in CLAIMS}


def _fill_in(credential: Json, claims: Json) -> None:
    """What a ``vc`` claim may leave to the claims of the JWT (VCDM 1.1, 6.3.1)."""
    for name, claim in (("id", "jti"), ("issuer", "iss")):
        if claim in claims:
            credential.setdefault(name, claims[claim])


def _same(claim: str, claims: JsonView, value: Any) -> None:
    if claim in claims and claims[claim] != value:
        raise Invalid(f"{claim} of the JWT is not what the badge says", "claims_differ")


def _key(header: JsonView, owner: str, asked: Verification) -> VerifyingKey:
    kid = header.get("kid")
    if owner.startswith("did:"):
        if isinstance(kid, str):
            return key_of(kid if kid.startswith("did:") else f"{owner}#{kid.lstrip('#')}", owner, asked)
        return key_of(_listed(header.get("jwk"), owner, asked), owner, asked)
    return _key_of_site(header, owner, asked)


def _listed(jwk: Any, owner: str, asked: Verification) -> str | None:
    """The name under which *owner* lists the key *jwk*."""
    if isinstance(jwk, Mapping):
        for method, entry in listed_keys(owner, asked):
            found = entry.get("publicKeyJwk")
            if isinstance(found, Mapping) and thumbprint(found) == thumbprint(jwk):
                return method
    return None


def _key_of_site(header: JsonView, owner: str, asked: Verification) -> VerifyingKey:
    """The key of an issuer that is an https address, as the JWK Set of its site or its own profile lists it.

    ``kid`` may be the key's address on that site. What is there counts only if it is listed, too: others may keep
    pages on the same site.
    """
    site, kid = site_of(owner), header.get("kid")
    jwks = f"https://{site.netloc}/.well-known/jwks.json"
    if not isinstance(kid, str) or not kid.startswith("https://"):
        return _in_set(asked.document(jwks), header, owner)
    if site_of(kid).netloc != site.netloc:
        raise Invalid("the key is not the issuer's own", "key_not_issuers")
    found = asked.document(kid)
    key = found if "kty" in found else _entry_in(found, header, owner)
    if thumbprint(key) not in _listed_by_site(jwks, owner, asked):
        raise Invalid("neither the issuer's site nor its profile lists this key", "key_not_listed")
    return of_jwk(key)


def _listed_by_site(jwks: str, owner: str, asked: Verification) -> set[str]:
    """The thumbprints of the keys of *owner*, in the JWK Set of its site and in its profile.

    Raises ``Unavailable`` if neither can be had.
    """
    found: set[str] = set()
    failed: list[Unavailable] = []
    try:
        found |= {thumbprint(key) for key in _keys_in(asked.document(jwks), owner)}
    except Unavailable as error:
        failed.append(error)
    try:
        methods = [entry.get("publicKeyJwk") for _, entry in listed_keys(owner, asked)]
        found |= {thumbprint(key) for key in methods if isinstance(key, Mapping)}
    except Unavailable as error:
        failed.append(error)
    if len(failed) == 2:
        raise failed[0]
    return found


def _keys_in(found: JsonView, owner: str) -> list[JsonView]:
    """The keys of a JWK Set that are not said to be another's than *owner*'s."""
    keys = found.get("keys")
    listed = keys if isinstance(keys, list) else []
    return [key for key in listed if isinstance(key, Mapping) and key.get("iss", owner) == owner]


def _in_set(found: JsonView, header: JsonView, owner: str) -> VerifyingKey:
    return of_jwk(_entry_in(found, header, owner))


def _entry_in(found: JsonView, header: JsonView, owner: str) -> JsonView:
    """The key of a JWK Set that *header* names by ``kid``, or holds as ``jwk``."""
    kid, jwk = header.get("kid"), header.get("jwk")
    for key in _keys_in(found, owner):
        if key.get("kid") == kid if kid else isinstance(jwk, Mapping) and thumbprint(key) == thumbprint(jwk):
            return key
    raise Invalid("the issuer's site does not list this key", "key_not_listed")
