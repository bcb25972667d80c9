"""The page on which learners pick the occupation that they come from, and confirm what it suggests. No logic."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from lrs.kernel.errors import Refused
from lrs.matching import declared, occupations
from lrs.pages import session
from lrs.pages.me import facts
from lrs.pages.me.own_page import own_of, own_page
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, says_to_learners
from lrs.web.late import Router

PLACE = "/occupation"
MOST = 20
"""Occupations that a search shows."""
says_to_learners(
    declared="It stands on your page as what you say. What is proven later takes its place.",
    undeclared="It is not kept any more.",
)


def add_occupation(router: Router) -> None:
    """Adds the page under the learner's own."""

    @router.get(PLACE, summary="The occupation that one comes from, and its skills", openapi_extra=SIGNED_IN)
    def show(
        visit: Visiting,
        q: Annotated[str, Query(max_length=200)] = "",
        occupation: Annotated[str, Query(max_length=500)] = "",
    ) -> Response:
        return _page(visit, q, occupation)

    @router.post(
        PLACE,
        status_code=303,
        summary="Keeps which of the suggested skills one has, or that one said nothing",
        openapi_extra=form_body("act", "occupation", "skill") | SIGNED_IN,
    )
    def keep(visit: Visiting, body: FormBody) -> Response:
        pairs = session.pairs(visit.tenant, body, visit.session.nonce, most=occupations.MOST_SKILLS + 5)
        told, who, by = dict(pairs), own_of(visit), visit.session.by
        write, now = visit.tenant.store.write, visit.tenant.clock()
        if told.get("act") == "remove":
            write(lambda tx: declared.take_back(tx, who.members, by=by)).result()
            return visit.on("/me", "undeclared")
        try:
            known = occupations.occupation(visit.tenant.store, told.get("occupation", ""))
            ticked = [value for name, value in pairs if name == "skill"]
            if not ticked:
                raise Refused("Tick at least one skill that you have.", error="no_skill")
            write(lambda tx: declared.declare(tx, who.person, known, ticked, now, by=by)).result()
        except Refused as refused:
            if refused.status == 404:
                raise
            return _page(visit, "", told.get("occupation", ""), refused)
        return visit.on("/me", "declared")


def _page(visit: Visit, text: str, id: str, refused: Refused | None = None) -> Response:
    reader, who = visit.tenant.store, own_of(visit)
    said = declared.said_by(reader, who.members)
    chosen = occupations.occupation(reader, id) if id else None
    before = {one.id for one in said.skills} if said and chosen and said.occupation == chosen.id else set()
    held = {one.competency.id for one in facts.held(reader, who)}
    return own_page(
        visit,
        "learner/occupation.html",
        refused.status if refused else 200,
        q=text,
        found=occupations.looked_for(reader, text, MOST) if text.strip() and not chosen else [],
        most=MOST,
        any=reader.count(occupations.KIND) > 0,
        said=said.label if said else "",
        chosen={"id": chosen.id, "label": chosen.label} if chosen else None,
        suggested=[
            {"value": one.id, "text": one.label, "essential": one.essential, "on": one.id in before}
            for one in (chosen.skills if chosen else ())
            if one.id not in held
        ],
        problem=refused.message if refused else "",
    )
