"""The facts in rows of a training centre, and their xAPI statements. Pure; knows no columns."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec.structs import replace
from tincan import (
    Activity,
    ActivityDefinition,
    Context,
    ContextActivities,
    Extensions,
    Result,
    Score,
    Statement,
    Verb,
)

from adapters.reading.people import Ifi
from adapters.reading.source import Fact
from adapters.reading.vocabulary import (
    ATTENDED,
    CHECKLIST,
    COURSE,
    EXTENSIONS,
    FAILED,
    JISC,
    PASSED,
    REGISTERED,
    TIMETABLED,
)

Attendance = Literal["present", "late", "left_early", "excused", "absent"]
THERE = frozenset({"present", "late", "left_early"})
COMPLETE = frozenset({"present", "late"})
VERSIONS = tuple(str(number) for number in range(1, 10))
"""Versions of a checklist that the key of an attempt may have in a store of release 0.2, whichever a row names."""

AttemptKey = tuple[str, str, str, str]
"""An attempt at a checklist: the session's IRI, the learner's key, the checklist's name, the attempt's number."""


class TrainingSession(msgspec.Struct, frozen=True):
    """A session, as planned or held. *id* is its IRI."""

    id: str
    title: str
    kind: str
    starts: datetime
    ends: datetime
    instructor: Ifi | None = None
    course: str = ""
    description: str = ""


class Attended(msgspec.Struct, frozen=True):
    """One learner at one session. *minutes* is how long they were there, if they were."""

    who: Ifi
    session: TrainingSession
    attendance: Attendance
    minutes: int | None = None
    category: str = ""


class OnRoster(msgspec.Struct, frozen=True):
    """A learner on the roster of a session, who lives in the postcode *district*."""

    who: Ifi
    session: TrainingSession
    district: str


class ObservedStep(msgspec.Struct, frozen=True):
    """One observed step."""

    id: str
    result: Literal["pass", "fail", "na"]
    critical: bool


class Observed(msgspec.Struct, frozen=True):
    """One checklist, done once by one learner and watched by one observer. *checklist* is its IRI."""

    who: Ifi
    session: TrainingSession
    checklist: str
    title: str
    revision: str
    attempt: int
    steps: tuple[ObservedStep, ...]
    percent: int
    observer: Ifi
    second: Ifi | None
    at: datetime


def attempt_at(key: AttemptKey, version: str, seen: Observed | None, *, partial: bool = False) -> Fact:
    """The fact of one attempt at a checklist: one fact, whichever *version* of it is named, or none (``""``)."""
    session, learner, name, attempt = key

    def under(written: str) -> Fact:
        content = replace(seen, revision=version or written) if seen else None
        return Fact("checklist", (session, learner, f"{name}@{written}", attempt), content, partial=partial)

    older = tuple(under(one) for one in dict.fromkeys((version, *VERSIONS)) if one)
    return Fact("checklist", key, seen, kept=version, partial=partial, older=older)


def is_passed(steps: tuple[ObservedStep, ...], percent: int) -> bool:
    """Whether every critical step passed, and at least *percent* of the other steps that apply."""
    critical = [step for step in steps if step.critical and step.result != "na"]
    others = [step for step in steps if not step.critical and step.result != "na"]
    good = sum(step.result == "pass" for step in others)
    return all(step.result == "pass" for step in critical) and good * 100 >= percent * len(others)


def attended(fact: Attended) -> Statement:
    """The Jisc attendance recipe. ``completion`` is false for somebody who was not there, or not to the end."""
    session = fact.session
    extensions: dict[str, object] = {
        JISC + "attendance_late": int(fact.attendance == "late"),
        EXTENSIONS + "attendance": fact.attendance,
    }
    if fact.category:
        extensions[JISC + "attendance_category"] = fact.category
    duration = timedelta(minutes=fact.minutes) if fact.minutes is not None else None
    return Statement(
        actor=fact.who.agent(),
        verb=Verb(id=ATTENDED, display={"en": "attended"}),
        object=activity(session),
        result=Result(completion=fact.attendance in COMPLETE, duration=duration, extensions=Extensions(extensions)),
        context=context(session.instructor, session.course),
        timestamp=session.starts,
    )


def on_roster(fact: OnRoster) -> Statement:
    """``registered`` on the session, with the district where the learner lives."""
    return Statement(
        actor=fact.who.agent(),
        verb=Verb(id=REGISTERED, display={"en": "registered"}),
        object=activity(fact.session),
        context=Context(extensions=Extensions({EXTENSIONS + "home-district": fact.district})),
    )


def observed(fact: Observed) -> Statement:
    """``passed`` or ``failed`` on the checklist, with the observed steps. The score counts the steps that apply."""
    passed = is_passed(fact.steps, fact.percent)
    applying = [step for step in fact.steps if step.result != "na"]
    good = sum(step.result == "pass" for step in applying)
    seen: dict[str, object] = {
        EXTENSIONS + "steps": [[step.id, step.result, step.critical] for step in fact.steps],
        EXTENSIONS + "attempt": fact.attempt,
    }
    about = context(fact.observer, fact.session.course, parent=[activity(fact.session)]) or Context()
    if fact.revision:
        about.revision = fact.revision
    if fact.second:
        about.extensions = Extensions({EXTENSIONS + "second-observer": fact.second.agent().as_version()})
    return Statement(
        actor=fact.who.agent(),
        verb=Verb(id=PASSED if passed else FAILED, display={"en": "passed" if passed else "failed"}),
        object=Activity(id=fact.checklist, definition=ActivityDefinition(name={"en": fact.title}, type=CHECKLIST)),
        result=Result(
            success=passed,
            completion=True,
            score=Score(raw=good, min=0, max=len(applying)),
            extensions=Extensions(seen),
        ),
        context=about,
        timestamp=fact.at,
    )


def activity(session: TrainingSession) -> Activity:
    """The session as an activity."""
    extensions = {
        JISC + "starttime": session.starts.isoformat(),
        JISC + "endtime": session.ends.isoformat(),
        JISC + "subType": session.kind,
    }
    definition = ActivityDefinition(name={"en": session.title}, type=TIMETABLED, extensions=Extensions(extensions))
    if session.description:
        definition.description = {"en": session.description}
    return Activity(id=session.id, definition=definition)


def context(instructor: Ifi | None, course: str, parent: list[Activity] | None = None) -> Context | None:
    """Instructor, the course of the session, and its parent; ``None`` if there is none of them."""
    around: dict[str, list[Activity]] = {"parent": parent} if parent else {}
    if course:
        around["grouping"] = [Activity(id=course, definition=ActivityDefinition(type=COURSE))]
    about: dict[str, object] = {"context_activities": ContextActivities(**around)} if around else {}
    if instructor:
        about["instructor"] = instructor.agent()
    return Context(**about) if about else None
