"""Whether a unit may send a statement now, and what comes of it. Pure: session, progress and statement in, both out.

Each breach is refused (403) with the id of the requirement, as npm's ``@cmi5/requirements`` numbers them: cmi5 sections
8 to 11. Faults against xAPI itself were refused before (400). Statements that a unit does not mark as defined by cmi5
are "allowed" ones (7.1.3): any verb, but between initialized and terminated, of this actor, and with this context.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from adapters.lms.sessions.session import LaunchSession, agent_text
from adapters.lms.sessions.standing import SessionStanding, breached, meets
from adapters.lms.sessions.vocabulary import (
    CMI5,
    COMPLETED,
    FAILED,
    INITIALIZED,
    JUDGING,
    MASTERY_SCORE,
    MOVE_ON,
    OF_UNITS,
    PASSED,
    SESSION_ID,
    TERMINATED,
    VOIDED,
)
from lrs.kernel.durations import seconds_of
from lrs.kernel.strict_json import Json
from lrs.kernel.times import SECOND
from lrs.xapi.statements.identity import ifi_text

Breach = tuple[str, str]
"""The id of a requirement, and what is wrong."""
_UTC = ("Z", "+00", "+0000", "+00:00")
_MODES = {"Browse": "10.2.2.0-2", "Review": "10.2.2.0-3"}
_MISSING_DURATION = {TERMINATED: "9.5.4.1-1", COMPLETED: "9.5.4.1-2", PASSED: "9.5.4.1-3", FAILED: "9.5.4.1-4"}


def judged(standing: SessionStanding, statement: Json, now: int, *, has_id: bool) -> SessionStanding:
    """The standing once *statement*, which came at *now*, is stored. Raises ``Refused`` (403) if it may not be.

    *has_id* says whether its sender gave it an id.
    """
    marks = _categories(statement)
    for requirement, why in _breaches(standing, statement, marks, has_id=has_id):
        raise breached(requirement, why)
    return _after(standing, statement, now, is_defined=CMI5 in marks)


def _breaches(standing: SessionStanding, statement: Json, marks: frozenset[str], *, has_id: bool) -> Iterator[Breach]:
    """*marks* are the categories: CMI5 is in those of a statement that says that cmi5 defines it (9.6.2.1)."""
    session = standing.session
    yield from _of_time(session, statement["verb"]["id"])
    yield from _of_any(session, statement, marks, has_id=has_id)
    yield from _of_context(session, statement.get("context"))
    yield from _of_marks(session, statement, marks)
    if CMI5 in marks:
        yield from _of_defined(standing, statement, marks)


# -- every statement --------------------------------------------------------------------------------------------------


def _of_time(session: LaunchSession, verb: str) -> Iterator[Breach]:
    if session.abandoned:
        yield "9.3.6.0-2", "the session was abandoned"
    if session.terminated:
        yield "9.3.0.0-5", "the session was terminated"
    if not session.preferences:
        yield "11.0.0.0-3", "read the learner's preferences (Agent Profile cmi5LearnerPreferences) first"
    if not session.launch_data:
        yield "10.2.1.0-4", "read the State document LMS.LaunchData first"
    if verb == VOIDED:
        yield "6.3.0.0-1", "a unit cannot void statements"


def _of_any(session: LaunchSession, statement: Json, marks: frozenset[str], *, has_id: bool) -> Iterator[Breach]:
    if not has_id:
        yield "9.1.0.0-1", "the statement has no id: the unit must give it one"
    timestamp = statement.get("timestamp")
    if timestamp is None:
        yield "9.7.0.0-1", "the statement has no timestamp"
    elif not timestamp.upper().endswith(_UTC):
        yield "9.7.0.0-2", "the timestamp is not in UTC: it must end in Z"
    actor = statement["actor"]
    if actor.get("objectType", "Agent") != "Agent":
        yield "9.2.0.0-2", "the actor must be an Agent"
    if "account" not in actor:
        yield "9.2.0.0-3", "the actor must have an account"
    if ifi_text(actor) != agent_text(session.actor) or actor.get("name") not in (None, session.actor.get("name")):
        yield "8.1.3.0-3", "the actor is not the one of the launch"
    if not session.initialized and not (statement["verb"]["id"] == INITIALIZED and CMI5 in marks):
        yield "9.3.0.0-4", "the first statement must be initialized, in the category cmi5"


def _of_context(session: LaunchSession, context: Json | None) -> Iterator[Breach]:
    if context is None:
        yield "9.6.0.0-1", "the statement has no context"
        return
    if str(context.get("registration", "")).lower() != session.registration:
        yield "9.6.1.0-1", "context.registration is not the one of the launch"
    extensions = context.get("extensions", {})
    if extensions.get(SESSION_ID) != session.id:
        yield "9.6.3.1-4", f"context.extensions does not have the session id under {SESSION_ID}"
    for name, value in session.template.items():
        if name not in context:
            yield "10.2.1.0-6", f"context.{name} of the contextTemplate is missing"
        elif name == "contextActivities":
            yield from _of_activities(context[name], value)
        elif name == "extensions":
            yield from _of_extensions(extensions, value)
        elif context[name] != value:
            yield "10.2.1.0-7", f"context.{name} is not that of the contextTemplate"


def _of_activities(found: Json, wanted: Json) -> Iterator[Breach]:
    for sort, activities in wanted.items():
        there = _ids(found.get(sort))
        for one in activities:
            if one["id"] not in there:
                yield "10.2.1.0-6", f"context.contextActivities.{sort} lacks {one['id']} of the contextTemplate"


def _of_extensions(found: Json, wanted: Json) -> Iterator[Breach]:
    for name, value in wanted.items():
        if name not in found:
            yield "10.2.1.0-6", f"context.extensions lacks {name} of the contextTemplate"
        elif found[name] != value:
            yield "10.2.1.0-7", f"context.extensions has another value of {name} than the contextTemplate"


def _of_marks(session: LaunchSession, statement: Json, marks: frozenset[str]) -> Iterator[Breach]:
    """What tells apart who says how the learner did, and with what: the categories, and the unit in the grouping.

    Rules find a unit by its publisher's id in the grouping, so content may put no other one beside its own: else a unit
    that anybody can open would prove what an examination proves.
    """
    judges = statement["verb"]["id"] in JUDGING
    if judges and _listed(statement, "grouping") - _ids(session.template["contextActivities"]["grouping"]):
        yield (
            "10.2.1.0-7",
            "completed, passed and failed have the grouping of the contextTemplate, and nothing else in it",
        )
    if MOVE_ON in marks and not (judges and CMI5 in marks):
        yield "9.6.2.2-2", "only completed, passed and failed have the category moveon"
    if judges and CMI5 not in marks and statement["object"].get("id") == session.activity:
        yield "9.6.2.1-1", "completed, passed and failed about the unit itself need the category cmi5"


# -- statements defined by cmi5 ---------------------------------------------------------------------------------------


def _of_defined(standing: SessionStanding, statement: Json, marks: frozenset[str]) -> Iterator[Breach]:
    session, verb, target = standing.session, statement["verb"]["id"], statement["object"]
    if verb not in OF_UNITS:
        yield "9.3.0.0-1", "a unit has initialized, completed, passed, failed and terminated in the category cmi5"
    if target.get("objectType", "Activity") != "Activity":
        yield "9.4.0.0-1", "the object must be the activity of the launch"
    elif target["id"] != session.activity:
        yield "8.1.5.0-6", "object.id is not the activityId of the launch"
    if verb in JUDGING and session.mode in _MODES:
        yield _MODES[session.mode], f"in the mode {session.mode} nothing is judged"
    result = statement.get("result", {})
    yield from _of_result(verb, result)
    if verb in JUDGING and MOVE_ON not in marks:
        yield "9.6.2.2-1", "a statement with success or completion needs the category moveon"
    yield from _of_score(session, statement, result.get("score"))
    yield from _of_order(standing, verb)


def _of_result(verb: str, result: Json) -> Iterator[Breach]:
    if verb in _MISSING_DURATION and "duration" not in result:
        yield _MISSING_DURATION[verb], "result.duration is missing"
    if verb == COMPLETED and result.get("completion") is not True:
        yield "9.5.3.0-1", "completed needs result.completion: true"
    if verb != COMPLETED and "completion" in result:
        yield "9.5.3.0-2", "only completed has result.completion"
    if verb == PASSED and result.get("success") is not True:
        yield "9.5.2.0-1", "passed needs result.success: true"
    if verb == FAILED and result.get("success") is not False:
        yield "9.5.2.0-2", "failed needs result.success: false"
    if verb not in {PASSED, FAILED} and "success" in result:
        yield "9.5.2.0-3", "only passed and failed have result.success"


def _of_score(session: LaunchSession, statement: Json, score: Json | None) -> Iterator[Breach]:
    if score is None:
        return
    verb, mastery = statement["verb"]["id"], session.mastery_score
    if verb not in {PASSED, FAILED}:
        yield "9.5.1.0-2", "only passed and failed have a score"
    if "raw" in score and not {"min", "max"} <= score.keys():
        yield "9.5.1.0-3", "a score with raw needs min and max"
    if mastery is None:
        return
    if statement["context"]["extensions"].get(MASTERY_SCORE) != mastery:
        yield "9.6.3.2-2", f"context.extensions does not have the mastery score {mastery} under {MASTERY_SCORE}"
    scaled = score.get("scaled")
    if scaled is not None and verb == PASSED and scaled < mastery:
        yield "9.3.4.0-2", f"passed with {scaled}, which is below the mastery score {mastery}"
    if scaled is not None and verb == FAILED and scaled >= mastery:
        yield "9.3.5.0-2", f"failed with {scaled}, which reaches the mastery score {mastery}"


def _of_order(standing: SessionStanding, verb: str) -> Iterator[Breach]:
    verbs, progress = standing.session.verbs, standing.progress
    if verb in verbs:
        yield ("9.3.2.0-3" if verb == INITIALIZED else "9.3.0.0-2"), "this session has had a statement of this verb"
    if {PASSED, FAILED} & set(verbs) and verb in {PASSED, FAILED}:
        yield "9.3.0.0-3", "a session is passed or failed, once"
    if verb == COMPLETED and progress.completed:
        yield "9.3.0.0-6", "the unit was completed in this registration already"
    if verb == PASSED and progress.passed:
        yield "9.3.0.0-7", "the unit was passed in this registration already"
    if verb == FAILED and progress.passed:
        yield "9.3.0.0-8", "the unit was passed in this registration, and cannot be failed after that"


# -- what comes of it -------------------------------------------------------------------------------------------------


def _after(standing: SessionStanding, statement: Json, now: int, *, is_defined: bool) -> SessionStanding:
    session, progress = standing.session, standing.progress
    if not is_defined:
        is_burst = now - session.last < SECOND
        return standing if is_burst else SessionStanding(msgspec.structs.replace(session, last=now), progress)
    verb = statement["verb"]["id"]
    session = msgspec.structs.replace(session, last=now, verbs=(*session.verbs, verb))
    normal = session.mode == "Normal"
    if verb == INITIALIZED:
        session = msgspec.structs.replace(session, initialized=now)
        progress = msgspec.structs.replace(progress, attempted=progress.attempted or normal)
    elif verb == TERMINATED:
        session = msgspec.structs.replace(session, terminated=now)
        spent = progress.seconds.get(session.mode, 0.0) + seconds_of(statement["result"]["duration"])
        progress = msgspec.structs.replace(progress, seconds={**progress.seconds, session.mode: spent})
    elif verb == COMPLETED:
        progress = msgspec.structs.replace(progress, completed=True)
    else:
        score = statement["result"].get("score", {}).get("scaled", progress.score)
        progress = msgspec.structs.replace(progress, passed=verb == PASSED, failed=verb == FAILED, score=score)
    if not progress.satisfied and meets(session.move_on, progress):
        progress = msgspec.structs.replace(progress, satisfied=True)
    return SessionStanding(session, progress)


def _categories(statement: Json) -> frozenset[str]:
    return _listed(statement, "category")


def _listed(statement: Json, sort: str) -> frozenset[str]:
    return _ids(statement.get("context", {}).get("contextActivities", {}).get(sort))


def _ids(activities: Any) -> frozenset[str]:
    """The ids of *activities*; one alone stands for a list of one (xAPI 1.0.3 Data 2.4.6.2)."""
    found = [activities] if isinstance(activities, dict) else activities or ()
    return frozenset([one["id"] for one in found])
