"""FastAPI behind the shell: its refusals in our shape, or as pages where the route is a page.

Knows no route and no page: the rooms give their pages under the names in the table of rights (``PolicyLine.pages``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lrs.access.policy.lines import PolicyTable
from lrs.kernel.admission import Overloaded
from lrs.kernel.errors import Refused, StoreFull
from lrs.web.accept import preferred
from lrs.web.addresses import Addresses
from lrs.web.exchange import EXCHANGE, Exchange, RequestPlace, exchange_of
from lrs.web.faults import refused_for
from lrs.web.page import Pages

Nowhere = Callable[[Scope], Refused]
"""The refusal of an unknown address."""
JSON, HTML = "application/json", "text/html"
_ANY_ORIGIN = ((b"access-control-allow-origin", b"*"),)
_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}


class FastAPIMount:
    """The mount of *app*.

    *pages* have the names in *table*. *nowhere* is the refusal of an unknown address for programs, *elsewhere* the one
    for browsers. Raises ``LookupError`` unless *pages* are exactly those that lines of *table* name.
    """

    def __init__(
        self, app: FastAPI, table: PolicyTable, pages: Mapping[str, Pages], nowhere: Nowhere, elsewhere: Pages
    ) -> None:
        if differing := {line.pages for line in table.values() if line.pages} ^ pages.keys():
            raise LookupError(f"pages that only the table of rights, or only a room, knows of: {sorted(differing)}")
        self._app = app
        self.addresses = Addresses(table)
        self._pages = pages
        self._nowhere = nowhere
        self._elsewhere = elsewhere
        for error in (
            Refused,
            Overloaded,
            StoreFull,
            OSError,
            RequestValidationError,
            HTTPException,
            ClientDisconnect,
            Exception,
        ):
            app.add_exception_handler(error, self._failed)

    def place(self, path: str) -> RequestPlace:
        """See ``shell.Mount``. Takes everything that no other mount answers."""
        return self.addresses.place(path)

    async def answer(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        """See ``shell.Mount``. The path in front of the route is the framework's ``root_path``."""
        is_head = scope["method"] == "HEAD"
        origins = _ANY_ORIGIN if exchange.line is not None and exchange.line.any_origin else ()
        root = scope.get("root_path", "") + exchange.place.base
        asked = {**scope, "method": exchange.method, "root_path": root, EXCHANGE: exchange}
        if (pages := self._pages_at(exchange)) is not None:
            exchange.policy, exchange.frame = pages.policy, pages.frame

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", exchange.id.encode()), *origins]
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            if exchange.refused is not None:
                await self._told(Request(asked), exchange.refused)(asked, receive, noting)
            else:
                await self._app(asked, receive, noting)
        except Exception:
            if exchange.refused is None:  # otherwise ``_failed`` has logged and answered it
                raise

    async def _failed(self, request: Request, error: Exception) -> Response:
        if isinstance(error, RequestValidationError):
            return self._told(request, _invalid(error))
        if isinstance(error, ClientDisconnect):  # nobody gets the answer; for the log it is no fault of ours
            return self._told(request, Refused("the body ended too early: send it again", error="broken_off"))
        if not isinstance(error, HTTPException):
            return self._told(request, refused_for(error, exchange_of(request).id))
        if error.status_code == 404:  # our own refusals are ``Refused``, so no route was found
            return self._told(request, self._nowhere(request.scope))
        code, headers = _CODES.get(error.status_code, "error"), tuple((error.headers or {}).items())
        return self._told(request, Refused(str(error.detail), status=error.status_code, error=code, headers=headers))

    def _pages_at(self, exchange: Exchange) -> Pages | None:
        """The pages at this address, if there are any."""
        return self._pages.get(exchange.line.pages) if exchange.line is not None else self._elsewhere

    def _told(self, request: Request, refused: Refused) -> Response:
        exchange = exchange_of(request)
        exchange.refused = refused
        pages = self._pages_at(exchange)
        if pages is not None and (not pages.negotiated or _wants_page(request)):
            answer = pages.refused(request, refused)
        else:
            body = refused.shown(exchange.id)
            answer = JSONResponse(body, status_code=refused.status, headers=dict(refused.headers))
        if pages is not None and pages.negotiated:
            answer.headers["vary"] = "accept"
        return answer


def _wants_page(request: Request) -> bool:
    """Whether the client prefers a page to JSON. A program with credentials does not."""
    headers = request.headers
    return preferred(headers.get("accept"), (JSON, HTML)) == HTML and "authorization" not in headers


def _invalid(error: RequestValidationError) -> Refused:
    """Never 422: a wrong body or parameter is 400, and the message names the first fault and its place."""
    first = error.errors()[0]
    pointer = "".join(f"/{part}" for part in first["loc"][1:])
    return Refused(f"{'/'.join(map(str, first['loc']))}: {first['msg']}", pointer=pointer)


def guarded(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """The *routes*, each of which now refuses a request that its own line in the table did not admit.

    So each request checks that the shell and the framework read its path alike. Raises ``TypeError`` for a router or
    mount: include the routes of a router one by one, because FastAPI's ``include_router`` makes each of them twice and
    searches each twice at every request.
    """
    for route in routes:
        if not isinstance(route, Route):
            raise TypeError(f"{route!r} is no route")
        route.app = _Guarded(route.path, route.app)
        yield route


class _Guarded(msgspec.Struct, frozen=True):
    """The route at *path*, if its own line admitted the request. If the shell found no line: 404, or 405.

    If it found the line of another route, the fault is ours: 500.
    """

    path: str
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope[EXCHANGE]
        admitted = exchange.place.route
        if exchange.line is None:
            raise HTTPException(405 if admitted else 404)
        if self.path != admitted:
            raise RuntimeError(f"{admitted!r} was asked for, and {self.path!r} was found")
        await self.app(scope, receive, send)
