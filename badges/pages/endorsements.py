"""Endorses a single badge in the organisation's name, or takes an endorsement of it away. No logic.

The form is on the page of the badge (``badges.pages.stopping``).
"""

from __future__ import annotations

from uuid import uuid4

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from badges.endorsing import endorsing
from badges.pages import stopping
from lrs.kernel.errors import Refused
from lrs.pages.visit import REFUSALS, SIGNED_IN, FormBody, Visiting, form_body, says

PLACE = f"{stopping.ONE}/endorse"

says(
    badge_endorsed="The badge is endorsed, and issued anew with the endorsement in it: its holder needs the new copy.",
    badge_endorsement_gone="The endorsement is taken away, and the badge is issued anew without it.",
)


def routes() -> APIRouter:
    """The router."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse, responses=REFUSALS)

    @router.post(
        PLACE,
        status_code=303,
        summary="Endorses a badge in the organisation's name, or takes an endorsement away",
        openapi_extra=form_body("comment", "remove") | SIGNED_IN,
    )
    def endorse(visit: Visiting, id: str, body: FormBody) -> Response:
        form = visit.fields(body)
        thing = endorsing.thing_named(visit.tenant, id)
        if not thing.award:
            raise Refused("There is no such badge.", status=404, error="not_found")
        try:
            if form.get("remove"):
                endorsing.remove(visit.tenant, thing, form["remove"], by=visit.session.by)
            else:
                comment = form.get("comment", "").replace("\r\n", "\n")
                endorsing.endorse(visit.tenant, thing, comment, id=str(uuid4()), by=visit.session.by)
        except Refused as refused:
            if refused.status not in (400, 409):
                raise
            at_comment = Refused(refused.message, status=refused.status, pointer="/comment")
            return stopping.badge_page(visit, id, form, at_comment)
        word = "badge_endorsement_gone" if form.get("remove") else "badge_endorsed"
        return visit.on(stopping.ONE.format(id=id), word)

    return router
