"""The pages of courses: a package is sent, versions and units are seen, and how learners get on. No logic."""

from __future__ import annotations

from fastapi import Request, Response

from adapters.lms.courses import courses, in_use
from adapters.lms.courses.courses import Course
from adapters.lms.courses.in_use import CourseSwitch
from adapters.lms.courses.packages import MOST_BYTES
from adapters.lms.courses.structure import Structure, shown_title
from adapters.lms.importing import import_course
from adapters.lms.pages import view
from adapters.lms.pages.adding_rules import add_rules
from adapters.lms.pages.chosen import add_chosen
from adapters.lms.pages.known_learners import known_learners
from adapters.lms.pages.one_course import course_page
from adapters.lms.pages.one_learner import add_learner
from adapters.lms.pages.own_courses import (
    MANAGE,
    OPEN,
    PLACE,
    READ,
    own_course,
    reaches,
    source_of,
    sources_of,
)
from adapters.lms.pages.trying import add_trial
from adapters.lms.sessions.session import REGISTRATION, Registration, learners_key, registration_of, trials_key
from lrs.access import staff
from lrs.kernel.errors import Refused
from lrs.kernel.settings import MIB
from lrs.pages.list_files import add_files
from lrs.pages.sent_file import sent_file
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says, uploads
from lrs.storage import Walk
from lrs.storage.edge import read
from lrs.web.late import Router
from lrs.web.listing import ListRow, as_csv, as_json, asked_of, listing
from lrs.web.origins import content_settings
from lrs.xapi.statements.subscriptions import Subscriptions

ONE = f"{PLACE}/{{id}}"
REPORT = f"{ONE}/learners"
LISTED = 2_000
"""The newest registrations that a report has."""
TRIALS = 50
"""The newest trials that stand below it."""

says(
    course_new="The package is in: this is its course now.",
    course_version="The package is in: it is a new version of this course. Who began an earlier one goes on with that.",
    course_back="The course is in use again.",
    course_same="The course is as it was: this package is its current version already.",
    course_catalogue_on="The course stands in the catalogue now, for everybody.",
    course_catalogue_off="The course is not in the catalogue. Who has it from a learning platform keeps it.",
    course_open_on="Learners who are signed in may open the course by themselves now.",
    course_open_off="Learners do not open the course by themselves. Who has it from a learning platform keeps it.",
    course_withdrawn="The course takes no learners any more. What they did stays.",
)


def routes(subscriptions: Subscriptions) -> Router:
    """The router; *subscriptions* say which steps the statements of a launch owe."""
    router = page_router()
    _add_list(router)
    _add_one(router)
    add_rules(router)
    _add_switches(router)
    _add_report(router)
    add_chosen(router)
    add_learner(router, subscriptions)
    add_trial(router, subscriptions)
    return router


