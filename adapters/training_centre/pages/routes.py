"""The pages of sessions: today's, a new one, its roster, its closing. No logic."""

from __future__ import annotations

import secrets

from fastapi import Response

from adapters.training_centre import acts, attendees, centre_sessions, checklists, marks
from adapters.training_centre.attendees import AttendanceMark
from adapters.training_centre.centre_sessions import KINDS_SAID, CentreSession
from adapters.training_centre.day import READ, RUN, SIGN, centre_of, known_checklist, marker_of, pinned, reach
from adapters.training_centre.marking import SAID
from adapters.training_centre.pages import changing, enrolling, marking, view
from adapters.training_centre.pages.by_file import by_file
from adapters.training_centre.pages.marking import day_of
from adapters.training_centre.pages.person_acts import attendance_in, seen_in
from adapters.training_centre.planning import FormFault, session_in
from adapters.training_centre.told import Telling, checklist_activity, differing
from adapters.training_centre.unsigned import unsigned
from lrs.competency import dates
from lrs.competency.rules.rulesets import in_force
from lrs.kernel.errors import Refused
from lrs.pages.arrivals.outcomes import level_named
from lrs.pages.list_files import add_files
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing
from lrs.web.origins import pages_address_for
from lrs.xapi.statements.subscriptions import Subscriptions

PLACE, LISTED = "/staff/sessions", 1_000
ONE = f"{PLACE}/{{id}}"
FIELDS = ("centre", "kind", "title", "number", "date", "until", "starts", "ends", "place", "host", "hours", "seats")
MORE = ("course", "checklist", "opened")

says(
    session_made="The session is made. Now put people onto its roster.",
    all_present="Everybody without a mark is marked as present.",
    session_closed="The session is closed, and its results are told.",
    session_cancelled="The session is cancelled. Who booked a seat is told by e-mail.",
    version_used="The session works with the newest version of its checklist now.",
    left_roster="Taken off the roster.",
)


def routes(subscriptions: Subscriptions) -> Router:
    """The router; *subscriptions* say which steps the statements of a session owe."""
    router = page_router()
    _add_list(router)
    _add_new(router, subscriptions)
    _add_roster(router, subscriptions)
    _add_closing(router, subscriptions)
    changing.add_change(router, subscriptions)
    marking.add_steps(router, subscriptions)
    marking.add_person(router, subscriptions)
    return router


