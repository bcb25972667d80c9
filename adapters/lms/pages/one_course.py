"""The page of one course: its versions and parts, who opens it, and the rows that make rules of it. No logic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import Response

from adapters.lms.courses import courses, openings
from adapters.lms.courses.courses import Course
from adapters.lms.courses.structure import units_of
from adapters.lms.lti.frames import let_forms_go
from adapters.lms.pages import rule_rows, view
from adapters.lms.pages.own_courses import MANAGE, OPEN, PLACE, reaches
from adapters.lms.pages.rule_rows import NOTHING_TYPED, TypedRows
from adapters.lms.sessions.session import REGISTRATION, learners_key
from lrs.competency.frameworks.frameworks import published
from lrs.competency.rules import rulesets
from lrs.pages.visit import Visit, may
from lrs.web.origins import content_settings


def course_page(visit: Visit, course: Course, typed: TypedRows = NOTHING_TYPED, status: int = 200) -> Response:
    """The page of *course*; *typed* is what stood in the form of its rows, and what is wrong with it.

    The rows begin with the one that was sent as ``start``, in the form or in the address.
    """
    store, settings = visit.tenant.store, visit.tenant.settings
    versions = courses.versions_in(store, course)
    wanted = typed.told.get("start") or visit.request.query_params.get("start", "")
    typed = replace(typed, start=rule_rows.start_of(wanted, len(units_of(versions[0].structure))))
    let_forms_go(visit.request, visit.tenant, [unit.url for unit in units_of(versions[0].structure)])
    return visit.page(
        "staff/course-package.html",
        status,
        one=view.detail(course, versions, settings.zone, is_served=settings.content_url is not None),
        content_settings=content_settings(visit.request, settings),
        registrations=store.count(REGISTRATION, [learners_key(course.id)]),
        chosen=len(openings.learners(store, course.id)),
        may_manage=reaches(visit, course, MANAGE),
        may_open=reaches(visit, course, OPEN),
        may_connect=may(visit.caller)("/staff/lms"),
        **_rules(visit, course, versions[0], typed),
    )


def _rules(visit: Visit, course: Course, version: courses.CourseVersion, typed: TypedRows) -> dict[str, Any]:
    store, count = visit.tenant.store, len(units_of(version.structure))
    frameworks, ruleset = published(store), rulesets.current(store)
    offered, sees = rule_rows.competencies(frameworks), may(visit.caller)
    return {
        "rows": rule_rows.shown(course, version, ruleset, frameworks, typed),
        "parts": rule_rows.parts(count, typed.start) if count > rule_rows.MOST else [],
        "start": typed.start,
        "source": course.content_source,
        "competencies": offered,
        "to_choose": 0 < len(offered) <= rule_rows.CHOSEN,
        "levels": rule_rows.levels(frameworks),
        "may_rule": sees(f"{PLACE}/{{id}}/rules", "POST"),
        "errors": [{"field": at, "message": message} for at, message in typed.wrong.items()],
        "wrong": typed.wrong,
    }
