"""One request and its answer, for the shell and the routes behind it. Knows no route and no credential."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from starlette.requests import HTTPConnection

from lrs.access import NOBODY, Caller
from lrs.access.policy.lines import PolicyLine
from lrs.kernel.admission import Share
from lrs.kernel.errors import Refused
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import DEFAULT, Tenant
from lrs.web.frame import FrameOf
from lrs.web.language import ENGLISH, language_of
from lrs.web.page_policy import PagePolicy

EXCHANGE = "exchange"
"""The key under which the shell puts it into the ASGI scope."""


class RequestPlace(NamedTuple):
    """The place that a path leads to.

    *route* is its pattern in the table of rights, empty if there is none. *tenant* is the one in the path, or the
    default one. *base* is the path in front of the route: nothing or ``/t/<tenant>``. *counted* is the name under which
    requests are counted, *named* are the values of the parts in braces.
    """

    tenant: str = DEFAULT
    base: str = ""
    route: str = ""
    counted: str = "other"
    named: dict[str, str] = {}  # noqa: RUF012 (nobody changes it)


@dataclass(slots=True)
class Exchange:
    """A request and its answer.

    *method* is that of the table: HEAD counts as GET. *share* is its part of the server's limits. *behind* is what was
    read to identify the caller, such as a session. *refused* is the refusal, if any; *status* is that of the answer, 0
    if the client went away before. *policy* and *frame* are those of the pages at its address, if it has any.
    *language* is that of the page, English unless a route chooses another.
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
    """The tenant of *request*. The shell has checked that it exists."""
    tenant = exchange_of(request).tenant
    assert tenant is not None  # noqa: S101 (no route that asks is one of the server's own)
    return tenant


def tenants_of(request: HTTPConnection) -> Tenants:
    """All tenants, for *request* of the installation's operator; the shell gives them to no other."""
    tenants = exchange_of(request).tenants
    assert tenants is not None  # noqa: S101 (only the installation's routes ask)
    return tenants


def caller_of(request: HTTPConnection) -> Caller:
    """The caller of *request*."""
    return exchange_of(request).caller


def in_language(request: HTTPConnection) -> str:
    """Sets the language of the page to the one of learners that its reader chose, and gives it."""
    language = exchange_of(request).language = language_of(request)
    return language


def root_of(request: HTTPConnection) -> str:
    """The public address of this server: ``LRS_PUBLIC_URL``, or that of the request. Without a slash at its end."""
    tenant, base = tenant_of(request), exchange_of(request).place.base
    return (tenant.settings.public_url or str(request.base_url).rstrip("/").removesuffix(base)).rstrip("/")


def address_of(request: HTTPConnection) -> str:
    """The public address of what is about the tenant of *request*: that of the server, with ``/t/<tenant>``."""
    return f"{root_of(request)}{exchange_of(request).place.base}"
