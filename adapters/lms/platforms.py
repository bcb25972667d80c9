"""Learning platforms that launch courses by programs: each sees what it sent and made, and has a token of its own.

A platform is made with an API key; its token works as long as the key does and the platform is not closed. It has no
end, because the clients of ADL's player keep one for ever. Knows no route.
"""

from __future__ import annotations

import joserfc.errors
import msgspec
from joserfc import jwt
from joserfc.jwk import OctKey
from starlette.datastructures import Headers
from starlette.types import Scope

from adapters.lms import numbers
from lrs.access import OWN, PLATFORM, Caller
from lrs.access.keys import active_key
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.storage import Reader, Record, Tx, Walk
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import Exchange

KIND = "lms-platform"
RIGHT, MANAGE = "courses.launch", "platforms.manage"
SUBJECT = "platform "
_ALGORITHM, _USE = "HS256", "engraft/platform"


class LmsPlatform(msgspec.Struct, frozen=True):
    """A platform: its running number, the *code* that it calls itself, the API *key* that it was made with."""

    id: str
    code: str
    key: str
    at: int
    closed: bool = False
    v: int = 1


def open_in(tx: Tx, tenant: Tenant, code: str, by: str) -> LmsPlatform:
    """The platform that calls itself *code*; made if there is none that is open. *by* is ``key <id>``."""
    for record in tx.find(Walk(KIND, [_code_key(by, code)], newest_first=True, limit=1)).records:
        found = platform_of(record)
        if not found.closed:
            return found
    made = LmsPlatform(str(numbers.draw(tx, "platform")), code, by.removeprefix("key "), tenant.clock())
    tx.insert(Record(KIND, made.id, msgspec.json.encode(made), keys=(_code_key(by, code),)))
    audit.append(tx, by, "platform.made", {"platform": made.id})
    return made


def close_in(tx: Tx, id: str, by: str) -> None:
    """Ends the tokens of a platform. Its courses and what learners did stay. Refuses (404) one of another key."""
    record = tx.get(KIND, id)
    found = platform_in(tx, id, by)
    if record is not None and not found.closed:
        closed = msgspec.json.encode(msgspec.structs.replace(found, closed=True))
        tx.replace(msgspec.structs.replace(record, body=closed))
        audit.append(tx, by, "platform.closed", {"platform": id})


def platform_in(reader: Reader, id: str, by: str) -> LmsPlatform:
    """The platform *id*. Refuses (404) if there is none, or if another key than *by* made it."""
    record = reader.get(KIND, id)
    found = platform_of(record) if record else None
    if found is None or f"key {found.key}" != by:
        raise Refused(f"there is no platform {id[:40]!r} of this key", status=404, error="not_found")
    return found


def platform_of(record: Record) -> LmsPlatform:
    """The platform in *record*."""
    return msgspec.json.decode(record.body, type=LmsPlatform)


def issue(tenant: Tenant, platform: LmsPlatform, audience: str) -> str:
    """A token for *platform*, as a signed JWT. *audience* is what its client calls itself; nothing depends on it."""
    claims: dict[str, str | int] = {"iss": _USE, "aud": f"urn:engraft:{audience}", "sub": platform.id}
    return jwt.encode({"alg": _ALGORITHM, "typ": "JWT"}, claims, _secret(tenant))


def by_platform(_: Exchange, tenant: Tenant, scope: Scope) -> Caller:
    """Who calls with a platform's token, by its header. Raises ``Refused`` (401)."""
    return caller_with(tenant, Headers(scope=scope).get("authorization"))


def caller_with(tenant: Tenant, authorization: str | None) -> Caller:
    """Who calls with the header *authorization*. Refuses (401)."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("a token is needed: POST auth gives one for an API key and a tenant")
    try:
        claims = jwt.decode(token.strip(), _secret(tenant), algorithms=[_ALGORITHM]).claims
    except (joserfc.errors.JoseError, ValueError) as error:
        raise _unauthorized("the token is not one of ours: POST auth gives one") from error
    record = tenant.store.get(KIND, str(claims.get("sub", ""))) if claims.get("iss") == _USE else None
    platform = platform_of(record) if record else None
    behind = active_key(tenant, platform.key) if platform and not platform.closed else None
    if platform is None or behind is None or not behind.may(MANAGE):
        raise _unauthorized("the token has ended: its platform was deleted, or its API key was revoked")
    return Caller(SUBJECT + platform.id, "", b"", {RIGHT: OWN}, tenant.id, PLATFORM)


def platform_named_by(caller: Caller) -> str:
    """The id of the platform that *caller* is."""
    return caller.subject.removeprefix(SUBJECT)


def _secret(tenant: Tenant) -> OctKey:
    return OctKey.import_key(tenant.secret("platform-token"))


def _code_key(by: str, code: str) -> int:
    return key("lms-platform.code", by, code)


def _unauthorized(message: str) -> Refused:
    return Refused(message, status=401, error="unauthorized", headers=(("WWW-Authenticate", "Bearer"),))


KINDS = (Kind(KIND, "fact", LmsPlatform, 1, subjects=None, retention="configuration", exported=False),)
