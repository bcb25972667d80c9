"""The shell around every request: request id, tenant, caller, admission, counting, refusals. Plain ASGI.

Behind it are the mounts: those of xAPI, which must be fast and whose caller may be in the body, and the routes of the
framework. It knows routes only by the table of rights, and credentials only by their readers.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Protocol

from starlette.datastructures import Headers as StarletteHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from lrs.access import OPERATOR, Caller
from lrs.access.basic import CHALLENGE, WrongSecret
from lrs.access.policy.lines import PolicyTable
from lrs.access.policy.operators import OF_INSTALLATION
from lrs.access.policy.table import NOBODYS, admit
from lrs.kernel.admission import Admission, RetryLater, Share
from lrs.kernel.errors import Headers, Refused
from lrs.storage.edge import read
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import Tenant
from lrs.web.browsers import RawHeaders, guarded
from lrs.web.codings import unpacked
from lrs.web.counting import Requests
from lrs.web.exchange import Exchange, RequestPlace
from lrs.web.faults import refused_for
from lrs.web.origins import check_page
from lrs.web.prefix import own_path
from lrs.web.refusals import Refusals, refusal_of

IDS_AT_ONCE = 512
Identify = Callable[[Exchange, Tenant, Scope], Caller]
"""Reads one sort of credential and gives the caller. Raises ``Refused``; may store what it read in ``behind``."""


class Mount(Protocol):
    """Answers the requests of one kind of route."""

    def place(self, path: str) -> RequestPlace | None:
        """The place of *path* (without a proxy's prefix), if this mount answers it."""

    async def answer(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, and sets the status in *exchange*.

        If the exchange is refused already, it answers that in its own shape.

        It sets ``refused`` if it refuses itself.
        """


class Fast(Mount, Protocol):
    """A mount of xAPI. It reads the credentials itself, because they may be in the body."""

    def parting(self, place: RequestPlace, headers: RawHeaders, request_id: str) -> Headers:
        """Headers of an answer at *place* that the connection writes before the application saw the request.

        *headers* are those of the request that have arrived so far.
        """


class Shell:
    """The ASGI application.

    *identify* has the readers of credentials by name (``access.KEY`` and so on). ``operator`` tells whether the caller
    is the installation's operator, who belongs to no tenant.
    """

    operator: Callable[[Scope], Caller | None] = staticmethod(lambda _: None)

    def __init__(
        self,
        tenants: Tenants,
        table: PolicyTable,
        identify: Mapping[str, Identify],
        *,
        prefix: str,
        refusals: Refusals,
        counted: Requests,
        admission: Admission,
        max_header: int,
    ) -> None:
        self.tenants = tenants
        self.table = table
        self.prefix = prefix
        self.refusals = refusals
        self.counted = counted
        self.admission = admission
        self.max_header = max_header
        self._identify = identify
        self._ids = _ids()

    def mount(self, fast: Sequence[Fast], framework: Mount, events: ASGIApp) -> None:
        """Sets the mounts. *events* gets everything that is not an HTTP request: start and end of the server."""
        self.fast, self.framework, self._events = tuple(fast), framework, events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Any ASGI event."""
        if scope["type"] != "http":
            await self._events(scope, receive, send)
            return
        begun = perf_counter()
        method = scope["method"]
        own = own_path(scope["path"], self.prefix)
        if self.prefix:
            scope["root_path"], scope["path"] = self.prefix, self.prefix + own
        if method in {"POST", "PUT"}:  # nothing else of ours has a body
            receive = unpacked(scope["headers"], receive)
        fast, place = self._fast_at(own)
        mount: Mount = fast or self.framework
        if place is None:
            send = guarded(send)
            place = mount.place(own) or RequestPlace()
        asked = "GET" if method == "HEAD" else method  # every GET of ours has one (RFC 9110 9.3.2)
        share = Share(self.admission)
        exchange = Exchange(self.new_id(), asked, place, share, self.table.get((asked, place.route)))
        try:
            if fast is not None:
                exchange.tenant = self.tenants.take_open(place.tenant)
            if exchange.tenant is None:
                await self._enter(exchange, scope, by_us=fast is None)
            await mount.answer(exchange, scope, receive, send)
        finally:
            share.give_back()
            share.sent()
            if exchange.tenant is not None:
                self.tenants.give_back(exchange.tenant)  # the installation has no hold
        self._end(exchange, method, perf_counter() - begun)

    def _fast_at(self, path: str) -> tuple[Fast | None, RequestPlace | None]:
        """The mount of xAPI that answers *path*, if one does, and where in it that leads."""
        for fast in self.fast:
            if (place := fast.place(path)) is not None:
                return fast, place
        return None, None

    async def _enter(self, exchange: Exchange, scope: Scope, *, by_us: bool) -> None:
        """Finds and holds the tenant. If the check is *by_us*, finds the caller and asks the table."""
        line, place = exchange.line, exchange.place
        try:
            if by_us:
                check_headers(scope["headers"], self.max_header)
                if line is None or (line.is_public and place.route in NOBODYS):
                    return  # belongs to no tenant
            if line is not None and OPERATOR in line.via:
                await self._admit_operator(exchange, scope)
                return
            if place.route in OF_INSTALLATION:
                exchange.tenant, exchange.tenants = self.tenants.installation, self.tenants
            else:
                exchange.tenant = self.tenants.take_open(place.tenant) or await self._open(place.tenant)
            if by_us and line is not None:
                if exchange.tenant is None:
                    raise Refused("there is no such tenant", status=404, error="not_found")
                if line.pages:
                    headers = StarletteHeaders(scope=scope)
                    check_page(line, exchange.method, headers, exchange.tenant.settings, scope["path"])
                if not line.is_public:
                    await self._admit(exchange, exchange.tenant, scope, line.via[0])
        except Exception as error:  # noqa: BLE001 (whatever went wrong, the mount says it in its own shape)
            exchange.refused = refused_for(error, exchange.id)

    async def _open(self, name: str) -> Tenant | None:
        """The tenant with one more hold; ``None`` if it does not exist. No reader thread waits while it opens."""
        while (record := await read(self.tenants.record_of, name)) is not None:
            if (tenant := self.tenants.take_open(name, record)) is not None:
                return tenant
            await asyncio.shield(asyncio.wrap_future(self.tenants.begin_to_open(name)))
        return None

    async def _admit_operator(self, exchange: Exchange, scope: Scope) -> None:
        """Finds the operator, who belongs to no tenant, so no tenant is looked at. Refuses everybody else."""
        caller = await read(self.operator, scope)
        if caller is None:
            message = "this needs the key of an operator of the installation: lrs operators create makes one"
            raise Refused(message, status=401, error="unauthorized", headers=CHALLENGE)
        exchange.caller = caller
        admit(exchange.method, exchange.place.route, caller, self.table)

    async def _admit(self, exchange: Exchange, tenant: Tenant, scope: Scope, via: str) -> None:
        asked = (self._identify[via], exchange, tenant, scope)
        exchange.caller = await read(*asked) if tenant.store.waits else asked[0](*asked[1:])
        admit(exchange.method, exchange.place.route, exchange.caller, self.table)

    def _end(self, exchange: Exchange, method: str, seconds: float) -> None:
        """Counts, and records a refusal. The route is recorded by its pattern, because a path may name a person."""
        if exchange.refused is not None:
            if isinstance(exchange.refused, RetryLater):
                self.counted.put_off(exchange.refused.cause)
            tenant = exchange.tenant.id if exchange.tenant is not None else ""  # or the client made it up
            about = {"tenant": tenant, "source": exchange.caller.source, "method": method, "request": exchange.id}
            key = exchange.refused.key if isinstance(exchange.refused, WrongSecret) else exchange.caller.key
            self.refusals.note(refusal_of(exchange.refused, **about, resource=exchange.place.counted), key)
        if exchange.status:
            self.counted.add(exchange.place.counted, method, exchange.status, seconds)

    def new_id(self) -> str:
        """A random id of a request, for its answer and the log.

        A counter would tell each tenant how many requests the others make.
        """
        return next(self._ids)

    def parting(self, path: str, headers: RawHeaders) -> Headers:
        """Headers of an answer at *path* that the connection writes itself (see ``lrs.web.protocol``)."""
        (fast, place), request_id = self._fast_at(own_path(path, self.prefix)), self.new_id()
        return fast.parting(place, headers, request_id) if fast and place else (("x-request-id", request_id),)

    def cut_off(self, path: str, refused: Refused, request_id: str) -> None:
        """Records a refusal that the connection wrote itself."""
        _, place = self._fast_at(own_path(path, self.prefix))
        resource = place.counted if place else "other"
        self.refusals.note(refusal_of(refused, tenant="", source="", method="", resource=resource, request=request_id))


def _ids() -> Iterator[str]:
    """Ids of 16 random hexadecimal digits. The system is asked for many at once, so that one costs a fifth."""
    while True:
        digits = secrets.token_hex(8 * IDS_AT_ONCE)
        yield from [digits[start : start + 16] for start in range(0, len(digits), 16)]


def check_headers(headers: RawHeaders, most: int) -> None:
    """Refuses with 431 if *headers* have more than *most* bytes in all."""
    if sum([len(name) + len(value) for name, value in headers]) > most:
        raise Refused(f"the headers are larger than {most} bytes", status=431, error="too_large")
