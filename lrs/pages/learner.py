"""The page about one learner for staff, and its forms: a name, a consent, signing in. No logic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from secrets import token_urlsafe
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from lrs.access import staff
from lrs.kernel.errors import Refused
from lrs.matching import services
from lrs.matching.consent import links
from lrs.matching.consent.consent import Subject
from lrs.matching.consent.links import Wish
from lrs.pages import acts, facts, reach, views
from lrs.pages.arrivals.names import called
from lrs.pages.arrived_lately import SHOWN, lately
from lrs.pages.correcting import RIGHT
from lrs.pages.facts import Neighbours
from lrs.pages.session import chosen
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, says
from lrs.people import confirmed_names, questions, sign_in
from lrs.people.confirmed_names import ConfirmedName
from lrs.people.sign_in import LearnerInvitation
from lrs.web.dates import written_moment
from lrs.web.late import Router
from lrs.web.origins import pages_address_for

LIST = "/staff/learners"
PLACE = LIST + "/{person}"
ASKED = "/staff/questions"

says(
    withdrawn="The consent is withdrawn. Nothing more is shown. A service is told to forget; an employer is not.",
    name_confirmed="The name is confirmed. The learner may put it into badges; it is in none before that.",
    name_withdrawn="The name is confirmed no more. Badges that say it are issued anew without it.",
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a form of the page: a link that is shown once, or why it was refused, at which of its fields.

    *told* is what was typed.
    """

    told: Mapping[str, str] = field(default_factory=dict)
    refused: Refused | None = None
    at: str = ""
    invitation: LearnerInvitation | None = None
    consent: str = ""

    @property
    def errors(self) -> list[dict[str, str]]:
        """The fault, for the top of the page, leading to its field."""
        return [{"field": self.at, "message": self.refused.message}] if self.refused else []


def add_routes(router: Router, neighbours: Neighbours) -> None:
    """Adds the page and its forms; *neighbours* are the parts that the app knows."""

    @router.get(PLACE, summary="What a learner holds, why, and who may see it", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, person: str) -> Response:
        return page_of(visit, neighbours, person)

    @router.post(
        PLACE + "/withdraw",
        status_code=303,
        summary="Withdraws a consent",
        openapi_extra=form_body("service", "scope") | SIGNED_IN,
    )
    def withdraw(visit: Visiting, person: str, body: FormBody) -> Response:
        form = visit.fields(body)
        service, scope = form.get("service") or None, form.get("scope") or None
        count = acts.withdraw(visit.tenant, person, service=service, scope=scope, by=visit.session.by)
        return visit.on(f"{LIST}/{person}", "withdrawn" if count else "gone")

    @router.get(
        "/pages/badges/{id}", response_class=JSONResponse, summary="A badge as it was issued", openapi_extra=SIGNED_IN
    )
    def badge(visit: Visiting, id: str) -> Response:
        record = visit.tenant.store.get("credential", id)
        if record is None:
            raise Refused("There is no such badge.", status=404, error="not_found")
        return Response(record.body, media_type="application/json", headers={"Cache-Control": "no-store"})

    _add_links(router, neighbours)
    _add_name(router, neighbours)


def _add_links(router: Router, neighbours: Neighbours) -> None:
    @router.post(
        PLACE + "/invite",
        summary="Makes a link by which a learner signs in, shown once",
        openapi_extra=form_body("email") | SIGNED_IN,
    )
    def invite(visit: Visiting, person: str, body: FormBody) -> Response:
        told = visit.fields(body)
        try:
            root = pages_address_for(visit.request)
            made = sign_in.invite(visit.tenant, person, told.get("email", ""), by=visit.session.by, root=root)
        except Refused as refused:
            return _refused(visit, neighbours, person, told, refused, "email")
        return page_of(visit, neighbours, person, Answered(told, invitation=made))

    @router.post(
        PLACE + "/ask",
        summary="Makes a link on which a learner agrees that a service sees something, shown once",
        openapi_extra=form_body("service") | SIGNED_IN,
    )
    def ask(visit: Visiting, person: str, body: FormBody) -> Response:
        told, tenant = visit.fields(body), visit.tenant
        try:
            if not told.get("service"):
                raise Refused("Choose the service that asks.")
            wish = Wish(Subject(person=acts.known_learner(tenant.store, person)[0]))
            service = services.wanted(tenant.store, told.get("service", ""))
            made = links.mint(tenant, service, wish, id=token_urlsafe(18), by=visit.session.by)
        except Refused as refused:
            return _refused(visit, neighbours, person, told, refused, "service")
        address = links.address(tenant, made, pages_address_for(visit.request))
        return page_of(visit, neighbours, person, Answered(told, consent=address))


