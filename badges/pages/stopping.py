"""The pages of staff on which badges are suspended, resumed and revoked, one or many. No logic."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from fastapi import Response

from badges.credentials.chosen import Chosen, chosen
from badges.held import stops
from badges.held.stops import StopState
from badges.pages import stopping_view
from lrs.kernel.errors import Refused
from lrs.pages import session
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says
from lrs.web.late import Router

ONE, MANY = "/staff/badge/{id}", "/staff/revoke-badges"
_STOPPING = {"suspend": "suspended", "revoke": "revoked"}
_OWN_FAULT = {400, 409, 413}
"""Statuses of faults in what was typed: the page says them beside the field."""

says(
    badge_suspended="The badge is suspended. Whoever checks it sees within a minute or so that it is not valid.",
    badge_revoked="The badge is revoked. Whoever checks it sees within a minute or so that it is not valid.",
    badge_resumed="The badge is being issued anew, if its level is held. Its holder needs the new copy.",
    badge_again="The badge is being issued again, if its level is held. Its holder needs the new copy.",
    badge_was="Nothing was done: the badge was so already.",
    badges_revoked="They are revoked. Whoever checks one of them sees within a minute or so that it is not valid.",
)


def routes() -> Router:
    """The router."""
    router = page_router()
    _add_one(router)
    _add_many(router)
    return router


def _add_one(router: Router) -> None:
    @router.get(ONE, summary="A badge: whose it is, and what stops it", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return badge_page(visit, id, {})

    @router.post(
        ONE,
        status_code=303,
        summary="Suspends, resumes or revokes a badge, or issues it again",
        openapi_extra=form_body("act", "reason", "sure") | SIGNED_IN,
    )
    def act(visit: Visiting, id: str, body: FormBody) -> Response:
        told, tenant, by = visit.fields(body), visit.tenant, visit.session.by
        wanted, reason = told.get("act", ""), told.get("reason", "")
        try:
            if wanted == "resume":
                stops.resume(tenant, id, by=by)
                return _done(visit, id, "badge_resumed")
            if wanted == "issue":
                stops.issue_again(tenant, id, by=by)
                return _done(visit, id, "badge_again")
            state = _state(told)
            reason = stops.check_reason(reason)
            if told.get("sure") != "yes":
                return badge_page(visit, id, told, asks=wanted)
            count = stops.stop(tenant, [id], state, reason=reason, by=by)
        except Refused as refused:
            if refused.status not in _OWN_FAULT:
                raise
            return badge_page(visit, id, told, refused)
        return _done(visit, id, f"badge_{state}" if count else "badge_was")


def _state(told: Mapping[str, str]) -> StopState:
    return cast("StopState", _STOPPING[session.chosen(told, "act", _STOPPING)])


def _done(visit: Visit, id: str, word: str) -> Response:
    return visit.on(ONE.format(id=id), word)


def badge_page(
    visit: Visit, id: str, told: Mapping[str, str], refused: Refused | None = None, *, asks: str = ""
) -> Response:
    """The page of the badge *id*; *asks* is the act that is to be confirmed."""
    sees = may(visit.caller)
    return visit.page(
        "staff/badge-one.html",
        refused.status if refused else 200,
        **stopping_view.one_badge(visit.tenant, id),
        **_faults(refused),
        asks=asks,
        reason=told.get("reason", ""),
        place=f"{visit.root}/staff/badge/{id}",
        may_words=sees("/staff/badges/{achievement}"),
        may_file=sees("/pages/badges/{id}"),
        may_endorse=sees("/staff/badge/{id}/endorse", "POST"),
        comment=told.get("comment", ""),
    )


# -- many -----------------------------------------------------------------------------------------------------------


def _add_many(router: Router) -> None:
    @router.get(MANY, summary="The form to revoke many badges", openapi_extra=SIGNED_IN)
    def ask(visit: Visiting) -> Response:
        return _many(visit, {"achievement": visit.request.query_params.get("achievement", "")})

    @router.post(
        MANY,
        status_code=303,
        summary="Shows which badges would be revoked, or revokes them once their number is typed",
        openapi_extra=form_body("act", "achievement", "ids", "reason", "expected", "seen") | SIGNED_IN,
    )
    def act(visit: Visiting, body: FormBody) -> Response:
        told, tenant = visit.fields(body), visit.tenant
        found: Chosen | None = None
        try:
            reason = stops.check_reason(told.get("reason", ""))
            found = chosen(tenant.store, told.get("achievement", ""), told.get("ids", ""))
            if told.get("act") != "revoke":
                return _many(visit, told, found)
            stop = partial(stops.stop, tenant, found.badges, "revoked", reason=reason, by=visit.session.by)
            stop(agreed=stops.Agreed(stopping_view.number_in(told.get("expected", "")), told.get("seen", "")))
        except Refused as refused:
            if refused.status not in _OWN_FAULT:
                raise
            return _many(visit, told, found, refused)
        return visit.on(MANY, "badges_revoked")


def _many(
    visit: Visit, told: Mapping[str, str], found: Chosen | None = None, refused: Refused | None = None
) -> Response:
    return visit.page(
        "staff/revoke-badges.html",
        refused.status if refused else 200,
        **_faults(refused),
        told={name: told.get(name, "") for name in ("achievement", "ids", "reason")},
        achievements=stopping_view.achievements(visit.tenant),
        found=stopping_view.many_badges(visit.tenant, found) if found and found.to_revoke else None,
        nothing=found is not None and not found.to_revoke,
    )


def _faults(refused: Refused | None) -> dict[str, Any]:
    at = (refused.pointer or "/problem").removeprefix("/") if refused else ""
    return {
        "errors": [{"field": at, "message": refused.message}] if refused else [],
        "wrong": {at: refused.message} if refused else {},
    }
