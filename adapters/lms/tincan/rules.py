"""What launched Tin Can content may send, and what comes of it. Pure: session, progress and statement in, both out.

Tin Can has no rules of its own for content, so these are those of the credential: it is for one learner, one
registration and the activities of one package. How far a unit is follows from what is said of the launched activity.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from msgspec.structs import replace

from adapters.lms.sessions.reach import ContentFault, is_within, refused
from adapters.lms.sessions.session import LaunchSession, UnitProgress, agent_text
from adapters.lms.sessions.standing import SessionStanding, meets
from adapters.lms.sessions.vocabulary import COMPLETED, FAILED, PASSED, VOIDED
from lrs.kernel.strict_json import Json
from lrs.kernel.times import MINUTE, SECOND
from lrs.xapi.statements.identity import ifi_text

MASTERED = "http://adlnet.gov/expapi/verbs/mastered"
JUDGING = frozenset({COMPLETED, PASSED, FAILED, MASTERED})
"""Verbs that say how somebody did."""
IDLE = 30 * MINUTE
"""Microseconds between two statements that count as time spent, at most."""


def judged(standing: SessionStanding, statement: Json, now: int, package: Collection[str]) -> SessionStanding:
    """The standing once *statement*, which came at *now*, is stored. Raises ``Refused`` (403) if it may not be.

    *package* has the ids of the activities of the launched package (``ids_of``).
    """
    for pointer, why in _breaches(standing.session, statement, package):
        raise refused(standing.session, why, pointer)
    return _after(standing, statement, now)


def _breaches(session: LaunchSession, statement: Json, package: Collection[str]) -> Iterator[ContentFault]:
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


def _of_actor(session: LaunchSession, actor: Json) -> Iterator[ContentFault]:
    if actor.get("objectType", "Agent") != "Agent" or "member" in actor:
        yield "/actor", "the actor must be an Agent, not a Group: the learner of the launch"
    if ifi_text(actor) != agent_text(session.actor):
        yield "/actor", "the actor is not the one of the launch"
    if actor.get("name") not in {None, session.actor.get("name")}:
        yield "/actor/name", "the actor has another name than in the launch: send the actor of the launch as it is"


def _of_object(target: Json, package: Collection[str]) -> Iterator[ContentFault]:
    if target.get("objectType", "Activity") != "Activity":
        yield "/object", "the object must be an activity of the launched package"
    elif not is_within(target["id"], package):
        yield (
            "/object/id",
            "the object is no activity of the launched package: its id must be one of tincan.xml, or begin with one",
        )


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
