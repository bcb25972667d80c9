"""One request and its answer, as the shell and the routes behind it know them. Knows no route and no credential."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from starlette.requests import HTTPConnection

from lrs.access import NOBODY, Caller
from lrs.access.policy_lines import PolicyLine
from lrs.kernel.admission import Share
from lrs.kernel.errors import Refused
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import DEFAULT, Tenant
from lrs.web.frame import FrameOf
from lrs.web.language import ENGLISH
from lrs.web.page_policy import PagePolicy

EXCHANGE = "exchange"
"""Where the shell puts it into the ASGI scope."""


class RequestPlace(NamedTuple):
    """What a path leads to. *route* is its pattern in the table of rights, empty where there is none.

    *tenant* is the one that the path names, or the default one. *base* is what stands in front of the route: nothing or
    ``/t/<tenant>``; *counted* is the name under which requests are counted; *named* are the parts in braces.
    """

    tenant: str = DEFAULT
    base: str = ""
    route: str = ""
    counted: str = "other"
    named: dict[str, str] = {}  # noqa: RUF012 (nobody changes it)


@dataclass(slots=True)
class Exchange:
    """A request on its way to its answer.

    *method* is that of the table: HEAD asks as GET. *share* is what it has inside of the server's limits. *behind* is
    what was read to know the caller, such as a session. *refused* is why it is refused, if it is; *status* the
    answer's, 0 where the client went away before. *policy* and *frame* are those of the pages at its address, if it has
    any; *language* is the one in which a page is written, English unless a route chooses another.
    """

    id: str
    method: str
    place: RequestPlace
    share: Share
    line: PolicyLine | None = None
    tenant: Tenant | None = None
    caller: Caller = field(default=NOBODY)
    behind: Any = None
    refused: Refused | None = None
    status: int = 500
    policy: PagePolicy | None = None
    frame: FrameOf | None = None
    language: str = ENGLISH
    tenants: Tenants | None = None
    """All tenants, for the installation's pages; no other is given them."""


def exchange_of(request: HTTPConnection) -> Exchange:
    """The exchange that *request* belongs to."""
    found: Exchange = request.scope[EXCHANGE]
    return found


def tenant_of(request: HTTPConnection) -> Tenant:
    """Whose data *request* is about; the shell has seen to it that there is such a tenant."""
    tenant = exchange_of(request).tenant
    assert tenant is not None  # noqa: S101 (no route that asks is one of the server's own)
    return tenant


def tenants_of(request: HTTPConnection) -> Tenants:
    """All tenants, for *request* of the installation's operator; the shell gives them to no other."""
    tenants = exchange_of(request).tenants
    assert tenants is not None  # noqa: S101 (only the installation's routes ask)
    return tenants


def caller_of(request: HTTPConnection) -> Caller:
    """Who sent *request*."""
    return exchange_of(request).caller


def root_of(request: HTTPConnection) -> str:
    """Where others reach this server: ``LRS_PUBLIC_URL``, or the address that was asked. Without a slash at its end."""
    tenant, base = tenant_of(request), exchange_of(request).place.base
    return (tenant.settings.public_url or str(request.base_url).rstrip("/").removesuffix(base)).rstrip("/")
