"""The routes of consent: a service asks for a link, a learner opens it and answers. No logic."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Request, Security
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ConfigDict, Field, model_validator
from starlette.types import Scope

from lrs.access import LINK, SELF, Caller
from lrs.kernel.errors import Refused
from lrs.matching import consent_page as page
from lrs.matching import links
from lrs.matching.consent import Subject
from lrs.matching.door import Here, asking, described, problems, read_body, small_body
from lrs.matching.links import LONGEST_REFERENCE, Wish
from lrs.matching.models import Shape
from lrs.matching.services import CONSENTED
from lrs.matching.times import iso
from lrs.matching.tokens import Access
from lrs.people.identifiers import matches_nobody
from lrs.people.ids import Ids, identified, ids_of
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import Exchange, root_of

_PAGES: dict[int | str, dict[str, Any]] = {"default": {"description": "A page that says why not."}}
_ANSWER = {
    "required": True,
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "required": ["form", "answer"],
                "properties": {
                    "form": {"type": "string", "description": "The token that the page before gave out."},
                    "answer": {"type": "string", "enum": ["agree", "refuse"]},
                },
            }
        }
    },
}
_SCOPES = f"Of {', '.join(CONSENTED)}, always with the first; without any, all the service has."


class Account(Shape):
    """An account, as in xAPI (4.2.2.2)."""

    home_page: str = Field(min_length=1, max_length=2_000)
    name: str = Field(min_length=1, max_length=500)


class Learner(Shape):
    """How the service knows the learner: exactly one of the two."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["mbox"]}, {"required": ["account"]}]})
    mbox: str | None = Field(None, pattern=r"^mailto:[^@\s]{1,64}@[^@\s]{1,255}$", examples=["mailto:ana@example.org"])
    account: Account | None = None

    @model_validator(mode="after")
    def one_of_two(self) -> "Learner":
        """Refuses none and both."""
        if (self.mbox is None) == (self.account is None):
            raise ValueError("give either mbox or account")
        return self


class LinkWanted(Shape):
    """What the service asks the learner for."""

    reference: str = Field(
        min_length=1, max_length=LONGEST_REFERENCE, description="The service's own word for the learner."
    )
    learner: Learner
    scopes: list[str] = Field(default=[], max_length=10, description=_SCOPES)
    purpose: str | None = Field(None, max_length=500, description="Must be the one the service is registered for.")
    consent_days: int | None = Field(None, ge=1, le=3_650, description="The consent ends by itself after so many days.")


class LinkMade(Shape):
    """A link to hand to the learner; the same answer whether or not anybody of that name is known."""

    link: str
    id: str
    expires: str


def routes() -> APIRouter:
    """The router."""
    router = APIRouter()
    _add_links(router)
    _add_page(router)
    return router


def by_link(exchange: Exchange, tenant: Tenant, _: Scope) -> Caller:
    """The learner to whom a link was handed; whoever has it is that. Raises ``Refused`` (404, 410)."""
    link, _service = links.opened(tenant, exchange.place.named["token"])
    return Caller(f"link {link.id}", "", b"", {"consents.answer": SELF}, tenant.id, LINK)


def _add_links(router: APIRouter) -> None:
    @router.post(
        "/api/links",
        status_code=201,
        response_model=LinkMade,
        responses=problems(400, 401, 413),
        openapi_extra=described(LinkWanted),
        tags=["services"],
    )
    def make_link(
        request: Request,
        here: Here,
        who: Annotated[Access, Security(asking)],
        body: Annotated[bytes, Depends(small_body)],
    ) -> dict[str, Any]:
        """A link on which one learner can agree, once, within 24 hours; the service shows it to the learner."""
        wanted = read_body(LinkWanted, body)
        about = subject_of(wanted.learner, ids_of(here))
        wish = Wish(about, tuple(wanted.scopes), wanted.reference, wanted.consent_days, wanted.purpose)
        link = links.mint(here, who.service, wish, id=secrets.token_urlsafe(18), by=f"service {who.service.id}")
        return {"link": links.address(here, link, root_of(request)), "id": link.id, "expires": iso(link.expires)}


def subject_of(learner: Learner, ids: Ids) -> Subject:
    """The identifier that *learner* is, without asking whether anybody has it. Raises ``Refused``."""
    identifier = identified(learner.model_dump(by_alias=True, exclude_none=True), ids)
    fault = matches_nobody(identifier) if identifier else "give either mbox or account"
    if identifier is None or fault:
        raise Refused(fault or "", pointer="/learner/account/name")
    return Subject(identifier=identifier.id)


def _add_page(router: APIRouter) -> None:
    @router.get(
        "/links/{token}",
        response_class=HTMLResponse,
        responses=_PAGES,
        summary="The page on which a learner agrees or not",
        tags=["pages"],
    )
    def show(
        request: Request, tenant: Here, token: str, consent: Annotated[str | None, Cookie()] = None
    ) -> HTMLResponse:
        nonce, browser = secrets.token_urlsafe(18), page.browser_of(consent)
        answer = _page(page.shown(tenant, token, browser, nonce), nonce)
        is_secure = request.url.scheme == "https" or (tenant.settings.public_url or "").startswith("https:")
        path = request.url.path
        answer.set_cookie(page.COOKIE, browser, httponly=True, samesite="strict", secure=is_secure, path=path)
        return answer

    @router.post(
        "/links/{token}",
        status_code=303,
        response_class=HTMLResponse,
        responses=_PAGES,
        openapi_extra={"requestBody": _ANSWER},
        summary="Takes the learner's answer",
        tags=["pages"],
    )
    def decide(
        tenant: Here,
        token: str,
        body: Annotated[bytes, Depends(small_body)],
        consent: Annotated[str | None, Cookie()] = None,
    ) -> Response:
        page.decide(tenant, token, body, consent)
        # To the same address, relative to itself: a reload asks what was decided, and sends nothing again.
        return RedirectResponse(token, 303, page.headers(""))


def refusal(_: Request, refused: Refused) -> HTMLResponse:
    """The page that says to a learner why not."""
    nonce = secrets.token_urlsafe(18)
    title = "Your answer was not taken" if refused.status == 400 else "This link cannot be used"
    return _page(page.said(title, refused.message, nonce), nonce, refused.status)


def _page(html: str, nonce: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(html, status, page.headers(nonce))
