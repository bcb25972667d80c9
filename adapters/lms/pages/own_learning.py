"""The courses that a learner who is signed in opens themselves: open to all, or opened for them alone. No logic."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from fastapi import Response

from adapters.lms.courses import courses
from adapters.lms.courses.courses import Course
from adapters.lms.courses.in_use import opens
from adapters.lms.courses.openings import is_open_for, open_for
from adapters.lms.courses.structure import shown_title, units_of
from adapters.lms.launching.launching import FreshNames, LaunchOrder, UnitLaunched, launch_in
from adapters.lms.launching.own_account import actor_in, known_actor
from adapters.lms.lti.frames import let_forms_go
from adapters.lms.pages.addresses import lms_place, part_in, root_of
from adapters.lms.pages.view import own_parts
from adapters.lms.sessions.acts import enrol_in
from adapters.lms.sessions.session import Registration, latest_registration
from lrs.kernel.errors import Refused
from lrs.pages.me.own_page import own_of, own_page
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router
from lrs.people.persons import members_of
from lrs.storage import ROWS, Reader, Tx
from lrs.web.late import Router
from lrs.web.page import redirect
from lrs.xapi.statements.subscriptions import Subscriptions

PLACE = "/me/courses"
MOST = 200
_WEIGHT = 24 * ROWS


def routes(subscriptions: Subscriptions) -> Router:
    """The router; *subscriptions* say which steps the statements of a launch owe."""
    router = page_router()

    @router.get(PLACE, summary="The courses that one may open", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _shown(visit)

    @router.post(
        f"{PLACE}/{{id}}", status_code=303, summary="Opens a part", openapi_extra=form_body("unit") | SIGNED_IN
    )
    def start(visit: Visiting, id: str, body: FormBody) -> Response:
        index = part_in(visit.fields(body))
        try:
            return redirect(visit.request, _launched(visit, id, index, subscriptions).url)
        except Refused as refused:
            if refused.status != 409:
                raise
            return _shown(visit, refused)

    return router


def _home(visit: Visit) -> str:
    return f"{root_of(visit)}/me"


def _course(reader: Reader, id: str, person: str) -> Course:
    course = courses.course_in(reader, id, client="")
    if not opens(course) and (course.withdrawn or not is_open_for(reader, id, members_of(reader, person))):
        raise Refused("There is no such course for you to open.", status=404, error="not_found")
    return course


def _launched(visit: Visit, id: str, index: int, subscriptions: Subscriptions) -> UnitLaunched:
    tenant, place = visit.tenant, lms_place(visit, subscriptions)
    person, home, back = own_of(visit).person, _home(visit), f"{root_of(visit)}{PLACE}"
    fresh, names = FreshNames(str(uuid.uuid4()), secrets.token_urlsafe(32)), (str(uuid.uuid4()), str(uuid.uuid4()))

    def decide(tx: Tx) -> UnitLaunched:
        course = _course(tx, id, person)
        actor = actor_in(tx, tenant, person, home)
        found = latest_registration(tx, course.id, actor)
        registration = found or enrol_in(tx, place, course, actor, id=names[0], session=names[1])
        return launch_in(tx, place, LaunchOrder(registration.id, index, return_url=back), fresh)

    return tenant.store.write(decide, weight=_WEIGHT).result()


def _shown(visit: Visit, refused: Refused | None = None) -> Response:
    person = own_of(visit).person
    actor = known_actor(visit.tenant.store, visit.tenant, person, _home(visit))
    found = [_one(visit, one, actor) for one in _open_to(visit.tenant.store, person)]
    let_forms_go(visit.request, visit.tenant, [part["url"] for one in found for part in one["units"]])
    return own_page(
        visit,
        "learner/courses.html",
        refused.status if refused else 200,
        courses=found,
        problem=refused.message if refused else "",
    )


def _open_to(reader: Reader, person: str) -> list[Course]:
    """The courses that *person* may open: those opened for them, then those that all learners open."""
    own = (courses.course_in(reader, id) for id in open_for(reader, members_of(reader, person)))
    found = [*(one for one in own if not one.withdrawn), *filter(opens, courses.newest(reader, MOST))]
    return list({one.id: one for one in found}.values())


def _one(visit: Visit, course: Course, actor: dict[str, Any] | None) -> dict[str, Any]:
    store = visit.tenant.store
    registration: Registration | None = latest_registration(store, course.id, actor) if actor else None
    version = courses.version_in(store, course.id, registration.version if registration else course.version)
    parts = own_parts(registration, units_of(version.structure))
    return {"id": course.id, "title": shown_title(course.title), "units": parts}
