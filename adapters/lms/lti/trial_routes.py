"""A teacher tries a part of a course that a link in theirs opens: in the mode Browse, so nothing counts. No logic."""

import secrets
import uuid

from fastapi import Depends, Response
from fastapi.responses import HTMLResponse

from adapters.lms.launching.launching import FreshNames, LaunchOrder, UnitLaunched, launch_in
from adapters.lms.lti import courses, enrolments, users
from adapters.lms.lti.frames import IN_A_WINDOW, LAUNCHED, framed, tool_of
from adapters.lms.lti.signed_in import Launched
from adapters.lms.sessions.acts import checked_actor, trial_in
from adapters.lms.sessions.place import LmsPlace
from lrs.kernel.errors import Refused
from lrs.kernel.names import name
from lrs.pages.visit import REFUSALS, FormBody, Visit, Visiting, form_body
from lrs.storage import ROWS, Tx
from lrs.web.exchange import exchange_of
from lrs.web.late import Router
from lrs.web.page import redirect
from lrs.xapi.statements.subscriptions import Subscriptions

_WEIGHT = 20 * ROWS


def routes(subscriptions: Subscriptions) -> Router:
    """The router; *subscriptions* say which steps the statements of a launch owe."""
    router = Router(
        prefix="/t/{tenant}/lti/courses/{course}",
        tags=["lti"],
        default_response_class=HTMLResponse,
        responses=REFUSALS,
        dependencies=[Depends(framed)],
    )

    @router.post(
        "/try/{link}/{index}",
        status_code=303,
        summary="Opens a unit to try it",
        openapi_extra=form_body() | LAUNCHED,
        responses=IN_A_WINDOW,
    )
    def start(visit: Visiting, course: str, link: str, index: int, body: FormBody) -> Response:
        visit.fields(body)
        launched = _launched(visit, course, link, index, subscriptions)
        if launched.method != "OwnWindow":
            return redirect(visit.request, launched.url)
        return visit.page("lti/opening.html", address=launched.url, place=f"courses/{course}")

    return router


def _launched(visit: Visit, course: str, link: str, index: int, subscriptions: Subscriptions) -> UnitLaunched:
    who, store = exchange_of(visit.request).behind, visit.tenant.store
    assert isinstance(who, Launched)  # noqa: S101 (the line of the table asks for a launch)
    there, user = courses.link(store, link), who.caller.subject.removeprefix("lti-user ")
    if there is None or there.course != course or not there.opens.startswith(enrolments.COURSE):
        raise Refused("There is no such course of ours in this course.", status=404, error="not_found")
    found = enrolments.opened(store, there, user)
    tool = tool_of(visit.request)
    place = LmsPlace(visit.tenant, subscriptions, tool.removesuffix("/lti"))
    back = enrolments.way_back(found, index, tool, f"courses/{course}")
    known = users.user(store, user)
    actor = checked_actor({"account": {"homePage": who.platform.issuer, "name": known.sub if known else user}})
    id = name("lti-trial", found.course.id, str(found.course.version), course, user)
    fresh, session = FreshNames(str(uuid.uuid4()), secrets.token_urlsafe(32)), str(uuid.uuid4())

    def decide(tx: Tx) -> UnitLaunched:
        registration = trial_in(tx, place, found.course, actor, id=id, session=session)
        order = LaunchOrder(registration.id, index, "Browse", return_url=back)
        return launch_in(tx, place=place, order=order, fresh=fresh)

    return store.write(decide, weight=_WEIGHT).result()
