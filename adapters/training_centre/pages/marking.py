"""The pages on which steps are marked: one step of everybody, or one person with all steps. No logic."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Response

from adapters.training_centre import attendees, checklists, learner_routes, marks
from adapters.training_centre.attendees import StepMark
from adapters.training_centre.centre_sessions import CentreSession
from adapters.training_centre.day import READ, RUN, SIGN, CentreDay, known_checklist, marker_of, reach
from adapters.training_centre.marking import SAID
from adapters.training_centre.pages import view
from adapters.training_centre.pages.person_acts import PersonAct, act_in, ask, faults_of, result_in, seen_in
from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, says
from lrs.web.dates import written_moment
from lrs.web.late import Router
from lrs.web.origins import pages_address_for
from lrs.xapi.statements.subscriptions import Subscriptions

ONE = "/staff/sessions/{id}"
STEP = f"{ONE}/steps/{{step}}"
PERSON = f"{ONE}/people/{{who}}"
SEE_CONSOLE = "/console/mails"
FIELDS = ("act", "value", "seen", "why", "step", "attempt", "version", "supervisor", "address", *learner_routes.FIELDS)
says(
    marked="Marked.",
    passed_others="Everybody else who is there has passed this step.",
    attempt_begun="The next attempt has begun: its steps are not marked yet.",
    signed="Signed.",
    sign_off_asked="The supervisor is asked by e-mail.",
    route_kept="The route is kept.",
    route_gone="What was kept of the route is deleted.",
)


def day_of(visit: Visit, subscriptions: Subscriptions, right: str) -> CentreDay:
    """Where the visitor works, with a *right*."""
    own, caller = reach(visit.caller, right), visit.caller
    return CentreDay(visit.tenant, subscriptions, marker_of(visit.tenant.store, caller, _first(caller, right)), own)


def _first(caller: Caller, right: str) -> str:
    return next(iter(sorted(reach(caller, right) or ())), "")


# -- one step of everybody ------------------------------------------------------------------------------------------


def add_steps(router: Router, subscriptions: Subscriptions) -> None:
    """Adds the page of a step."""

    @router.get(STEP, summary="One step of the checklist, for everybody", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str, step: str) -> Response:
        return _step(visit, subscriptions, id, step)

    @router.post(
        STEP,
        status_code=303,
        summary="Marks a step of somebody, or of all others",
        openapi_extra=form_body("who", "value", "seen", "attempt", "version") | SIGNED_IN,
    )
    def mark(visit: Visiting, id: str, step: str, body: FormBody) -> Response:
        told, day = visit.fields(body), day_of(visit, subscriptions, RUN)
        who, version = told.get("who", ""), seen_in(told, "version")
        try:
            if told.get("value") == "others":
                marks.pass_others(day, id, step, version)
                return visit.on(f"/staff/sessions/{id}/steps/{step}", "passed_others")
            made = StepMark(seen_in(told, "attempt"), step, result_in(told), visit.tenant.clock(), day.marker)
            marks.mark_step(day, id, who, made, seen=seen_in(told), version=version)
        except Refused as refused:
            if refused.status not in {403, 409}:
                raise
            return _step(visit, subscriptions, id, step, refused)
        return visit.on(f"/staff/sessions/{id}/steps/{step}#p-{who}")


def _step(visit: Visit, subscriptions: Subscriptions, id: str, step: str, refused: Refused | None = None) -> Response:
    store = visit.tenant.store
    _, session = day_of(visit, subscriptions, READ).session(store, id)
    known = known_checklist(store, session)
    people = [one for _, one in attendees.of_session(store, id).values()]
    steps = view.steps(known, people)
    place = next((at for at, one in enumerate(steps) if one["id"] == step), None)
    if known is None or place is None:
        raise Refused("The checklist of this session has no such step.", status=404, error="not_found")
    return visit.page(
        "staff/session-step.html",
        refused.status if refused else 200,
        one=view.about(session, visit.tenant.clock()),
        step=steps[place],
        before=steps[place - 1] if place else None,
        after=steps[place + 1] if place + 1 < len(steps) else None,
        steps=len(steps),
        people=view.one_step(session, known.content.steps[place], people),
        version=known.number,
        results=[(value, view.SHORT[value]) for value in view.RESULTS],
        problem=refused.message if refused else "",
        may_run=may(visit.caller)(STEP, "POST") and not session.is_closed,
    )


# -- one person -----------------------------------------------------------------------------------------------------


def add_person(router: Router, subscriptions: Subscriptions) -> None:
    """Adds the page of somebody at a session."""

    @router.get(PERSON, summary="Somebody at a session: every step, and every mark", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str, who: str) -> Response:
        return _person(visit, subscriptions, id, who)

    @router.post(
        PERSON,
        status_code=303,
        summary="Marks or changes something of them",
        openapi_extra=form_body(*FIELDS) | SIGNED_IN,
    )
    def change(visit: Visiting, id: str, who: str, body: FormBody) -> Response:
        told = visit.fields(body)
        try:
            root = pages_address_for(visit.request)
            asked = PersonAct(day_of(visit, subscriptions, RUN), id, who, told, root)
            if told.get("act") == "ask":
                if link := ask(asked):
                    return _person(visit, subscriptions, id, who, link=link)
                return visit.on(f"/staff/sessions/{id}/people/{who}", "sign_off_asked")
            done = act_in(told)(asked)
        except Refused as refused:
            if refused.status not in {400, 403, 409} or refused.error == "bad_form":
                raise
            return _person(visit, subscriptions, id, who, refused, told=told)
        return visit.on(f"/staff/sessions/{id}" + ("" if done == "left_roster" else f"/people/{who}"), done)

    _add_signature(router, subscriptions)


def _add_signature(router: Router, subscriptions: Subscriptions) -> None:
    @router.post(
        f"{PERSON}/sign",
        status_code=303,
        summary="Signs as the second",
        openapi_extra=form_body("attempt", "seen") | SIGNED_IN,
    )
    def sign(visit: Visiting, id: str, who: str, body: FormBody) -> Response:
        told = visit.fields(body)
        try:
            marks.sign(day_of(visit, subscriptions, SIGN), id, who, seen_in(told, "attempt"), seen=seen_in(told))
        except Refused as refused:
            if refused.status not in {403, 409}:
                raise
            return _person(visit, subscriptions, id, who, refused)
        return visit.on(f"/staff/sessions/{id}/people/{who}", "signed")


def _person(
    visit: Visit,
    subscriptions: Subscriptions,
    id: str,
    who: str,
    refused: Refused | None = None,
    *,
    told: Mapping[str, str] | None = None,
    link: str = "",
) -> Response:
    store = visit.tenant.store
    day = day_of(visit, subscriptions, READ)
    _, session = day.session(store, id)
    _, one = attendees.attendee(store, id, who)
    known = known_checklist(store, session)
    sees = may(visit.caller)
    return visit.page(
        "staff/session-person.html",
        refused.status if refused else 200,
        one=view.about(session, visit.tenant.clock()),
        person=_who(session, one),
        attempts=view.attempts(session, one, known),
        history=view.history(session, one, known),
        sign_off=_sign_off(session, one),
        known=_shown(known),
        came=[(value, SAID[value]) for value in ("present", "late", "left_early", "absent", "excused", "")],
        results=[(value, view.SHORT[value]) for value in view.RESULTS],
        kinds=[("", "Not known"), *learner_routes.ROUTES.items()],
        **_route(visit, day, session, one),
        **faults_of(told or {}, refused),
        link=link,
        may_run=sees(PERSON, "POST"),
        may_sign=sees(f"{PERSON}/sign", "POST"),
        may_mails=sees(SEE_CONSOLE),
    )


def _who(session: CentreSession, one: attendees.Attendee) -> dict[str, object]:
    """Who they are, and the mark that they have now."""
    value = one.mark.value if one.mark else ""
    return {
        "id": one.id,
        "name": one.name,
        "known_as": [each.written for each in one.identifiers],
        "value": value,
        "said": SAID[value],
        "mood": view.MOODS.get(value, ""),
        "seen": len(one.attendance),
        "hours": f"{one.mark.minutes / 60:g}" if one.mark and one.mark.minutes is not None else "",
        "can_leave": not (one.attendance or one.steps or session.is_closed),
        "is_expected": one.is_expected,
    }


def _route(visit: Visit, day: CentreDay, session: CentreSession, one: attendees.Attendee) -> dict[str, object]:
    """The route as the centre of *session* was told it; what others were told only for who reaches all centres."""
    store, actor = visit.tenant.store, one.learner.actor
    own = learner_routes.route_of(store, session.centre, actor)
    others = learner_routes.routes_elsewhere(store, session.centre, actor) if day.centres is None else []
    told = [
        {"centre": it.centre, "said": learner_routes.said(it), "sector": it.sector, "district": it.district}
        for it in others
    ]
    route = {name: getattr(own, name) if own else "" for name in ("kind", "sector", "district")}
    return {"route": route, "routes_elsewhere": told}


def _shown(known: checklists.ChecklistVersion | None) -> dict[str, object] | None:
    return {"title": known.content.title, "version": known.number} if known else None


def _sign_off(session: CentreSession, one: attendees.Attendee) -> dict[str, object] | None:
    told = one.sign_off
    if told is None:
        return None
    return {
        "supervisor": told.supervisor,
        "asked": written_moment(told.asked, session.zone),
        "until": written_moment(told.until, session.zone),
        "answered": written_moment(told.answered, session.zone) if told.answered else "",
        "agrees": bool(told.agrees),
        "hours": "" if told.hours is None else f"{told.hours:g}",
        "said": told.said,
    }
