"""Signing in with a password, for staff, and signing out. No logic."""

from typing import Any

from fastapi import Request, Response

from lrs.access.oidc import providers
from lrs.access.sessions import end_session
from lrs.access.staff_sign_in import Attempt, check_factor, check_password, device_token, half_way, signed_in
from lrs.kernel.errors import Refused
from lrs.pages import session
from lrs.pages.operator.elsewhere import still_in
from lrs.pages.sign_in import entering
from lrs.pages.visit import SIGNED_IN, FormBody, Visiting, form_body, page_router, said, says_to_learners
from lrs.tenancy.tenants import Tenant
from lrs.web.late import Router
from lrs.web.origins import base_of, client_of, device_cookie, drop_cookie, session_cookie, set_cookie
from lrs.web.routing import Here

says_to_learners(signed_out="You are signed out.")


def routes(prefix: str = "") -> Router:
    """The router; its pages lie behind *prefix*."""
    router = page_router(prefix)

    @router.get("/sign-in", summary="The form to sign in with a password, and the other ways")
    def show(request: Request, tenant: Here, then: str = "") -> Response:
        return _asked(request, tenant, then)

    @router.post("/sign-in", status_code=303, summary="Signs in", openapi_extra=form_body("email", "password", "then"))
    def enter(request: Request, tenant: Here, body: FormBody) -> Response:
        form = entering.fields(request, tenant, body)
        email, password, then = (form.get(name, "") for name in ("email", "password", "then"))
        device = request.cookies.get(device_cookie(tenant))
        try:
            id, found = check_password(tenant, Attempt(email, password, client_of(request), device))
        except Refused as refused:
            return _asked(request, tenant, then, refused, email=email)
        if found.factor is not None:
            told = half_way(tenant, id, found, entering.browser_token(request, tenant) or "")
            return _asked_code(request, tenant, told, then)
        token = signed_in(tenant, id, password, entering.way(request, tenant, "password"))
        return _entered(request, tenant, token, then, found.email)

    _add_factor(router)
    _add_leaving(router)
    return router


def _add_factor(router: Router) -> None:
    """The second factor."""

    @router.post(
        "/sign-in/code",
        status_code=303,
        summary="Signs in with the second factor",
        openapi_extra=form_body("half", "code", "then"),
    )
    def confirm(request: Request, tenant: Here, body: FormBody) -> Response:
        form = entering.fields(request, tenant, body)
        half, code, then = (form.get(name, "") for name in ("half", "code", "then"))
        nonce = entering.browser_token(request, tenant) or ""
        try:
            way = entering.way(request, tenant, "password and second factor")
            token = check_factor(tenant, half, nonce, code, way)
        except Refused as refused:
            return _asked_code(request, tenant, half, then, refused)
        return entering.entered(request, tenant, token, then)


def _add_leaving(router: Router) -> None:
    """Signing out, of staff and of learners."""

    @router.post("/sign-out", status_code=303, summary="Signs out", openapi_extra=form_body() | SIGNED_IN)
    def leave(visit: Visiting, body: FormBody) -> Response:
        visit.fields(body)
        end_session(visit.tenant, visit.session.nonce, by=visit.session.by)
        place = "/sign-in/learner" if visit.caller.person else "/sign-in"
        answer = visit.on(place, "signed_out")
        drop_cookie(answer, visit.tenant, session_cookie(visit.tenant))
        return answer


def ways(tenant: Tenant, audience: str) -> list[dict[str, str]]:
    """The sign-in providers of *audience*, for a page."""
    found = providers.everyone(tenant.store)
    return [{"name": one.name, "label": one.label} for one in found if one.is_for(audience)]


def _asked(request: Request, tenant: Tenant, then: str, refused: Refused | None = None, *, email: str = "") -> Response:
    told: dict[str, Any] = {
        "then": session.safe_return(base_of(request), then),
        "email": email,
        "providers": ways(tenant, "staff"),
        "of_installation": tenant.is_installation,
        "done": said(request),
        "elsewhere": still_in(request) if tenant.is_installation else [],
    }
    return entering.form_page(request, tenant, "account/sign-in.html", refused, **told)


def _asked_code(request: Request, tenant: Tenant, half: str, then: str, refused: Refused | None = None) -> Response:
    told = {"then": session.safe_return(base_of(request), then), "half": half}
    return entering.form_page(request, tenant, "account/code.html", refused, **told)


def _entered(request: Request, tenant: Tenant, token: str, then: str, email: str) -> Response:
    answer = entering.entered(request, tenant, token, then)
    device = device_token(tenant, email)
    set_cookie(answer, tenant, device_cookie(tenant), device, entering.DEVICE_LASTS)
    return answer
