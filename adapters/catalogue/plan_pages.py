"""A learner's plan: seats they have, a seat to book, and the calendar of it. No logic."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from adapters.catalogue import feed, view
from adapters.catalogue.entries import left_in
from adapters.lms.sessions.place import LmsPlace
from adapters.training_centre import centre_sessions, seats
from lrs.access.source_names import SourceNames
from lrs.kernel.errors import Refused
from lrs.pages.me.own_page import dates_of, own_of, own_page
from lrs.pages.session import chosen
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says_to_learners
from lrs.people.persons import members_of
from lrs.storage import Tx
from lrs.web.late import Router
from lrs.web.origins import pages_address_for
from lrs.web.routing import Here
from lrs.xapi.statements.subscriptions import Subscriptions

PLACE = "/me/plan"
says_to_learners(
    seat_booked="You have a seat. It stands in your plan.",
    seat_waiting="All seats are taken: you are on the waiting list. You get an e-mail when a seat comes free.",
    seat_waiting_here="All seats are taken: you are on the waiting list. Once a seat comes free, it stands here.",
    seat_back="The seat is given back.",
    calendar_made="Your calendar has an address. Copy it into your calendar.",
    calendar_new="Your calendar has a new address. The one before works no more.",
)


def routes(subscriptions: Subscriptions) -> Router:
    """The router; *subscriptions* say which steps the statements about seats owe."""
    router = page_router()

    @router.get(PLACE, summary="My plan", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, book: Annotated[str, Query(max_length=100)] = "") -> Response:
        return _plan(visit, book)

    @router.post(
        PLACE,
        status_code=303,
        summary="Books a seat, gives it back, or makes an address for the calendar",
        openapi_extra=form_body("act", "session") | SIGNED_IN,
    )
    def change(visit: Visiting, body: FormBody) -> Response:
        told, who = visit.fields(body), own_of(visit)
        id, act, by = told.get("session", ""), chosen(told, "act", ("calendar", "give-back", "book")), visit.session.by
        place = LmsPlace(visit.tenant, subscriptions, pages_address_for(visit.request))

        def decide(tx: Tx) -> str:
            if act == "calendar":
                is_first = tx.get(feed.KIND, who.person) is None
                feed.renew(tx, visit.tenant, who.person, by)
                return "calendar_made" if is_first else "calendar_new"
            if act == "give-back":
                seats.give_back(tx, place, id, who.members, by)
                return "seat_back"
            return _booked(tx, place, id, who.person, by)

        try:
            done = visit.tenant.store.write(decide, weight=seats.WEIGHT).result()
        except Refused as refused:
            if refused.status != 409:
                raise
            return _plan(visit, "", refused)
        return visit.on(PLACE, done)

    return router


def _booked(tx: Tx, place: LmsPlace, id: str, person: str, by: str) -> str:
    """Books a seat, or a place on the waiting list. Gives the word of the message."""
    if seats.book(tx, place, id, person, by).seat != "waiting":
        return "seat_booked"
    return "seat_waiting" if seats.tells_by_mail(tx, place.tenant, person) else "seat_waiting_here"


def calendar_routes() -> Router:
    """The router of the calendar, which needs nothing but its address."""
    router = Router(tags=["server"])

    @router.get("/calendar/{token}", summary="A learner's dates, as iCalendar")
    def show(tenant: Here, token: str) -> Response:
        person = feed.person_of(tenant, token.removesuffix(".ics"))
        if person is None:
            raise Refused("There is no calendar at this address.", status=404, error="not_found")
        found = seats.sessions_of(tenant.store, members_of(tenant.store, person))
        text = feed.calendar(found, tenant.record.name or "Plan", tenant.clock(), SourceNames(tenant.store).said)
        headers = {"Cache-Control": "private, max-age=300", "Content-Disposition": 'attachment; filename="plan.ics"'}
        return Response(text, media_type=feed.MEDIA_TYPE, headers=headers)

    return router


def _plan(visit: Visit, book: str, refused: Refused | None = None) -> Response:
    tenant, who = visit.tenant, own_of(visit)
    token = feed.token_of(tenant, who.person)
    wanted = centre_sessions.found(tenant.store, book, None)[1] if book else None
    if wanted is not None and not wanted.opened:
        raise Refused("No seat can be booked in this session.", status=404, error="not_found")
    found = seats.sessions_of(tenant.store, who.members)
    language = dates_of(visit).language
    return own_page(
        visit,
        "learner/plan.html",
        refused.status if refused else 200,
        found=view.plan(found, tenant.clock(), language),
        wanted=view.wanted(wanted, left_in(tenant.store, wanted), language) if wanted else None,
        by_mail=seats.tells_by_mail(tenant.store, tenant, who.person),
        calendar=f"{pages_address_for(visit.request)}/calendar/{token}.ics" if token else "",
        problem=refused.message if refused else "",
    )
