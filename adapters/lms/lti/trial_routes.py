"""A teacher tries a part of a course that a link in theirs opens: in the mode Browse, so nothing counts. No logic."""

from fastapi import Depends, Response
from fastapi.responses import HTMLResponse

from adapters.lms.lti import courses, enrolments, users
from adapters.lms.lti.enrolments import OpenedCourse
from adapters.lms.lti.frames import IN_A_WINDOW, LAUNCHED, framed
from adapters.lms.lti.opening import Enter, UnitOpening, open_unit
from adapters.lms.lti.signed_in import Launched
from adapters.lms.sessions.acts import checked_actor, trial_in
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import Registration
from lrs.kernel.errors import Refused
from lrs.kernel.names import name
from lrs.pages.visit import REFUSALS, FormBody, Visit, Visiting, form_body
from lrs.storage import Tx
from lrs.web.exchange import exchange_of
from lrs.web.late import Router
from lrs.xapi.statements.subscriptions import Subscriptions


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
        opening = UnitOpening(index, f"courses/{course}", "Browse")
        return open_unit(visit, subscriptions, opening, _entering(visit, course, link), visit.page)

    return router


def _entering(visit: Visit, course: str, link: str) -> Enter:
    """What has the teacher who came try what the *link* opens: they are no learner in it."""
    who = exchange_of(visit.request).behind
    assert isinstance(who, Launched)  # noqa: S101 (the line of the table asks for a launch)
    user = who.caller.subject.removeprefix("lti-user ")
    known = users.user(visit.tenant.store, user)
    actor = checked_actor({"account": {"homePage": who.platform.issuer, "name": known.sub if known else user}})

    def enter(tx: Tx, place: LmsPlace, session: str) -> tuple[OpenedCourse, Registration]:
        there = courses.link(tx, link)
        if there is None or there.course != course or not there.opens.startswith(enrolments.COURSE):
            raise Refused("There is no such course of ours in this course.", status=404, error="not_found")
        found = enrolments.opened(tx, there, user)
        id = name("lti-trial", found.course.id, str(found.course.version), course, user)
        return found, trial_in(tx, place, found.course, actor, id=id, session=session)

    return enter