def _add_name(router: Router, neighbours: Neighbours) -> None:
    @router.post(
        PLACE + "/name",
        status_code=303,
        summary="Confirms the name of a learner who showed a proof of identity, or takes that back",
        openapi_extra=form_body("act", "name", "how", "sure") | SIGNED_IN,
    )
    def name(visit: Visiting, person: str, body: FormBody) -> Response:
        told, tenant, by = visit.fields(body), visit.tenant, visit.session.by
        if chosen(told, "act", ("confirm", "withdraw")) == "withdraw":
            gone = tenant.store.write(lambda tx: confirmed_names.withdraw(tx, person, by=by)).result()
            return visit.on(f"{LIST}/{person}", "name_withdrawn" if gone else "gone")
        confirmed = ConfirmedName(told.get("name", ""), told.get("how", ""), tenant.clock(), by)
        try:
            if told.get("sure") != "yes":
                raise Refused("Confirm that you saw the proof yourself.", pointer="/sure")
            tenant.store.write(lambda tx: confirmed_names.confirm(tx, person, confirmed)).result()
        except Refused as refused:
            return _refused(visit, neighbours, person, told, refused, (refused.pointer or "/name").removeprefix("/"))
        return visit.on(f"{LIST}/{person}", "name_confirmed")


def _refused(
    visit: Visit, neighbours: Neighbours, person: str, told: Mapping[str, str], refused: Refused, at: str
) -> Response:
    """The page with the fault beside the field *at*."""
    return page_of(visit, neighbours, person, Answered(told, refused, at))


def page_of(visit: Visit, neighbours: Neighbours, who: str, answered: Answered | None = None) -> Response:
    """The page about *who*: a person's id, or an identifier as people type it. Raises ``Refused`` (404)."""
    tenant, caller, zone = visit.tenant, visit.caller, visit.tenant.settings.zone
    if not caller.may_all(reach.READ):
        reach.check_reach(tenant.store, caller, who)
    found = facts.within_reach(tenant, neighbours, caller, facts.learner_facts(tenant, neighbours, who))
    answered = answered or Answered()
    return visit.page(
        "staff/learner.html",
        answered.refused.status if answered.refused else 200,
        **views.learner(found, tenant.clock(), zone, called(tenant.store)),
        **_allowed(visit),
        **_answer(visit, answered),
        confirmed=_confirmed(visit, found.members),
        questions=_questions(visit, found.members),
        known_addresses=views.addresses_of(found),
        asking=[(one.id, one.name) for one in services.everyone(tenant.store) if one.asks_learners],
        arrived=lately(tenant, chain.from_iterable(found.identifiers.values()), reach.own_sources(caller)),
        arrived_most=SHOWN,
        has_mail=tenant.settings.smtp_url is not None,
        sources=sorted(reach.own_sources(caller) or ()),
    )


def _allowed(visit: Visit) -> dict[str, bool]:
    """Which of the page's links and forms the visitor may use."""
    sees = may(visit.caller)
    return {
        "whole": visit.caller.may_all(reach.READ),
        "may_invite": sees(PLACE + "/invite", "POST"),
        "may_ask": sees(PLACE + "/ask", "POST"),
        "may_confirm": sees(PLACE + "/name", "POST"),
        "may_stop": sees("/staff/badge/{id}"),
        "may_withdraw": sees(PLACE + "/withdraw", "POST"),
        "may_join": sees("/staff/same-person"),
        "may_take_badges": sees("/pages/badges/{id}"),
        "may_open": sees("/arrivals/statements/{id}"),
        "may_correct": sees(PLACE + "/correct"),
        "may_plan": sees(PLACE + "/route"),
        "may_send": sees("/provider"),
    }


def _answer(visit: Visit, answered: Answered) -> dict[str, Any]:
    made = answered.invitation
    return {
        "errors": answered.errors,
        "wrong": {one["field"]: one["message"] for one in answered.errors},
        "told": answered.told,
        "link": made.link if made else "",
        "link_until": written_moment(made.expires, visit.tenant.settings.zone) if made else "",
        "consent_link": answered.consent,
    }


def _questions(visit: Visit, members: tuple[str, ...]) -> list[tuple[str, str]]:
    """What the learner asked and nobody has answered, within reach: the address and the title of each."""
    if not may(visit.caller)(f"{ASKED}/{{id}}", "POST"):
        return []
    sources = reach.own_sources(visit.caller, RIGHT)
    return [
        (f"{visit.root}{ASKED}/{one.id}", one.title)
        for one in questions.of_group(visit.tenant.store, members)
        if one.answer is None and (sources is None or not sources.isdisjoint(one.sources))
    ]


def _confirmed(visit: Visit, members: tuple[str, ...]) -> dict[str, str] | None:
    """The name that staff confirmed, as the page says it."""
    reader = visit.tenant.store
    held = confirmed_names.confirmed_name(reader, members)
    if held is None or not visit.caller.may_all(reach.READ):
        return None
    at = written_moment(held.at, visit.tenant.settings.zone)
    return {"name": held.name, "how": held.how, "at": at, "by": staff.called(reader, held.by)}
