"""Of whom, of when and of what launched content may speak, whatever its format. Pure.

Tin Can has no rules for content, and cmi5 lets it send any statement beside those that it defines (7.1.3). So whatever
names other people or another time than that of the launch is refused. An activity that is not of what was launched may
be named, because content puts recipes and series into its context; but its statement proves nothing of that one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any

from adapters.lms.courses.structure import Block, CoursePart, Structure, parts_of, units_of
from adapters.lms.sessions.session import LaunchSession, Registration, agent_text
from adapters.lms.sessions.vocabulary import CMI5, JUDGING, MOVE_ON
from lrs.competency.seen import BY_STAFF, TRIAL
from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import Json
from lrs.kernel.times import MINUTE, micros_of_timestamp
from lrs.xapi.statements.identity import SAME_PERSON, ifi_text

LEEWAY = 90 * MINUTE
"""Microseconds that a timestamp may be before the launch, or ahead: the clock of a device is off by minutes, and summer
time that is written without its zone by an hour."""
_PEOPLE = ("instructor", "team", "contextAgents", "contextGroups")
_SAME_PERSON = "/context/extensions/" + SAME_PERSON.replace("/", "~1")
_BOUNDS = ("/", "#", "?", ":")
"""What stands between the id of an activity and the rest of the id of one within it."""
_CATEGORIES = frozenset({CMI5, MOVE_ON})
ContentFault = tuple[str, str]
"""The place in the statement, as a JSON pointer, and what is wrong."""


def refused(session: LaunchSession, why: str, pointer: str = "", *, plain: str = "") -> Refused:
    """The refusal of what a launch may not do; *plain* is *why* without what was sent, where *why* has some of it."""
    made = Refused(why, status=403, error=session.format, pointer=pointer or None)
    made.plain = plain or why
    return made


def faults(session: LaunchSession, statement: Json, now: int) -> Iterator[ContentFault]:
    """What content of *session* cannot say at *now*: of other people, and of another time."""
    context = statement.get("context", {})
    for name in _PEOPLE:
        if name in context:
            yield f"/context/{name}", f"launched content cannot name other people: leave context.{name} out"
    if SAME_PERSON in context.get("extensions", {}):
        yield _SAME_PERSON, "launched content cannot name further identifiers of its learner: leave this extension out"
    yield from _of_object(session, statement["object"])
    yield from _of_time(session, statement.get("timestamp"), now)


def _of_object(session: LaunchSession, target: Json) -> Iterator[ContentFault]:
    sort = target.get("objectType", "Activity")
    if sort in {"Agent", "Group"} and ifi_text(target) != agent_text(session.actor):
        yield "/object", "the object is somebody else than the learner of the launch"
    if sort == "SubStatement":
        yield "/object", "launched content cannot send a statement within a statement (SubStatement)"


def _of_time(session: LaunchSession, timestamp: str | None, now: int) -> Iterator[ContentFault]:
    if timestamp is None:
        return
    at = micros_of_timestamp(timestamp)
    if at < session.launched - LEEWAY:
        yield "/timestamp", "the timestamp is before the launch: set the clock of the device"
    if at > now + LEEWAY:
        yield "/timestamp", "the timestamp is in the future: set the clock of the device"


def trial_mark(session: LaunchSession, registration: Registration) -> dict[str, Any]:
    """The mark on the statements of a launch in which nothing counts; empty for any other."""
    if session.mode == "Normal" and not registration.trial:
        return {}
    return {TRIAL: BY_STAFF if registration.trial else session.mode}


# -- activities -------------------------------------------------------------------------------------------------------


def object_of(statement: Json) -> str:
    """The id of the activity that *statement* is about; empty if it is about something else."""
    target = statement["object"]
    return str(target["id"]) if target.get("objectType", "Activity") == "Activity" else ""


def _around(statement: Json) -> Iterator[str]:
    for found in statement.get("context", {}).get("contextActivities", {}).values():
        yield from (one["id"] for one in ([found] if isinstance(found, dict) else found))


def named_beside(session: LaunchSession, statement: Json) -> frozenset[str]:
    """The activities in *statement* that are not plainly of this launch.

    What lies within the activity of a unit of cmi5 is, because that id is ours; publishers give those of Tin Can.
    """
    known = (session.activity, publisher_of(session))
    within = () if session.format == "tincan" else _beginnings(session.activity)
    target = object_of(statement)
    found = {one for one in _around(statement) if one not in _CATEGORIES}
    return frozenset(one for one in {target, *found}.difference(known) if one and not one.startswith(within))


def publisher_of(session: LaunchSession) -> str:
    """The publisher's id of the unit that was launched."""
    return str(session.template["contextActivities"]["grouping"][0]["id"])


