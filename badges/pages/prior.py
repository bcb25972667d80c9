"""Badges of others that a learner brings along: a page for the learner, and one for staff. No logic."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from badges.pages.handed_in import check_something, form_of
from badges.prior import prior
from badges.prior.prior import PriorBadge, PriorPlan
from badges.verifying.checks import BadgeChecks
from lrs.kernel.errors import Refused
from lrs.pages import reach, session
from lrs.pages.me.facts import own
from lrs.pages.me.own_page import READ, own_page
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says_to_learners, uploads
from lrs.people.persons import identifiers_in, members_of
from lrs.storage.edge import read
from lrs.web.dates import written_day
from lrs.web.late import Router
from lrs.web.origins import client_of
from lrs.web.shared import shared
from lrs.xapi.statements.subscriptions import Subscriptions

OWN = "/me/prior"
OF_LEARNER = "/staff/learners/{person}/prior"
_ONLY_ALL = (
    "Only staff who see the learners of every source can vouch that a badge is somebody's. Nothing was kept: bring it"
    " without that, or ask one of them."
)
_TAKEN_TO_READ = {"badge_not_valid", "no_file", "empty_file", "form_unread", "too_large", "too_many"}
_SENDS = uploads("text", "theirs") | SIGNED_IN

NOT_YOURS = "prior_not_yours"

says_to_learners(
    prior_evidence="The badge is kept, and counts as evidence for the rules that name badges of others.",
    prior_not_yours="This badge is somebody else's, or was issued to an address not known here. It has no effect.",
    prior_removed="The badge is removed. If it was evidence, it counts no more: levels follow within seconds.",
    prior_kept="The badge is kept, without effect on skills. Why stands beside it.",
)


def routes(subscriptions: Subscriptions) -> Router:
    """The router; *subscriptions*: what a stored statement owes."""
    router = page_router()
    _add_own(router, subscriptions)
    _add_of_learner(router, subscriptions)
    _add_removing(router, subscriptions)
    return router


def _add_removing(router: Router, subscriptions: Subscriptions) -> None:
    sends = form_body("badge") | SIGNED_IN

    @router.post(
        f"{OWN}/remove", status_code=303, summary="Removes a badge of others of one's own", openapi_extra=sends
    )
    def own_one(visit: Visiting, body: FormBody) -> Response:
        badge = visit.fields(body).get("badge", "")
        _remove(visit, _mine(visit), badge, subscriptions)
        return visit.on(OWN, "prior_removed")

    @router.post(
        f"{OF_LEARNER}/remove", status_code=303, summary="Removes a badge of others of a learner", openapi_extra=sends
    )
    def of_learner(visit: Visiting, person: str, body: FormBody) -> Response:
        badge, members = visit.fields(body).get("badge", ""), _theirs(visit, person)
        _remove(visit, members, badge, subscriptions, by="" if _sees_all(visit) else visit.session.by)
        return visit.on(OF_LEARNER.replace("{person}", members[0]), "prior_removed")


def _remove(visit: Visit, members: tuple[str, ...], badge: str, subscriptions: Subscriptions, by: str = "") -> None:
    """Removes the *badge* (id) of *members*, if the visitor sees it. Raises ``Refused`` (404, 409)."""
    if badge not in {id for id, _ in prior.brought(visit.tenant.store, members, by)}:
        raise Refused("There is no such badge here any more. Reload the page.", status=404, error="not_found")
    made = prior.leaving(visit.tenant, badge, by=visit.session.by, subscriptions=subscriptions)
    decide = functools.partial(prior.remove, leaving=made, by=visit.session.by)
    weight, reads = (made.plan.weight, made.plan.reads) if made.plan else (0, ())
    visit.tenant.store.write(decide, weight=weight, reads=reads).result()


def _add_own(router: Router, subscriptions: Subscriptions) -> None:
    @router.get(OWN, summary="Badges of others that a learner has brought", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _own_page(visit)

    @router.post(OWN, status_code=303, summary="Brings a badge of others", openapi_extra=_SENDS)
    async def bring(request: Request, visit: Visiting) -> Response:
        try:
            mine = await read(_mine, visit)
            kept = await _brought(request, visit, mine[0], subscriptions, may_vouch=False)
        except Refused as refused:
            if refused.error not in _TAKEN_TO_READ:
                raise
            return await read(_own_page, visit, refused)
        return visit.on(OWN, _said(kept))


def _add_of_learner(router: Router, subscriptions: Subscriptions) -> None:
    @router.get(OF_LEARNER, summary="Badges of others that a learner has brought", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, person: str) -> Response:
        return _staff_page(visit, person)

    @router.post(OF_LEARNER, status_code=303, summary="Brings a badge of others for a learner", openapi_extra=_SENDS)
    async def bring(request: Request, visit: Visiting, person: str) -> Response:
        try:
            theirs = await read(_theirs, visit, person)
            kept = await _brought(request, visit, theirs[0], subscriptions, may_vouch=True)
        except Refused as refused:
            if refused.error not in _TAKEN_TO_READ:
                raise
            return await read(_staff_page, visit, person, refused)
        return visit.on(OF_LEARNER.replace("{person}", theirs[0]), _said(kept))


async def _brought(
    request: Request, visit: Visit, person: str, subscriptions: Subscriptions, *, may_vouch: bool
) -> PriorBadge:
    """What was kept of the badge in the form. Raises ``Refused``."""
    client, checks = client_of(request), shared(request, BadgeChecks)
    visit.tenant.record.check_room()
    checks.admit(visit.tenant, client)
    handed = await form_of(request)
    session.check_token(visit.tenant, handed.fields.get("form", ""), visit.session.nonce)
    check_something(handed)
    verdict = await checks.check(visit.tenant, client, lambda: (handed.content, ""))
    vouches = may_vouch and handed.fields.get("theirs") == "yes"
    if vouches and not _sees_all(visit):
        raise Refused(_ONLY_ALL, status=403, error="forbidden")
    make = functools.partial(
        prior.ready, visit.tenant, person, handed.content, verdict, by=visit.session.by, is_theirs=vouches
    )
    return await read(_keep, visit, functools.partial(make, subscriptions=subscriptions))


def _keep(visit: Visit, make: Callable[[], PriorPlan]) -> PriorBadge:
    made = make()
    keep = functools.partial(prior.keep, ready=made)
    if made.plan is None:
        return visit.tenant.store.write(keep).result()
    return visit.tenant.store.write(keep, weight=made.plan.weight, reads=made.plan.reads).result()


def _said(kept: PriorBadge) -> str:
    if kept.why == "recipient_not_known":
        return NOT_YOURS
    return "prior_evidence" if kept.statement else "prior_kept"


def _mine(visit: Visit) -> tuple[str, ...]:
    """The visitor's own person and those joined with it. Raises ``Refused`` (404)."""
    mine = visit.caller.owned(READ)
    if len(mine) != 1:
        raise Refused("There is no learner's record for this sign-in.", status=404, error="not_found")
    return own(visit.tenant, next(iter(mine))).members


