"""The routes of the pages behind an administrator's sign-in: a learner, and the work. No logic."""

import secrets
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.requests import HTTPConnection
from starlette.types import Scope

from lrs.access import Caller
from lrs.access.basic import Door
from lrs.access.sessions import LASTS, end_session, open_session
from lrs.kernel.errors import Refused
from lrs.matching.door import Here, small_body
from lrs.pages import acts, facts, session, views, work_view
from lrs.pages.facts import Neighbours
from lrs.pages.render import page
from lrs.pages.session import COOKIE, FORM_COOKIE, Session
from lrs.people.search import Search, search
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import Exchange, exchange_of

_DONE = {
    "withdrawn": "The consent is withdrawn. Nothing more is shown or sent; the service is told to forget.",
    "retried": "It is due again.",
    "resent": "It will be sent again.",
    "gone": "There was nothing to do: it was done meanwhile.",
}


SIGN_IN_FIRST = "sign_in_first"
"""The error of who has no session."""
SIGNED_IN: dict[str, Any] = {"security": [{"session": []}]}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    "default": {"description": "A page that says why not, or 303 to the sign-in.", "content": {"text/html": {}}}
}


def _form(*fields: str) -> dict[str, Any]:
    """The body of a route that reads a form of ours, for the OpenAPI document."""
    properties = {name: {"type": "string"} for name in ("form", *fields)}
    properties["form"]["description"] = "The token that the page before gave out."
    schema = {"type": "object", "required": ["form"], "properties": properties}
    return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}}


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at which tenant's pages; *base* is the path they lie under."""

    tenant: Tenant
    base: str
    session: Session
    done: str

    def page(self, template: str, status: int = 200, **shown: Any) -> Response:
        """A page with what every page has."""
        token = session.form_token(self.tenant, self.session.nonce)
        return page(
            template, status, base=self.base, form=token, who=self.session.caller.source, done=self.done, **shown
        )

    def fields(self, body: bytes) -> dict[str, str]:
        """The fields of a form of this session's. Raises ``Refused`` (403)."""
        return session.fields(self.tenant, body, self.session.nonce)

    def back(self, place: str, done: str) -> Response:
        """Sends the browser on to *place*, to say there what was *done*."""
        return RedirectResponse(f"{self.base}/{place}?done={done}", 303)


def routes(door: Door, neighbours: Neighbours) -> APIRouter:
    """The router; *neighbours* are the parts that the app knows."""
    router = APIRouter(prefix="/pages", tags=["pages"], default_response_class=HTMLResponse, responses=_REFUSALS)
    _add_sign_in(router, door)
    _add_learners(router)
    _add_work(router, neighbours)
    return router


def base_of(request: Request) -> str:
    """The path the pages lie under, for the tenant that was asked for."""
    return f"{request.scope.get('root_path', '')}/pages"


def refusal(request: Request, refused: Refused) -> Response:
    """A page that says no, with the status and the headers of *refused*; or the way to the sign-in, and back."""
    base = base_of(request)
    if refused.error == SIGN_IN_FIRST:
        then = request.url.path if request.method == "GET" else None
        return RedirectResponse(f"{base}/sign-in?then={session.safe_return(base, then)}", 303)
    answer = page("refused.html", refused.status, base=base, message=refused.message)
    answer.headers.update({name: value for name, value in refused.headers if name != "www-authenticate"})
    return answer


def by_session(exchange: Exchange, tenant: Tenant, scope: Scope) -> Caller:
    """Who is signed in, by its cookie; leaves the ``Session`` behind. Raises ``Refused`` (401)."""
    found = session.session_in(tenant, HTTPConnection(scope).cookies.get(COOKIE))
    if found is None:
        raise Refused("Sign in first.", status=401, error=SIGN_IN_FIRST)
    exchange.behind = found
    return found.caller


def visiting(request: Request, tenant: Here) -> Visit:
    """The dependency that is whoever is signed in."""
    done = _DONE.get(request.query_params.get("done", ""), "")
    return Visit(tenant, base_of(request), exchange_of(request).behind, done)


_Visit = Annotated[Visit, Depends(visiting)]


# -- sign-in --------------------------------------------------------------------------------------------------------


def _add_sign_in(router: APIRouter, door: Door) -> None:
    form_cookie = Annotated[str | None, Cookie(alias=FORM_COOKIE)]

    @router.get("", status_code=303, summary="Leads to the learners")
    def first(request: Request) -> Response:
        return RedirectResponse(f"{base_of(request)}/learners", 303)

    @router.get("/sign-in", summary="The form to sign in with a key of the scope admin")
    def show(request: Request, tenant: Here, nonce: form_cookie = None, then: str | None = None) -> Response:
        return _asked(request, tenant, nonce, then)

    @router.post("/sign-in", status_code=303, summary="Signs in", openapi_extra=_form("key", "secret", "then"))
    def enter(
        request: Request,
        tenant: Here,
        body: Annotated[bytes, Depends(small_body)],
        nonce: form_cookie = None,
    ) -> Response:
        form = session.fields(tenant, body, nonce)
        base, then = base_of(request), form.get("then")
        try:
            caller = session.sign_in(tenant, door, form, request.client.host if request.client else "")
        except Refused as refused:
            return _asked(request, tenant, nonce, then, refused)
        answer = RedirectResponse(session.safe_return(base, then), 303)
        _set_cookie(answer, request, tenant, COOKIE, open_session(tenant, caller.subject))
        return answer

    @router.post("/sign-out", status_code=303, summary="Signs out", openapi_extra=_form() | SIGNED_IN)
    def leave(
        request: Request,
        visit: _Visit,
        body: Annotated[bytes, Depends(small_body)],
    ) -> Response:
        visit.fields(body)
        end_session(visit.tenant, visit.session.nonce, by=visit.session.by)
        answer = RedirectResponse(f"{visit.base}/sign-in", 303)
        answer.delete_cookie(COOKIE, path=base_of(request), httponly=True, samesite="lax")
        return answer


