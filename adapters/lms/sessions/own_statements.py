"""The statements that the LMS itself makes (cmi5 9.3): launched, satisfied, waived, abandoned. Pure.

Their ids follow from what they say, so each is made once. They carry no timestamp: the store gives them the time at
which they are stored, which is when it happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters.lms.courses.structure import AssignableUnit, Block, CoursePart, Structure
from adapters.lms.sessions.session import LaunchSession, Registration
from adapters.lms.sessions.vocabulary import (
    ABANDONED,
    BLOCK_TYPE,
    CMI5,
    COURSE_TYPE,
    LAUNCH_MODE,
    LAUNCH_PARAMETERS,
    LAUNCH_URL,
    LAUNCHED,
    MASTERY_SCORE,
    MOVE_ON,
    MOVE_ON_RULE,
    REASON,
    SATISFIED,
    SESSION_ID,
    WAIVED,
)
from lrs.kernel.durations import duration_of
from lrs.kernel.names import name

Statement = dict[str, Any]


def launched(session: LaunchSession, unit: AssignableUnit, parameters: str) -> Statement:
    """9.3.1: before a unit is launched, with what it is launched with (9.6.3)."""
    extensions = {
        LAUNCH_MODE: session.mode,
        LAUNCH_URL: session.url,
        MOVE_ON_RULE: session.move_on,
        **({LAUNCH_PARAMETERS: parameters} if parameters else {}),
        **({MASTERY_SCORE: session.mastery_score} if session.mastery_score is not None else {}),
    }
    statement = _of_session(session, LAUNCHED, "launched", unit.id)
    context, template = statement["context"], session.template
    for sort, activities in template["contextActivities"].items():
        known = context["contextActivities"].get(sort, [])
        context["contextActivities"][sort] = [*known, *(one for one in activities if one not in known)]
    context["extensions"] = {**template["extensions"], **extensions}
    return statement


def abandoned(session: LaunchSession, publisher: str) -> Statement:
    """9.3.6: the session ended abnormally. It lasted from launched to its last statement (9.5.4.2)."""
    statement = _of_session(session, ABANDONED, "abandoned", publisher)
    statement["result"] = {"duration": duration_of(session.last - session.launched)}
    return statement


def waived(registration: Registration, unit: AssignableUnit, reason: str, session: str) -> Statement:
    """9.3.7: the unit counts as done without being taken. *session* is an id of its own."""
    statement = _made(registration, WAIVED, "waived", session, unit.id)
    statement["id"] = name("lms-statement", "waived", registration.id, unit.activity)
    statement["object"] = {"objectType": "Activity", "id": unit.activity}
    statement["result"] = {"completion": True, "success": True, "extensions": {REASON: reason}}
    if registration.format == "cmi5":
        statement["context"]["contextActivities"]["category"].append({"id": MOVE_ON})
    return statement


def satisfied(registration: Registration, part: Structure | Block, session: str) -> Statement:
    """9.3.9: all units of a block, or of the course, meet their criteria. *session* is that of what led to it.

    The type is cmi5's, or where the course has another format, that of its package or profile.
    """
    statement = _made(registration, SATISFIED, "satisfied", session, part.id)
    statement["id"] = name("lms-statement", "satisfied", registration.id, part.activity)
    type_ = part.activity_type or (COURSE_TYPE if isinstance(part, Structure) else BLOCK_TYPE)
    statement["object"] = {"objectType": "Activity", "id": part.activity, "definition": {"type": type_}}
    return statement


def newly_satisfied(structure: Structure, registration: Registration) -> Iterator[Structure | Block]:
    """Blocks, the inner before the outer, then the course, that *registration* satisfies and did not before."""
    done = {activity for activity, unit in registration.units.items() if unit.satisfied}
    known = set(registration.satisfied)

    def walk(part: Structure | CoursePart) -> Iterator[Structure | Block]:
        if isinstance(part, AssignableUnit):
            return
        for child in part.children:
            yield from walk(child)
        if part.activity not in known and all(_is_done(child, done) for child in part.children):
            done.add(part.activity)
            yield part

    done |= known
    return walk(structure)


def _is_done(part: CoursePart, done: set[str]) -> bool:
    return part.activity in done or (isinstance(part, AssignableUnit) and part.move_on == "NotApplicable")


def _of_session(session: LaunchSession, verb: str, word: str, publisher: str) -> Statement:
    statement = _made(session, verb, word, session.id, publisher)
    statement["id"] = name("lms-statement", word, session.id)
    statement["object"] = {"objectType": "Activity", "id": session.activity}
    if session.activity_type and session.format != "cmi5":
        statement["object"]["definition"] = {"type": session.activity_type}
    return statement


def _made(of: Registration | LaunchSession, verb: str, word: str, session: str, publisher: str) -> Statement:
    """Of another format than cmi5, a statement has cmi5's words, and not its category."""
    category = {"category": [{"id": CMI5}]} if of.format == "cmi5" else {}
    return {
        "actor": of.actor,
        "verb": {"id": verb, "display": {"en": word}},
        "context": {
            "registration": of.id if isinstance(of, Registration) else of.registration,
            "contextActivities": {**category, "grouping": [{"id": publisher}]},
            "extensions": {SESSION_ID: session},
        },
    }
