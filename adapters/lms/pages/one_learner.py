"""The page of one learner in a course: how far each part is, launches, and what staff do about them. No logic."""

from __future__ import annotations

import secrets
import uuid

from fastapi import Response

from adapters.lms.courses.courses import Course
from adapters.lms.courses.structure import shown_title, units_of
from adapters.lms.launching.launching import FreshNames, LaunchOrder, UnitLaunched, launch_in
from adapters.lms.lti.frames import let_forms_go
from adapters.lms.pages.addresses import lms_place, part_in, root_of
from adapters.lms.pages.known_learners import known_learners, record_of
from adapters.lms.pages.learner_view import MODES, one_learner
from adapters.lms.pages.own_courses import PLACE, own_course
from adapters.lms.sessions import acts
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import Registration, registration_in, session_in, sessions_of
from lrs.kernel.errors import Refused
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, says
from lrs.storage import ROWS, Tx
from lrs.tenancy import audit
from lrs.web.late import Router
from lrs.web.page import redirect
from lrs.xapi.statements.subscriptions import Subscriptions

ONE = f"{PLACE}/{{id}}/learners/{{registration}}"
_WEIGHT = 20 * ROWS

says(
    unit_waived="This part counts as done now, for the reason that you gave.",
    launch_ended="The launch is ended. What was done in it stays.",
)


def add_learner(router: Router, subscriptions: Subscriptions) -> None:
    """Adds its routes; *subscriptions* say which steps the statements owe."""

    @router.get(ONE, summary="One learner in a course", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str, registration: str) -> Response:
        return _shown(visit, *_found(visit, id, registration))

    @router.post(
        f"{ONE}/launch", status_code=303, summary="Opens a part", openapi_extra=form_body("unit", "mode") | SIGNED_IN
    )
    def start(visit: Visiting, id: str, registration: str, body: FormBody) -> Response:
        fields, (course, found) = visit.fields(body), _found(visit, id, registration)
        mode = MODES.get(fields.get("mode", ""))
        if mode is None:
            raise Refused("Choose how to open it: Normal, Browse or Review.", pointer="/mode")
        order = LaunchOrder(found.id, part_in(fields), mode, return_url=f"{root_of(visit)}{_address(course, found)}")
        try:
            launched = _launched(visit, lms_place(visit, subscriptions), order)
        except Refused as refused:
            return _shown(visit, course, found, refused)
        return redirect(visit.request, launched.url)

    _add_changes(router, subscriptions)


def _add_changes(router: Router, subscriptions: Subscriptions) -> None:
    """What staff change of it: a part that counts as done, and the end of a launch."""

    @router.post(
        f"{ONE}/waive",
        status_code=303,
        summary="Lets a part count as done",
        openapi_extra=form_body("unit", "reason") | SIGNED_IN,
    )
    def waive(visit: Visiting, id: str, registration: str, body: FormBody) -> Response:
        fields, (course, found) = visit.fields(body), _found(visit, id, registration)
        place, by, session = lms_place(visit, subscriptions), visit.session.by, str(uuid.uuid4())
        index, reason = part_in(fields), fields.get("reason", "")
        try:
            visit.tenant.store.write(
                lambda tx: acts.waive_in(tx, place, found.id, index, reason, session=session, by=by)
            ).result()
        except Refused as refused:
            return _shown(visit, course, found, refused)
        return visit.on(_address(course, found), "unit_waived")

    @router.post(f"{ONE}/end", status_code=303, summary="Ends a launch", openapi_extra=form_body("session") | SIGNED_IN)
    def end(visit: Visiting, id: str, registration: str, body: FormBody) -> Response:
        fields, (course, found) = visit.fields(body), _found(visit, id, registration)
        session = session_in(visit.tenant.store, fields.get("session", ""))
        if session.registration != found.id:
            raise Refused("This launch is of somebody else.", status=404, error="not_found")
        place = lms_place(visit, subscriptions)
        visit.tenant.store.write(lambda tx: acts.abandon_in(tx, place, session, "staff")).result()
        return visit.on(_address(course, found), "launch_ended")


def _found(visit: Visit, id: str, registration: str) -> tuple[Course, Registration]:
    course = own_course(visit, id)
    try:
        found = registration_in(visit.tenant.store, registration)
    except Refused as refused:
        raise Refused("There is no such learner in this course.", status=404, error="not_found") from refused
    if found.course != course.id:
        raise Refused("There is no such learner in this course.", status=404, error="not_found")
    return course, found


def _shown(visit: Visit, course: Course, found: Registration, refused: Refused | None = None) -> Response:
    store, zone = visit.tenant.store, visit.tenant.settings.zone
    structure = acts.structure_of(store, found)
    let_forms_go(visit.request, visit.tenant, [one.url for one in units_of(structure)])
    who = known_learners(visit, [found])[found.id]
    return visit.page(
        "staff/course-learner.html",
        refused.status if refused else 200,
        problem=refused.message if refused else "",
        course={"id": course.id, "title": shown_title(course.title)},
        one=one_learner(found, structure, who, sessions_of(store, found.id), zone),
        parts=[(str(index), shown_title(unit.title)) for index, unit in enumerate(units_of(structure))],
        withdrawn=course.withdrawn,
        record=record_of(visit, who),
    )


def _address(course: Course, found: Registration) -> str:
    return f"{PLACE}/{course.id}/learners/{found.id}"


def _launched(visit: Visit, place: LmsPlace, order: LaunchOrder) -> UnitLaunched:
    """Launches, and writes down who opened a course for whom: in Normal it counts as the learner's work."""
    fresh = FreshNames(str(uuid.uuid4()), secrets.token_urlsafe(32))
    told = {"registration": order.registration, "unit": str(order.index), "mode": str(order.mode)}

    def decide(tx: Tx) -> UnitLaunched:
        launched = launch_in(tx, place, order, fresh)
        audit.append(tx, visit.session.by, "unit.launched", told)
        return launched

    return visit.tenant.store.write(decide, weight=_WEIGHT).result()
