"""Programs that import and launch courses: each sees what it sent and made, and has a token of its own.

A course client is made with an API key; its token works as long as the key does and the client is not closed. It has no
end, because the clients of ADL's player keep one for ever. Knows no route.
"""

from __future__ import annotations

import joserfc.errors
import msgspec
from joserfc import jwt
from joserfc.jwk import OctKey
from starlette.datastructures import Headers
from starlette.types import Scope

from adapters.lms.courses import numbers
from lrs.access import COURSE_CLIENT, OWN, Caller
from lrs.access.keys import active_key
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.storage import Reader, Record, Tx, Walk
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import Exchange

KIND = "course-client"
RIGHT, MANAGE = "courses.launch", "course-clients.manage"
SUBJECT = "course-client "
_ALGORITHM, _USE = "HS256", "engraft/course-client"


class CourseClient(msgspec.Struct, frozen=True):
    """A client: its running number, the *code* that it calls itself, the API *key* that it was made with."""

    id: str
    code: str
    key: str
    at: int
    closed: bool = False
    v: int = 1


def open_in(tx: Tx, tenant: Tenant, code: str, by: str) -> CourseClient:
    """The client that calls itself *code*; made if there is none that is open. *by* is ``key <id>``."""
    for record in tx.find(Walk(KIND, [_code_key(by, code)], newest_first=True, limit=1)).records:
        found = client_of(record)
        if not found.closed:
            return found
    made = CourseClient(str(numbers.draw(tx, "client")), code, by.removeprefix("key "), tenant.clock())
    tx.insert(Record(KIND, made.id, msgspec.json.encode(made), keys=(_code_key(by, code),)))
    audit.append(tx, by, "course-client.made", {"client": made.id})
    return made


def close_in(tx: Tx, id: str, by: str) -> None:
    """Ends the tokens of a client. Its courses and what learners did stay. Refuses (404) one of another key."""
    record = tx.get(KIND, id)
    found = client_in(tx, id, by)
    if record is not None and not found.closed:
        closed = msgspec.json.encode(msgspec.structs.replace(found, closed=True))
        tx.replace(msgspec.structs.replace(record, body=closed))
        audit.append(tx, by, "course-client.closed", {"client": id})


def client_in(reader: Reader, id: str, by: str) -> CourseClient:
    """The client *id*. Refuses (404) if there is none, or if another key than *by* made it."""
    record = reader.get(KIND, id)
    found = client_of(record) if record else None
    if found is None or f"key {found.key}" != by:
        raise Refused(f"there is no client {id[:40]!r} of this key", status=404, error="not_found")
    return found


def client_of(record: Record) -> CourseClient:
    """The client in *record*."""
    return msgspec.json.decode(record.body, type=CourseClient)


def issue(tenant: Tenant, client: CourseClient, audience: str) -> str:
    """A token for *client*, as a signed JWT. *audience* is what its program calls itself; nothing depends on it."""
    claims: dict[str, str | int] = {"iss": _USE, "aud": f"urn:engraft:{audience}", "sub": client.id}
    return jwt.encode({"alg": _ALGORITHM, "typ": "JWT"}, claims, _secret(tenant))


def by_client(_: Exchange, tenant: Tenant, scope: Scope) -> Caller:
    """Who calls with a client's token, by its header. Raises ``Refused`` (401)."""
    return caller_with(tenant, Headers(scope=scope).get("authorization"))


def caller_with(tenant: Tenant, authorization: str | None) -> Caller:
    """Who calls with the header *authorization*. Refuses (401)."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("a token is needed: POST auth gives one for an API key and a client (tenant)")
    try:
        claims = jwt.decode(token.strip(), _secret(tenant), algorithms=[_ALGORITHM]).claims
    except (joserfc.errors.JoseError, ValueError) as error:
        raise _unauthorized("the token is not one of ours: POST auth gives one") from error
    record = tenant.store.get(KIND, str(claims.get("sub", ""))) if claims.get("iss") == _USE else None
    client = client_of(record) if record else None
    behind = active_key(tenant, client.key) if client and not client.closed else None
    if client is None or behind is None or not behind.may(MANAGE):
        raise _unauthorized("the token has ended: its client was deleted, or its API key was revoked")
    return Caller(SUBJECT + client.id, "", b"", {RIGHT: OWN}, tenant.id, COURSE_CLIENT)


def client_named_by(caller: Caller) -> str:
    """The id of the client that *caller* is."""
    return caller.subject.removeprefix(SUBJECT)


def _secret(tenant: Tenant) -> OctKey:
    return OctKey.import_key(tenant.secret("course-client-token"))


def _code_key(by: str, code: str) -> int:
    return key("course-client.code", by, code)


def _unauthorized(message: str) -> Refused:
    return Refused(message, status=401, error="unauthorized", headers=(("WWW-Authenticate", "Bearer"),))


KINDS = (Kind(KIND, "fact", CourseClient, 1, subjects=None, retention="configuration", exported=False),)
