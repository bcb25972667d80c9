"""The consent pages: a learner opens a link and answers, then a guardian if needed. No logic."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import Cookie, Depends, Request
from fastapi.responses import HTMLResponse, Response
from starlette.types import Scope

from lrs.access import LINK, SELF, Caller
from lrs.access.signed_in import session_in
from lrs.kernel.errors import Refused
from lrs.matching.consent import answers, links
from lrs.matching.consent import page as consent_page
from lrs.matching.consent.answers import ConsentAnswer, Posted
from lrs.matching.consent.links import OPEN, WAITING, ConsentLink
from lrs.matching.consent.page import AGREE, ANSWERS, STOP, ConsentForm, Looker
from lrs.matching.consent.who_answers import check_answer, needs_sign_in
from lrs.matching.services import Service
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import Exchange, in_language
from lrs.web.language import LEARNERS
from lrs.web.late import Router
from lrs.web.origins import base_of, pages_address_for, session_cookie
from lrs.web.page import Pages, page, redirect, refusal_page
from lrs.web.page_policy import PagePolicy
from lrs.web.routing import Here, small_body

_REFUSALS: dict[int | str, dict[str, Any]] = {"default": {"description": "A page that says why not."}}
_ANSWER = {
    "required": True,
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "required": ["form", "answer"],
                "properties": {
                    "form": {"type": "string", "description": "The token that the page before gave out."},
                    "answer": {"type": "string", "enum": list(ANSWERS)},
                    "scope": {"type": "array", "items": {"type": "string"}, "description": "Those that were ticked."},
                    "age": {"type": "string", "enum": ["of_age", "under"]},
                    "name": {"type": "string"},
                    "guardian": {"type": "string"},
                },
            }
        }
    },
}


class Looking(msgspec.Struct, frozen=True):
    """A request for a consent page.

    *cookie* is the browser's, to which forms are bound. *looker* is the visitor.
    """

    request: Request
    tenant: Tenant
    looker: Looker
    cookie: str | None

    @property
    def posted(self) -> Posted:
        """The address and the language for links in mails."""
        return Posted(pages_address_for(self.request), self.looker.language)

    def page(self, template: str, told: Mapping[str, Any], status: int = 200) -> Response:
        """The page, with the cookie for its form."""
        answer = page(self.request, template, status, **told, languages=LEARNERS)
        is_secure = (self.tenant.settings.pages_root or "").startswith("https:")
        cookie, path = (consent_page.COOKIE, self.looker.browser), self.request.url.path
        answer.set_cookie(*cookie, httponly=True, samesite="lax", secure=is_secure, path=path)
        return answer


def looking(request: Request, tenant: Here, consent: Annotated[str | None, Cookie()] = None) -> Looking:
    """The dependency that gives the request for a consent page."""
    language = in_language(request)
    found = session_in(tenant, request.cookies.get(session_cookie(tenant)))
    browser, person = consent_page.browser_of(consent), found.caller.person if found else ""
    return Looking(request, tenant, Looker(browser, language, person), consent)


Looks = Annotated[Looking, Depends(looking)]


def routes() -> Router:
    """The router."""
    router = Router()
    _add_page(router)
    _add_guardian(router)
    return router


def by_link(exchange: Exchange, tenant: Tenant, _: Scope) -> Caller:
    """The learner or the guardian who has the link; having it is the only proof. Raises ``Refused`` (404, 410)."""
    named = exchange.place.named
    if "guardian" in named:
        link = answers.opened_by_guardian(tenant, named["guardian"])[0]
        return Caller(f"guardian by link {link.id}", "", b"", {"consents.answer": SELF}, tenant.id, LINK)
    link = links.opened(tenant, named["token"])[0]
    return Caller(f"link {link.id}", "", b"", {"consents.answer": SELF}, tenant.id, LINK)


def _add_page(router: Router) -> None:
    @router.get(
        "/links/{token}",
        response_class=HTMLResponse,
        responses=_REFUSALS,
        summary="The page on which a learner agrees or not",
        tags=["pages"],
    )
    def show(looking: Looks, token: str) -> Response:
        link, service = links.opened(looking.tenant, token)
        consent_page.check_learner(looking.tenant, link, looking.looker.person)
        return _shown(looking, link, service)

    @router.post(
        "/links/{token}",
        status_code=303,
        response_class=HTMLResponse,
        responses=_REFUSALS,
        openapi_extra={"requestBody": _ANSWER},
        summary="Takes the learner's answer",
        tags=["pages"],
    )
    def decide(request: Request, looking: Looks, token: str, body: Annotated[bytes, Depends(small_body)]) -> Response:
        tenant = looking.tenant
        link, service = links.opened(tenant, token)
        form = consent_page.read_form(tenant, consent_page.of_learner(link), body, looking.cookie)
        consent_page.check_learner(tenant, link, looking.looker.person)
        if form.answer == STOP:
            check_answer(link, service, looking.looker.person)
            answers.stop(tenant, link.id, by=f"link {link.id}")
        elif link.state == OPEN:
            person = looking.looker.person
            faults = consent_page.faults_in(tenant, link, form, person) if form.answer == AGREE else {}
            if faults:
                return _shown(looking, link, service, form, faults)
            answer = ConsentAnswer(form.answer == AGREE, form.scopes, person or None, form.asked)
            answers.decide(tenant, token, answer, looking.posted)
        # Redirects to the same address, relative to itself: a reload then shows the decision and sends nothing again.
        return redirect(request, token)


def _shown(
    looking: Looking,
    link: ConsentLink,
    service: Service | None,
    form: ConsentForm = ConsentForm(),  # noqa: B008 (a frozen value)
    faults: Mapping[str, str] = {},
) -> Response:
    looker = looking.looker
    sign_in = f"{base_of(looking.request)}/sign-in/learner?then={looking.request.url.path}"
    if link.state == OPEN and service is not None:
        told = consent_page.question(looking.tenant, link, service, looker, form, faults)
        return looking.page("learner/consent.html", {**told, "sign_in": sign_in}, 400 if faults else 200)
    if needs_sign_in(link, service) and not looker.person:
        return looking.page("learner/answered.html", {"sign_in": sign_in})
    token = consent_page.form_token(looking.tenant, consent_page.of_learner(link), looker.browser)
    return looking.page("learner/decided.html", consent_page.decided(looking.tenant, link, service, looker, token))


def _add_guardian(router: Router) -> None:
    @router.get(
        "/guardian/{guardian}",
        response_class=HTMLResponse,
        responses=_REFUSALS,
        summary="The page on which a parent or guardian agrees or not",
        tags=["pages"],
    )
    def show(looking: Looks, guardian: str) -> Response:
        tenant, looker = looking.tenant, looking.looker
        link, asked, service = answers.opened_by_guardian(tenant, guardian)
        if link.state == WAITING and service is not None:
            told = consent_page.guardian_question(tenant, link, asked, service, looker)
            return looking.page("learner/guardian.html", told)
        token = consent_page.form_token(tenant, consent_page.of_guardian(link), looker.browser)
        answered = consent_page.decided(tenant, link, service, looker, token)
        return looking.page("learner/decided.html", answered | {"my_page": False})  # a guardian has none

    @router.post(
        "/guardian/{guardian}",
        status_code=303,
        response_class=HTMLResponse,
        responses=_REFUSALS,
        openapi_extra={"requestBody": _ANSWER},
        summary="Takes the guardian's answer",
        tags=["pages"],
    )
    def decide(
        request: Request, looking: Looks, guardian: str, body: Annotated[bytes, Depends(small_body)]
    ) -> Response:
        tenant = looking.tenant
        link, _, _ = answers.opened_by_guardian(tenant, guardian)
        form = consent_page.read_form(tenant, consent_page.of_guardian(link), body, looking.cookie)
        if form.answer == STOP:
            answers.stop(tenant, link.id, by=f"guardian by link {link.id}")
        else:
            answers.decide_as_guardian(tenant, guardian, agree=form.answer == AGREE)
        return redirect(request, guardian)


def refusal(request: Request, refused: Refused) -> Response:
    """The page that tells a learner or a guardian why the request was refused."""
    in_language(request)
    return refusal_page(request, refused, "learner/refused.html", root=base_of(request), languages=LEARNERS)


PAGES = Pages(PagePolicy(referrer="no-referrer", opener="unsafe-none"), refusal)
"""The headers of a page whose address is a secret. A service that opened it in a window can see when that closes."""
