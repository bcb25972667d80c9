"""The page that a claim link opens: what was earned, accepting it, and the ways to take it. No logic.

Whoever has the link sees the badge and may accept it, once; then it opens in the browser that accepted only.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import Query, Request, Response

from badges.achievements import counts
from badges.achievements.counts import note
from badges.claims import claims
from badges.pages.own_forms import PICTURE
from badges.pages.taking import ACCEPT, Taking
from lrs.kernel.errors import Refused
from lrs.kernel.times import SECOND
from lrs.pages.sign_in import entering
from lrs.pages.visit import FormBody, form_body, page_router
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import in_language, root_of
from lrs.web.language import LEARNERS, language_of
from lrs.web.late import Router
from lrs.web.origins import base_of
from lrs.web.page import Pages, redirect, refusal_page
from lrs.web.page_policy import PagePolicy
from lrs.web.routing import Here

COOKIE = "badge-claim"


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get("/claim/{claim}", summary="The page on which a learner gets a badge")
    def show(request: Request, tenant: Here, claim: str, wallet: Annotated[str, Query(max_length=60)] = "") -> Response:
        taking, is_accepted = _taking(request, tenant, claim)
        note(tenant, taking.badge.id, "opened")
        return _shown(request, taking, is_accepted=is_accepted, wallet=wallet)

    @router.post(
        "/claim/{claim}",
        status_code=303,
        summary="Accepts the badge, opens the way into a wallet, shares it, or stops that",
        openapi_extra=form_body("act", "name"),
    )
    def act(request: Request, tenant: Here, claim: str, body: FormBody) -> Response:
        form = entering.fields(request, tenant, body)
        answer = redirect(request, request.url.path)
        if form.get("act") == ACCEPT:
            browser = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)
            _accept(tenant, claim, browser)
            _keep(answer, request, tenant, browser)
            return answer
        taking = _accepted(request, tenant, claim)
        opened = taking.do(form)
        return redirect(request, f"{request.url.path}?wallet={opened}#wallet") if opened else answer

    @router.get("/claim/{claim}/file", summary="The badge of a claim link, as a file")
    def file(
        request: Request, tenant: Here, claim: str, form: Annotated[str, Query(max_length=20)] = "json"
    ) -> Response:
        taking = _taking(request, tenant, claim)[0] if form == PICTURE else _accepted(request, tenant, claim)
        made, media_type, saved_as = taking.file(form)
        headers = {"Cache-Control": "no-store", "Content-Disposition": saved_as, "X-Robots-Tag": "noindex"}
        return Response(made, media_type=media_type, headers=headers)

    return router


def _accept(tenant: Tenant, token: str, browser: str) -> None:
    def decide(tx: Any) -> None:
        badge = claims.accept(tx, tenant, token, browser)
        counts.count(tx, badge.id, "claimed", tenant.clock())

    tenant.store.write(decide).result()


def _taking(request: Request, tenant: Tenant, token: str) -> tuple[Taking, bool]:
    """What the link opens in this browser, and whether it was accepted. Raises ``Refused`` (404, 410)."""
    found, badge = claims.opened(tenant, token, request.cookies.get(COOKIE))
    language = language_of(request)
    return Taking(tenant, badge, language, root_of(request), f"claim {found.badge}"), bool(found.accepted)


def _accepted(request: Request, tenant: Tenant, token: str) -> Taking:
    """As ``_taking``, and raises ``Refused`` (409) until the badge is accepted."""
    taking, is_accepted = _taking(request, tenant, token)
    if not is_accepted:
        raise Refused("Accept the badge first.", status=409, error="not_accepted")
    return taking


def _shown(request: Request, taking: Taking, *, is_accepted: bool, wallet: str) -> Response:
    path = request.url.path
    told = {"here": "", "act": path, "file": f"{path}/file", "accepted": is_accepted, "done": ""}
    return entering.learners_page(
        request, taking.tenant, "learner/badge.html", **taking.shown(wallet if is_accepted else ""), **told
    )


def _keep(answer: Response, request: Request, tenant: Tenant, browser: str) -> None:
    """Sets the cookie by which the link goes on opening in this browser."""
    is_secure = (tenant.settings.pages_root or "").startswith("https:")
    seconds, path = claims.LASTS // SECOND, request.url.path
    answer.set_cookie(COOKIE, browser, max_age=seconds, httponly=True, samesite="lax", secure=is_secure, path=path)


def refusal(request: Request, refused: Refused) -> Response:
    """The page that tells a learner why a link or a button did not work."""
    in_language(request)
    root = base_of(request)
    return refusal_page(request, refused, "learner/claim-refused.html", root=root, languages=LEARNERS)


PAGES = Pages(PagePolicy(referrer="no-referrer"), refusal)
"""Pages whose address is a secret."""
