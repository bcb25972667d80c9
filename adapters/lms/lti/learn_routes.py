"""A course of ours inside a platform, for a learner: its units, how far each is, and the launch of one. No logic."""

from functools import partial

from fastapi import Depends, Response
from fastapi.responses import HTMLResponse

from adapters.lms.courses.structure import shown_title
from adapters.lms.lti import courses, enrolments, users
from adapters.lms.lti.courses import LtiLink, LtiMember
from adapters.lms.lti.enrolments import OpenedCourse
from adapters.lms.lti.frames import IN_A_WINDOW, LAUNCHED, framed, let_forms_go
from adapters.lms.lti.opening import Enter, UnitOpening, open_unit
from lrs.kernel.errors import Refused
from lrs.pages.me.own_page import own_page
from lrs.pages.visit import REFUSALS, FormBody, Visit, Visiting, form_body
from lrs.web.exchange import exchange_of
from lrs.web.late import Router
from lrs.xapi.statements.subscriptions import Subscriptions


def routes(subscriptions: Subscriptions) -> Router:
    """The router; *subscriptions* say which steps the statements of a launch owe."""
    router = Router(
        prefix="/t/{tenant}/lti/learn",
        tags=["lti"],
        default_response_class=HTMLResponse,
        responses=REFUSALS,
        dependencies=[Depends(framed)],
    )

    @router.get("/{link}", summary="A course of ours, for a learner", openapi_extra=LAUNCHED)
    def show(visit: Visiting, link: str) -> Response:
        there, member = _link(visit, link)
        found = enrolments.opened(visit.tenant.store, there, member.user)
        let_forms_go(visit.request, visit.tenant, [unit.url for _, unit in found.units])
        return own_page(visit, "lti/learn.html", link=link, title=shown_title(found.course.title), units=_units(found))

    @router.post(
        "/{link}/{index}",
        status_code=303,
        summary="Launches a unit",
        openapi_extra=form_body() | LAUNCHED,
        responses=IN_A_WINDOW,
    )
    def start(visit: Visiting, link: str, index: int, body: FormBody) -> Response:
        visit.fields(body)
        opening = UnitOpening(index, f"learn/{link}")
        return open_unit(visit, subscriptions, opening, _entering(visit, link), partial(own_page, visit))

    return router


def _link(visit: Visit, id: str) -> tuple[LtiLink, LtiMember]:
    """The link *id*, in a course in which the learner is. Raises ``Refused`` (404)."""
    store = visit.tenant.store
    there = courses.link(store, id)
    mine = courses.memberships_of(store, visit.caller.person) if there else []
    member = next((one for one in mine if there and one.course == there.course and one.active), None)
    if there is None or member is None or not there.opens.startswith(enrolments.COURSE):
        raise Refused(
            "There is no such course for you. Open it in your learning platform.", status=404, error="not_found"
        )
    return there, member


def _entering(visit: Visit, id: str) -> Enter:
    """What enrols the learner who came by the link *id*."""
    _, member = _link(visit, id)
    known = users.user(visit.tenant.store, member.user)
    account = {"homePage": _issuer(visit), "name": known.sub if known else ""}
    return lambda tx, place, session: enrolments.enrol(tx, place, id, member, (account, session))


def _units(found: OpenedCourse) -> list[dict[str, object]]:
    return [
        {
            "index": index,
            "title": shown_title(unit.title),
            "state": enrolments.state_of(found.registration.unit(unit.activity)) if found.registration else "new",
        }
        for index, unit in found.units
    ]


def _issuer(visit: Visit) -> str:
    issuer: str = exchange_of(visit.request).behind.platform.issuer
    return issuer
