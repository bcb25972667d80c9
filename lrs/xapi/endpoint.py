"""The xAPI endpoint as ASGI: from path and headers to a handler, and from any outcome to an answer.

Serves ``/xapi`` and ``/t/<tenant>/xapi``. Duplicate slashes are collapsed: real clients send ``//statements``. Every
answer, errors too, says by which version's rules it was made. Knows the resources only by their tables of handlers.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Iterable
from functools import lru_cache
from time import perf_counter
from typing import NamedTuple

import structlog

from lrs.access import Caller
from lrs.access.basic import Door
from lrs.access.policy import TABLE, admit
from lrs.kernel.errors import Overloaded, Refused, StoreFull, StoreReadOnly
from lrs.kernel.settings import Settings
from lrs.kernel.times import timestamp_of_micros
from lrs.storage.edge import read
from lrs.storage.room import NO_ROOM
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import DEFAULT, Tenant
from lrs.web.counting import Requests
from lrs.web.pace import Pace
from lrs.web.prefix import own_path
from lrs.web.refusals import Refusals, refusal_of
from lrs.xapi import about, activities, agents, alternate
from lrs.xapi.documents.routes import HANDLERS as DOCUMENTS
from lrs.xapi.request import (
    Answer,
    Budget,
    Closed,
    Headers,
    Receive,
    Request,
    Resource,
    Scope,
    Send,
    headers_of,
    query_of,
    refusal,
    rules_of,
    send_answer,
)
from lrs.xapi.statements.routes import HANDLERS
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.wayfinding import no_tenant, nowhere

METHODS: dict[str, dict[str, Resource]] = {}
for _handlers in (HANDLERS, DOCUMENTS, activities.HANDLERS, agents.HANDLERS, about.HANDLERS):
    for (_resource, _method), _handler in _handlers.items():
        METHODS.setdefault(_resource, {})[_method] = _handler
_PATH = re.compile(r"(/t/([a-z0-9][a-z0-9-]{0,39}))?/xapi(?:/(.*))?")
_SLASHES = re.compile(r"/{2,}")
STATEMENTS = "statements"
ANY_ORIGIN = (
    ("access-control-allow-origin", "*"),
    (
        "access-control-expose-headers",
        "etag, last-modified, retry-after, x-experience-api-version, x-experience-api-consistent-through, x-request-id",
    ),
)
"""Content runs in browsers, on hosts of its own, and brings its key along; cookies and stored logins stay out."""
_MAY_BRING = (
    "authorization, content-type, content-encoding, accept-language, x-experience-api-version, if-match, if-none-match"
)
_PREFLIGHT = (
    ("access-control-allow-methods", "GET, HEAD, PUT, POST, DELETE"),
    ("access-control-allow-headers", _MAY_BRING),
    ("access-control-max-age", "86400"),
)
LONGEST_KEPT = 128
"""Characters of an address that is remembered: anybody may send a thousand of the longest there are."""
FIRST_BYTES = 4_096
"""Where not even these fit, a write is sent away before anything is read of it."""
_LATER = (("retry-after", "30"),)
"""For what an operator has to mend first."""
_log = structlog.get_logger()


class Path(NamedTuple):
    """An address of xAPI: *prefix* is what stands before the resource, ``/xapi`` or ``/t/<tenant>/xapi``.

    *route* is the resource as the table of rights names it.
    """

    tenant: str
    prefix: str
    resource: str
    route: str


def parted(path: str) -> Path | None:
    """*path* in its parts, however many slashes stand between them; ``None`` for one that is not xAPI's."""
    return _kept(path) if len(path) <= LONGEST_KEPT else _parted(path)


@lru_cache(maxsize=1_024)
def _kept(path: str) -> Path | None:
    return _parted(path)


def _parted(path: str) -> Path | None:
    found = _PATH.fullmatch(_SLASHES.sub("/", path))
    if found is None:
        return None
    resource = (found[3] or "").rstrip("/")
    return Path(found[2] or DEFAULT, f"{found[1] or ''}/xapi", resource, f"/xapi/{resource}")


