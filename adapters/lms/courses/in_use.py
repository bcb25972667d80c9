"""Whether a course is in use, whether everybody sees it in the catalogue, and whether learners open it themselves."""

from __future__ import annotations

from typing import NamedTuple

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
    return _switched(tx, id, by, _Switch("in_catalogue", "course.catalogue", "in", "in the catalogue"), on=on)


def set_open_to_learners(tx: Tx, id: str, by: str, *, on: bool) -> Course:
    """Lets learners who are signed in open the course *id* by themselves, or no longer. Refuses as the other."""
    return _switched(tx, id, by, _Switch("open_to_learners", "course.open", "open", "open to learners"), on=on)


def opens(course: Course) -> bool:
    """Whether learners open *course* by themselves now, without a platform or a program."""
    return course.open_to_learners and not course.withdrawn and not course.client


class _Switch(NamedTuple):
    """A switch of a course: its *field*, what the audit entry says, and *state* in words."""

    field: str
    action: str
    about: str
    state: str


def _switched(tx: Tx, id: str, by: str, switch: _Switch, *, on: bool) -> Course:
    record = tx.get(courses.KIND, id)
    found = courses.course_in(tx, id)
    if on and (found.client or found.withdrawn):
        why = "a program sent this course, and it alone has it" if found.client else "this course was withdrawn"
        raise Refused(f"{why}: it cannot be {switch.state}", status=409, error="not_for_catalogue")
    if record is not None and getattr(found, switch.field) != on:
        found = msgspec.structs.replace(found, **{switch.field: on})
        tx.replace(courses.record_of(found, record.rev, record.seq))
        audit.append(tx, by, switch.action, {"course": id, switch.about: "yes" if on else "no"})
    return found
