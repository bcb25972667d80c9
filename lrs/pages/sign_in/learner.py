"""Signing in by a link or a code that is sent to the learner. No logic.

The answer is the same, and as fast, whether an address is known or not. A proven address shows nothing before its owner
has read what it would show and has confirmed that this is them.
"""

import msgspec
from fastapi import Request, Response

from lrs.access import learners, one_time, tries
from lrs.access.one_time import OneTime
from lrs.access.staff import Login
from lrs.access.tries import Try, TryLimit
from lrs.kernel.admission import RetryLater
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, seal, unseal
from lrs.kernel.times import MINUTE
from lrs.pages import session
from lrs.pages.sign_in import entering
from lrs.pages.sign_in.password import ways
from lrs.pages.visit import FormBody, form_body, page_router, said
from lrs.people import sign_in
from lrs.tenancy.tenants import Tenant
from lrs.web.language import language_of, said_in
from lrs.web.late import Router
from lrs.web.origins import base_of, client_of, pages_address_for, set_cookie, then_cookie
from lrs.web.routing import Here

OF_ADDRESS, OF_CLIENT = TryLimit(5, 30 * 60), TryLimit(60, 60 * 60)
"""How often a message may be asked for: for one address, and by one client."""
_CONFIRM_LASTS = 10 * MINUTE
_THEN_LASTS = 30 * 60
"""Seconds."""


class Proven(msgspec.Struct, frozen=True):
    """The proof of the browser with this *nonce*, and the person it would show. Until then it can be confirmed."""

    person: str
    nonce: str
    until: int
    address: str = ""
    login: Login | None = None


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get("/sign-in/learner", summary="The form by which a learner asks for a link")
    def show(request: Request, tenant: Here, then: str = "") -> Response:
        return _asked(request, tenant, then=then)

    @router.post(
        "/sign-in/learner", summary="Sends a link and a code, if the address is known", openapi_extra=form_body("email")
    )
    def ask(request: Request, tenant: Here, body: FormBody) -> Response:
        email = entering.fields(request, tenant, body).get("email", "")
        browser = entering.browser_token(request, tenant) or ""
        try:
            tries.count(tenant, Try(("message by", client_of(request)), OF_CLIENT))
            if _may_be_sent(tenant, email):
                language = language_of(request)
                sign_in.ask(tenant, email, browser, pages_address_for(request), language)
        except Refused as refused:
            return _asked(request, tenant, refused)
        return _sent(request, tenant)

    @router.post(
        "/sign-in/learner/code", status_code=303, summary="Signs in with the code", openapi_extra=form_body("code")
    )
    def by_code(request: Request, tenant: Here, body: FormBody) -> Response:
        code = entering.fields(request, tenant, body).get("code", "")
        try:
            proven = sign_in.prove_by_code(tenant, code, entering.browser_token(request, tenant) or "")
        except Refused as refused:
            return _sent(request, tenant, refused)
        return _proved(request, tenant, proven)

    _add_links(router)
    _add_confirming(router)
    return router


def _add_links(router: Router) -> None:
    """What a link of a message opens."""

    @router.get("/sign-in/link/{token}", summary="The button that uses a link")
    def look(request: Request, tenant: Here, token: str) -> Response:
        found = one_time.look(tenant, token, sign_in.SIGN_IN)
        mine = one_time.is_of_browser(found, entering.browser_token(request, tenant))
        return entering.learners_page(request, tenant, "account/link.html", token=token, mine=mine)

    @router.post("/sign-in/link/{token}", status_code=303, summary="Uses a link", openapi_extra=form_body())
    def by_link(request: Request, tenant: Here, token: str, body: FormBody) -> Response:
        entering.fields(request, tenant, body)
        return _proved(request, tenant, sign_in.prove_by_link(tenant, token, entering.browser_token(request, tenant)))


def _add_confirming(router: Router) -> None:
    """The question whether a record is one's own."""

    @router.post(
        "/sign-in/learner/confirm",
        status_code=303,
        summary="Says that a record is one's own, and signs in",
        openapi_extra=form_body("proven"),
    )
    def confirm(request: Request, tenant: Here, body: FormBody) -> Response:
        text = entering.fields(request, tenant, body).get("proven", "")
        told = _confirmed(tenant, text, entering.browser_token(request, tenant) or "")
        way = entering.way(request, tenant, "link" if told.login is None else "provider")
        opened = sign_in.sign_in(tenant, told.person, way, address=told.address, login=told.login)
        return entering.entered(request, tenant, opened)


def ask_whether_own(
    request: Request, tenant: Tenant, person: str, *, address: str, login: Login | None = None
) -> Response:
    """The page that says what would be shown; its button signs in."""
    nonce = entering.known_or_new(request, tenant)
    told = Proven(person, nonce, tenant.clock() + _CONFIRM_LASTS, address, login)
    shown = {"proven": seal(tenant.secret("learner-proven"), told), "preview": sign_in.preview(tenant, person)}
    return entering.learners_page(request, tenant, "account/own-record.html", browser=nonce, address=address, **shown)


def _may_be_sent(tenant: Tenant, email: str) -> bool:
    """Whether another message may be sent to *email*. The client is not told."""
    try:
        tries.count(tenant, Try(("message to", email.strip().casefold()), OF_ADDRESS))
    except RetryLater:
        return False
    return True


def _proved(request: Request, tenant: Tenant, proven: OneTime) -> Response:
    if learners.person_with_address(tenant.store, proven.address) != proven.about:
        return ask_whether_own(request, tenant, proven.about, address=proven.address)
    way = entering.way(request, tenant, "link")
    return entering.entered(request, tenant, sign_in.sign_in(tenant, proven.about, way, address=proven.address))


def _confirmed(tenant: Tenant, text: str, nonce: str) -> Proven:
    try:
        told = unseal(tenant.secret("learner-proven"), text, Proven)
    except NotOurs:
        told = None
    if told is None or told.nonce != nonce or told.until <= tenant.clock():
        raise Refused(
            "That took too long, or was shown in another browser. Sign in again.", status=403, error="bad_form"
        )
    return told


def _asked(request: Request, tenant: Tenant, refused: Refused | None = None, then: str = "") -> Response:
    done = said_in(language_of(request), said(request))
    answer = entering.learners_page(
        request, tenant, "account/learner.html", refused, providers=ways(tenant, "learners"), done=done
    )
    if there := session.safe_return(base_of(request), then):
        set_cookie(answer, tenant, then_cookie(tenant), there, _THEN_LASTS)
    return answer


def _sent(request: Request, tenant: Tenant, refused: Refused | None = None) -> Response:
    return entering.learners_page(request, tenant, "account/sent.html", refused, minutes=sign_in.MINUTES)
