"""The pages behind a launch: a learner's own skills, a teacher's course. No logic."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from adapters.lms.lti import course_view, courses, users
from adapters.lms.lti.course_view import InCourse
from adapters.lms.lti.frames import Named, framed
from adapters.lms.lti.signed_in import Launched
from lrs.pages.me.routes import add_skills
from lrs.pages.visit import REFUSALS
from lrs.storage import Reader
from lrs.web.exchange import exchange_of
from lrs.web.listing import asked_of, listing
from lrs.web.page import page

LAUNCHED: dict[str, Any] = {"security": [{"launch": []}]}


def routes() -> tuple[APIRouter, APIRouter]:
    """The routers: of a learner's own pages, and of a teacher's."""
    own, teaching = _router("/t/{tenant}/lti/me"), _router("/t/{tenant}/lti")
    add_skills(own)
    _add_course(teaching)
    return own, teaching


def _router(prefix: str) -> APIRouter:
    framing = [Depends(framed)]
    return APIRouter(
        prefix=prefix,
        tags=["lti"],
        default_response_class=HTMLResponse,
        responses=REFUSALS,
        dependencies=framing,
    )


def _add_course(router: APIRouter) -> None:
    @router.get("/courses/{course}", summary="Who is in a course, for its teacher", openapi_extra=LAUNCHED)
    def show(request: Request, tenant: Named, course: str) -> Response:
        who: Launched = exchange_of(request).behind
        assert who.course is not None  # noqa: S101 (the session is one for this course)
        found = listing(
            asked_of(request, course_view.COLUMNS, sort="name"), course_view.rows(_in(tenant.store, course))
        )
        return page(request, "lti/course.html", list=found, **course_view.about(who.course, tenant.settings.zone))


def _in(reader: Reader, course: str) -> list[InCourse]:
    members = courses.members_of_course(reader, course)
    known = users.those(reader, [one.user for one in members])
    return [InCourse(one, known[one.user]) for one in members if one.user in known]
