"""The public pages of what badges stand for: an achievement, its criteria, its image, the competency. Decides nothing.

Each is a permanent address that answers programs with JSON and people with a page. None names a learner.
"""

from __future__ import annotations

import json

from fastapi import Request, Response

from badges.achievements import achievements
from badges.achievements.image import png_of, svg_of
from badges.endorsing.endorsements import endorsements_of
from badges.keys.issuer import issuer_of, public_url
from badges.prior.trusted import known_issuers
from badges.published import achievement_view
from badges.published.public import BadgeTenant, PublicRoute, as_json, record_of, sends
from lrs.pages import front
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant
from lrs.web.accept import preferred
from lrs.web.late import Router
from lrs.web.page import Pages, page_in_language
from lrs.web.page_policy import PagePolicy
from lrs.web.routing import problems

PAGES = Pages(PagePolicy(caching="public, max-age=300", forms=False), front.refusal, negotiated=True)
_JSON_OR_PAGE = ("application/json", "text/html")
_ANSWERS = problems(404) | sends(*_JSON_OR_PAGE)
_FOR_A_DAY = "public, max-age=86400"


def routes() -> Router:
    """The router."""
    router = Router(route_class=PublicRoute, tags=["badges"], default_response_class=Response)

    @router.get(
        "/t/{tenant}/achievements/{id}", responses=_ANSWERS, summary="What a badge stands for, as JSON-LD or a page"
    )
    def achievement(tenant: BadgeTenant, id: str, request: Request) -> Response:
        record = record_of(tenant, achievements.KIND, id)
        stored = json.loads(record.body)
        if _wants_json(request):
            return as_json(stored)
        issuer = _issuer(tenant)
        shown = achievement_view.achievement(stored, issuer, id) | _versions(tenant, record)
        given, own = endorsements_of(tenant.store, id), issuer_of(tenant).id
        endorsed = achievement_view.endorsed(given, own, known_issuers(tenant) if given else {})
        return _page(request, "public/achievement.html", picture=f"{id}/image.svg", endorsed=endorsed, **shown)

    _add_images(router)
    _add_words(router)
    return router


def _add_images(router: Router) -> None:
    """The image of an achievement, in both its forms."""

    @router.get(
        "/t/{tenant}/achievements/{id}/image.png",
        responses=problems(404) | sends("image/png"),
        summary="The image of an achievement, for wallets",
    )
    def png(tenant: BadgeTenant, id: str) -> Response:
        return _image(png_of(tenant, record_of(tenant, achievements.KIND, id)), "image/png")

    @router.get(
        "/t/{tenant}/achievements/{id}/image.svg",
        responses=problems(404) | sends("image/svg+xml"),
        summary="The image of an achievement, for pages and print",
    )
    def svg(tenant: BadgeTenant, id: str) -> Response:
        return _image(svg_of(tenant, record_of(tenant, achievements.KIND, id)), "image/svg+xml")


def _add_words(router: Router) -> None:
    """What a badge takes, and the competency that it points to."""

    @router.get("/t/{tenant}/criteria/{id}", responses=_ANSWERS, summary="What a badge takes, as JSON-LD or a page")
    def criteria(tenant: BadgeTenant, id: str, request: Request) -> Response:
        stored = json.loads(record_of(tenant, achievements.KIND, id).body)
        address = public_url(tenant, f"criteria/{id}")
        if _wants_json(request):
            return as_json(achievement_view.criteria_json(stored, address))
        shown = achievement_view.achievement(stored, _issuer(tenant), id)
        return _page(request, "public/criteria.html", **shown)

    @router.get(
        "/t/{tenant}/competencies/{id}",
        responses=_ANSWERS,
        summary="A competency that badges point to, as an item of CASE 1.1 or a page",
    )
    def competency(tenant: BadgeTenant, id: str, request: Request) -> Response:
        item = achievements.read_item(record_of(tenant, achievements.ITEM, id))
        if _wants_json(request):
            return as_json(achievement_view.case_item(item, id, public_url(tenant, f"competencies/{id}")))
        return _page(request, "public/competency.html", **achievement_view.item(item))


def _wants_json(request: Request) -> bool:
    return preferred(request.headers.get("accept"), _JSON_OR_PAGE) != "text/html"


def _page(request: Request, template: str, **shown: object) -> Response:
    answer = page_in_language(request, template, **shown)
    answer.headers["vary"] = "accept, accept-language, cookie"
    return answer


def _image(content: bytes, media_type: str) -> Response:
    return Response(content, media_type=media_type, headers={"cache-control": _FOR_A_DAY})


def _issuer(tenant: Tenant) -> str:
    return str(issuer_of(tenant).profile()["name"])


def _versions(tenant: Tenant, record: Record) -> dict[str, object]:
    """The versions of the words of the achievement, newest first, and which of them this is."""
    found = achievements.versions_of(tenant.store, str(record.meta.get("of", record.id)))
    return {
        "versions": [(id, number) for id, number in found if id != record.id],
        "newest": found[:1] == [(record.id, record.meta.get("version", 1))],
    }
