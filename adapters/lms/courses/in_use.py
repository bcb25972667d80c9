"""Whether a course is in use, and whether everybody sees it in the catalogue."""

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


def set_in_catalogue(tx: Tx, id: str, by: str, *, on: bool) -> Course:
    """Puts the course *id* into the catalogue, which everybody sees, or takes it out.

    Refuses: 404, and 409 for a course that a client sent or that was withdrawn: those are never there.
    """
    record = tx.get(courses.KIND, id)
    found = courses.course_in(tx, id)
    if on and (found.client or found.withdrawn):
        why = "a program sent this course, and it alone has it" if found.client else "this course was withdrawn"
        raise Refused(f"{why}: it cannot be in the catalogue", status=409, error="not_for_catalogue")
    if record is not None and found.in_catalogue != on:
        found = msgspec.structs.replace(found, in_catalogue=on)
        tx.replace(courses.record_of(found, record.rev, record.seq))
        audit.append(tx, by, "course.catalogue", {"course": id, "in": "yes" if on else "no"})
    return found
