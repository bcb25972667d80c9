"""Access tokens for services: OAuth 2.0 client credentials (RFC 6749 section 4.4), signed JWTs valid for one hour.

Each use of a token reads the service again, so disabling the service or removing a scope takes effect at once. Knows no
HTTP except the text of a header.
"""

from __future__ import annotations

import joserfc.errors
import msgspec
from joserfc import jwt
from joserfc.jwk import OctKey

from lrs.access import TOKEN, Caller
from lrs.access.rights import rights_of_service
from lrs.kernel.errors import Refused
from lrs.kernel.times import SECOND
from lrs.matching import services
from lrs.matching.services import Service
from lrs.tenancy.tenants import Tenant

LASTS = 3_600
_ALGORITHM = "HS256"
_USE = "engraft/access"


class Access(msgspec.Struct, frozen=True):
    """The service that asks, and its caller with the scopes that this token still has."""

    service: Service
    caller: Caller


def issue(tenant: Tenant, service: Service, scopes: tuple[str, ...]) -> str:
    """A token for *scopes*, valid ``LASTS`` seconds from now."""
    now = tenant.clock() // SECOND
    claims: dict[str, str | int] = {
        "aud": _USE,
        "sub": service.id,
        "salt": service.salt,
        "scope": " ".join(scopes),
        "iat": now,
        "exp": now + LASTS,
    }
    return jwt.encode({"alg": _ALGORITHM, "typ": "at+jwt"}, claims, _key(tenant))


def access(tenant: Tenant, authorization: str | None) -> Access:
    """The access of the ``Authorization`` header *authorization*. Raises ``Refused`` (401, RFC 6750 section 3)."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorised("an access token is needed: POST /oauth/token gives one for client id and secret", "Bearer")
    try:
        claims = jwt.decode(token.strip(), _key(tenant), algorithms=[_ALGORITHM]).claims
    except (joserfc.errors.JoseError, ValueError) as error:
        raise _unauthorised("the access token is not one of ours: POST /oauth/token gives one") from error
    if claims.get("aud") != _USE or claims["exp"] <= tenant.clock() // SECOND:
        raise _unauthorised(f"the access token has expired, after {LASTS} seconds: ask /oauth/token for another")
    service = services.get(tenant.store, claims["sub"])
    if service is None or not service.active or claims["salt"] not in service.salts(tenant.clock()):
        raise _unauthorised("the access token was revoked: the service is disabled or has new secrets")
    rights = rights_of_service(set(claims["scope"].split()) & set(service.scopes))
    who = f"service {service.id}"
    return Access(service, Caller(who, who, b"", rights, tenant.id, TOKEN))


def _key(tenant: Tenant) -> OctKey:
    return OctKey.import_key(tenant.secret("access-token"))


def _unauthorised(message: str, challenge: str = 'Bearer error="invalid_token"') -> Refused:
    return Refused(message, status=401, error="unauthorized", headers=(("WWW-Authenticate", challenge),))
