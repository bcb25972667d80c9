"""What launched Tin Can content may send, and what comes of it. Pure: session, progress and statement in, both out.

Tin Can has no rules of its own for content, so these are those of the credential: it is for one learner, one
registration and the activities of one package. How far a unit is follows from what is said of the launched activity.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from msgspec.structs import replace

from adapters.lms.courses.structure import Structure, parts_of
from adapters.lms.sessions.session import LaunchSession, UnitProgress, agent_text
from adapters.lms.sessions.standing import SessionStanding, meets
from adapters.lms.sessions.vocabulary import COMPLETED, FAILED, PASSED, VOIDED
from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import Json
from lrs.kernel.times import MINUTE, SECOND, micros_of_timestamp
from lrs.xapi.statements.identity import ifi_text

MASTERED = "http://adlnet.gov/expapi/verbs/mastered"
JUDGING = frozenset({COMPLETED, PASSED, FAILED, MASTERED})
"""Verbs that say how somebody did."""
IDLE = 30 * MINUTE
"""Microseconds between two statements that count as time spent, at most."""
LEEWAY = 90 * MINUTE
"""Microseconds that a timestamp may be before the launch, or ahead: the clock of a device is off by minutes, and summer
time that is written without its zone by an hour."""
_BOUNDS = ("/", "#", "?", ":")
"""What stands between the id of an activity and the rest of the id of one within it."""
_Fault = tuple[str, str]
"""The place in the statement, as a JSON pointer, and what is wrong."""


def judged(standing: SessionStanding, statement: Json, now: int, package: Collection[str]) -> SessionStanding:
    """The standing once *statement*, which came at *now*, is stored. Raises ``Refused`` (403) if it may not be.

    *package* has the ids of the activities of the launched package (``ids_of``).
    """
    for pointer, why in _breaches(standing.session, statement, now, package):
        raise refused(why, pointer or None)
    return _after(standing, statement, now)


def refused(why: str, pointer: str | None = None, *, plain: str = "") -> Refused:
    """The refusal of what a launch may not do; *plain* is *why* without what was sent, where *why* has some of it."""
    made = Refused(why, status=403, error="tincan", pointer=pointer)
    made.plain = plain or why
    return made


def ids_of(structure: Structure) -> frozenset[str]:
    """The ids of the activities of a package: those that can be launched, and those that it only describes."""
    parts = (structure, *parts_of(structure.children))
    return frozenset((*structure.described, *(id for part in parts for id in (part.id, part.activity) if id)))


def is_within(id: str, package: Collection[str]) -> bool:
    """Whether *id* is one of *package*, or begins with one: a slide or a question of it."""
    return id in package or any(
        id.startswith(one if one.endswith(_BOUNDS) else tuple(f"{one}{bound}" for bound in _BOUNDS)) for one in package
    )


def activities_in(statement: Json) -> Iterator[str]:
    """The ids of the activities that *statement* is about or has in its context."""
    target = statement["object"]
    if target.get("objectType", "Activity") == "Activity":
        yield target["id"]
    for found in statement.get("context", {}).get("contextActivities", {}).values():
        yield from (one["id"] for one in ([found] if isinstance(found, dict) else found))


def _breaches(session: LaunchSession, statement: Json, now: int, package: Collection[str]) -> Iterator[_Fault]:
    verb, context = statement["verb"]["id"], statement.get("context", {})
    if not session.is_open:
        yield "", "this launch is over: launch the content again"
    yield from _of_actor(session, statement["actor"])
    if str(context.get("registration", "")).lower() != session.registration:
        yield "/context/registration", "context.registration is not the one of the launch"
    if verb == VOIDED:
        yield "/verb/id", "launched content cannot void statements"
    if verb in JUDGING and session.mode != "Normal":
        yield "/verb/id", f"in the mode {session.mode} nothing is judged"
    yield from _of_object(statement["object"], package)
    for name in ("instructor", "team"):
        if name in context:
            yield f"/context/{name}", f"launched content cannot say who the {name} was: leave context.{name} out"
    yield from _of_time(session, statement.get("timestamp"), now)


def _of_actor(session: LaunchSession, actor: Json) -> Iterator[_Fault]:
    if actor.get("objectType", "Agent") != "Agent" or "member" in actor:
        yield "/actor", "the actor must be an Agent, not a Group: the learner of the launch"
    if ifi_text(actor) != agent_text(session.actor):
        yield "/actor", "the actor is not the one of the launch"
    if actor.get("name") not in {None, session.actor.get("name")}:
        yield "/actor/name", "the actor has another name than in the launch: send the actor of the launch as it is"


def _of_object(target: Json, package: Collection[str]) -> Iterator[_Fault]:
    if target.get("objectType", "Activity") != "Activity":
        yield "/object", "the object must be an activity of the launched package"
    elif not is_within(target["id"], package):
        yield (
            "/object/id",
            "the object is no activity of the launched package: its id must be one of tincan.xml, or begin with one",
        )


def _of_time(session: LaunchSession, timestamp: str | None, now: int) -> Iterator[_Fault]:
    if timestamp is None:
        return
    at = micros_of_timestamp(timestamp)
    if at < session.launched - LEEWAY:
        yield "/timestamp", "the timestamp is before the launch: set the clock of the device, or leave timestamp out"
    if at > now + LEEWAY:
        yield "/timestamp", "the timestamp is in the future: set the clock of the device, or leave timestamp out"


def _after(standing: SessionStanding, statement: Json, now: int) -> SessionStanding:
    session, progress = standing.session, standing.progress
    spent = max(0, min(now - session.last, IDLE)) / SECOND
    seconds = {**progress.seconds, session.mode: progress.seconds.get(session.mode, 0.0) + spent}
    session = replace(session, last=now, initialized=session.initialized or now)
    progress = replace(progress, attempted=progress.attempted or session.mode == "Normal", seconds=seconds)
    if statement["object"].get("id") == session.activity and statement["verb"]["id"] in JUDGING:
        progress = _judged(progress, statement["verb"]["id"], statement.get("result", {}))
    if session.mode == "Normal" and not progress.satisfied and meets(session.move_on, progress):
        progress = replace(progress, satisfied=True)
    return SessionStanding(session, progress)


def _judged(progress: UnitProgress, verb: str, result: Json) -> UnitProgress:
    """Who has passed stays so, with the score of it."""
    if verb == COMPLETED:
        progress = replace(progress, completed=True)
    elif verb in {PASSED, MASTERED}:
        progress = replace(progress, passed=True, failed=False)
    elif progress.passed:
        return progress
    else:
        progress = replace(progress, failed=True)
    return replace(progress, score=_scaled(result.get("score", {}), progress.score))


def _scaled(score: dict[str, Any], before: float | None) -> float | None:
    if "scaled" in score:
        return float(score["scaled"])
    raw, least, most = score.get("raw"), score.get("min", 0), score.get("max")
    if raw is None or most is None or most <= least:
        return before
    return round(float((raw - least) / (most - least)), 6)
