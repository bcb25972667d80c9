"""Rows of a course for the table of rules: as a file, and added to the rules in force by a steward. No logic."""

from __future__ import annotations

from fastapi import Response

from adapters.lms.courses import courses
from adapters.lms.courses.courses import Course
from adapters.lms.courses.structure import shown_title
from adapters.lms.pages import rule_rows, view
from adapters.lms.pages.one_course import course_page
from adapters.lms.pages.own_courses import PLACE, READ, own_course
from adapters.lms.pages.rule_rows import TypedRows
from lrs.competency.rules import drafts
from lrs.competency.rules.applying import with_added
from lrs.competency.rules.drafts import RulesDraft
from lrs.competency.rules.ready import written
from lrs.kernel.errors import Refused
from lrs.pages import rules, session
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, says
from lrs.web.late import Router
from lrs.web.listing import file_of

_OWN_FIELDS = 5

says(
    course_rules_known="These rows are rules in force already, so nothing was added. Change them in the table of rules."
)


def add_rules(router: Router) -> None:
    """Adds its routes."""

    @router.get(f"{PLACE}/{{id}}/rules.csv", summary="Rows for the table of rules, to fill in", openapi_extra=SIGNED_IN)
    def table(visit: Visiting, id: str) -> Response:
        course = own_course(visit, id, READ)
        version = courses.version_in(visit.tenant.store, course.id, course.version)
        text = written(view.proposed_rules(course, version), course.content_source)
        return file_of(text.encode("utf-8-sig"), "text/csv; charset=utf-8", f"rules-course-{course.id}.csv")

    @router.post(
        f"{PLACE}/{{id}}/rules",
        status_code=303,
        summary="Shows what it would change to add rows of a course to the rules in force",
        openapi_extra=form_body("version", "start", *(f"{name}-0" for name in rule_rows.CELLS)) | SIGNED_IN,
    )
    def add(visit: Visiting, id: str, body: FormBody) -> Response:
        most = rule_rows.MOST * len(rule_rows.CELLS) + _OWN_FIELDS
        told = dict(session.pairs(visit.tenant, body, visit.session.nonce, most=most))
        course = own_course(visit, id, READ)
        try:
            return _added(visit, course, told)
        except Refused as refused:
            if refused.status not in {400, 409}:
                raise
            at = (refused.pointer or "/rules").removeprefix("/")
            return course_page(visit, course, TypedRows(told, {at: refused.message}), refused.status)


def _added(visit: Visit, course: Course, told: dict[str, str]) -> Response:
    tenant = visit.tenant
    version = courses.version_in(tenant.store, course.id, course.version)
    table, places = rule_rows.filled_in(course, version, told)
    found = with_added(tenant, table)
    if wrong := rule_rows.wrong_cells(found.faults, places):
        return course_page(visit, course, TypedRows(told, wrong), 400)
    if not found.added:
        return visit.on(f"{PLACE}/{course.id}", "course_rules_known")
    draft = RulesDraft(found.ruleset, tenant.clock(), visit.session.by, file=f"+ {shown_title(course.title)}"[:200])
    id = tenant.store.write(lambda tx: drafts.add_once(tx, draft)).result()
    return visit.on(f"{rules.PLACE}/drafts/{id}/changes")