def _add_list(router: Router) -> None:
    @router.get(PLACE, summary="The courses, and where a package is sent", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _list(visit)

    add_files(router, PLACE, "The courses", view.COURSES, _rows, name="courses", sort="title")

    @router.post(PLACE, status_code=303, summary="Takes a package", openapi_extra=uploads("source") | SIGNED_IN)
    async def send(request: Request, visit: Visiting) -> Response:
        try:
            found = await _sent(request, visit)
        except Refused as refused:
            if refused.error not in {"no_file", "no_source", "bad_package"}:
                raise
            return await read(_list, visit, refused)
        return visit.on(f"{PLACE}/{found.course.id}", view.done_by(found))


async def _sent(request: Request, visit: Visit) -> courses.Imported:
    """The course of the package in a form. Raises ``Refused``."""
    async with sent_file(request, visit, MOST_BYTES + MIB, called="a package") as sent:
        source = source_of(visit, sent.fields.get("source", ""))
        return await read(import_course, visit.tenant, sent.file.file, sent.name, visit.session.by, "", source)


def _list(visit: Visit, refused: Refused | None = None) -> Response:
    return visit.page(
        "staff/courses.html",
        refused.status if refused else 200,
        problem=refused.message if refused else "",
        rule=view.rule_of(refused),
        may_send=may(visit.caller)(PLACE, "POST"),
        sources=sources_of(visit),
        content_settings=content_settings(visit.request, visit.tenant.settings),
        is_served=visit.tenant.settings.content_url is not None,
        list=listing(asked_of(visit.request, view.COURSES, sort="title"), _rows(visit)),
    )


def _rows(visit: Visit) -> list[ListRow]:
    store = visit.tenant.store
    mine = (one for one in courses.newest(store) if reaches(visit, one, READ))
    found = [(one, store.count(REGISTRATION, [learners_key(one.id)])) for one in mine]
    return view.listed(found, visit.tenant.settings.zone, visit.root)


def _add_one(router: Router) -> None:
    @router.get(ONE, summary="One course: its versions and units", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return course_page(visit, own_course(visit, id, READ))

    @router.post(
        f"{ONE}/withdraw", status_code=303, summary="Takes a course out of use", openapi_extra=form_body() | SIGNED_IN
    )
    def withdraw(visit: Visiting, id: str, body: FormBody) -> Response:
        visit.fields(body)
        course = own_course(visit, id)
        visit.tenant.store.write(lambda tx: in_use.withdraw_in(tx, course, visit.session.by)).result()
        return visit.on(f"{PLACE}/{id}", "course_withdrawn")


def _add_switches(router: Router) -> None:
    for path, switch in in_use.SWITCHES.items():
        _add_switch(router, path, switch)


def _add_switch(router: Router, path: str, switch: CourseSwitch) -> None:
    right = OPEN if switch is in_use.OPEN else MANAGE

    @router.post(
        f"{ONE}/{path}",
        status_code=303,
        summary=switch.says.replace("the course ID", "a course").removesuffix("."),
        openapi_extra=form_body(switch.about) | SIGNED_IN,
    )
    def turn(visit: Visiting, id: str, body: FormBody) -> Response:
        course, on = own_course(visit, id, right), visit.fields(body).get(switch.about, "") == "yes"
        by = visit.session.by
        visit.tenant.store.write(lambda tx: in_use.switch_in(tx, course.id, switch, by, on=on)).result()
        return visit.on(f"{PLACE}/{id}", f"course_{path}_{'on' if on else 'off'}")


def _add_report(router: Router) -> None:
    @router.get(REPORT, summary="Who is in a course, and how far", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        course = own_course(visit, id)
        found = listing(asked_of(visit.request, view.LEARNERS, sort="-began"), _learners(visit, course))
        one = {"id": course.id, "title": shown_title(course.title)}
        tried, store = _registrations(visit, trials_key(course.id), TRIALS), visit.tenant.store
        trials = view.trials(tried, visit.tenant.settings.zone, lambda subject: staff.called(store, subject))
        return visit.page("staff/course-learners.html", one=one, list=found, most=LISTED, trials=trials)

    @router.get(f"{REPORT}.csv", summary="The same as CSV", openapi_extra=SIGNED_IN)
    def table(visit: Visiting, id: str) -> Response:
        asked = asked_of(visit.request, view.LEARNERS, sort="-began")
        return as_csv(asked, _learners(visit, own_course(visit, id)), "learners")

    @router.get(f"{REPORT}.json", summary="The same as JSON", openapi_extra=SIGNED_IN)
    def objects(visit: Visiting, id: str) -> Response:
        asked = asked_of(visit.request, view.LEARNERS, sort="-began")
        return as_json(asked, _learners(visit, own_course(visit, id)), "learners")


def _learners(visit: Visit, course: Course) -> list[ListRow]:
    store, found = visit.tenant.store, _registrations(visit, learners_key(course.id), LISTED)
    structures: dict[int, Structure] = {
        number: courses.version_in(store, course.id, number).structure for number in {one.version for one in found}
    }
    told: list[tuple[Registration, Structure]] = [(one, structures[one.version]) for one in found]
    return view.learners(told, known_learners(visit, found), visit.tenant.settings.zone, visit.root)


def _registrations(visit: Visit, key: int, limit: int) -> list[Registration]:
    page = visit.tenant.store.find(Walk(REGISTRATION, [key], newest_first=True, limit=limit))
    return [registration_of(record) for record in page.records]
