"""The application: xAPI's plain edge in front, FastAPI behind it for everything else, the tenants they work for.

One of the modules that put the rooms together; it only puts them together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from adapters import routes as imports
from adapters.history import recent_runs
from badges import routes as badges
from lrs.access import Caller
from lrs.access.basic import Door
from lrs.access.policy import admit
from lrs.channels import CHANNELS
from lrs.kernel.errors import Overloaded, Refused, StoreFull
from lrs.kernel.settings import Settings
from lrs.matching import consent_routes as learners
from lrs.matching import routes as profiles
from lrs.ops import operating
from lrs.ops.child import Deaths
from lrs.ops.metrics import Metrics
from lrs.outbox import listing
from lrs.pages import front
from lrs.pages import routes as pages
from lrs.pages.docs import routes as docs
from lrs.pages.docs.document import complete
from lrs.pages.facts import Neighbours
from lrs.storage import Clock, wall_clock
from lrs.storage.edge import read
from lrs.subscriptions import SUBSCRIPTIONS
from lrs.tenancy.open_tenants import TRIM_EVERY, Tenants
from lrs.tenancy.tenants import DEFAULT, Tenant
from lrs.web.browsers import guarded, is_foreign
from lrs.web.codings import unpacked
from lrs.web.counting import Requests
from lrs.web.prefix import check_prefix, own_path
from lrs.web.refusals import Refusals, refusal_of
from lrs.xapi.endpoint import METHODS, Endpoint, parted, refused_for
from lrs.xapi.request import Headers
from lrs.xapi.statements.signatures import trust_anchors

if TYPE_CHECKING:
    from lrs.work.broker import Notifier

READERS = 16
"""Threads for reads that may wait."""


class Application(FastAPI):
    """FastAPI, but xAPI requests go straight to their endpoint: routing and middleware would halve their rate."""

    xapi: Endpoint
    refused: Refusals
    counted: Requests
    deaths: Deaths
    prefix = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Any ASGI event; only HTTP requests under ``/xapi`` or ``/t/<tenant>/xapi`` are xAPI's."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        own = own_path(scope["path"], self.prefix)
        if self.prefix:
            scope["root_path"], scope["path"] = self.prefix, self.prefix + own
        send = guarded(send)
        if scope["method"] in {"POST", "PUT"}:  # nothing else of ours has a body
            receive = unpacked(scope["headers"], receive)
        path = parted(own)
        if path is not None:
            await self.xapi.answer(path, scope, receive, send)
        else:
            await self._counting(scope, receive, send)

    async def _counting(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, status = perf_counter(), 500
        scope["request_id"] = request_id = self.xapi.new_id()

        is_head = scope["method"] == "HEAD"
        asked = {**scope, "method": "GET"} if is_head else scope  # every GET of ours has one (RFC 9110 9.3.2)

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            with self.state.tenants.request():
                await super().__call__(asked, receive, noting)
        finally:
            # The route's pattern, never the path: that may name a person.
            resource = getattr(asked.get("route"), "path", "other")
            self.counted.add(resource, scope["method"], status, perf_counter() - begun)

    def parting(self, path: str, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
        """Headers of an answer at *path* that the connection writes itself (see ``lrs.web.protocol``)."""
        place, request_id = parted(own_path(path, self.prefix)), self.xapi.new_id()
        return self.xapi.parting(place, headers, request_id) if place else (("x-request-id", request_id),)

    def cut_off(self, path: str, refused: Refused, request_id: str) -> None:
        """Notes a refusal that the connection wrote itself."""
        place = parted(own_path(path, self.prefix))
        resource = place.resource if place and place.resource in METHODS else "other"
        self.refused.note(refusal_of(refused, tenant="", source="", method="", resource=resource, request=request_id))

    def openapi(self) -> dict[str, Any]:
        """As FastAPI has it, and xAPI too, which passes it by.

        Where tokens are had is no path of the document, so the prefix is put in front here.
        """
        if self.openapi_schema is None:
            document = super().openapi()
            complete(document, [(resource, method) for resource, methods in METHODS.items() for method in methods])
            for scheme in document["components"]["securitySchemes"].values():
                for flow in scheme.get("flows", {}).values():
                    flow["tokenUrl"] = self.prefix + own_path(flow["tokenUrl"], self.prefix)
        return super().openapi()


def create_app(settings: Settings, *, clock: Clock = wall_clock) -> Application:
    """The ASGI application for *settings*."""
    trust_anchors(settings)  # a certificate that cannot be read stops the start, not a request
    tenants = Tenants(settings, clock)
    door = Door()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, object]]:
        with ThreadPoolExecutor(READERS, thread_name_prefix="read") as pool:
            asyncio.get_running_loop().set_default_executor(pool)
            tenants.start()
            trimming = asyncio.create_task(_trim(tenants))
            notifier = notifier_for(settings, tenants)
            # The server hands this to each connection's protocol.
            yield {"patience": settings.patience, "parting": app.parting, "cut_off": app.cut_off}
            trimming.cancel()
            if notifier is not None:
                notifier.close()
        app.refused.close()
        tenants.close()

    app = Application(title="Engraft", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.tenants = tenants
    app.counted = Requests()
    app.deaths = Deaths()
    app.refused = Refusals(settings.data)
    app.xapi = Endpoint(tenants, settings, door, app.counted, app.refused, subscriptions=SUBSCRIPTIONS)
    for error in (Refused, Overloaded, StoreFull, OSError):
        app.add_exception_handler(error, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _failed)

    guard, caller = admin_guard(door), caller_of(tenants, door)
    for router in (
        profiles.routes(tenants.named),
        learners.routes(tenants.named),
        imports.routes(caller),
        pages.routes(tenants.named, door, _neighbours()),
        front.routes(tenants.named),
    ):
        app.include_router(router)
        app.include_router(router, prefix="/t/{tenant}", include_in_schema=False)
    app.webhooks.routes.extend(profiles.webhooks().routes)
    app.include_router(badges.routes(tenants.named, guard))

    shown = Metrics(app.counted, tenants, app.deaths, CHANNELS).exposition
    app.include_router(operating.routes(settings, tenants, caller, shown))
    app.include_router(docs.routes(app.openapi))
    app.prefix = check_prefix(settings.prefix, app.routes)
    return app


async def _trim(tenants: Tenants) -> None:
    """Closes tenants that nobody uses, for as long as the server runs."""
    while True:
        await asyncio.sleep(TRIM_EVERY)
        await read(tenants.trim)


def notifier_for(settings: Settings, tenants: Tenants) -> Notifier | None:
    """What tells Celery workers of work, if they are to do it."""
    if not settings.celery_broker or not settings.worker:
        return None
    from lrs.steps import STEPS  # noqa: PLC0415 (and so is what the steps need)
    from lrs.work.broker import Notifier  # noqa: PLC0415 (Celery is loaded where it is used)

    return Notifier(settings, tenants.each, tuple(STEPS))


def _neighbours() -> Neighbours:
    """What the pages show of the adapters, which they do not know."""
    return Neighbours(
        imports=recent_runs,
        failed=partial(listing.failed, channels=CHANNELS),
        resend=lambda tenant, delivery: listing.resend(tenant, CHANNELS, id=delivery),
        destinations=partial(listing.destinations, channels=CHANNELS),
    )


def caller_of(tenants: Tenants, door: Door) -> Callable[[Request], Caller]:
    """The dependency that says who calls with an API key, for the tenant in the path or the default one."""

    def caller(request: Request) -> Caller:
        tenant = tenants.named(request.path_params.get("tenant", DEFAULT))
        client = request.client.host if request.client else ""
        if request.method != "GET" and is_foreign(request.headers):
            raise Refused("another site's page may not send this", status=403, error="forbidden")
        found = door.caller(tenant, request.headers.get("authorization"), client)
        request.scope["source"] = found.source
        return found

    return caller


def admin_guard(door: Door) -> Callable[[Request, Tenant], None]:
    """Refuses whoever does not bring a key with the scope ``admin``."""

    def guard(request: Request, tenant: Tenant) -> None:
        client = request.client.host if request.client else ""
        found = door.caller(tenant, request.headers.get("authorization"), client)
        request.scope["source"] = found.source
        admit("GET", "/t/{tenant}/credentials/{id}", found)

    return guard


def _shown(request: Request, refused: Refused) -> JSONResponse:
    scope = request.scope
    told = request.path_params.get("tenant", DEFAULT)
    tenant = told if request.app.state.tenants.opened(told) else ""  # or somebody made it up
    about = {"tenant": tenant, "source": scope.get("source", "")}
    resource = getattr(scope.get("route"), "path", "other")
    noted = refusal_of(refused, **about, method=scope["method"], resource=resource, request=scope["request_id"])
    request.app.refused.note(noted)
    body = refused.shown(request.scope["request_id"])
    return JSONResponse(body, status_code=refused.status, headers=dict(refused.headers))


async def _refused(request: Request, error: Exception) -> JSONResponse:
    return _shown(request, refused_for(error, request.scope["request_id"]))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Never 422: a body or parameter that is wrong is 400, and the first fault is named with its place."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for this type)
    first = error.errors()[0]
    pointer = "".join(f"/{part}" for part in first["loc"][1:])
    return _shown(request, Refused(f"{'/'.join(map(str, first['loc']))}: {first['msg']}", pointer=pointer))


async def _failed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this type)
    codes = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
    if error.status_code == 404 and isinstance(request.app, Application):  # ours are ``Refused``: no route was found
        return _shown(request, request.app.xapi.nowhere(request.scope))
    headers = tuple((error.headers or {}).items())
    code = codes.get(error.status_code, "error")
    return _shown(request, Refused(str(error.detail), status=error.status_code, error=code, headers=headers))