class Endpoint:
    """What answers xAPI, for all *tenants*. Every request is counted in *counted*.

    *subscriptions* say which steps stored statements owe.
    """

    def __init__(
        self,
        tenants: Tenants,
        settings: Settings,
        door: Door,
        counted: Requests,
        refused: Refusals,
        *,
        subscriptions: Subscriptions,
    ) -> None:
        self._tenants = tenants
        self._subscriptions = subscriptions
        self._settings = settings
        self._door = door
        self._counted = counted
        self._refused = refused
        self._budget = Budget(settings.queue_bytes)
        self._pace = Pace()
        self._told: dict[str, int] = {}
        self._run = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    async def answer(self, path: Path, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; *scope* is of type ``http``, *path* its path in parts.

        The tenant is held until the last byte of the answer was sent: its attachments are read meanwhile.
        """
        try:
            await self._serve(path, scope, receive, send)
        finally:
            if (tenant := scope.get("tenant")) is not None:
                self._tenants.give_back(tenant)

    async def _serve(self, path: Path, scope: Scope, receive: Receive, send: Send) -> None:
        begun = perf_counter()
        request_id = self.new_id()
        request: Request | None = None
        horizon: int | None = None
        try:
            if scope["method"] in {"POST", "PUT"}:
                self._pace.check(FIRST_BYTES)
            tenant = self._tenants.take_open(path.tenant) or await read(self._tenants.take, path.tenant)
            scope["tenant"] = tenant
            if tenant is None:
                raise no_tenant(self._base(scope))
            if path.resource == STATEMENTS:
                # Taken before anything is read: what is stored until then is visible to this request.
                store = tenant.store
                horizon = await read(store.horizon) if store.waits else store.horizon()
                self._told[path.tenant] = horizon
            request = self._request(scope, receive, path, tenant)
            request.query = query_of(scope["query_string"])
            if path.resource not in METHODS and request.method != "OPTIONS":
                raise self.nowhere(scope)
            answer = await self._answer(request, path.route)
        except Closed:
            return
        except Exception as error:  # noqa: BLE001 (whatever went wrong, the client gets an answer in the one shape)
            refused = refused_for(error, request_id)
            answer = refusal(refused, request_id)
            self._note(refused, path, scope["method"], request, request_id)
        finally:
            if request is not None:
                request.let_go()
        version = request.version if request is not None else ""
        headers = self._marks(path, version or self._told_version(scope["headers"]), request_id, horizon)
        if request is None or "origin" in request.headers:
            headers += ANY_ORIGIN
        await send_answer(answer, send, headers=headers, head=scope["method"] == "HEAD")
        resource = path.resource if request and path.resource in METHODS else "other"
        self._counted.add(resource, scope["method"], answer.status, perf_counter() - begun)
        if request is not None and request.ignored:
            self._counted.ignore(resource, request.ignored)

    def _note(self, refused: Refused, path: Path, method: str, request: Request | None, request_id: str) -> None:
        source = request.caller.source if request is not None else ""
        resource = path.resource if path.resource in METHODS else "other"
        tenant = path.tenant if self._tenants.opened(path.tenant) else ""
        about = {"tenant": tenant, "source": source, "method": method, "resource": resource, "request": request_id}
        self._refused.note(refusal_of(refused, **about))

    def new_id(self) -> str:
        """A name for a request, which its answer and the log both tell."""
        return f"{self._run}-{next(self._numbers)}"

    def parting(self, path: Path, headers: Iterable[tuple[bytes, bytes]], request_id: str) -> Headers:
        """Headers of an answer at *path* that the connection writes before the application saw the request.

        *headers* are those of the request that have arrived so far.
        """
        return self._marks(path, self._told_version(headers), request_id, None)

    def _marks(self, path: Path, version: str, request_id: str, horizon: int | None) -> Headers:
        """What every answer carries. Without a *horizon* of its own the last one told still holds; at first, 1970."""
        marks = (("x-experience-api-version", version), ("x-request-id", request_id))
        if path.resource != STATEMENTS:
            return marks
        through = self._told.get(path.tenant, 0) if horizon is None else horizon
        return (*marks, ("x-experience-api-consistent-through", timestamp_of_micros(through)))

    def _told_version(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The xAPI version used for errors that are raised before the version header was read."""
        told = next((value.decode("latin-1") for name, value in headers if name == b"x-experience-api-version"), None)
        return _rules_or(told, self._settings.xapi_fallback_version)

    def nowhere(self, scope: Scope) -> Refused:
        """The refusal of an address, of xAPI's or beside it, at which there is nothing."""
        return nowhere(own_path(scope["path"], self._settings.prefix), self._base(scope), METHODS)

    def _base(self, scope: Scope) -> str:
        """The address in front of every path, as the caller knows it."""
        if self._settings.public_url:
            return self._settings.public_url.rstrip("/")
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        return f"{scope['scheme']}://{host or 'HOST'}"

    def _request(self, scope: Scope, receive: Receive, path: Path, tenant: Tenant) -> Request:
        client = scope.get("client")
        return Request(
            method=scope["method"],
            resource=path.resource,
            prefix=scope.get("root_path", "") + path.prefix,
            query=[],
            headers=headers_of(scope, self._settings.max_header),
            tenant=tenant,
            receive=receive,
            subscriptions=self._subscriptions,
            budget=self._budget,
            pace=self._pace,
            client=client[0] if client else "",
        )

    async def _answer(self, request: Request, route: str) -> Answer:
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return Answer(204, b"", _PREFLIGHT)
        methods = METHODS.get(request.resource, {})
        if any(name == "method" for name, _ in request.query):
            known = await self._is_known(request)
            await alternate.undo(request, request.tenant.settings.max_document, known=known)
        told = request.headers.get("x-experience-api-version")
        method = "GET" if request.method == "HEAD" else request.method
        line = TABLE.get((method, route))
        if line is not None and line.is_public:
            request.version = _rules_or(told, self._settings.xapi_fallback_version)
        else:
            request.version = rules_of(told)
            if request.content is not None and request.version == "2.0.0":
                raise Refused("xAPI 2.0 has no alternate request syntax", rule="IEEE 9274.1.1 4.1.1")
            authorization = request.headers.get("authorization")
            caller = self._door.known(request.tenant, authorization)
            request.caller = caller or await self._caller(request, authorization)
            if line is not None:
                admit(method, route, request.caller)
        handler = methods.get(method)
        if handler is None:
            allowed = ", ".join(sorted(methods))
            raise Refused(
                f"{request.resource} takes {allowed}, not {request.method[:20]}",
                status=405,
                error="method_not_allowed",
                headers=(("allow", allowed),),
            )
        return await handler(request)

    async def _caller(self, request: Request, authorization: str | None) -> Caller:
        asked = (request.tenant, authorization, request.client)
        return await read(self._door.caller, *asked) if request.tenant.store.waits else self._door.caller(*asked)

    async def _is_known(self, request: Request) -> bool:
        """Whether a form may be large: only then the header is asked for, and what it says is not the last word."""
        told = request.headers.get("content-length", "")
        if "authorization" not in request.headers or (told.isdigit() and len(told) < 7):
            return False
        await self._caller(request, request.headers["authorization"])
        return True


def refused_for(error: Exception, request_id: str = "") -> Refused:
    """What the client is told about *error*."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, Overloaded):
        wait = (("retry-after", str(error.retry_after)),)
        return Refused("the server is busy: send this again", status=503, error="overloaded", headers=wait)
    if isinstance(error, StoreReadOnly):
        return Refused(str(error), status=503, error="store_read_only", headers=_LATER)
    if isinstance(error, StoreFull):
        return Refused(str(error), status=507, error="store_full", headers=_LATER)
    if isinstance(error, OSError) and error.errno in NO_ROOM:  # for a body on its way to the store
        message = "the disk is full: nothing of this request was stored"
        return Refused(message, status=507, error="store_full", headers=_LATER)
    _log.error("request failed", request=request_id, exc_info=error)
    return Refused("the server failed; its log says why", status=500, error="internal_error")


def _rules_or(told: str | None, fallback: str) -> str:
    try:
        return rules_of(told)
    except Refused:
        return fallback
