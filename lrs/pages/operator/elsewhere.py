"""In which organisations the browser of an operator is signed in, too: signing out ends none of that. Reads only."""

from __future__ import annotations

from fastapi import Request

from lrs.access.signed_in import session_in
from lrs.pages.operator.facts import CANNOT
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import DEFAULT, Tenant
from lrs.web.exchange import tenants_of
from lrs.web.origins import session_cookie
from lrs.web.page import server_root


def still_in(request: Request) -> list[dict[str, str]]:
    """The organisations in which this browser is signed in: name, as whom, and where the account is."""
    tenants = tenants_of(request)
    ids = [one for one in tenants.control.open_tenants() if any(name.endswith(f".{one}") for name in request.cookies)]
    return [found for id in ids for found in _in(request, tenants, id)]


def _in(request: Request, tenants: Tenants, id: str) -> list[dict[str, str]]:
    try:
        with tenants.hold(id) as tenant:
            record = tenants.control.get(id)  # another process may have named it since this one opened it
            return _told(request, tenant, record.name if record else "")
    except CANNOT:
        return []


def _told(request: Request, tenant: Tenant, name: str) -> list[dict[str, str]]:
    found = session_in(tenant, request.cookies.get(session_cookie(tenant)))
    if found is None:
        return []
    own = server_root(request) + ("" if tenant.id == DEFAULT else f"/t/{tenant.id}")
    return [{"name": name or tenant.id, "who": found.caller.name, "address": f"{own}/account"}]
