"""The page on which a learner types the code of an event. No logic."""

from __future__ import annotations

from fastapi import Response

from badges.claims import event_codes
from badges.claims.event_codes import Used
from lrs.access import tries
from lrs.access.tries import Try, TryLimit
from lrs.kernel.errors import Refused
from lrs.pages.me.own_page import READ, own_page
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router
from lrs.web.late import Router
from lrs.xapi.statements.subscriptions import Subscriptions

WRONG = TryLimit(10, 60 * 60)
"""How many codes a learner may try in an hour. A code has 40 random bits."""


def routes(subscriptions: Subscriptions) -> Router:
    """The router. *subscriptions* say what stored statements owe."""
    router = page_router("/me")

    add_code(router, subscriptions)
    return router


def add_code(router: Router, subscriptions: Subscriptions) -> None:
    """Adds the form; who came by a launch has it, too, under another address."""

    @router.get("/code", summary="The form for the code of an event", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _shown(visit)

    @router.post("/code", summary="Uses the code of an event", openapi_extra=form_body("code") | SIGNED_IN)
    def use(visit: Visiting, body: FormBody) -> Response:
        typed, mine = visit.fields(body).get("code", ""), visit.caller.owned(READ)
        if len(mine) != 1:
            raise Refused("There is no learner's record for this sign-in.", status=404, error="not_found")
        person = next(iter(mine))
        tried = Try(("event code", person), WRONG)
        try:
            tries.count(visit.tenant, tried)
            used = event_codes.use(visit.tenant, subscriptions, person, typed)
        except Refused as refused:
            return _shown(visit, refused=refused)
        tries.was_right(visit.tenant, tried)
        return _shown(visit, used)


def _shown(visit: Visit, used: Used | None = None, refused: Refused | None = None) -> Response:
    told = {"used": used, "error": refused.error if refused else "", "problem": refused.message if refused else ""}
    answer = own_page(visit, "learner/code.html", refused.status if refused else 200, **told)
    answer.headers.update(dict(refused.headers) if refused else {})
    return answer
