"""Who manages a course tries a part of it, without any platform: in the mode Browse, so nothing counts. No logic."""

from __future__ import annotations

import secrets
import uuid

from fastapi import Response

from adapters.lms.courses.courses import Course
from adapters.lms.launching.launching import FreshNames, LaunchOrder, UnitLaunched, launch_in
from adapters.lms.pages.addresses import lms_place, part_in, root_of
from adapters.lms.pages.own_courses import PLACE, own_course
from adapters.lms.sessions.acts import checked_actor, trial_in
from lrs.kernel.names import name
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body
from lrs.storage import ROWS, Tx
from lrs.tenancy import audit
from lrs.web.late import Router
from lrs.web.page import redirect
from lrs.xapi.statements.subscriptions import Subscriptions

SHOWN = "Trial by staff"
"""The name of whoever tries a course, as content and the list of its learners show it."""
_WEIGHT = 20 * ROWS


def add_trial(router: Router, subscriptions: Subscriptions) -> None:
    """Adds its route; *subscriptions* say which steps the statements of a launch owe."""

    @router.post(
        f"{PLACE}/{{id}}/try",
        status_code=303,
        summary="Opens a part to try it",
        openapi_extra=form_body("unit") | SIGNED_IN,
    )
    def start(visit: Visiting, id: str, body: FormBody) -> Response:
        fields, course = visit.fields(body), own_course(visit, id)
        launched = _launched(visit, course, part_in(fields), subscriptions)
        return redirect(visit.request, launched.url)


def _launched(visit: Visit, course: Course, index: int, subscriptions: Subscriptions) -> UnitLaunched:
    place, root, by = lms_place(visit, subscriptions), root_of(visit), visit.session.by
    actor = checked_actor({"name": SHOWN, "account": {"homePage": f"{root}{PLACE}", "name": by}})
    id = name("staff-trial", visit.tenant.id, course.id, str(course.version), by)
    fresh, session = FreshNames(str(uuid.uuid4()), secrets.token_urlsafe(32)), str(uuid.uuid4())
    order = LaunchOrder(id, index, "Browse", return_url=f"{root}{PLACE}/{course.id}")

    def decide(tx: Tx) -> UnitLaunched:
        trial_in(tx, place, course, actor, id=id, session=session)
        launched = launch_in(tx, place, order, fresh)
        audit.append(tx, by, "unit.launched", {"registration": id, "unit": str(index), "mode": "Browse"})
        return launched

    return visit.tenant.store.write(decide, weight=_WEIGHT).result()
