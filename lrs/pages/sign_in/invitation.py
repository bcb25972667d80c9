"""The page of a one-time link that lets staff or a learner in. No logic.

Opening the page uses nothing, because mail scanners open links. Only its button does.
"""

from typing import Any

from fastapi import Request, Response

from lrs.access import one_time, staff, staff_once
from lrs.access.one_time import ONCE, OneTime
from lrs.access.passwords import LONGEST, SHORTEST
from lrs.access.roles import ROLES
from lrs.access.staff_acts import LETTING_IN, NewAccount, let_in
from lrs.kernel.errors import Refused
from lrs.matching.developers import role_said
from lrs.pages.sign_in import entering
from lrs.pages.sign_in.password import ways
from lrs.pages.visit import FormBody, form_body, page_router
from lrs.people import sign_in
from lrs.tenancy.tenants import Tenant
from lrs.web.late import Router
from lrs.web.routing import Here

_ALL = (*LETTING_IN, ONCE, sign_in.INVITATION)


def routes(prefix: str = "") -> Router:
    """The router; its pages lie behind *prefix*."""
    router = page_router(prefix)

    @router.get("/invitation/{token}", summary="What an invitation lets somebody into, and its form")
    def show(request: Request, tenant: Here, token: str) -> Response:
        return _asked(request, tenant, token, one_time.look(tenant, token, *_ALL))

    @router.post(
        "/invitation/{token}",
        status_code=303,
        summary="Uses an invitation, and signs in",
        openapi_extra=form_body("email", "name", "password", "again"),
    )
    def enter(request: Request, tenant: Here, token: str, body: FormBody) -> Response:
        form = entering.fields(request, tenant, body)
        found = one_time.look(tenant, token, *_ALL)
        way = entering.way(request, tenant, "link")
        if found.purpose == sign_in.INVITATION:
            return entering.entered(request, tenant, sign_in.use_invitation(tenant, token, way))
        if found.purpose == ONCE:
            return entering.entered(request, tenant, staff_once.enter(tenant, token, way))
        name, password, again, email = (form.get(field, "") for field in ("name", "password", "again", "email"))
        try:
            if password != again:
                raise Refused("The two passwords are not the same. Type it again.")
            opened = let_in(tenant, token, NewAccount(name, password, email), way)
        except Refused as refused:
            if refused.status not in {400, 409}:
                raise
            return _asked(request, tenant, token, found, refused, name=name, email=email)
        is_first = tenant.is_installation and not found.address
        return entering.entered(request, tenant, opened, home="/begin" if is_first else "")

    return router


def _asked(
    request: Request, tenant: Tenant, token: str, found: OneTime, refused: Refused | None = None, **typed: str
) -> Response:
    if found.purpose == sign_in.INVITATION:
        shown = sign_in.preview(tenant, found.about)
        told: dict[str, Any] = {
            "token": token,
            "address": found.address,
            "preview": shown,
            "providers": ways(tenant, "learners"),
        }
        return entering.learners_page(request, tenant, "account/welcome.html", refused, **told)
    member = staff.member(tenant.store, found.about)
    if member is None:
        raise Refused("This account is no longer there.", status=410, error="gone")
    roles = [
        {"name": role_said(tenant.store, one), "says": ROLES[one.role].says}
        for one in member.all_roles
        if one.role in ROLES
    ]
    if found.purpose == ONCE:
        told = {"token": token, "name": member.name or member.email, "roles": roles}
        return entering.form_page(request, tenant, "account/once.html", refused, **told)
    told = {
        "token": token,
        "email": member.email or typed.get("email", ""),
        "asks_email": not member.email,
        "name": typed.get("name") or member.name,
        "roles": roles,
        "is_new": found.purpose == "staff-invitation",
        "shortest": SHORTEST,
        "longest": LONGEST,
        "providers": ways(tenant, "staff"),
    }
    return entering.form_page(request, tenant, "account/invitation.html", refused, **told)
