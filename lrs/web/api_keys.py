"""Identifies the caller by an API key, for routes outside xAPI: HTTP Basic in the header ``Authorization``."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import Scope

from lrs.access import Caller
from lrs.access.basic import BasicAuth
from lrs.kernel.errors import Refused
from lrs.tenancy.control import Control
from lrs.tenancy.tenants import Tenant
from lrs.web.browsers import is_foreign
from lrs.web.exchange import Exchange
from lrs.web.shell import Identify


def by_key(basic: BasicAuth) -> Identify:
    """Asks *basic*.

    Refuses (403) a request that another site's page sent, because the browser may have added a remembered login.
    """

    def identify(exchange: Exchange, tenant: Tenant, scope: Scope) -> Caller:
        headers, client = Headers(scope=scope), scope.get("client")
        if exchange.method != "GET" and is_foreign(headers):
            raise Refused("another site's page may not send this", status=403, error="forbidden")
        return basic.caller(tenant, headers.get("authorization"), client[0] if client else "")

    return identify


def by_operator(basic: BasicAuth, control: Control) -> Callable[[Scope], Caller | None]:
    """Whether the installation's operator calls, by a key in the register *control*. Refuses a wrong secret."""

    def operator(scope: Scope) -> Caller | None:
        client = scope.get("client")
        return basic.operator(control, Headers(scope=scope).get("authorization"), client[0] if client else "")

    return operator
