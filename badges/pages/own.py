"""A learner's own badge, signed in: the ways to take it, and sharing it. No logic."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from badges.achievements.counts import note
from badges.credentials.records import ISSUED
from badges.held import stops
from badges.pages.taking import EVEN_GONE, Taking
from lrs.kernel.errors import Refused
from lrs.pages.me.facts import own
from lrs.pages.me.own_page import READ, own_page
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says_to_learners
from lrs.web.exchange import root_of
from lrs.web.language import language_of
from lrs.web.late import Router

says_to_learners(
    badge_shared="The badge is shared now. Whoever has the address below sees it.",
    badge_named="The badge is issued anew with your name in it. Take the new copy in a moment.",
    badge_unnamed="The badge is issued anew without your name. Copies from before keep it.",
    badge_back="The badge is taken back: it is issued anew for your address, and that copy does not count.",
    badge_codes_void="The codes of the certificates that you gave out are void: they lead nowhere now.",
    badge_void="The codes of the certificates that you gave out are void. One that you take now has a new code.",
    badge_unshared="The badge is not shared any more: its address leads nowhere.",
)
_DONE = {"share": "badge_shared", "stop": "badge_unshared", "name": "badge_named", "no-name": "badge_unnamed"}
_DONE |= {"take-back": "badge_back", "void": "badge_void"}
_DONE_ELSEWHERE = {"void": "badge_codes_void"}
"""What is said on the page of a badge that counts no more, of which there is no new certificate."""
_BACK = {"me": "/me", "sharing": "/me/sharing"}
"""Pages from which sharing is stopped, too, by what their forms say."""


def routes() -> Router:
    """The router."""
    router = page_router("/me")
    add_taking(router)
    return router


def add_taking(router: Router) -> None:
    """Adds the page of a badge; who came by a launch has it, too, under another address."""

    @router.get("/badges/{id}/take", summary="The ways to take a badge of one's own", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str, wallet: Annotated[str, Query(max_length=60)] = "") -> Response:
        taking = _taking(visit, id)
        note(visit.tenant, id, "opened")
        place = f"{visit.root}/me/badges/{id}"
        shown = taking.shown(wallet) | {"act": f"{place}/take", "file": place, "accepted": True, "here": "me"}
        return own_page(visit, "learner/badge.html", **shown)

    @router.post(
        "/badges/{id}/take",
        status_code=303,
        summary="Opens the way of a badge of one's own into a wallet, shares it, or stops that",
        openapi_extra=form_body("act", "name", "back") | SIGNED_IN,
    )
    def act(visit: Visiting, id: str, body: FormBody) -> Response:
        form = visit.fields(body)
        taking = _taking(visit, id, even_gone=form.get("act") in EVEN_GONE)
        opened = taking.do(form)
        if opened:
            return visit.on(f"/me/badges/{id}/take?wallet={opened}#wallet")
        back, said = _BACK.get(form.get("back", "")), _DONE[form["act"]]
        if back:
            return visit.on(back, _DONE_ELSEWHERE.get(form["act"], said))
        return visit.on(f"/me/badges/{id}/take", said)


def _taking(visit: Visit, id: str, *, even_gone: bool = False) -> Taking:
    """The badge *id*, if it is the visitor's; also one that counts no more if *even_gone*.

    Raises ``Refused`` (404, 410).
    """
    tenant, mine = visit.tenant, visit.caller.owned(READ)
    if len(mine) != 1:
        raise Refused("There is no learner's record for this sign-in.", status=404, error="not_found")
    record = tenant.store.get("credential", id)
    if record is None or record.meta["person"] not in own(tenant, next(iter(mine))).members:
        raise Refused("You have no such badge.", status=404, error="not_found")
    if stops.state_of(tenant.store, record) != ISSUED and not even_gone:
        raise Refused("This badge does not count any more.", status=410, error="badge_gone")
    language = language_of(visit.request)
    return Taking(tenant, record, language, root_of(visit.request), visit.session.by)
