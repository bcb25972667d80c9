"""The page on which anybody checks a badge, and the same for programs. No logic.

Nothing is kept of what is handed in, and nothing of it is given back but texts, escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from badges.held import certificates, shares
from badges.pages.handed_in import LONGEST_ADDRESS, asked_in, body_of, check_something, form_of
from badges.prior.trusted import known_issuers
from badges.verifying.checks import BadgeChecks
from badges.views import verdict_view
from lrs.kernel.errors import Refused
from lrs.pages import front
from lrs.pages.visit import public_frame
from lrs.storage.edge import read as read_in
from lrs.tenancy.tenants import Tenant
from lrs.web.dates import written_moment
from lrs.web.exchange import exchange_of, root_of
from lrs.web.language import LEARNERS, language_of
from lrs.web.late import Router
from lrs.web.origins import client_of
from lrs.web.page import Pages, page_in_language
from lrs.web.page_policy import PagePolicy
from lrs.web.routing import Here, problems
from lrs.web.shared import shared

PLACE = "/verify"
_TAKEN_TO_READ = {"no_file", "not_shared", "certificate_unknown"}
_LONGEST_SHOWN = 4_000
"""Characters of what was typed that the page shows again."""
PAGES = Pages(PagePolicy(), front.refusal, frame=public_frame)
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
            "image/png": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def routes() -> Router:
    """The router."""
    router = Router(tags=["badges"], default_response_class=HTMLResponse)

    @router.get(PLACE, summary="A page on which anybody checks a badge", responses=problems())
    def show(request: Request, badge: Annotated[str, Query(max_length=_LONGEST_SHOWN)] = "") -> Response:
        """*badge* is an address that stands in the form, such as that of a certificate."""
        return page_in_language(request, "public/verify.html", result=None, text=badge, email="", at="", problem="")

    @router.post(PLACE, summary="Checks the badge in a form", responses=problems(413, 429), openapi_extra=_FORM)
    async def send(request: Request, tenant: Here) -> Response:
        checks = shared(request, BadgeChecks)
        checks.admit(tenant, client_of(request))
        handed = await form_of(request)
        email = handed.fields.get("email", "").strip()[:LONGEST_ADDRESS]
        shown_text = handed.text if len(handed.text) <= _LONGEST_SHOWN else ""
        asked = HandedInHere(tenant, root_of(request))
        try:
            check_something(handed)
            verdict = await checks.check(tenant, client_of(request), lambda: asked.take(handed.content, email))
        except Refused as refused:
            if refused.error not in _TAKEN_TO_READ:
                raise
            told = {"problem": refused.message, "request_id": exchange_of(request).id}
            empty = {"result": None, "text": shown_text, "email": email, "at": ""}
            return page_in_language(request, "public/verify.html", refused.status, **told, **empty)
        language = language_of(request, LEARNERS)
        at = written_moment(tenant.clock(), tenant.settings.zone, language)
        known = await read_in(known_issuers, tenant)
        found = verdict_view.shown(verdict, known, is_printed=asked.is_certificate, language=language)
        return page_in_language(
            request, "public/verify.html", result=found, text=shown_text, email=email, at=at, problem=""
        )

    _add_api(router)
    return router


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
        """The badge that *content* is or leads to, and the e-mail address.

        Raises ``Refused`` (404) for an address of ours at which there is none.

        Called in the thread of the check.
        """
        printed = certificates.handed_in(self.tenant, content, self.root)
        self.is_certificate = printed is not None
        return printed or shares.handed_in(self.tenant, content, self.root), email
