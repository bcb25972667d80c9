"""The page of a course for its teacher: who is in it, what they proved, and what became of their grades. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from adapters.lms.lti.courses import LtiCourse, LtiMember
from adapters.lms.lti.grades import NEWER, LtiGrade
from adapters.lms.lti.users import LtiUser
from lrs.outbox import deliveries
from lrs.outbox.listing import PARKED
from lrs.web.dates import written_moment
from lrs.web.listing import ListColumn, ListRow

COLUMNS = (
    ListColumn("name", "Name"),
    ListColumn("part", "Part", facet=True),
    ListColumn("state", "State", facet=True),
    ListColumn("email", "E-mail", sortable=False),
    ListColumn("grades", "Grades", sortable=False),
)
_PARTS = {"learner": "Learner", "teacher": "Teacher", "other": "Other"}


class GradeSent(msgspec.Struct, frozen=True):
    """A grade for the link *title*, and the *state* of its delivery: the outbox's word, the answer, and the reason."""

    title: str
    grade: LtiGrade
    state: str
    status: int | None
    reason: str


class InCourse(msgspec.Struct, frozen=True):
    """Somebody in a course, as the platform knows them, and what became of each of their grades."""

    member: LtiMember
    user: LtiUser
    grades: tuple[GradeSent, ...] = ()


def rows(found: Iterable[InCourse]) -> list[ListRow]:
    """Who is in the course. Test users are left out: they are nobody."""
    return [_row(one) for one in found if not one.user.test]


def _row(one: InCourse) -> ListRow:
    state = "active" if one.member.active else "inactive"
    return ListRow(
        {
            "name": one.user.name or one.user.username or f"User {one.user.sub}",
            "part": _PARTS[one.member.part],
            "state": state,
            "email": one.user.email if one.member.active else "",  # whoever left is no teacher's to write to
            "grades": "; ".join(map(told_of, one.grades)),
        },
        {"state": "In the course" if one.member.active else "Not in it any more"},
        moods={"state": "good" if one.member.active else "soft"},
    )


def told_of(one: GradeSent) -> str:
    """A grade in words: what it is, and whether the gradebook has it."""
    points = f"{one.title}: {one.grade.given:g} of {one.grade.most:g}"
    if one.state == deliveries.DELIVERED:
        newer = ", a newer one was there already" if one.status == NEWER else ""
        return f"{points}, {'not taken' if newer else 'sent'}{newer}"
    if one.state == PARKED:
        return f"{points}, refused: {one.reason or 'no reason was given'}"
    return f"{points}, waiting{f': {one.reason}' if one.reason else ''}"


def about(course: LtiCourse, zone: str) -> dict[str, Any]:
    """What stands above the list."""
    if not course.members:
        synced = "This platform does not give its roster. Learners appear once they open something of ours here."
    elif not course.synced:
        synced = "The roster is being read. Open this again in a minute to see everybody who is in the course."
    else:
        synced = f"The roster was last read on {written_moment(course.synced, zone)}."
    return {"title": course.title or "Course", "synced": synced, "problem": course.problem}
