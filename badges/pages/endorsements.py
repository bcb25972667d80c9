"""Endorses a badge or an achievement in the organisation's name, or takes an endorsement of it away. No logic.

The forms are on the pages of the badge (``badges.pages.stopping``) and of the achievement (``badges.pages.words``).
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

from fastapi import Response

from badges.endorsing import endorsing
from badges.endorsing.endorsing import EndorsedThing
from badges.pages import stopping, words
from lrs.kernel.errors import Refused
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.web.late import Router

_FORM = form_body("comment", "remove") | SIGNED_IN

says(
    endorsed="The endorsement is kept. Badges get it, and those that are held are issued anew with it, in a moment.",
    endorsement_gone="The endorsement is taken away, and the badges that are held are issued anew without it.",
    badge_endorsed="The badge is endorsed, and issued anew with the endorsement in it: its holder needs the new copy.",
    badge_endorsement_gone="The endorsement is taken away, and the badge is issued anew without it.",
)


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.post(
        f"{stopping.ONE}/endorse",
        status_code=303,
        summary="Endorses a badge in the organisation's name, or takes an endorsement away",
        openapi_extra=_FORM,
    )
    def endorse_badge(visit: Visiting, id: str, body: FormBody) -> Response:
        form = visit.fields(body)
        thing = endorsing.thing_named(visit.tenant, id)
        if not thing.award:
            raise Refused("There is no such badge.", status=404, error="not_found")
        if refused := _done(visit, thing, form):
            return stopping.badge_page(visit, id, form, refused)
        return visit.on(stopping.ONE.format(id=id), f"badge_{_word(form)}")

    @router.post(
        f"{words.ONE}/endorse",
        status_code=303,
        summary="Endorses an achievement in the organisation's name, or takes an endorsement away",
        openapi_extra=_FORM,
    )
    def endorse_achievement(visit: Visiting, achievement: str, body: FormBody) -> Response:
        form = visit.fields(body)
        if refused := _done(visit, endorsing.thing_named(visit.tenant, achievement), form):
            return words.achievement_page(visit, achievement, None, refused)
        return visit.on(words.ONE.format(achievement=achievement), _word(form))

    return router


def _done(visit: Visit, thing: EndorsedThing, form: Mapping[str, str]) -> Refused | None:
    """Does what *form* says; a refusal that the person can mend is at the field of the comment."""
    try:
        if form.get("remove"):
            endorsing.remove(visit.tenant, thing, form["remove"], by=visit.session.by)
        else:
            comment = form.get("comment", "").replace("\r\n", "\n")
            endorsing.endorse(visit.tenant, thing, comment, id=str(uuid4()), by=visit.session.by)
    except Refused as refused:
        if refused.status not in (400, 409):
            raise
        return Refused(refused.message, status=refused.status, pointer="/comment")
    return None


def _word(form: Mapping[str, str]) -> str:
    return "endorsement_gone" if form.get("remove") else "endorsed"
