"""Courses of platforms, who is in them, and the links in them that lead here. Makes no call.

Records: ``lti-course`` (a context of the standard), ``lti-member`` (a user in a course), ``lti-link`` (a resource link,
and what it opens).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.storage import Reader, Record, Tx, Walk, each
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, of_person

COURSE, MEMBER, LINK = "lti-course", "lti-member", "lti-link"
Part = Literal["learner", "teacher", "other"]
"""What somebody is in a course: it learns, it sees roster and grades, or neither."""
MOST_MEMBERS = 5_000
MOST_OPENED = 100
"""Links of one member that are remembered, the last opened."""


class LtiCourse(msgspec.Struct, frozen=True):
    """A course. *members* and *items* are the addresses of its roster and its gradebook, *scopes* what we may do.

    *synced* is when the roster was last read whole (microseconds UTC), *problem* why it could not be since.
    """

    platform: str
    deployment: str
    context: str
    title: str = ""
    members: str = ""
    items: str = ""
    scopes: tuple[str, ...] = ()
    synced: int = 0
    problem: str = ""
    v: int = 1


class LtiMember(msgspec.Struct, frozen=True):
    """A *user* (the id of its record), who is *person*, in a *course*. *active*: not taken out of it.

    *listed*: its roster has named them. *launched*: when they last came by a launch (microseconds, to the hour; 0 if
    never, or not since that is kept). *opened* are the links to a skill that they opened, each with what it opened.
    """

    course: str
    user: str
    person: str
    part: Part
    active: bool = True
    listed: bool = False
    launched: int = 0
    opened: tuple[tuple[str, str], ...] = ()
    v: int = 1


class LtiLink(msgspec.Struct, frozen=True):
    """A link in a *course*. *opens* is what it leads to: ``skills``, or the id of a course of ours.

    *item* is the address of its column in the gradebook.
    """

    course: str
    resource: str
    title: str = ""
    opens: str = ""
    item: str = ""
    v: int = 1


_courses = msgspec.json.Decoder(LtiCourse)
_members = msgspec.json.Decoder(LtiMember)
_links = msgspec.json.Decoder(LtiLink)


def course_id(platform: str, deployment: str, context: str) -> str:
    """The id of the record of a course."""
    return name(COURSE, platform, deployment, context)


def course(reader: Reader, id: str) -> LtiCourse | None:
    """The course with this id."""
    record = reader.get(COURSE, id)
    return _courses.decode(record.body) if record else None


def put_course(tx: Tx, seen: LtiCourse) -> str:
    """Puts down what a launch says of a course; what it does not say is kept. Gives its id."""
    id = course_id(seen.platform, seen.deployment, seen.context)
    record = tx.get(COURSE, id)
    before = _courses.decode(record.body) if record else LtiCourse(seen.platform, seen.deployment, seen.context)
    now = msgspec.structs.replace(
        before,
        title=seen.title or before.title,
        members=seen.members or before.members,
        items=seen.items or before.items,
        scopes=tuple(sorted({*before.scopes, *seen.scopes})),
    )
    if record is None or now != before:
        write_course(tx, id, now)
    return id


def write_course(tx: Tx, id: str, now: LtiCourse) -> None:
    """Puts *now* in the place of the course *id*."""
    tx.put(Record(COURSE, id, msgspec.json.encode(now), keys=(key("lti.course-platform", now.platform),)))


def courses_of(reader: Reader, platform: str) -> Iterable[tuple[str, LtiCourse]]:
    """The courses of a platform with their ids, oldest first."""
    return ((one.id, _courses.decode(one.body)) for one in each(reader, COURSE, key("lti.course-platform", platform)))


def put_member(tx: Tx, seen: LtiMember) -> None:
    """Puts down that somebody is in a course, or is not any more."""
    record = tx.get(MEMBER, member_id(seen.course, seen.user))
    before = _members.decode(record.body) if record else None
    if before is not None:
        opened = (*(one for one in before.opened if one not in seen.opened), *seen.opened)[-MOST_OPENED:]
        launched = max(seen.launched, before.launched)
        seen = msgspec.structs.replace(seen, listed=seen.listed or before.listed, launched=launched, opened=opened)
    body = msgspec.json.encode(seen)
    if record is None or record.body != body:
        keys = (key("lti.member-course", seen.course), key("lti.member-person", seen.person))
        tx.put(Record(MEMBER, member_id(seen.course, seen.user), body, keys=keys))


def member_id(course: str, user: str) -> str:
    """The id of the record of a member."""
    return name(MEMBER, course, user)


def member(reader: Reader, course: str, user: str) -> LtiMember | None:
    """The user *user* in *course*."""
    record = reader.get(MEMBER, member_id(course, user))
    return _members.decode(record.body) if record else None


def members_of_course(reader: Reader, course: str) -> list[LtiMember]:
    """Who is or was in a course, oldest first, at most ``MOST_MEMBERS``."""
    found = reader.find(Walk(MEMBER, [key("lti.member-course", course)], limit=MOST_MEMBERS)).records
    return [_members.decode(record.body) for record in found]


def memberships_of(reader: Reader, person: str) -> list[LtiMember]:
    """The courses in which a person is or was."""
    return [_members.decode(one.body) for one in each(reader, MEMBER, key("lti.member-person", person))]


def link_id(platform: str, deployment: str, resource: str) -> str:
    """The id of the record of a link."""
    return name(LINK, platform, deployment, resource)


def link(reader: Reader, id: str) -> LtiLink | None:
    """The link with this id."""
    record = reader.get(LINK, id)
    return _links.decode(record.body) if record else None


def put_link(tx: Tx, id: str, seen: LtiLink) -> None:
    """Puts down a link; the address of its column is kept where a launch does not tell it."""
    before = link(tx, id)
    now = msgspec.structs.replace(seen, item=seen.item or (before.item if before else ""))
    if now != before:
        tx.put(Record(LINK, id, msgspec.json.encode(now), keys=(key("lti.link-course", now.course),)))


def links_in(reader: Reader, course: str) -> list[tuple[str, LtiLink]]:
    """The links in a course with their ids, oldest first."""
    return [(one.id, _links.decode(one.body)) for one in each(reader, LINK, key("lti.link-course", course))]


KINDS = (
    Kind(COURSE, "fact", LtiCourse, 1, subjects=None, retention="configuration", exported=True),
    Kind(LINK, "fact", LtiLink, 1, subjects=None, retention="configuration", exported=True),
    Kind(
        MEMBER,
        "fact",
        LtiMember,
        1,
        subjects=of_person(_members.decode),
        retention="evidence",
        exported=True,
        find=by_person(MEMBER, "lti.member-person"),
    ),
)
