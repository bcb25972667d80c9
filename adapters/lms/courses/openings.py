"""Learners for whom staff opened a course: they open it by themselves, also where other learners may not.

kind ``course-opening``: one for each learner and course, as long as it is open for them. It stands beside the switch
that opens a course to all (``in_use``); taking it back ends no launch. Knows no launch and no page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from adapters.lms.courses.courses import Course
from adapters.lms.courses.in_use import check_can_open
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.people.persons import holders, members_of
from lrs.storage import Reader, Record, Tx, Walk, walked
from lrs.storage.about import by_keys, without
from lrs.storage.kinds import Kind, of_person
from lrs.tenancy import audit

KIND = "course-opening"


class CourseOpening(msgspec.Struct, frozen=True):
    """That *course* (its id) is open for *person*; *by* opened it *at* (microseconds UTC)."""

    course: str
    person: str
    at: int
    by: str
    v: int = 1


_decode = msgspec.json.Decoder(CourseOpening).decode


def open_for_in(tx: Tx, course: Course, persons: Iterable[str], by: str, now: int) -> int:
    """Opens *course* for *persons* with this commit. Gives for how many it was not open before.

    Refuses (409) a course that cannot be opened by learners: one that a client sent, or that was withdrawn.
    """
    check_can_open(course)
    new = [person for person in dict.fromkeys(persons) if not is_open_for(tx, course.id, members_of(tx, person))]
    for person in new:
        keys = (_of_course(course.id), _of_person(person))
        body = msgspec.json.encode(CourseOpening(course.id, person, now, by))
        tx.insert(Record(KIND, _id(course.id, person), body, keys=keys))
        audit.append(tx, by, "course.opened-for", {"course": course.id, "person": person})
    return len(new)


def take_back_in(tx: Tx, course: str, persons: Iterable[str], by: str) -> int:
    """Takes back that *course* (its id) is open for *persons*, with this commit. Gives for how many it was open.

    What they have open goes on to its end, as when the course is closed to all.
    """
    taken = 0
    for person in dict.fromkeys(persons):
        gone = [tx.delete(KIND, _id(course, member)) for member in members_of(tx, person) or (person,)]
        if any(gone):
            taken += 1
            audit.append(tx, by, "course.taken-back", {"course": course, "person": person})
    return taken


def is_open_for(reader: Reader, course: str, members: Collection[str]) -> bool:
    """Whether *course* (its id) is open for somebody whose persons are *members*."""
    return bool(reader.get_many(KIND, [_id(course, member) for member in members]) if members else ())


def open_for(reader: Reader, members: Iterable[str]) -> Iterator[str]:
    """The ids of the courses that are open for somebody whose persons are *members*."""
    found = (one for member in members for one in reader.find(Walk(KIND, [_of_person(member)], limit=_MOST)).records)
    yield from dict.fromkeys(_decode(one.body).course for one in found)


def learners(reader: Reader, course: str) -> list[str]:
    """The learners (holders) for whom *course* (its id) is open, the last first; persons who are one count once."""
    walk = Walk(KIND, [_of_course(course)], newest_first=True, limit=_PAGE)
    persons = [_decode(one.body).person for one in walked(reader, walk)]
    found = holders(reader, persons) if persons else {}
    return list(dict.fromkeys(found[person] for person in persons if person in found))


_PAGE = 1_000
_MOST = 200


def _id(course: str, person: str) -> str:
    return name(KIND, course, person)


def _of_course(course: str) -> int:
    return key("course-opening.course", course)


def _of_person(person: str) -> int:
    return key("course-opening.person", person)


KINDS = (
    Kind(
        KIND,
        "fact",
        CourseOpening,
        1,
        subjects=of_person(_decode),
        retention="configuration",
        exported=True,
        find=by_keys(KIND, lambda whose: map(_of_person, whose.persons)),
        shown=without("by"),
    ),
)
