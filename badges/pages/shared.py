"""The page of a badge that its holder shares: for whoever has the address. No logic.

Programs get the signed badge there, by ``Accept``. Nothing here is found by search engines.
"""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request, Response

from badges.achievements.counts import note
from badges.credentials.stored import stored_badge
from badges.forms import form_named
from badges.held import shares, stops
from badges.held.shares import BadgeShare
from badges.pages.taking import shared_address
from badges.prior.trusted import known_issuers
from badges.published.public import PublicRoute
from badges.verifying.lookup import resolver, status_lists
from badges.verifying.verify import verify
from badges.views import badge_view
from lrs.kernel.errors import Refused
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant
from lrs.web.accept import preferred
from lrs.web.dates import written_moment
from lrs.web.exchange import in_language, root_of
from lrs.web.language import LEARNERS, language_of
from lrs.web.late import Router
from lrs.web.origins import base_of
from lrs.web.page import Pages, page_in_language, refusal_page
from lrs.web.page_policy import PagePolicy
from lrs.web.routing import Here, problems

_HTML, _VC, _JSON = "text/html", "application/vc", "application/json"
_UNLISTED = {"X-Robots-Tag": "noindex", "Cache-Control": "no-store"}


def routes() -> Router:
    """The router."""
    router = Router(route_class=PublicRoute, tags=["badges"], default_response_class=Response)

    @router.get(
        "/t/{tenant}/shared/{share}",
        responses=problems(404) | _sends(_HTML, _VC, _JSON),
        summary="A badge that its holder shares: a page, or the signed badge by Accept",
    )
    def show(request: Request, tenant: Here, share: str) -> Response:
        found, record = shares.shared(tenant, share)
        note(tenant, record.id, "verified")
        asked = preferred(request.headers.get("accept"), (_HTML, _VC, _JSON))
        if asked != _HTML:
            return Response(record.body, media_type=asked, headers=_UNLISTED | {"vary": "accept"})
        language = language_of(request)
        told = _shown(tenant, found, record, language, root_of(request), request.url.path)
        answer = page_in_language(request, "learner/shared.html", **told)
        answer.headers.update(_UNLISTED | {"vary": "accept"})
        return answer

    @router.get(
        "/t/{tenant}/shared/{share}/badge.png",
        responses=problems(404) | _sends("image/png"),
        summary="The picture of a badge that its holder shares, with the badge in it",
    )
    def png(tenant: Here, share: str) -> Response:
        return _image(tenant, share, "png")

    @router.get(
        "/t/{tenant}/shared/{share}/badge.svg",
        responses=problems(404) | _sends("image/svg+xml"),
        summary="The same as SVG",
    )
    def svg(tenant: Here, share: str) -> Response:
        return _image(tenant, share, "svg")

    return router


def _image(tenant: Tenant, token: str, name: str) -> Response:
    _, record = shares.shared(tenant, token)
    form = form_named(name)
    made = form.make(stored_badge(tenant, record.id, record.body))
    return Response(made, media_type=form.media_type, headers=_UNLISTED)


def _shown(tenant: Tenant, share: BadgeShare, record: Record, language: str, root: str, path: str) -> dict[str, Any]:
    at, place, credential = tenant.clock(), shared_address(tenant, share, root), json.loads(record.body)
    endorsed = badge_view.endorsed(credential, known_issuers(tenant))
    verdict = verify(record.body, at=at, resolve=resolver(tenant, None), fetch=status_lists(tenant, None))
    return {
        "badge": badge_view.badge(credential, language) | {"endorsed": endorsed},
        "holder": shares.holder_shown(tenant.store, share),
        "checked": badge_view.checked(verdict, stops.state_of(tenant.store, record)),
        "at": written_moment(at, tenant.settings.zone, language),
        "place": place,
        "here_place": path,
    }


def _sends(*media_types: str) -> dict[int | str, dict[str, Any]]:
    is_json = {_VC, _JSON}
    content = {one: {"schema": {"type": "object" if one in is_json else "string"}} for one in media_types}
    return {200: {"description": "It is there.", "content": content}}


def refusal(request: Request, refused: Refused) -> Response:
    """The page where nothing is shared, or not any more."""
    in_language(request)
    root = base_of(request)
    return refusal_page(request, refused, "learner/claim-refused.html", root=root, languages=LEARNERS)


PAGES = Pages(PagePolicy(forms=False, referrer="no-referrer"), refusal, negotiated=True)
"""Those of shared badges."""