def _theirs(visit: Visit, person: str) -> tuple[str, ...]:
    """The holder of *person* and those joined with it, within reach. Raises ``Refused`` (404)."""
    members = members_of(visit.tenant.store, person)
    if not members:
        raise reach.nobody_here()
    reach.check_reach(visit.tenant.store, visit.caller, members[0])
    return members


def _own_page(visit: Visit, refused: Refused | None = None) -> Response:
    shown = _shown(visit, _mine(visit), refused)
    shown["not_yours"] = visit.request.query_params.get("done") == NOT_YOURS
    return own_page(visit, "learner/prior.html", refused.status if refused else 200, here="me", act=OWN, **shown)


def _staff_page(visit: Visit, person: str, refused: Refused | None = None) -> Response:
    members = _theirs(visit, person)
    identifiers = identifiers_in(visit.tenant.store, members)
    name = reach.name_told(visit.tenant.store, identifiers, reach.own_sources(visit.caller)) or ""
    act = OF_LEARNER.replace("{person}", members[0])
    sees_all = _sees_all(visit)
    shown = _shown(visit, members, refused, by="" if sees_all else visit.session.by)
    shown |= {"person": members[0], "name": name, "act": act, "sees_all": sees_all}
    return visit.page("staff/prior.html", refused.status if refused else 200, **shown)


def _sees_all(visit: Visit) -> bool:
    """Whether the visitor reaches every learner; else a badge is shown to whoever brought it, and vouched by nobody.

    A source can enrol anybody: what others gave somebody, and on which day, is no fact of that source.
    """
    return reach.own_sources(visit.caller) is None


def _shown(visit: Visit, members: tuple[str, ...], refused: Refused | None, by: str = "") -> dict[str, Any]:
    badges = [
        {
            "id": id,
            "name": one.name,
            "issuer": one.issuer_name or one.issuer,
            "issuer_id": one.issuer,
            "day": written_day(one.day),
            "counts": bool(one.statement),
            "why": one.why,
        }
        for id, one in prior.brought(visit.tenant.store, members, by)
    ]
    return {"badges": badges, "problem": refused.message if refused else ""}
