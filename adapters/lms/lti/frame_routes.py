"""The pages behind a launch: a learner's own skills, a teacher's course. No logic."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse

from adapters.lms.courses.structure import AssignableUnit, shown_title
from adapters.lms.lti import course_view, courses, enrolments, grades, users
from adapters.lms.lti.course_view import GradeSent, InCourse
from adapters.lms.lti.courses import LtiLink, LtiMember
from adapters.lms.lti.frames import LAUNCHED, Named, framed, let_forms_go
from adapters.lms.lti.grades import LtiGrade
from adapters.lms.lti.signed_in import Launched
from lrs.kernel.errors import Refused
from lrs.matching.roles.role_plan import PlanFor
from lrs.outbox.listing import sent_to
from lrs.pages.me.badges import BadgesTold
from lrs.pages.me.routes import add_badges, add_skills
from lrs.pages.visit import REFUSALS, Visiting
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import exchange_of
from lrs.web.late import Router
from lrs.web.listing import Asked, ListRow, as_csv, as_json, asked_of, listing


def routes(told: BadgesTold, plan_for: PlanFor, add_code: Callable[[Router], None]) -> tuple[Router, Router]:
    """The routers: of a learner's own pages, with badges as they are *told* and plans for roles; a teacher's.

    *add_code* adds the form for the code of an event.
    """
    own, teaching = _router("/t/{tenant}/lti/me"), _router("/t/{tenant}/lti")
    add_skills(own, plan_for, told)
    add_badges(own, told)
    told.add_taking(own)
    add_code(own)
    _add_course(teaching)
    return own, teaching


def _router(prefix: str) -> Router:
    framing = [Depends(framed)]
    return Router(
        prefix=prefix,
        tags=["lti"],
        default_response_class=HTMLResponse,
        responses=REFUSALS,
        dependencies=framing,
    )


def _add_course(router: Router) -> None:
    @router.get("/courses/{course}", summary="Who is in a course, for its teacher", openapi_extra=LAUNCHED)
    def show(request: Request, tenant: Named, visit: Visiting, course: str) -> Response:
        """As a page; with ``.csv`` or ``.json`` at the end of the address, as a file."""
        id, _, ending = course.partition(".")
        who: Launched = exchange_of(request).behind
        assert who.course is not None  # noqa: S101 (the session is one for this course)
        asked, rows = asked_of(request, course_view.COLUMNS, sort="name"), course_view.rows(_in(tenant, id))
        if ending:
            return _as_file(asked, rows, ending)
        told = course_view.about(who.course, tenant.settings.zone)
        tried = _to_try(tenant, id)
        let_forms_go(request, tenant, [unit["url"] for one in tried for unit in one["units"]])
        return visit.page("lti/course.html", list=listing(asked, rows), tried=tried, course=id, **told)


def _to_try(tenant: Tenant, course: str) -> list[dict[str, Any]]:
    """The courses of ours that links in *course* open, with their units."""
    found = []
    for id, link in courses.links_in(tenant.store, course):
        if not link.opens.startswith(enrolments.COURSE):
            continue
        try:
            opened = enrolments.opened(tenant.store, link, "")
        except Refused:  # withdrawn, or not here: what learners are told there
            continue
        units = [_unit(index, unit) for index, unit in opened.units]
        found.append({"link": id, "title": shown_title(opened.course.title), "units": units})
    return found


def _unit(index: int, unit: AssignableUnit) -> dict[str, Any]:
    return {"index": index, "title": shown_title(unit.title), "url": unit.url}


def _as_file(asked: Asked, rows: list[ListRow], ending: str) -> Response:
    if ending == "csv":
        return as_csv(asked, rows, "course")
    if ending == "json":
        return as_json(asked, rows, "course")
    raise Refused("There is no such file of this list.", status=404, error="not_found")


def _in(tenant: Tenant, course: str) -> list[InCourse]:
    members = courses.members_of_course(tenant.store, course)
    known = users.those(tenant.store, [one.user for one in members])
    links = dict(courses.links_in(tenant.store, course))
    platform = courses.course(tenant.store, course)
    sent = sent_to(tenant, {grades.CHANNEL_NAME: grades.CHANNEL}, platform.platform) if links and platform else []
    fates = {one["id"]: one for one in sent}
    return [
        InCourse(one, known[one.user], tuple(_sent(links, found, fates) for found in _grades(tenant, links, one)))
        for one in members
        if one.user in known
    ]


def _grades(tenant: Tenant, links: Mapping[str, LtiLink], one: LtiMember) -> list[LtiGrade]:
    return grades.those_of(tenant.store, list(links), one.user)


def _sent(links: Mapping[str, LtiLink], one: LtiGrade, fates: Mapping[str, Mapping[str, Any]]) -> GradeSent:
    fate = fates.get(grades.delivery_id(grades.grade_id(one.link, one.user)), {})
    title = links[one.link].title or "Grade"
    return GradeSent(title, one, str(fate.get("state", "")), fate.get("status"), str(fate.get("reason") or ""))
