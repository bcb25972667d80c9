"""An xAPI endpoint as ASGI: from path and headers to a handler, and from every result to an answer.

The one that everybody uses is ``/xapi`` and ``/t/<tenant>/xapi``; another has its own path, resources and credentials
(``XapiResources``). Repeated slashes are collapsed, because real clients send ``//statements``.
Every answer, also an error, names the version whose rules applied. Knows the resources only by their tables of
handlers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Protocol

from starlette.types import Receive, Scope, Send

from lrs.access import NOBODY, Caller
from lrs.access.policy.table import TABLE, admit
from lrs.kernel.errors import Headers, Refused
from lrs.kernel.settings import Settings
from lrs.kernel.times import timestamp_of_micros
from lrs.storage.edge import read
from lrs.tenancy.tenants import DEFAULT, Tenant
from lrs.web.counting import Requests
from lrs.web.exchange import Exchange, RequestPlace
from lrs.web.faults import refused_for
from lrs.web.prefix import own_path
from lrs.web.shell import check_headers
from lrs.xapi import about, activities, agents, alternate
from lrs.xapi.documents.routes import HANDLERS as DOCUMENTS
from lrs.xapi.request import (
    Answer,
    ClientGone,
    Request,
    Resource,
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
_SLASHES = re.compile(r"/{2,}")
ROUTE = "/xapi/"
ANY_ORIGIN = (
    ("access-control-allow-origin", "*"),
    (
        "access-control-expose-headers",
        "etag, last-modified, retry-after, x-experience-api-version, x-experience-api-consistent-through, x-request-id",
    ),
)
"""CORS headers. Content runs in browsers on hosts of its own and sends its key; cookies and stored logins are not
allowed.
"""
_MAY_BRING = (
    "authorization, content-type, content-encoding, accept-language, x-experience-api-version, if-match, if-none-match"
)
_PREFLIGHT = (
    ("access-control-allow-methods", "GET, HEAD, PUT, POST, DELETE"),
    ("access-control-allow-headers", _MAY_BRING),
    ("access-control-max-age", "86400"),
)
LONGEST_KEPT = 128
"""Characters of the longest address that is cached, because anybody may send many long ones."""


class Credentials(Protocol):
    """Finds who sends an ``Authorization`` header."""

    def known(self, tenant: Tenant, header: str | None) -> Caller | None:
        """The caller, if that can be said without reading anything."""

    def caller(self, tenant: Tenant, header: str | None, client: str) -> Caller:
        """The caller. Raises ``Refused`` (401, 403, 429); *client* is the address that it came from."""


class XapiResources:
    """What an endpoint serves: *methods* of each resource, below *path*.

    The lines of the table of rights for it begin with *path*, too. Its requests are counted under the resource's name,
    with *counted* before it.
    """

    def __init__(self, path: str, methods: Mapping[str, Mapping[str, Resource]], counted: str = "") -> None:
        self.path, self.methods = path, methods
        self._counted = counted
        self._pattern = re.compile(rf"(/t/([a-z0-9][a-z0-9-]{{0,39}}))?{re.escape(path)}(?:/(.*))?")
        self._kept = lru_cache(maxsize=1_024)(self._parted)
        self.statements = f"{path}/statements"
        """The route of the statements."""

    def place(self, path: str) -> RequestPlace | None:
        """The place that *path* names, whatever slashes are between its parts; ``None`` if it is no path of these."""
        return self._kept(path) if len(path) <= LONGEST_KEPT else self._parted(path)

    def _parted(self, path: str) -> RequestPlace | None:
        found = self._pattern.fullmatch(_SLASHES.sub("/", path))
        if found is None:
            return None
        resource = (found[3] or "").rstrip("/")
        counted = self._counted + resource if resource in self.methods else "other"
        return RequestPlace(found[2] or DEFAULT, found[1] or "", f"{self.path}/{resource}", counted)


OF_XAPI = XapiResources(ROUTE.rstrip("/"), METHODS)
parted = OF_XAPI.place


class Endpoint:
    """A mount of xAPI (see ``lrs.web.shell``). Ignored parameters are counted in *counted*.

    *subscriptions* say which steps stored statements owe.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        counted: Requests,
        subscriptions: Subscriptions,
        resources: XapiResources = OF_XAPI,
    ) -> None:
        self._subscriptions = subscriptions
        self._settings = settings
        self._credentials = credentials
        self._resources = resources
        self._counted = counted
        self._told: dict[str, int] = {}
        self.place = resources.place
        """See ``shell.Mount``."""

    async def answer(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        """See ``shell.Mount``. The caller is found here, because a form may contain the credentials."""
        request: Request | None = None
        horizon: int | None = None
        place = exchange.place
        try:
            tenant = self._let_in(exchange, scope)
            if place.route == self._resources.statements:
                # Taken before anything is read, so that this request sees everything stored up to that time.
                store = tenant.store
                horizon = await read(store.horizon) if store.waits else store.horizon()
                self._told[place.tenant] = horizon
            request = self._request(scope, receive, exchange, tenant)
            answer = await self._named(request, exchange, scope)
        except ClientGone:
            exchange.status = 0
            return
        except Exception as error:  # noqa: BLE001 (the client gets an error answer whatever went wrong)
            exchange.refused = refused_for(error, exchange.id)
            answer = refusal(exchange.refused, exchange.id)
        finally:
            exchange.share.give_back()
        exchange.status = answer.status
        version = request.version if request is not None else ""
        headers = self._marks(place, version or self._told_version(scope["headers"]), exchange.id, horizon)
        if request is None or "origin" in request.headers:
            headers += ANY_ORIGIN
        await send_answer(answer, send, headers=headers, head=scope["method"] == "HEAD")
        if request is not None and request.ignored:
            self._counted.ignore(place.counted, request.ignored)

    def _let_in(self, exchange: Exchange, scope: Scope) -> Tenant:
        """The tenant. Raises the shell's refusal, and ``Overloaded`` before a body is read."""
        if exchange.refused is not None:
            raise exchange.refused
        if scope["method"] in {"POST", "PUT"}:
            exchange.share.check()
        if exchange.tenant is None:
            raise no_tenant(self._base(scope))
        return exchange.tenant

    def parting(self, place: RequestPlace, headers: Iterable[tuple[bytes, bytes]], request_id: str) -> Headers:
        """See ``shell.Fast``."""
        return self._marks(place, self._told_version(headers), request_id, None)

    def _marks(self, place: RequestPlace, version: str, request_id: str, horizon: int | None) -> Headers:
        """The headers of every answer.

        Without *horizon*, the last value that was sent is used; before there is one, 1970.
        """
        marks = (("x-experience-api-version", version), ("x-request-id", request_id))
        if place.route != self._resources.statements:
            return marks
        through = self._told.get(place.tenant, 0) if horizon is None else horizon
        return (*marks, ("x-experience-api-consistent-through", timestamp_of_micros(through)))

    def _told_version(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The xAPI version used for errors that are raised before the version header was read."""
        told = next((value.decode("latin-1") for name, value in headers if name == b"x-experience-api-version"), None)
        return _rules_or(told, self._settings.xapi_fallback_version)

    def nowhere(self, scope: Scope) -> Refused:
        """The refusal of an address where there is nothing, inside or outside xAPI's paths."""
        return nowhere(own_path(scope["path"], self._settings.prefix), self._base(scope), METHODS)

    def _base(self, scope: Scope) -> str:
        """The address in front of every path, as the caller knows it."""
        if self._settings.public_url:
            return self._settings.public_url.rstrip("/")
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        return f"{scope['scheme']}://{host or 'HOST'}"

    def _request(self, scope: Scope, receive: Receive, exchange: Exchange, tenant: Tenant) -> Request:
        check_headers(scope["headers"], self._settings.max_header)
        client, place = scope.get("client"), exchange.place
        return Request(
            method=scope["method"],
            resource=place.route[len(self._resources.path) + 1 :],
            prefix=f"{scope.get('root_path', '')}{place.base}{self._resources.path}",
            query=[],
            headers=headers_of(scope),
            tenant=tenant,
            receive=receive,
            subscriptions=self._subscriptions,
            share=exchange.share,
            client=client[0] if client else "",
        )

    async def _named(self, request: Request, exchange: Exchange, scope: Scope) -> Answer:
        """The answer. Of a refusal before credentials were read, their source is found: its managers shall see it."""
        try:
            request.query = query_of(scope["query_string"])
            if request.resource not in self._resources.methods and request.method != "OPTIONS":
                raise self.nowhere(scope)
            return await self._answer(request, exchange)
        except Refused as refused:
            authorization = request.headers.get("authorization")
            if exchange.caller is NOBODY and authorization and refused.status not in {401, 429}:
                with suppress(Refused):
                    exchange.caller = await self._caller(request, authorization)
            raise

    async def _answer(self, request: Request, exchange: Exchange) -> Answer:
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return Answer(204, b"", _PREFLIGHT)
        methods = self._resources.methods.get(request.resource, {})
        if "method" in dict(request.query):
            known = await self._is_known(request)
            await alternate.undo(request, request.tenant.settings.max_document, known=known)
        told = request.headers.get("x-experience-api-version")
        method = "GET" if request.method == "HEAD" else request.method
        route = exchange.place.route
        line = TABLE.get((method, route))
        if line is not None and line.is_public:
            request.version = _rules_or(told, self._settings.xapi_fallback_version)
        else:
            request.version = rules_of(told)
            if request.content is not None and request.version == "2.0.0":
                raise Refused("xAPI 2.0 has no alternate request syntax", rule="IEEE 9274.1.1 4.1.1")
            authorization = request.headers.get("authorization")
            caller = self._credentials.known(request.tenant, authorization)
            exchange.caller = request.caller = caller or await self._caller(request, authorization)
            if method in methods:
                admit(method, route, request.caller)
            if method in {"POST", "PUT"}:
                request.tenant.record.check_room()
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
        found = self._credentials.caller
        return await read(found, *asked) if request.tenant.store.waits else found(*asked)

    async def _is_known(self, request: Request) -> bool:
        """Whether a form may be large, because valid credentials are in the header.

        They are checked only for a large form. Credentials in the form are checked when it was read.
        """
        told = request.headers.get("content-length", "")
        if "authorization" not in request.headers or (told.isdigit() and len(told) < 7):
            return False
        await self._caller(request, request.headers["authorization"])
        return True


def _rules_or(told: str | None, fallback: str) -> str:
    try:
        return rules_of(told)
    except Refused:
        return fallback
