"""The data of the pages of courses, as plain values for the templates. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from adapters.lms.courses.courses import Course, CourseVersion, Imported
from adapters.lms.courses.in_use import opens
from adapters.lms.courses.packages import OF_NO_PACKAGE
from adapters.lms.courses.structure import AssignableUnit, MoveOn, Structure, shown_title, units_of
from adapters.lms.lti.enrolments import state_of
from adapters.lms.sessions.session import Registration, UnitProgress
from lrs.competency.rules.ready import ReadyRow
from lrs.competency.rules.rules import ActivityRole
from lrs.kernel.errors import Refused
from lrs.kernel.printing import time_of
from lrs.web.dates import written_moment
from lrs.web.listing import ListColumn, ListRow

COURSES = (
    ListColumn("title", "Course"),
    ListColumn("state", "State", facet=True),
    ListColumn("from", "Came from", facet=True),
    ListColumn("catalogue", "In the catalogue", facet=True),
    ListColumn("open", "Learners open it themselves", facet=True),
    ListColumn("version", "Version", figure=True),
    ListColumn("registrations", "Registrations", figure=True),
    ListColumn("changed", "Changed"),
    ListColumn("number", "Number", seen=False),
)
LEARNERS = (
    ListColumn("learner", "Learner"),
    ListColumn("platform", "Known at"),
    ListColumn("state", "State", facet=True),
    ListColumn("done", "Parts done", figure=True),
    ListColumn("units", "Parts", figure=True),
    ListColumn("score", "Last score", figure=True),
    ListColumn("minutes", "Minutes", figure=True),
    ListColumn("version", "Version", figure=True),
    ListColumn("began", "Registered"),
)
_DONE_BY: dict[MoveOn, str] = {
    "Passed": "passed",
    "Completed": "completed",
    "CompletedAndPassed": "completed and passed",
    "CompletedOrPassed": "completed or passed",
    "NotApplicable": "opened or not: it counts from the beginning",
}
_PROVEN_BY: dict[MoveOn, str] = {
    "Passed": "passed",
    "Completed": "completed",
    "CompletedAndPassed": "passed",
    "CompletedOrPassed": "completed|passed",
    "NotApplicable": "completed|passed",
}


class CourseLearner(NamedTuple):
    """Who has a registration: what they are called, where their account is, and the *person*, empty if unknown."""

    name: str
    known_at: str
    person: str = ""


def done_by(found: Imported) -> str:
    """The word of the message about a package that was sent."""
    if not found.is_new:
        return "course_same"
    if found.is_back:
        return "course_back"
    return "course_version" if found.version.number > 1 else "course_new"


def own_parts(registration: Registration | None, units: Iterable[AssignableUnit]) -> list[dict[str, Any]]:
    """The parts of a course for its learner, each with how far it is."""
    return [
        {
            "index": index,
            "title": shown_title(unit.title),
            "state": state_of(registration.unit(unit.activity)) if registration else "new",
            "url": unit.url,
        }
        for index, unit in enumerate(units)
    ]


def rule_of(refused: Refused | None) -> str:
    """The rule of cmi5 that a package breaks; empty for a file that is no package."""
    rule = refused.rule if refused else None
    return rule if rule and rule not in OF_NO_PACKAGE else ""


def listed(found: Iterable[tuple[Course, int]], zone: str, root: str) -> list[ListRow]:
    """A row for each course, with how many registrations it has: a learner who begins anew has one more."""
    return [
        ListRow(
            {
                "title": shown_title(course.title),
                "state": "Withdrawn" if course.withdrawn else "In use",
                "from": f"Program {course.client}" if course.client else "Here",
                "catalogue": "Yes" if course.in_catalogue and not (course.withdrawn or course.client) else "No",
                "open": "Yes" if opens(course) else "No",
                "version": course.version,
                "registrations": registrations,
                "changed": time_of(course.at),
                "number": course.id,
            },
            {"changed": written_moment(course.at, zone)},
            {"title": f"{root}/staff/courses/{course.id}"},
            {"state": "warn" if course.withdrawn else "good"},
        )
        for course, registrations in found
    ]


def detail(course: Course, versions: Sequence[CourseVersion], zone: str, *, is_served: bool) -> dict[str, Any]:
    """One course: its versions, and the units of the current one."""
    current = versions[0]
    names = {one.id: shown_title(one.title) for one in current.structure.objectives}
    return {
        "id": course.id,
        "title": shown_title(course.title),
        "description": shown_title(current.structure.description),
        "publisher": course.publisher,
        "withdrawn": course.withdrawn,
        "in_catalogue": course.in_catalogue,
        "open_to_learners": course.open_to_learners,
        "for_catalogue": not course.client,
        "lacks_host": bool(current.package) and not is_served,
        "versions": [
            {
                "number": one.number,
                "at": written_moment(one.at, zone),
                "file": one.file,
                "units": len(units_of(one.structure)),
            }
            for one in versions
        ],
        "units": [
            {
                "title": shown_title(unit.title),
                "done_by": _DONE_BY[unit.move_on],
                "score": "" if unit.mastery_score is None else f"{unit.mastery_score * 100:g} %",
                "teaches": ", ".join(names[one] for one in unit.objectives),
            }
            for unit in units_of(current.structure)
        ],
    }


def learners(
    found: Iterable[tuple[Registration, Structure]], who: Mapping[str, CourseLearner], zone: str, root: str
) -> list[ListRow]:
    """A row for each registration: *who* it is of, by its id, and how far."""
    return [_learner(registration, structure, who[registration.id], zone, root) for registration, structure in found]


def _learner(registration: Registration, structure: Structure, who: CourseLearner, zone: str, root: str) -> ListRow:
    units = units_of(structure)
    done = sum(map(registration.has_done, units))
    scores = [one.score for one in registration.units.values() if one.score is not None]
    seconds = sum(one.counted for one in registration.units.values())
    state, mood = _state(registration, structure)
    return ListRow(
        {
            "learner": who.name,
            "platform": who.known_at,
            "state": state,
            "done": done,
            "units": len(units),
            "score": round(scores[-1] * 100, 1) if scores else None,
            "minutes": round(seconds / 60),
            "version": registration.version,
            "began": time_of(registration.at),
        },
        {"began": written_moment(registration.at, zone)} | ({} if scores else {"score": ""}),
        {"learner": f"{root}/staff/courses/{registration.course}/learners/{registration.id}"},
        {"state": mood},
    )


def trials(found: Iterable[Registration], zone: str, called: Callable[[str], str]) -> list[dict[str, str]]:
    """Who tried the course, and since when: they are no learners of it. *called* gives the name of staff."""
    return [
        {
            "id": one.id,
            "who": one.actor.get("name") or "A teacher",
            "account": called(one.actor["account"]["name"]),
            "at": written_moment(one.at, zone),
        }
        for one in found
    ]


def _state(registration: Registration, structure: Structure) -> tuple[str, str]:
    units = [registration.unit(one.activity) for one in units_of(structure)]
    if structure.activity in registration.satisfied:
        return done_how(units)
    if any(map(has_failed, units)):
        return ("Failed" if len(units) == 1 else "A part failed"), "warn"
    begun = any(one.attempted or one.waived for one in registration.units.values())
    return ("Under way", "") if begun else ("Not begun", "")


def done_how(units: Iterable[UnitProgress]) -> tuple[str, str]:
    """How what counts as done was done, by its *units*, and the mood of it. ``Done`` if nothing was said of them."""
    said = list(units)
    if any(map(has_failed, said)):
        return "Completed, not passed", "warn"
    if any(one.passed for one in said):
        return "Passed", "good"
    return ("Completed" if any(one.completed for one in said) else "Done"), "good"


def has_failed(one: UnitProgress) -> bool:
    """Whether a unit was failed, and neither passed nor waived since."""
    return one.failed and not (one.passed or one.waived)


def proposed_rules(course: Course, version: CourseVersion) -> list[ReadyRow]:
    """Rows for the table of rules, one for each unit: ready but for competency and level.

    They count once a steward has filled them in and put them in force. The publisher's id is in the grouping of every
    statement, whichever platform launches the unit, so one row holds everywhere. Tin Can content puts nothing of ours
    there: it speaks of the publisher's activity itself.
    """
    names = {one.id: shown_title(one.title) for one in version.structure.objectives}
    role: ActivityRole = "activity" if course.format == "tincan" else "grouping"
    return [ReadyRow(unit.id, role, _verbs(course, unit), _says(unit, names)) for unit in units_of(version.structure)]


def _verbs(course: Course, unit: AssignableUnit) -> str:
    """The verbs that prove a unit. SCORM says completed of what was failed, too: with a pass mark, passed alone."""
    has_mark = course.format != "cmi5" and unit.mastery_score is not None
    return "passed" if has_mark else _PROVEN_BY[unit.move_on]


def _says(unit: AssignableUnit, names: dict[str, str]) -> str:
    teaches = ", ".join(names[one] for one in unit.objectives)
    return f"{shown_title(unit.title)}{f'; it teaches: {teaches}' if teaches else ''}"
