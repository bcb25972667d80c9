"""The page to which the code of a certificate leads: whether the badge still counts, and what is printed. No logic."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from badges.achievements.achievements import version_id
from badges.achievements.counts import note
from badges.content.compose import name_in
from badges.held import certificates, stops
from badges.verifying.lookup import resolver, status_lists
from badges.verifying.verify import verify
from badges.views import badge_view
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant
from lrs.web.dates import written_moment
from lrs.web.language import language_of
from lrs.web.late import Router
from lrs.web.origins import base_of
from lrs.web.page import page_in_language
from lrs.web.routing import Here, problems

_UNLISTED = {"X-Robots-Tag": "noindex", "Cache-Control": "no-store"}


def routes() -> Router:
    """The router."""
    router = Router(tags=["badges"], default_response_class=HTMLResponse)

    @router.get(
        "/t/{tenant}/check/{certificate}",
        responses=problems(404),
        summary="Whether the badge of a certificate still counts, for whoever has the certificate",
    )
    def show(request: Request, tenant: Here, certificate: str) -> Response:
        record = certificates.found_by(tenant, certificate)
        note(tenant, record.id, "verified")
        told = _shown(tenant, record, language_of(request), base_of(request))
        answer = page_in_language(request, "learner/certificate.html", **told)
        answer.headers.update(_UNLISTED)
        return answer

    return router


def _shown(tenant: Tenant, record: Record, language: str, base: str) -> dict[str, Any]:
    at, credential = tenant.clock(), json.loads(record.body)
    verdict = verify(record.body, at=at, resolve=resolver(tenant, None), fetch=status_lists(tenant, None))
    said = badge_view.badge(credential, language)
    address = certificates.check_address(tenant, record.id) or ""
    return {
        "badge": {**said, "takes": [], "evidence": []},
        "holder": name_in(credential),
        "checked": badge_view.checked(verdict, stops.state_of(tenant.store, record)),
        "at": written_moment(at, tenant.settings.zone, language),
        "picture": _picture(record),
        "verify": f"{base}/verify?badge={quote(address, safe='')}",
    }


def _picture(record: Record) -> str:
    """The address of the image, beside this page; empty for a badge of a release that knew no versions."""
    of, number = record.meta.get("achievement"), record.meta.get("version")
    return f"../achievements/{version_id(str(of), int(number))}/image.svg" if of and number else ""
