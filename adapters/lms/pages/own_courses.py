"""Which courses somebody who is signed in may see, open or manage: all, or those that authors of their sources sent."""

from __future__ import annotations

from adapters.lms.courses import courses
from adapters.lms.courses.courses import Course
from lrs.kernel.errors import Refused
from lrs.pages.visit import Visit

PLACE = "/staff/courses"
READ, OPEN, MANAGE = "courses.read", "courses.open", "courses.manage"


def reaches(visit: Visit, course: Course, right: str) -> bool:
    """Whether the visitor's *right* reaches *course*."""
    if visit.caller.may_all(right):
        return True
    return not course.client and bool(course.source) and course.source in visit.caller.owned(right)


def own_course(visit: Visit, id: str, right: str = MANAGE) -> Course:
    """The course *id*. Refuses (404) also one that the visitor's *right* does not reach."""
    try:
        found = courses.course_in(visit.tenant.store, id)
    except Refused as refused:
        raise Refused("There is no such course.", status=404, error="not_found") from refused
    if not reaches(visit, found, right):
        raise Refused("There is no such course.", status=404, error="not_found")
    return found


def sources_of(visit: Visit) -> list[str]:
    """The sources that a package can be sent for; empty for whoever manages all courses."""
    return [] if visit.caller.may_all(MANAGE) else sorted(visit.caller.owned(MANAGE))


def source_of(visit: Visit, chosen: str) -> str:
    """The source of a package that the visitor sends: empty for whoever manages all, else theirs, or the *chosen* one.

    Refuses: 403 for whoever has none, 400 if none of several was chosen.
    """
    if visit.caller.may_all(MANAGE):
        return ""
    own = sources_of(visit)
    if not own:
        raise Refused("Your role names no source: ask an administrator for one.", status=403, error="forbidden")
    if len(own) == 1 or chosen in own:
        return own[0] if len(own) == 1 else chosen
    raise Refused("Choose which of your sources the course is of.", error="no_source")