def _add_list(router: Router) -> None:
    @router.get(PLACE, summary="Today's sessions, and all others", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        found, now = _within_reach(visit), visit.tenant.clock()
        today = [one for one in found if view.when(one, now) == "Today" and one.state == "planned"]
        cards = [
            view.about(one, now) | view.tally(_people(visit, one)) for one in sorted(today, key=lambda one: one.starts)
        ]
        return visit.page(
            "staff/sessions.html",
            today=cards,
            unclosed=[view.about(one, now) for one in found if one.state == "planned" and one.ends <= now],
            unsigned=_unsigned(visit),
            list=listing(asked_of(visit.request, view.SESSIONS, sort="-starts"), _rows(visit)),
            may_make=may(visit.caller)("/staff/new-session"),
            may_checklists=may(visit.caller)("/staff/checklists"),
        )

    add_files(router, PLACE, "The sessions", view.SESSIONS, _rows, name="sessions", sort="-starts")


def _unsigned(visit: Visit) -> list[dict[str, object]]:
    """The sessions in which something waits for the signature of the visitor."""
    if not may(visit.caller)(f"{marking.PERSON}/sign", "POST"):
        return []
    found = unsigned(visit.tenant.store, visit.caller, reach(visit.caller, SIGN))
    return [view.about(one.session, visit.tenant.clock()) | {"many": one.many} for one in found]


def _within_reach(visit: Visit) -> list[CentreSession]:
    return centre_sessions.of_centres(visit.tenant.store, reach(visit.caller), LISTED)


def _people(visit: Visit, one: CentreSession) -> list[attendees.Attendee]:
    return [person for _, person in attendees.of_session(visit.tenant.store, one.id).values()]


def _rows(visit: Visit) -> list[ListRow]:
    store = visit.tenant.store
    found = ((one, store.count(attendees.KIND, [attendees.expected_key(one.id)])) for one in _within_reach(visit))
    return [*view.listed(found, visit.tenant.clock(), visit.root), *by_file(visit)]


# -- a new one ------------------------------------------------------------------------------------------------------


def _add_new(router: Router, subscriptions: Subscriptions) -> None:
    @router.get("/staff/new-session", summary="The form to make a session", openapi_extra=SIGNED_IN)
    def ask(visit: Visiting) -> Response:
        return _form(visit, {"date": dates.day_of(visit.tenant.clock(), visit.tenant.settings.zone).isoformat()})

    @router.post(PLACE, status_code=303, summary="Makes a session", openapi_extra=form_body(*FIELDS, *MORE) | SIGNED_IN)
    def make(visit: Visiting, body: FormBody) -> Response:
        told = visit.fields(body)
        try:
            one = _made(visit, told, subscriptions)
        except FormFault as fault:
            return _form(visit, told, 400, fault.field, fault.message)
        except Refused as refused:
            if refused.status == 403:
                raise
            return _form(visit, told, refused.status, "centre", refused.message)
        return visit.on(f"{PLACE}/{one.id}", "session_made")


def _made(visit: Visit, told: dict[str, str], subscriptions: Subscriptions) -> CentreSession:
    store, known = visit.tenant.store, {one.centre for one in _within_reach(visit)}
    centre = centre_of(visit.caller, told.get("centre", "").strip(), known)
    wanted = told.get("checklist", "")
    checklist = checklists.current(store, wanted) if wanted else None
    if checklist is not None and checklist.content.centre != centre:
        raise FormFault("checklist", f"This checklist is not one of {centre}.")
    lead = marker_of(store, visit.caller, centre)
    one = session_in(
        told,
        centre=centre,
        zone=visit.tenant.settings.zone,
        lead=lead,
        by=lead.subject,
        number=secrets.token_hex(4),
        checklist=pinned(checklist) if checklist else None,
        now=visit.tenant.clock(),
    )
    acts.make(day_of(visit, subscriptions, RUN), one)
    return one


def _form(visit: Visit, told: dict[str, str], status: int = 200, field: str = "", message: str = "") -> Response:
    own = reach(visit.caller, RUN)
    store = visit.tenant.store
    found = list(checklists.everyone(store, sorted(own) if own is not None else None))
    return visit.page(
        "staff/session-new.html",
        status,
        given={name: told.get(name, "") for name in (*FIELDS, *MORE)},
        errors=[{"field": field, "message": message}] if message else [],
        wrong={field: message} if message else {},
        centres=[(one, one) for one in sorted(own or ())],
        is_free=own is None,
        kinds=list(KINDS_SAID.items()),
        checklists=[("", "None"), *((one.content.record, _called(one, own)) for one in found)],
    )


def _called(one: checklists.ChecklistVersion, own: frozenset[str] | None) -> str:
    where = f" ({one.content.centre})" if own is None or len(own) > 1 else ""
    return f"{one.content.title}, version {one.number}{where}"


# -- one session ----------------------------------------------------------------------------------------------------


def _add_roster(router: Router, subscriptions: Subscriptions) -> None:
    @router.get(ONE, summary="A session: who is there, and how far it is", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return _session(visit, subscriptions, id)

    enrolling.add_people(router, subscriptions)
    _add_attendance(router, subscriptions)


def _add_attendance(router: Router, subscriptions: Subscriptions) -> None:
    @router.post(
        f"{ONE}/attendance",
        status_code=303,
        summary="Marks who came",
        openapi_extra=form_body("who", "value", "seen") | SIGNED_IN,
    )
    def mark(visit: Visiting, id: str, body: FormBody) -> Response:
        told = visit.fields(body)
        day = day_of(visit, subscriptions, RUN)
        try:
            if told.get("value") == "all":
                marks.all_present(day, id)
                return visit.on(f"{PLACE}/{id}", "all_present")
            made = AttendanceMark(attendance_in(told), visit.tenant.clock(), day.marker)
            marks.mark_attendance(day, id, told.get("who", ""), made, seen_in(told))
        except Refused as refused:
            if refused.status != 409:
                raise
            return _session(visit, subscriptions, id, refused)
        return visit.on(f"{PLACE}/{id}#p-{told.get('who', '')}")


def _session(visit: Visit, subscriptions: Subscriptions, id: str, refused: Refused | None = None) -> Response:
    store, day = visit.tenant.store, day_of(visit, subscriptions, READ)
    _, session = day.session(store, id)
    people, known = _people(visit, session), known_checklist(store, session)
    expected = [one for one in people if one.is_expected]
    differs = differing(store, Telling(session, known, expected))
    newest = checklists.current(store, session.checklist.record).number if session.checklist else 0
    return visit.page(
        "staff/session.html",
        refused.status if refused else 200,
        one=view.about(session, visit.tenant.clock()) | view.tally(people),
        roster=view.roster(session, people, known, differs),
        waiting=view.waiting(people),
        steps=view.steps(known, people),
        checklist=known.shown() if known else None,
        newest=newest,
        counts=_counts(visit, session, known) if known else [],
        activity=checklist_activity(session, known) if known else "",
        warning=view.seats_warning(session, people),
        is_marked=any(one.steps for one in people),
        big=[(value, SAID[value]) for value in view.BIG],
        problem=refused.message if refused else "",
        may_run=may(visit.caller)(f"{ONE}/people", "POST"),
        can_change=acts.can_cancel(store, session),
    )


def _counts(visit: Visit, session: CentreSession, known: checklists.ChecklistVersion) -> list[str]:
    """The levels for which a rule in force counts the checklist, if it comes from this centre."""
    rules, activity = in_force(visit.tenant.store), checklist_activity(session, known)
    found = [
        level_named(rules, one)
        for one in rules.rules.by_item.values()
        if one.activity == activity and (not one.sources or session.centre in one.sources)
    ]
    return sorted(set(found))


def _add_closing(router: Router, subscriptions: Subscriptions) -> None:
    @router.get(f"{ONE}/close", summary="What is still open of a session", openapi_extra=SIGNED_IN)
    def ask(visit: Visiting, id: str) -> Response:
        return _closing(visit, subscriptions, id)

    @router.post(
        f"{ONE}/close",
        status_code=303,
        summary="Closes or cancels a session",
        openapi_extra=form_body("act") | SIGNED_IN,
    )
    def close(visit: Visiting, id: str, body: FormBody) -> Response:
        told = visit.fields(body)
        try:
            if told.get("act") == "cancel":
                root = pages_address_for(visit.request)
                acts.cancel(day_of(visit, subscriptions, RUN), id, root)
                return visit.on(f"{PLACE}/{id}", "session_cancelled")
            acts.close(day_of(visit, subscriptions, RUN), id)
        except Refused as refused:
            if refused.status != 409:
                raise
            return _closing(visit, subscriptions, id, refused)
        return visit.on(f"{PLACE}/{id}", "session_closed")

    @router.post(
        f"{ONE}/version", status_code=303, summary="Takes the newest checklist", openapi_extra=form_body() | SIGNED_IN
    )
    def version(visit: Visiting, id: str, body: FormBody) -> Response:
        visit.fields(body)
        try:
            acts.use_version(day_of(visit, subscriptions, RUN), id)
        except Refused as refused:
            if refused.status != 409:
                raise
            return _session(visit, subscriptions, id, refused)
        return visit.on(f"{PLACE}/{id}", "version_used")


def _closing(visit: Visit, subscriptions: Subscriptions, id: str, refused: Refused | None = None) -> Response:
    _, session = day_of(visit, subscriptions, RUN).session(visit.tenant.store, id)
    return visit.page(
        "staff/session-close.html",
        refused.status if refused else 200,
        one=view.about(session, visit.tenant.clock()) | view.tally(_people(visit, session)),
        open=acts.open_in(visit.tenant.store, session) if session.state == "planned" else [],
        can_cancel=acts.can_cancel(visit.tenant.store, session),
        problem=refused.message if refused else "",
    )