def _asked(
    request: Request, tenant: Tenant, known: str | None, then: str | None, refused: Refused | None = None
) -> Response:
    """The sign-in form, on its own or with why it was refused; one *known* cookie serves all tabs."""
    base, nonce = base_of(request), known or secrets.token_urlsafe(18)
    answer = page(
        "sign-in.html",
        refused.status if refused else 200,
        base=base,
        form=session.form_token(tenant, nonce),
        then=session.safe_return(base, then),
        problem=refused.message if refused else "",
    )
    answer.headers.update(dict(refused.headers) if refused else {})
    _set_cookie(answer, request, tenant, FORM_COOKIE, nonce)
    return answer


def _set_cookie(answer: Response, request: Request, tenant: Tenant, name: str, value: str) -> None:
    is_secure = request.url.scheme == "https" or (tenant.settings.public_url or "").startswith("https:")
    path, seconds = base_of(request), LASTS // 1_000_000
    answer.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=is_secure, path=path)


# -- a learner ------------------------------------------------------------------------------------------------------


def _add_learners(router: APIRouter) -> None:
    @router.get("/learners", summary="The form to look for a learner", openapi_extra=SIGNED_IN)
    def ask(visit: _Visit) -> Response:
        return visit.page("search.html", wanted="", problem="", **views.searched(Search(())))

    @router.post("/learners", summary="Looks for a learner", openapi_extra=_form("who") | SIGNED_IN)
    def find(visit: _Visit, body: Annotated[bytes, Depends(small_body)]) -> Response:
        """By POST, so that no address or number of a learner ends in a log or a browser's history."""
        wanted = visit.fields(body).get("who", "").strip()
        searched = search(visit.tenant, wanted)
        if len(searched.found) == 1 and searched.whole:
            return RedirectResponse(f"{visit.base}/learners/{searched.found[0].person}", 303)
        if searched.found:
            return visit.page("search.html", wanted=wanted, problem="", **views.searched(searched))
        try:
            return _learner(visit, wanted)
        except Refused as refused:
            problem = "Nobody is known by that name."
            return visit.page("search.html", refused.status, wanted=wanted, problem=problem, **views.searched(searched))

    @router.get("/learners/{person}", summary="What a learner holds, why, and who may see it", openapi_extra=SIGNED_IN)
    def show(visit: _Visit, person: str) -> Response:
        return _learner(visit, person)

    @router.post(
        "/learners/{person}/withdraw",
        status_code=303,
        summary="Withdraws a consent",
        openapi_extra=_form("service", "scope") | SIGNED_IN,
    )
    def withdraw(visit: _Visit, person: str, body: Annotated[bytes, Depends(small_body)]) -> Response:
        form = visit.fields(body)
        service, scope = form.get("service") or None, form.get("scope") or None
        count = acts.withdraw(visit.tenant, person, service=service, scope=scope, by=visit.session.by)
        return visit.back(f"learners/{person}", "withdrawn" if count else "gone")

    @router.get(
        "/badges/{id}", response_class=JSONResponse, summary="A badge as it was issued", openapi_extra=SIGNED_IN
    )
    def badge(visit: _Visit, id: str) -> Response:
        record = visit.tenant.store.get("credential", id)
        if record is None:
            raise Refused("There is no such badge.", status=404, error="not_found")
        return Response(record.body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _learner(visit: Visit, who: str) -> Response:
    tenant = visit.tenant
    found = facts.learner_facts(tenant, who)
    return visit.page("learner.html", **views.learner(found, tenant.clock(), tenant.settings.zone))


# -- the work -------------------------------------------------------------------------------------------------------


def _add_work(router: APIRouter, neighbours: Neighbours) -> None:
    @router.get("/work", summary="What waits, fails or was put aside", openapi_extra=SIGNED_IN)
    def show(visit: _Visit) -> Response:
        tenant = visit.tenant
        found = facts.work_facts(tenant, neighbours)
        return visit.page("work.html", **work_view.work(found, tenant.clock(), tenant.settings.zone))

    @router.post(
        "/work/retry",
        status_code=303,
        summary="Makes due what was put aside",
        openapi_extra=_form("step", "kind", "id") | SIGNED_IN,
    )
    def retry(visit: _Visit, body: Annotated[bytes, Depends(small_body)]) -> Response:
        form = visit.fields(body)
        step, kind, id = (form.get(name, "") for name in ("step", "kind", "id"))
        count = acts.retry(visit.tenant, step=step, kind=kind, id=id, by=visit.session.by)
        return visit.back("work", "retried" if count else "gone")

    @router.post(
        "/work/resend", status_code=303, summary="Sends a delivery again", openapi_extra=_form("id") | SIGNED_IN
    )
    def resend(visit: _Visit, body: Annotated[bytes, Depends(small_body)]) -> Response:
        id = visit.fields(body).get("id", "")
        acts.resend(visit.tenant, neighbours, id=id, by=visit.session.by)
        return visit.back("work", "resent")
