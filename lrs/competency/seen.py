"""What rules read in a statement, decoded from the stored bytes. Knows no rule and no store.

Everything else in the statement is skipped, so that reading one takes a few microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from lrs.competency.dates import micros_in
from lrs.people.ids import Ids, identified
from lrs.storage import Record, micros_of
from lrs.xapi.statements.identity import SAME_PERSON, Identifier

TRIAL, OUTSIDE, PACKAGE_TYPE = "trial", "outside", "type"
"""Names in ``meta`` of a statement of launched content: in which mode nothing counts it was launched, or ``BY_STAFF``;
the activities in it that were not what was launched; and the type that the package gives to what it is about."""
BY_STAFF = "staff"
MAX_MEMBERS = 100
"""Of a larger group only the first so many members get evidence that says why it does not count."""


class Verb(msgspec.Struct, frozen=True):
    """``verb`` of a statement."""

    id: str


class Definition(msgspec.Struct, frozen=True):
    """``definition`` of an activity, as far as rules read it."""

    type: str | None = None


class Activity(msgspec.Struct, frozen=True):
    """An activity, or any other object of a statement."""

    id: str = ""
    objectType: str = "Activity"  # noqa: N815 (the xAPI word)
    definition: Definition = Definition()


class ContextActivities(msgspec.Struct, frozen=True):
    """``contextActivities``: lists, or a single activity (xAPI 1.0.x, 4.1.6.2)."""

    parent: list[Activity] | Activity = []
    grouping: list[Activity] | Activity = []
    category: list[Activity] | Activity = []


class Context(msgspec.Struct, frozen=True):
    """``context`` of a statement, as far as rules read it."""

    contextActivities: ContextActivities = ContextActivities()  # noqa: N815 (the xAPI word)
    instructor: Any = None
    extensions: dict[str, msgspec.Raw] = {}


class Score(msgspec.Struct, frozen=True):
    """``score``. Numbers are floats; the shortest text of each is the number that was sent."""

    scaled: float | None = None
    raw: float | None = None
    min: float | None = None
    max: float | None = None


class Result(msgspec.Struct, frozen=True):
    """``result`` of a statement, as far as rules read it."""

    score: Score = Score()
    success: bool | None = None
    completion: bool | None = None


class SeenStatement(msgspec.Struct, frozen=True):
    """The parts of a statement that rules read."""

    id: str
    actor: Any
    verb: Verb
    object: Activity
    timestamp: str = ""
    context: Context = Context()
    result: Result = Result()


class Moment(msgspec.Struct, frozen=True):
    """When a statement was stored (microseconds UTC) and by which source. Nothing of it is read from the statement.

    Of launched content: a *trial* proves nothing, and no statement proves anything of an activity *outside* of what was
    launched. *type* is that of its object by the package: what content says of it proves nothing.
    """

    stored: int
    source: str
    trial: str = ""
    outside: tuple[str, ...] = ()
    type: str = ""


_decode = msgspec.json.Decoder(SeenStatement).decode


def look(record: Record) -> SeenStatement:
    """The statement in *record*. Raises ``msgspec.DecodeError`` if it is not one."""
    return _decode(record.body)


def moment_of(record: Record) -> Moment:
    """When, by which source, and in what launch *record* was stored."""
    meta = record.meta
    marks = (str(meta.get(TRIAL, "")), tuple(meta.get(OUTSIDE, ())), str(meta.get(PACKAGE_TYPE, "")))
    return Moment(micros_of(record.seq), source_of(record), *marks)


def source_of(record: Record) -> str:
    """The source by which *record* was stored."""
    return str(record.meta.get("source", ""))


def event_time(seen: SeenStatement, stored: int) -> int:
    """``timestamp`` in microseconds UTC; if it cannot be read, the time when the statement was stored."""
    found = micros_in(seen.timestamp)
    return stored if found is None else found


def places(seen: SeenStatement) -> Iterator[tuple[str, str]]:
    """Everything that a rule can be about: the role, and the IRI in that role."""
    if seen.object.objectType != "Activity":
        return
    yield "activity", seen.object.id
    if seen.object.definition.type:
        yield "type", seen.object.definition.type
    around = seen.context.contextActivities
    for role, activities in (("parent", around.parent), ("grouping", around.grouping), ("category", around.category)):
        for activity in activities if isinstance(activities, list) else (activities,):
            yield role, activity.id


def is_group(seen: SeenStatement) -> bool:
    """Whether the actor is a group, identified or not."""
    return isinstance(seen.actor, dict) and seen.actor.get("objectType") == "Group"


def learners(seen: SeenStatement, ids: Ids) -> list[Identifier]:
    """The identifiers of the learners: the actor, or the members of a group."""
    return _known(_members(seen.actor) if is_group(seen) else [seen.actor], ids)


def names_given(seen: SeenStatement, ids: Ids) -> dict[str, str]:
    """The names of the learners, by the ids of their identifiers."""
    agents = _members(seen.actor) if is_group(seen) else [seen.actor]
    named = [
        one for one in agents if isinstance(one, dict) and isinstance(one.get("name"), str) and one["name"].strip()
    ]
    return {found.id: one["name"] for one in named if (found := identified(one, ids))}


def instructors(seen: SeenStatement, ids: Ids) -> list[Identifier]:
    """The identifiers of the instructors: an agent, or a group and its members."""
    return _known([seen.context.instructor, *_members(seen.context.instructor)], ids)


def _members(group: Any) -> list[Any]:
    members = group.get("member") if isinstance(group, dict) else None
    return members[:MAX_MEMBERS] if isinstance(members, list) else []


def _known(agents: list[Any], ids: Ids) -> list[Identifier]:
    return list({one.id: one for agent in agents if (one := identified(agent, ids))}.values())


def same_person(seen: SeenStatement, ids: Ids) -> list[Identifier]:
    """Further identifiers that the statement gives for its actor."""
    raw = seen.context.extensions.get(SAME_PERSON)
    agents = msgspec.json.decode(raw) if raw else []
    found = [identified(agent, ids) for agent in (agents if isinstance(agents, list) else [])[:MAX_MEMBERS]]
    return [one for one in found if one]
