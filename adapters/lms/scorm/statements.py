"""The statements that a commit of SCORM content comes to, by the SCORM profile of xAPI. Pure.

Source: https://w3id.org/xapi/scorm (adlnet/xAPI-SCORM-Profile), 3.2, 5 and 6. An attempt is an activity of its own in
the grouping; with it stand the course, and the publisher's id by which rules find the unit. The ids of statements
follow from what they say, so a commit that comes twice makes them once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from adapters.lms.courses.structure import AssignableUnit, Structure
from adapters.lms.scorm.cmi import Cmi, Interaction, ScormScore
from adapters.lms.sessions.own_statements import Statement
from adapters.lms.sessions.session import LaunchSession
from adapters.lms.sessions.vocabulary import SESSION_ID
from lrs.kernel.durations import duration_of
from lrs.kernel.names import name

PROFILE = "https://w3id.org/xapi/scorm"
ATTEMPT_STATE, ACTIVITY_STATE = f"{PROFILE}/attempt-state", f"{PROFILE}/activity-state"
SUSPEND_DATA = f"{PROFILE}/types/adl-suspend-data"
_VERBS, _TYPES = "http://adlnet.gov/expapi/verbs/", "http://adlnet.gov/expapi/activities/"
_INTERACTIONS = {
    "true-false": "true-false",
    "choice": "choice",
    "fill-in": "fill-in",
    "matching": "matching",
    "performance": "performance",
    "sequencing": "sequencing",
    "likert": "likert",
    "numeric": "numeric",
}
_RIGHT, _WRONG = {"correct"}, {"wrong", "incorrect"}
_ENDS = ("terminated", "suspended")


class ScormAttempt(msgspec.Struct, frozen=True):
    """An attempt at a *unit* of a course, in a launch *session*. *id* is its activity's, *now* the time of all that."""

    session: LaunchSession
    structure: Structure
    unit: AssignableUnit
    id: str
    now: str


def begun(attempt: ScormAttempt, *, resumed: bool) -> Statement:
    """*initialized*, or *resumed* where the attempt was suspended before."""
    return _made(attempt, "resumed" if resumed else "initialized")


def judged(attempt: ScormAttempt, verb: str, cmi: Cmi) -> Statement:
    """*completed*, *passed* or *failed*, with the score that came with it."""
    outcome = {"completed": {"completion": True}, "passed": {"success": True}, "failed": {"success": False}}[verb]
    return _made(attempt, verb, result={**outcome, **_scored(cmi.score)})


def ended(attempt: ScormAttempt, cmi: Cmi, *, suspended: bool) -> Statement:
    """*terminated* or *suspended*, with all that is known of the attempt (profile 5)."""
    result: dict[str, Any] = {"duration": duration_of(round(cmi.session * 1e6)), **_scored(cmi.score)}
    if cmi.status in {"passed", "failed"}:
        result["success"] = cmi.status == "passed"
    if cmi.status in {"passed", "completed", "incomplete"}:
        result["completion"] = cmi.status != "incomplete"
    return _made(attempt, "suspended" if suspended else "terminated", result=result)


def commented(attempt: ScormAttempt, comments: str) -> Statement:
    """What the learner wrote (``cmi.comments``)."""
    return _made(attempt, "commented", comments, result={"response": comments})


def responded(
    attempt: ScormAttempt, found: tuple[Interaction, ...], before: tuple[Interaction, ...]
) -> Iterator[Statement]:
    """A statement for each answer that was not there *before*."""
    for place, one in enumerate(found):
        if (one.response or one.result) and (place >= len(before) or before[place] != one):
            yield _answer(attempt, place, one)


def _answer(attempt: ScormAttempt, place: int, one: Interaction) -> Statement:
    said = (str(place), one.id, one.response, one.result)
    result: dict[str, Any] = {"response": one.response} if one.response else {}
    if one.result in _RIGHT | _WRONG:
        result["success"] = one.result in _RIGHT
    statement = _made(attempt, "responded", *said, result=result)
    sort = _INTERACTIONS.get(one.type)
    definition: dict[str, Any] = {"type": f"{_TYPES}interaction"}
    if sort:
        patterns = {"correctResponsesPattern": list(one.patterns)} if one.patterns else {}
        definition = {"type": f"{_TYPES}cmi.interaction", "interactionType": sort, **patterns}
    statement["object"] = {
        "id": f"{attempt.unit.activity}/interactions/{quote(one.id, safe='')}",
        "definition": definition,
    }
    statement["context"]["contextActivities"]["parent"] = [_unit(attempt)]
    return statement


def _made(attempt: ScormAttempt, verb: str, *said: str, result: dict[str, Any] | None = None) -> Statement:
    session = attempt.session
    once = attempt.id if verb in {"completed", "passed", "failed"} else session.id
    return {
        "id": name("scorm-statement", once, "end" if verb in _ENDS else verb, *said),
        "actor": session.actor,
        "verb": {"id": _VERBS + verb, "display": {"en-US": verb}},
        "object": _unit(attempt),
        "timestamp": attempt.now,
        **({"result": result} if result else {}),
        "context": {
            "registration": session.registration,
            "extensions": {SESSION_ID: session.id},
            "contextActivities": {
                "category": [{"id": PROFILE, "definition": {"type": f"{_TYPES}profile"}}],
                "grouping": [
                    *session.template["contextActivities"]["grouping"],
                    {"id": attempt.structure.activity, "definition": {"type": f"{_TYPES}course"}},
                    {"id": attempt.id, "definition": {"type": f"{_TYPES}attempt"}},
                ],
            },
        },
    }


def _unit(attempt: ScormAttempt) -> dict[str, Any]:
    """The unit. Courses that were imported before units had types say *lesson* of all of them."""
    titles = {tag: text for tag, text in attempt.unit.title.items() if text}
    type_ = attempt.unit.activity_type or f"{_TYPES}lesson"
    return {"id": attempt.unit.activity, "definition": {"type": type_, "name": titles}}


def _scored(score: ScormScore | None) -> dict[str, Any]:
    if score is None:
        return {}
    told = {"raw": score.raw, "min": score.min, "max": score.max, "scaled": score.scaled}
    if score.scaled is None:  # a range that is none is not said: xAPI refuses a score outside its range
        told["min"] = told["max"] = None
    return {"score": {name: value for name, value in told.items() if value is not None}}