def ids_of(structure: Structure) -> frozenset[str]:
    """The ids of the activities of a package: those that can be launched, and those that it only describes."""
    parts = (structure, *parts_of(structure.children))
    return frozenset((*structure.described, *(id for part in parts for id in (part.id, part.activity) if id)))


def is_within(id: str, package: Collection[str]) -> bool:
    """Whether *id* is one of *package*, or begins with one: a slide or a question of it."""
    return bool(_owner(id, package))


def outside(session: LaunchSession, statement: Json, structure: Structure | None) -> tuple[str, ...]:
    """The activities in *statement* of which it proves nothing, in their order.

    Tin Can content speaks for its whole package. A unit of cmi5 speaks for itself; beside, its statements may stand
    under its blocks and its course. One that says how a part of it went says nothing of the whole. *structure* is only
    needed where ``named_beside`` gives something.
    """
    own = frozenset((session.activity, publisher_of(session)))
    package = ids_of(structure) if structure else own
    around = own | frozenset(_above(structure, session)) if structure else own
    if session.format == "tincan":
        own = around = package
    found = [one for one in _around(statement) if one not in _CATEGORIES and _owner(one, package) not in around]
    if (target := object_of(statement)) and _owner(target, package) not in own:
        found.append(target)
    if session.format == "cmi5" and is_of_a_part(session, statement):
        found += sorted(around)
    return tuple(dict.fromkeys(found))


def type_in_package(session: LaunchSession, statement: Json, structure: Structure | None) -> str:
    """The type that the package gives to the activity that *statement* is about; empty if it gives it none.

    *structure* is only needed for the other activities of a Tin Can package: those that it launches, and those that it
    only describes.
    """
    target = object_of(statement)
    if target == session.activity:
        return session.activity_type
    if structure is None or session.format != "tincan":
        return ""
    others = {unit.activity: unit.activity_type for unit in units_of(structure)}
    return {**structure.types, **others}.get(target, "")


def is_of_a_part(session: LaunchSession, statement: Json) -> bool:
    """Whether *statement* says how somebody did, and is about something else than the launched unit."""
    return statement["verb"]["id"] in JUDGING and object_of(statement) != session.activity


def _owner(id: str, package: Collection[str]) -> str:
    """The longest id of *package* that is *id* or that it begins with; empty if there is none."""
    if id in package:
        return id
    return max((one for one in package if id.startswith(_beginnings(one))), key=len, default="")


@lru_cache(maxsize=1_024)
def _beginnings(id: str) -> tuple[str, ...]:
    """How the ids of what is within the activity *id* begin."""
    return (id,) if id.endswith(_BOUNDS) else tuple([id + end for end in _BOUNDS])


def _above(structure: Structure, session: LaunchSession) -> Iterator[str]:
    """The ids of the course, and of the blocks in which the unit of *session* is."""
    yield from (structure.id, structure.activity)
    for part in parts_of(structure.children):
        if isinstance(part, Block) and _holds(part, session):
            yield from (part.id, part.activity)


def _holds(block: Block, session: LaunchSession) -> bool:
    held: tuple[CoursePart, ...] = tuple(parts_of(block.children))
    return any(part.activity == session.activity for part in held)
