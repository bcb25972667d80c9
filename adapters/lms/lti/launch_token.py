"""Checks the token of a launch: what a platform says of who comes and from where, signed. Pure: no call, no clock.

Each fault has its own code and text. Sources: 1EdTech Security Framework 1.1, 5.1.2 and 5.1.3; LTI Core 1.3, 5; OpenID
Connect Core 1.0, 3.1.3.7. Only ``RS256`` is taken, whatever the token says, and only with a key that is named.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from adapters.lms.lti import words
from adapters.lms.lti.platforms import LtiPlatform
from lrs.kernel import strict_json
from lrs.kernel.base64url import from_base64url
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import digest_of

ALGORITHM = "RS256"
LEEWAY = 60
"""Seconds by which clocks may differ."""
OLDEST = 600
"""Seconds after which a token is too old, whatever it says of its end."""
LONGEST = 64 * 1024
_LONGEST_ID = 255
_AGAIN = "Go back to your learning platform and open it again; if it goes on, tell whoever looks after it."


class Rejected(Refused):
    """A launch that is not believed. *error* is the code of the check, *message* says what was wrong."""

    def __init__(self, code: str, why: str, *, status: int = 403) -> None:
        super().__init__(f"The launch was refused: {why}. {_AGAIN}", status=status, error=code)


def kid_of(token: str) -> str:
    """The name of the key that signed *token*, by its header, which is checked. Raises ``Rejected``."""
    head, dot, _ = token.partition(".")
    try:
        if not dot or len(token) > LONGEST or not token.isascii():
            raise ValueError
        header = strict_json.parse(from_base64url(head))
    except (ValueError, Refused) as error:
        raise Rejected("token_missing", "the platform sent no token", status=400) from error
    if not isinstance(header, dict) or header.get("alg") != ALGORITHM or "crit" in header:
        raise Rejected("token_algorithm", f"its token is not signed with {ALGORITHM}")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise Rejected("token_kid", "its token does not name the key that signed it")
    return kid


def verified(
    token: str, keys: Sequence[Mapping[str, Any]], platform: LtiPlatform, nonce: str, now: int
) -> dict[str, Any]:
    """The claims of *token*, if one of *keys* signed it and they hold at *now* (seconds). Raises ``Rejected``.

    *nonce* is the hash of what was sent. The deployment is not looked at: who knows which there are does.
    """
    claims = _signed(token, keys, kid_of(token))
    _check_parties(claims, platform)
    _check_times(claims, now)
    told = claims.get("nonce")
    if not isinstance(told, str) or not hmac.compare_digest(digest_of(told).encode(), nonce.encode()):
        raise Rejected("token_nonce", "its token is for another launch (nonce)")
    if claims.get(words.VERSION) != "1.3.0":
        raise Rejected("token_version", "its token is not LTI 1.3.0")
    _check_message(claims)
    return claims


def text(value: object) -> str:
    """*value* if it is a text, else nothing."""
    return value.strip() if isinstance(value, str) else ""


def object_in(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The member *name* of *claims* if it is an object, else an empty one."""
    found = claims.get(name)
    return found if isinstance(found, dict) else {}


def full_name(told: Mapping[str, Any]) -> str:
    """The name of a user in *told*, the claims of a launch or an entry of a roster; empty if it has none."""
    names = [text(told.get(word)) for word in ("given_name", "family_name")]
    return text(told.get("name")) or " ".join(filter(None, names))


def texts(value: object) -> tuple[str, ...]:
    """The texts in *value*, if it is a list of some, or a text."""
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(one for one in found if isinstance(one, str))


def _signed(token: str, keys: Sequence[Mapping[str, Any]], kid: str) -> dict[str, Any]:
    fitting = [one for one in keys if one.get("kid") == kid and one.get("kty") == "RSA"]
    fitting = [one for one in fitting if one.get("use", "sig") == "sig" and one.get("alg", ALGORITHM) == ALGORITHM]
    if len(fitting) != 1:
        raise Rejected("token_kid", "its token is signed with a key that it does not publish")
    try:
        key = RSAKey.import_key({word: fitting[0][word] for word in ("kty", "n", "e")})
        found = jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
        claims = strict_json.parse(found.payload)
    except (JoseError, ValueError, TypeError, KeyError, Refused) as error:
        raise Rejected("token_signature", "the signature of its token is wrong") from error
    if not isinstance(claims, dict):
        raise Rejected("token_signature", "its token says nothing")
    return claims


def _check_parties(claims: Mapping[str, Any], platform: LtiPlatform) -> None:
    if claims.get("iss") != platform.issuer:
        raise Rejected("token_issuer", "its token is another platform's (iss)")
    audience, party = texts(claims.get("aud")), claims.get("azp")
    if platform.client_id not in audience:
        raise Rejected("token_audience", "its token is for another tool (aud)")
    if (len(audience) > 1 or party is not None) and party != platform.client_id:
        raise Rejected("token_party", "its token was given to another tool (azp)")


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    exp, iat, nbf = (_number(claims.get(name)) for name in ("exp", "iat", "nbf"))
    if exp is None or iat is None:
        raise Rejected("token_times", "its token does not say how long it holds")
    if exp + LEEWAY <= now or iat + OLDEST < now:
        raise Rejected("token_expired", "its token is too old; if it is not, a clock is wrong")
    if iat - LEEWAY > now or (nbf is not None and nbf - LEEWAY > now):
        raise Rejected("token_early", "its token is from the future: a clock is wrong")


def _check_message(claims: Mapping[str, Any]) -> None:
    message = claims.get(words.MESSAGE_TYPE)
    if message not in {words.RESOURCE_LINK_REQUEST, words.DEEP_LINKING_REQUEST}:
        raise Rejected("message_type", "it is a message of a kind that is not known here", status=400)
    for what, found in (("deployment_id", claims.get(words.DEPLOYMENT)), ("sub", claims.get("sub", "anonymous"))):
        if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_ID:
            raise Rejected("message_incomplete", f"its {what} is missing or too long", status=400)
    if not isinstance(claims.get(words.ROLES), list):
        raise Rejected("message_incomplete", "it does not say which roles there are", status=400)
    link = text(object_in(claims, words.LINK).get("id"))
    if message == words.RESOURCE_LINK_REQUEST and not 0 < len(link) <= _LONGEST_ID:
        raise Rejected("message_incomplete", "it does not say which link was opened", status=400)
    if message == words.DEEP_LINKING_REQUEST and not text(
        object_in(claims, words.DEEP_LINKING).get("deep_link_return_url")
    ):
        raise Rejected("message_incomplete", "it does not say where the choice goes", status=400)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
