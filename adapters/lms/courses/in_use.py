"""Whether a course is in use, whether everybody sees it in the catalogue, and whether learners open it themselves."""

from __future__ import annotations

import msgspec

from adapters.lms.courses import courses
from adapters.lms.courses.courses import Course
from lrs.kernel.errors import Refused
from lrs.storage import Tx
from lrs.tenancy import audit


def withdraw_in(tx: Tx, course: Course, by: str) -> None:
    """Takes the course out of use. Registrations and what was done stay; another import brings it back."""
    record = tx.get(courses.KIND, course.id)
    if record is not None and not courses.course_of(record).withdrawn:
        changed = msgspec.structs.replace(courses.course_of(record), withdrawn=True)
        tx.replace(courses.record_of(changed, record.rev, record.seq))
        audit.append(tx, by, "course.withdrawn", {"course": course.id})


class CourseSwitch(msgspec.Struct, frozen=True):
    """A switch of a course: its *field*, its name (*about*), what the audit entry says, and *state* in words.

    *says* is what it does.
    """

    field: str
    about: str
    action: str
    state: str
    says: str


CATALOGUE = CourseSwitch(
    "in_catalogue",
    "in",
    "course.catalogue",
    "in the catalogue",
    "Put the course ID into the catalogue, which everybody sees, or take it out.",
)
OPEN = CourseSwitch(
    "open_to_learners",
    "open",
    "course.open",
    "open to learners",
    "Let learners who are signed in open the course ID by themselves (/me/courses), or no longer.",
)
SWITCHES = {"catalogue": CATALOGUE, "open": OPEN}
"""By the words of the command and of the address."""


def switch_in(tx: Tx, id: str, switch: CourseSwitch, by: str, *, on: bool) -> Course:
    """Sets *switch* of the course *id*; what is set already changes nothing.

    Refuses: 404, and 409 for a course that a client sent or that was withdrawn: no switch of those is on.
    """
    record = tx.get(courses.KIND, id)
    found = courses.course_in(tx, id)
    if on:
        _check_use(found, switch.state)
    if record is not None and getattr(found, switch.field) != on:
        found = msgspec.structs.replace(found, **{switch.field: on})
        tx.replace(courses.record_of(found, record.rev, record.seq))
        audit.append(tx, by, switch.action, {"course": id, switch.about: "yes" if on else "no"})
    return found


def opens(course: Course) -> bool:
    """Whether learners open *course* by themselves now, without a platform or a program."""
    return course.open_to_learners and not course.withdrawn and not course.client


def check_can_open(course: Course) -> None:
    """Refuses (409) a course that learners never open by themselves: one that a client sent, or that was withdrawn."""
    _check_use(course, OPEN.state)


def _check_use(course: Course, state: str) -> None:
    if course.client or course.withdrawn:
        why = "a program sent this course, and it alone has it" if course.client else "this course was withdrawn"
        raise Refused(f"{why}: it cannot be {state}", status=409, error="not_for_catalogue")
