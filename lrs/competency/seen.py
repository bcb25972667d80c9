"""What rules look at in a statement, read from the bytes that are stored. Knows no rule and no store.

Everything else in the statement is passed over unread, so that looking at one costs a few microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from lrs.competency.dates import micros_in
from lrs.people.ids import Ids, identified
from lrs.storage import Record, micros_of
from lrs.xapi.statements.identity import SAME_PERSON, Identifier

MAX_MEMBERS = 100
"""Of a larger group only the first members get an entry that says why it did not count."""


class Verb(msgspec.Struct, frozen=True):
    """``verb`` of a statement."""

    id: str


class Definition(msgspec.Struct, frozen=True):
    """``definition`` of an activity, as far as rules look."""

    type: str | None = None


class Activity(msgspec.Struct, frozen=True):
    """An activity, or any other object a statement can have."""

    id: str = ""
    objectType: str = "Activity"  # noqa: N815 (the xAPI word)
    definition: Definition = Definition()


class ContextActivities(msgspec.Struct, frozen=True):
    """``contextActivities``: lists, or one activity alone (xAPI 1.0.x, 4.1.6.2)."""

    parent: list[Activity] | Activity = []
    grouping: list[Activity] | Activity = []
    category: list[Activity] | Activity = []


class Context(msgspec.Struct, frozen=True):
    """``context`` of a statement, as far as rules look."""

    contextActivities: ContextActivities = ContextActivities()  # noqa: N815 (the xAPI word)
    instructor: Any = None
    extensions: dict[str, msgspec.Raw] = {}


class Score(msgspec.Struct, frozen=True):
    """``score``; numbers as floats, whose shortest text is the number that was sent."""

    scaled: float | None = None
    raw: float | None = None
    min: float | None = None
    max: float | None = None


class Result(msgspec.Struct, frozen=True):
    """``result`` of a statement, as far as rules look."""

    score: Score = Score()
    success: bool | None = None
    completion: bool | None = None


class Seen(msgspec.Struct, frozen=True):
    """A statement as rules see it."""

    id: str
    actor: Any
    verb: Verb
    object: Activity
    timestamp: str = ""
    context: Context = Context()
    result: Result = Result()


class Moment(msgspec.Struct, frozen=True):
    """What we know of a statement and did not read in it: when it was stored (microseconds UTC), and from whom."""

    stored: int
    source: str


_decode = msgspec.json.Decoder(Seen).decode


def look(record: Record) -> Seen:
    """The statement in *record*. Raises ``msgspec.DecodeError`` for one that is none."""
    return _decode(record.body)


def moment_of(record: Record) -> Moment:
    """When and from whom *record* came."""
    return Moment(micros_of(record.seq), str(record.meta.get("source", "")))


def event_time(seen: Seen, stored: int) -> int:
    """``timestamp`` in microseconds UTC; where it cannot be read, when the statement was stored."""
    found = micros_in(seen.timestamp)
    return stored if found is None else found


def places(seen: Seen) -> Iterator[tuple[str, str]]:
    """Everything a rule can be anchored to: the role, and the IRI that plays it."""
    if seen.object.objectType != "Activity":
        return
    yield "activity", seen.object.id
    if seen.object.definition.type:
        yield "type", seen.object.definition.type
    around = seen.context.contextActivities
    for role, activities in (("parent", around.parent), ("grouping", around.grouping), ("category", around.category)):
        for activity in activities if isinstance(activities, list) else (activities,):
            yield role, activity.id


def is_group(seen: Seen) -> bool:
    """Whether the actor is a group, identified or not."""
    return isinstance(seen.actor, dict) and seen.actor.get("objectType") == "Group"


def learners(seen: Seen, ids: Ids) -> list[Identifier]:
    """The identifiers of whom the statement is about: the actor, or a group's members."""
    return _known(_members(seen.actor) if is_group(seen) else [seen.actor], ids)


def instructors(seen: Seen, ids: Ids) -> list[Identifier]:
    """The identifiers of who is called instructor: an agent, or a group and its members."""
    return _known([seen.context.instructor, *_members(seen.context.instructor)], ids)


def _members(group: Any) -> list[Any]:
    members = group.get("member") if isinstance(group, dict) else None
    return members[:MAX_MEMBERS] if isinstance(members, list) else []


def _known(agents: list[Any], ids: Ids) -> list[Identifier]:
    return list({one.id: one for agent in agents if (one := identified(agent, ids))}.values())


def same_person(seen: Seen, ids: Ids) -> list[Identifier]:
    """The further identifiers that the statement says its actor has."""
    raw = seen.context.extensions.get(SAME_PERSON)
    agents = msgspec.json.decode(raw) if raw else []
    found = [identified(agent, ids) for agent in (agents if isinstance(agents, list) else [])[:MAX_MEMBERS]]
    return [one for one in found if one]
