"""Checks an ID token: what a provider says of somebody, signed. Pure: no call, no clock.

Sources: OpenID Connect Core 1.0 2 and 3.1.3.7; RFC 8725 (JSON Web Token Best Current Practices). The algorithm is one
of ``ALGORITHMS`` and fits the type of the key; ``none`` and those with a shared secret are never taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from lrs.access.oidc.providers import Provider
from lrs.kernel import strict_json
from lrs.kernel.base64url import from_base64url
from lrs.kernel.errors import Refused

_ED25519 = ("OKP", "Ed25519")
_KEYS = {"RS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": _ED25519, "Ed25519": _ED25519}
"""The type and the curve of the key that goes with an algorithm. RFC 9864 calls EdDSA by its curve."""
ALGORITHMS = frozenset(_KEYS)
SKEW = 60
"""Seconds by which the clocks of a provider and of this machine may differ."""
OLDEST = 600
"""Seconds after which a token that was just asked for is too old, whatever it says of its end."""
LONGEST = 64 * 1024
_LONGEST_SUB = 255


class Untrusted(Refused):
    """A provider said something that cannot be believed. Nobody is signed in by it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=502, error="untrusted_provider")


class Claims(msgspec.Struct, frozen=True):
    """What a provider says of somebody. *email* is empty unless the provider has verified it."""

    sub: str
    email: str
    name: str
    groups: tuple[str, ...]


class _Pinned(jws.JWSRegistry):
    """The algorithms of joserfc, without its warning that EdDSA has another name now."""

    def get_alg(self, name: str) -> Any:
        """See ``JWSRegistry``."""
        if name not in (self.allowed or ()):
            raise ValueError(name)
        return self.algorithms[name]


def header_of(token: str) -> dict[str, Any]:
    """The header of *token*, unchecked. Raises ``Untrusted``."""
    head, dot, _ = token.partition(".")
    try:
        if not dot or len(token) > LONGEST or not token.isascii():
            raise ValueError
        found = strict_json.parse(from_base64url(head))
    except (ValueError, Refused) as error:
        raise _wrong("it sent no token") from error
    if not isinstance(found, dict):
        raise _wrong("it sent no token")
    return found


def verified(token: str, keys: Sequence[dict[str, Any]], provider: Provider, nonce: str, now: int) -> Claims:
    """What *token* says, if one of *keys* signed it and all it says is so at *now* (seconds). Raises ``Untrusted``."""
    header = header_of(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise _wrong("the token is signed in a way that is not accepted")
    if "crit" in header or header.get("typ", "JWT") not in {"JWT", "jwt"}:
        raise _wrong("it sent another kind of token")
    told = _signed(token, algorithm, _key_for(keys, algorithm, header.get("kid")))
    _check_times(told, now)
    _check_parties(told, provider)
    if told.get("nonce") != nonce:
        raise _wrong("the token is for another sign-in")
    sub = told.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= _LONGEST_SUB:
        raise _wrong("the token names nobody")
    email = told.get("email") if told.get("email_verified") is True else ""
    return Claims(sub, _text(email), _text(told.get("name")), _texts(told.get(provider.groups_claim)))


def _key_for(keys: Sequence[dict[str, Any]], algorithm: str, kid: object) -> dict[str, Any]:
    kty, curve = _KEYS[algorithm]
    fitting = [
        one
        for one in keys
        if one.get("kty") == kty
        and one.get("crv") == curve
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (kid is None or one.get("kid") == kid)
    ]
    if len(fitting) != 1:
        raise _wrong("the token is signed with a key that the provider does not publish")
    return fitting[0]


def _signed(token: str, algorithm: str, key: dict[str, Any]) -> dict[str, Any]:
    public = {name: value for name, value in key.items() if name in {"kty", "crv", "x", "y", "n", "e"}}
    try:
        read = JWKRegistry.import_key(public)
        found = jws.deserialize_compact(token, read, registry=_Pinned(algorithms=[algorithm]))
        told = strict_json.parse(found.payload)
    except (JoseError, ValueError, TypeError, Refused) as error:
        raise _wrong("the signature of the token is wrong") from error
    if not isinstance(told, dict):
        raise _wrong("the token says nothing")
    return told


def _check_times(told: dict[str, Any], now: int) -> None:
    exp, iat, nbf = (_number(told.get(name)) for name in ("exp", "iat", "nbf"))
    if exp is None or iat is None:
        raise _wrong("the token does not say how long it holds")
    if exp <= now - SKEW or iat < now - OLDEST:
        raise _wrong("the token is too old; if it is not, a clock is wrong")
    if iat > now + SKEW or (nbf is not None and nbf > now + SKEW):
        raise _wrong("the token is from the future; a clock is wrong")


def _check_parties(told: dict[str, Any], provider: Provider) -> None:
    if told.get("iss") != provider.issuer:
        raise _wrong("the token is another issuer's")
    audience = told.get("aud")
    named = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if provider.client_id not in named:
        raise _wrong("the token is for somebody else")
    party = told.get("azp")
    if (len(named) > 1 or party is not None) and party != provider.client_id:
        raise _wrong("the token was given to somebody else")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(one for one in found if isinstance(one, str))


def _wrong(why: str) -> Untrusted:
    return Untrusted(
        f"The sign-in provider cannot be believed: {why}. Try again; if it goes on, tell your administrator."
    )
