"""The page on which a host's supervisor signs hours off, by a link that works once. No logic."""

from __future__ import annotations

from fastapi import Request, Response

from adapters.training_centre import hosts
from adapters.training_centre.pages import view
from lrs.kernel.errors import Refused
from lrs.pages.sign_in import entering
from lrs.pages.visit import FormBody, form_body, page_router
from lrs.tenancy.tenants import Tenant
from lrs.web.late import Router
from lrs.web.page import page
from lrs.web.routing import Here
from lrs.xapi.statements.subscriptions import Subscriptions

PLACE = "/sign-off/{token}"


def routes(subscriptions: Subscriptions) -> Router:
    """The router; *subscriptions* say which steps the statements of a session owe."""
    router = page_router()

    @router.get(PLACE, summary="Whose hours a supervisor is asked to sign off")
    def show(request: Request, tenant: Here, token: str) -> Response:
        return _asked(request, tenant, token)

    @router.post(PLACE, summary="Signs hours off, or says why not", openapi_extra=form_body("answer", "hours", "said"))
    def answer(request: Request, tenant: Here, token: str, body: FormBody) -> Response:
        told = entering.fields(request, tenant, body)
        try:
            hours = hosts.hours_in(told)
            one = hosts.answer(tenant, subscriptions, token, hours, told.get("said", ""))
        except Refused as refused:
            if refused.status != 400:
                raise
            return _asked(request, tenant, token, refused, told)
        agrees = bool(one.sign_off and one.sign_off.agrees)
        return page(request, "account/signed-off.html", agrees=agrees, name=one.name)

    return router


def _asked(
    request: Request,
    tenant: Tenant,
    token: str,
    refused: Refused | None = None,
    told: dict[str, str] | None = None,
) -> Response:
    session, one = hosts.asked(tenant, token)
    given = told or {}
    return entering.form_page(
        request,
        tenant,
        "account/sign-off.html",
        refused,
        token=token,
        one=view.about(session, tenant.clock()),
        name=one.name,
        supervisor=one.sign_off.supervisor if one.sign_off else "",
        hours=given.get("hours", "") or ("" if session.hours is None else f"{session.hours:g}"),
        said=given.get("said", ""),
    )
