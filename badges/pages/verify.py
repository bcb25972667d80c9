"""The page on which anybody checks a badge, and the same for programs. No logic.

Nothing is kept of what is handed in, and nothing of it is given back but texts, escaped.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from badges.held import certificates, shares
from badges.pages.handed_in import LONGEST_ADDRESS, HandedIn, asked_in, body_of, check_something, form_of
from badges.prior.trusted import known_issuers
from badges.verifying import photographed
from badges.verifying.checks import MOST_BYTES, BadgeChecks
from badges.views import verdict_view
from lrs.kernel.admission import CHECKING
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import sized
from lrs.pages.visit import public_frame
from lrs.storage.edge import read as read_in
from lrs.tenancy.tenants import Tenant
from lrs.web.dates import written_moment
from lrs.web.exchange import exchange_of, in_language, root_of
from lrs.web.language import LEARNERS, language_of
from lrs.web.late import Router
from lrs.web.origins import base_of, client_of
from lrs.web.page import Pages, page_in_language, refusal_page
from lrs.web.page_policy import PagePolicy
from lrs.web.routing import Here, problems
from lrs.web.shared import shared

PLACE = "/verify"
_NOTHING_YET = HandedIn(b"", "", {})
_ABOUT_THE_BADGE = {
    "no_file",
    "empty_file",
    "form_unread",
    "too_large",
    "not_shared",
    "certificate_unknown",
    CHECKING.error,
}
"""What is told beside the form, so that whoever handed something in goes on there."""
_LONGEST_SHOWN = 4_000
"""Characters of what was typed that the page shows again."""


def refusal(request: Request, refused: Refused) -> Response:
    """The page of what is not about a badge, such as an organisation whose pages are closed; it leads to the form."""
    in_language(request)
    return refusal_page(request, refused, "public/verify-refused.html", root=base_of(request), languages=LEARNERS)


PAGES = Pages(PagePolicy(), refusal, frame=public_frame)
"""The page with the form."""
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "text": {"type": "string", "description": "A badge as text, or its https address."},
                        "file": {"type": "string", "format": "binary", "description": "A file or an image with it."},
                        "email": {"type": "string", "description": "Whether it is this person's."},
                    },
                }
            }
        },
    }
}
_CHECK = {
    "type": "object",
    "required": ["name", "ok", "code", "why"],
    "properties": {
        "name": {"type": "string", "example": "signature"},
        "ok": {"type": "boolean"},
        "code": {"type": "string", "description": "The reason; ok if there is nothing to say.", "example": "revoked"},
        "why": {"type": "string", "description": "The reason as a sentence."},
    },
}
_ENDORSEMENT = {
    "type": "object",
    "required": ["issuer", "issuerId", "issuerKnown", "byIssuerOfBadge", "comment"],
    "properties": {
        "issuer": {"type": "string", "description": "What the endorser calls itself: anybody can write any name."},
        "issuerId": {"type": "string", "description": "Who signed it, as was checked."},
        "issuerKnown": {"type": "boolean", "description": "Whether it is in our registry of issuers."},
        "byIssuerOfBadge": {"type": "boolean", "description": "Whether the badge's own issuer signed it."},
        "comment": {"type": "string"},
    },
}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What was found, whether valid or not.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["valid", "outcome", "format", "checks"],
                    "properties": {
                        "valid": {"type": "boolean"},
                        "outcome": {"type": "string", "description": "In a word: valid, revoked, changed, …"},
                        "format": {"type": "string", "description": "What was recognised, such as vc+jwt."},
                        "checks": {"type": "array", "items": _CHECK},
                        "badge": {"type": "object", "description": "What the badge says of itself."},
                        "issuerKnown": {"type": "boolean", "description": "Whether it is in our registry of issuers."},
                        "endorsements": {"type": "array", "items": _ENDORSEMENT},
                        "badges": {"type": "array", "items": {"type": "object"}, "description": "Of a presentation."},
                    },
                }
            }
        },
    }
}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "A badge in any form, or an object with it and with options.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "verifiableCredential": {"description": "A badge: an object, or a text such as a JWT."},
                        "options": {"type": "object", "properties": {"email": {"type": "string"}}},
                    },
                }
            },
            **{kind: {"schema": {"type": "string"}} for kind in ("text/plain", "application/vc+jwt", "image/svg+xml")},
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/png", "image/jpeg")},
        },
    }
}


def routes() -> Router:
    """The router."""
    router = Router(tags=["badges"], default_response_class=HTMLResponse)

    @router.get(PLACE, summary="A page on which anybody checks a badge", responses=problems())
    def show(request: Request, badge: Annotated[str, Query(max_length=_LONGEST_SHOWN)] = "") -> Response:
        """*badge* is an address that stands in the form, such as that of a certificate."""
        return _form(request, 200, text=badge)

    @router.post(PLACE, summary="Checks the badge in a form", responses=problems(413, 429), openapi_extra=_FORM)
    async def send(request: Request, tenant: Here) -> Response:
        checks, asked, handed = shared(request, BadgeChecks), HandedInHere(tenant, root_of(request)), _NOTHING_YET
        try:
            checks.admit(tenant, client_of(request))
            handed = await form_of(request)
            check_something(handed)
            take = functools.partial(asked.take, handed.content, _email(handed))
            verdict = await checks.check(tenant, client_of(request), take)
        except Refused as refused:
            if refused.error not in _ABOUT_THE_BADGE:
                raise
            return _form(request, refused.status, refused, text=_text(handed), email=_email(handed))
        language = language_of(request)
        at = written_moment(tenant.clock(), tenant.settings.zone, language)
        known = await read_in(known_issuers, tenant)
        found = verdict_view.shown(verdict, known, is_printed=asked.is_certificate, language=language)
        return _form(request, 200, result=found, text=_text(handed), email=_email(handed), at=at)

    _add_api(router)
    return router


def _form(request: Request, status: int, refused: Refused | None = None, **shown: Any) -> Response:
    """The page with the form: empty, with a result, or with why nothing was checked."""
    headers = dict(refused.headers) if refused else {}
    told: dict[str, Any] = {"result": None, "text": "", "email": "", "at": ""} | shown
    told |= {"problem": refused, "wait": headers.get("retry-after"), "request_id": exchange_of(request).id}
    told["most"] = sized(MOST_BYTES)
    answer = page_in_language(request, "public/verify.html", status, **told)
    answer.headers.update(headers)
    return answer


def _email(handed: HandedIn) -> str:
    return handed.fields.get("email", "").strip()[:LONGEST_ADDRESS]


def _text(handed: HandedIn) -> str:
    return handed.text if len(handed.text) <= _LONGEST_SHOWN else ""


def _add_api(router: Router) -> None:
    """The check for programs."""

    @router.post(
        f"/api{PLACE}",
        summary="Checks a badge of anybody",
        responses=problems(400, 413, 429) | _ANSWER,
        openapi_extra=_BODY,
        response_class=Response,
    )
    async def ask(request: Request, tenant: Here) -> Response:
        checks = shared(request, BadgeChecks)
        checks.admit(tenant, client_of(request))
        body, asked = await body_of(request), HandedInHere(tenant, root_of(request))
        verdict = await checks.check(tenant, client_of(request), lambda: asked.take(*asked_in(body)))
        found = verdict_view.told(verdict, await read_in(known_issuers, tenant))
        return JSONResponse(found, headers={"cache-control": "no-store"})


@dataclass(slots=True)
class HandedInHere:
    """What somebody hands in to be checked: it may be an address of a badge of ours."""

    tenant: Tenant
    root: str
    is_certificate: bool = False
    """Whether it was the address of a certificate. Then nothing is shown but what is printed."""

    def take(self, content: bytes, email: str) -> tuple[bytes, str]:
        """The badge that *content* is or leads to, also as a photograph of an address, and the e-mail address.

        Raises ``Refused`` (404) for an address of ours at which there is none.

        Called in the thread of the check.
        """
        content = photographed.address_in(content) or content
        printed = certificates.handed_in(self.tenant, content, self.root)
        self.is_certificate = printed is not None
        return printed or shares.handed_in(self.tenant, content, self.root), email
