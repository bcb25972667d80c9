"""Which courses somebody who is signed in may manage: all, or those that authors of their sources sent."""

from __future__ import annotations

from adapters.lms import courses
from adapters.lms.courses import Course
from lrs.kernel.errors import Refused
from lrs.pages.visit import Visit

PLACE = "/staff/courses"
RIGHT = "courses.manage"


def reaches(visit: Visit, course: Course) -> bool:
    """Whether the visitor's right reaches *course*."""
    if visit.caller.may_all(RIGHT):
        return True
    return not course.client and bool(course.source) and course.source in visit.caller.owned(RIGHT)


def own_course(visit: Visit, id: str) -> Course:
    """The course *id*. Refuses (404) also one that the visitor's right does not reach."""
    try:
        found = courses.course_in(visit.tenant.store, id)
    except Refused as refused:
        raise Refused("There is no such course.", status=404, error="not_found") from refused
    if not reaches(visit, found):
        raise Refused("There is no such course.", status=404, error="not_found")
    return found


def source_of(visit: Visit) -> str:
    """The source of what the visitor sends: empty for whoever manages all, else the first of those of their roles.

    Refuses (403) whoever has none.
    """
    if visit.caller.may_all(RIGHT):
        return ""
    own = sorted(visit.caller.owned(RIGHT))
    if not own:
        raise Refused("Your role names no source: ask an administrator for one.", status=403, error="forbidden")
    return own[0]
