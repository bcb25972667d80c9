"""The xAPI endpoint as an ASGI application: from path and headers to a handler, and from any outcome to an answer.

Serves ``/xapi`` and ``/t/<tenant>/xapi``. Duplicate slashes are collapsed: real clients send ``//statements``. Every
answer, errors too, says by which version's rules it was made. Knows the resources only by their tables of handlers.
"""

from __future__ import annotations

import errno
import itertools
import re
import secrets
from functools import lru_cache
from time import perf_counter
from typing import NamedTuple

import structlog

from lrs import about, activities, agents, alternate
from lrs.auth import Caller
from lrs.auth.basic import Door
from lrs.auth.policy import OPEN, allow
from lrs.control import Tenants
from lrs.documents.routes import HANDLERS as DOCUMENTS
from lrs.edge import look, read
from lrs.errors import Overloaded, Refused, StoreFull
from lrs.http import (
    Answer,
    Budget,
    Closed,
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
from lrs.metrics import Requests
from lrs.pace import Pace
from lrs.settings import Settings
from lrs.statements.formats import timestamp_of_micros
from lrs.statements.routes import HANDLERS as STATEMENTS
from lrs.tenants import DEFAULT

METHODS: dict[str, dict[str, Resource]] = {}
for _handlers in (STATEMENTS, DOCUMENTS, activities.HANDLERS, agents.HANDLERS, about.HANDLERS):
    for (_resource, _method), _handler in _handlers.items():
        METHODS.setdefault(_resource, {})[_method] = _handler
_PATH = re.compile(r"(/t/([a-z0-9][a-z0-9-]{0,39}))?/xapi(?:/(.*))?")
_SLASHES = re.compile(r"/{2,}")
FIRST_BYTES = 4_096
"""Where not even these fit, a write is sent away before anything is read of it."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_log = structlog.get_logger()


class Path(NamedTuple):
    """An address of xAPI: *prefix* is what stands before the resource, ``/xapi`` or ``/t/<tenant>/xapi``."""

    tenant: str
    prefix: str
    resource: str


@lru_cache(maxsize=1_024)
def parted(path: str) -> Path | None:
    """*path* in its parts, however many slashes stand between them; ``None`` for one that is not xAPI's."""
    found = _PATH.fullmatch(_SLASHES.sub("/", path))
    if found is None:
        return None
    return Path(found[2] or DEFAULT, f"{found[1] or ''}/xapi", (found[3] or "").rstrip("/"))


class Endpoint:
    """The application, for all *tenants*. Every request is counted in *counted*."""

    def __init__(self, tenants: Tenants, settings: Settings, door: Door, counted: Requests) -> None:
        self._tenants = tenants
        self._settings = settings
        self._door = door
        self._counted = counted
        self._budget = Budget(settings.queue_bytes)
        self._pace = Pace()
        self._run = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; *scope* is of type ``http``."""
        begun = perf_counter()
        request_id = f"{self._run}-{next(self._numbers)}"
        request: Request | None = None
        horizon = None
        try:
            if scope["method"] in {"POST", "PUT"}:
                self._pace.check(FIRST_BYTES)
            request = await self._request(scope, receive)
            if request.resource == "statements":
                # Taken before anything is read: what is stored until then is visible to this request.
                horizon = await look(request.tenant.store, request.tenant.store.horizon)
            request.query = query_of(scope["query_string"])
            answer = await self._answer(request)
        except Closed:
            return
        except Exception as error:  # noqa: BLE001 (whatever went wrong, the client gets an answer in the one shape)
            answer = refusal(refused_for(error, request_id), request_id)
        finally:
            if request is not None:
                request.let_go()
        headers: list[tuple[str, str]] = [("x-experience-api-version", self._version(request))]
        headers.append(("x-request-id", request_id))
        if horizon is not None:
            headers.append(("x-experience-api-consistent-through", timestamp_of_micros(horizon)))
        await send_answer(answer, send, headers=tuple(headers), head=scope["method"] == "HEAD")
        resource = request.resource if request and request.resource in METHODS else "other"
        self._counted.add(resource, scope["method"], answer.status, perf_counter() - begun)

    def _version(self, request: Request | None) -> str:
        """By whose rules the answer was made, also if it was refused before they were asked for."""
        fallback: str = self._settings.xapi_fallback_version
        if request is None:
            return fallback
        return request.version or _rules_or(request.headers.get("x-experience-api-version"), fallback)

    async def _request(self, scope: Scope, receive: Receive) -> Request:
        path = parted(scope["path"])
        tenant = self._tenants.opened(path.tenant) or await read(self._tenants.get, path.tenant) if path else None
        if path is None or tenant is None:
            raise Refused("there is nothing at this address", status=404, error="not_found")
        client = scope.get("client")
        return Request(
            method=scope["method"],
            resource=path.resource,
            prefix=scope.get("root_path", "") + path.prefix,
            query=[],
            headers=headers_of(scope, self._settings.max_header),
            tenant=tenant,
            receive=receive,
            budget=self._budget,
            pace=self._pace,
            client=client[0] if client else "",
        )

    async def _answer(self, request: Request) -> Answer:
        methods = METHODS.get(request.resource)
        if methods is None:
            raise Refused(
                f"xAPI has no resource at this address; it has {', '.join(METHODS)}", status=404, error="not_found"
            )
        if any(name == "method" for name, _ in request.query):
            known = await self._is_known(request)
            await alternate.undo(request, request.tenant.settings.max_document, known=known)
        told = request.headers.get("x-experience-api-version")
        method = "GET" if request.method == "HEAD" else request.method
        if (request.resource, method) in OPEN:
            request.version = _rules_or(told, self._settings.xapi_fallback_version)
        else:
            request.version = rules_of(told)
            if request.content is not None and request.version == "2.0.0":
                raise Refused("xAPI 2.0 has no alternate request syntax", rule="IEEE 9274.1.1 4.1.1")
            authorization = request.headers.get("authorization")
            request.caller = await self._caller(request, authorization)
            if method in methods:
                allow(request.caller, request.resource, method)
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
        known = self._door.known(request.tenant, authorization)
        if known is not None:
            return known
        return await look(request.tenant.store, self._door.caller, request.tenant, authorization, request.client)

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
    if isinstance(error, StoreFull):
        return Refused(str(error), status=507, error="store_full")
    if isinstance(error, OSError) and error.errno in _NO_ROOM:  # for a blob, or for a body on its way to one
        return Refused("the disk is full: nothing of this request was stored", status=507, error="store_full")
    _log.error("request failed", request=request_id, exc_info=error)
    return Refused("the server failed; its log says why", status=500, error="internal_error")


def _rules_or(told: str | None, fallback: str) -> str:
    try:
        return rules_of(told)
    except Refused:
        return fallback
