"""The routes of the pages for administrators: the work, and redirects from former addresses. No logic."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request, Response

from lrs.access.basic import BasicAuth
from lrs.access.sessions import open_session
from lrs.kernel.errors import Refused
from lrs.outbox import listing
from lrs.pages import acts, facts, session, work_view
from lrs.pages.facts import Neighbours
from lrs.pages.sign_in import entering
from lrs.pages.visit import SIGNED_IN, Visit, Visiting, form_body, page_router, says
from lrs.tenancy.tenants import Tenant
from lrs.web.late import Router
from lrs.web.origins import base_of, client_of
from lrs.web.page import redirect
from lrs.web.routing import Here, small_body
from lrs.web.shared import shared

says(
    retried="It is tried again now.",
    resent="It will be sent again.",
    gone="There was nothing to do: it was done meanwhile.",
)


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router("/pages")
    _add_sign_in(router)
    _add_learners(router)
    _add_work(router, neighbours)
    return router


# -- sign-in with a key -----------------------------------------------------------------------------------------------


def _add_sign_in(router: Router) -> None:
    @router.get("", status_code=303, summary="Leads to the learners")
    def first(request: Request) -> Response:
        return redirect(request, f"{base_of(request)}/staff/learners")

    @router.get("/sign-in", summary="The form to sign in with a key of the scope admin")
    def show(request: Request, tenant: Here, then: str | None = None) -> Response:
        return _asked(request, tenant, then)

    @router.post("/sign-in", status_code=303, summary="Signs in", openapi_extra=form_body("key", "secret", "then"))
    def enter(request: Request, tenant: Here, body: Annotated[bytes, Depends(small_body)]) -> Response:
        form = entering.fields(request, tenant, body)
        then = form.get("then")
        try:
            caller = session.sign_in(tenant, shared(request, BasicAuth), form, client_of(request))
        except Refused as refused:
            return _asked(request, tenant, then, refused)
        token = open_session(tenant, caller.subject, entering.way(request, tenant, "key"))
        return entering.entered(request, tenant, token, then or "", "/staff/learners")


def _asked(request: Request, tenant: Tenant, then: str | None, refused: Refused | None = None) -> Response:
    root = base_of(request)
    back = session.safe_return(root, then) or f"{root}/staff/learners"
    return entering.form_page(request, tenant, "staff/sign-in.html", refused, base=f"{root}/pages", then=back)


# -- learners, who have moved ---------------------------------------------------------------------------------------


def _add_learners(router: Router) -> None:
    @router.get("/learners", status_code=303, summary="Leads to the learners")
    def moved(request: Request) -> Response:
        return redirect(request, f"{base_of(request)}/staff/learners")

    @router.get("/learners/{person}", status_code=303, summary="Leads to a learner")
    def one_moved(request: Request, person: str) -> Response:
        return redirect(request, f"{base_of(request)}/staff/learners/{quote(person, safe='')}")


# -- the work -------------------------------------------------------------------------------------------------------


def _add_work(router: Router, neighbours: Neighbours) -> None:
    @router.get("/work", summary="What waits, fails or was put aside", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        tenant = visit.tenant
        found = facts.work_facts(tenant, neighbours)
        return visit.page("staff/work.html", **work_view.work(found, tenant.clock(), tenant.settings.zone))

    @router.post(
        "/work/retry",
        status_code=303,
        summary="Makes due what was put aside",
        openapi_extra=form_body("step", "kind", "id", "back") | SIGNED_IN,
    )
    def retry(visit: Visiting, body: Annotated[bytes, Depends(small_body)]) -> Response:
        form = visit.fields(body)
        step, kind, id = (form.get(name, "") for name in ("step", "kind", "id"))
        is_due = acts.retry(visit.tenant, neighbours, step=step, kind=kind, id=id, by=visit.session.by)
        return _back(visit, form, "retried" if is_due else "gone")

    @router.post(
        "/work/resend",
        status_code=303,
        summary="Sends a delivery again, or all of a destination that were given up on",
        openapi_extra=form_body("id", "to", "back") | SIGNED_IN,
    )
    def resend(visit: Visiting, body: Annotated[bytes, Depends(small_body)]) -> Response:
        form = visit.fields(body)
        if to := form.get("to"):
            sent = acts.resend_to(visit.tenant, neighbours, to, by=visit.session.by)
            return _back(visit, form, "resent" if sent else "gone")
        listing.resend(visit.tenant, form.get("id", ""), by=visit.session.by)
        return _back(visit, form, "resent")


def _back(visit: Visit, form: Mapping[str, str], done: str) -> Response:
    """Where the form was: on the console, or on the page about the work."""
    return visit.on("/console", done) if form.get("back") == "console" else visit.back("work", done)
