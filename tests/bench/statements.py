"""Realistic statements of about 1 KB, the same ones in every run. Knows no server and no database.

A programme of 800 activities in 40 courses, 2,000 learners, six verbs. A fifth of the statements are of 20 busy
learners and a fifth about 20 busy activities, so that a page of 50 is full from 50,000 statements on. One pair is
anti-correlated: learner 0 and the last verb are frequent each, but meet only in ``TOGETHER`` of the oldest.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LEARNERS = 2_000
ACTIVITIES = 800
COURSES = 40
BUSY = 20
TOGETHER = 50
VERBS = ("experienced", "attempted", "completed", "passed", "failed", "answered")
HOME = "https://lms.example.org"
_TOPICS = ("Gowning", "Aseptic technique", "Hand hygiene", "Line clearance", "Deviation reports", "Batch records")


@dataclass(frozen=True, slots=True)
class Made:
    """One statement: its text, and what it can be found by."""

    id: str
    raw: bytes
    learner: int
    verb: int
    activity: int
    registration: str


def verb_id(verb: int) -> str:
    """The IRI of a verb by number."""
    return f"http://adlnet.gov/expapi/verbs/{VERBS[verb]}"


def activity_id(activity: int) -> str:
    """The IRI of an activity by number."""
    return f"{HOME}/courses/{activity % COURSES:03}/activities/{activity:04}"


def course_id(course: int) -> str:
    """The IRI of a course by number."""
    return f"{HOME}/courses/{course:03}"


def agent(learner: int) -> str:
    """A learner as the ``agent`` parameter names them."""
    return _text({"account": {"homePage": HOME, "name": f"learner-{learner:05}"}})


def instructor(course: int) -> str:
    """A course's instructor as the ``agent`` parameter names them."""
    return _text({"account": {"homePage": HOME, "name": f"staff-{course:03}"}})


def registration(learner: int, course: int) -> str:
    """Busy learners have one registration, others one for each course."""
    return f"{learner:08x}-0000-4000-8000-{0 if learner < BUSY else course:012x}"


def statements(count: int, *, seed: int = 20, first: int = 0) -> Iterator[Made]:
    """*count* statements with distinct ids; *first* is the place of the first of them in the whole."""
    chance = random.Random(f"{seed}/{first}")
    for place in range(first, first + count):
        learner, verb = _who(chance, place)
        activity = _skewed(chance, ACTIVITIES)
        yield _made(chance, learner, verb, activity)


def passed(learners: Iterable[int], activities: int, *, seed: int, year: int = 2025) -> Iterator[Made]:
    """One success for each of *learners*, in that order, on one of the first *activities*; ids are distinct by *seed*.

    *year* is in the past of whoever runs this, as what is to count as evidence has to be.
    """
    chance = random.Random(f"passed/{seed}")
    for learner in learners:
        yield _made(chance, learner, VERBS.index("passed"), int(chance.random() * activities), score=90, year=year)


def shuffled(count: int, *, seed: int) -> list[int]:
    """The first *count* learners in an order of chance."""
    learners = list(range(count))
    random.Random(f"shuffled/{seed}").shuffle(learners)
    return learners


def _who(chance: random.Random, place: int) -> tuple[int, int]:
    if place % 100 == 0 and place < 100 * TOGETHER:
        return 0, len(VERBS) - 1
    learner = _skewed(chance, LEARNERS)
    return learner, int(chance.random() * (len(VERBS) - (learner == 0)))


def _skewed(chance: random.Random, size: int) -> int:
    return int(chance.random() * BUSY) if chance.random() < 0.2 else BUSY + int(chance.random() * (size - BUSY))


def _made(
    chance: random.Random, learner: int, verb: int, activity: int, *, score: int | None = None, year: int = 2026
) -> Made:
    bits = f"{chance.getrandbits(128):032x}"
    id = f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
    course = activity % COURSES
    enrolled = registration(learner, course)
    score = int(chance.random() * 101) if score is None else score
    minutes = int(chance.random() * 3_600)
    raw = _STATEMENT % (
        *(id, learner, learner, VERBS[verb], VERBS[verb], _ACTIVITY_TEXTS[activity]),
        *(score / 100, score, "true" if score > 59 else "false", minutes // 60, minutes % 60),
        *(enrolled, course, course, course, course % 7, 1 + minutes % 3, f"{bits[:12]}"),
        *(year, 1 + minutes % 28, minutes % 24, minutes % 60, score % 60, score * 7),
    )
    return Made(id, raw.encode(), learner, verb, activity, enrolled)


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _activity_text(activity: int) -> str:
    topic = _TOPICS[activity % len(_TOPICS)]
    return _text(
        {
            "objectType": "Activity",
            "id": activity_id(activity),
            "definition": {
                "type": "http://adlnet.gov/expapi/activities/assessment",
                "name": {"en-GB": f"{topic}, unit {activity}"},
            },
        }
    )


_ACTIVITY_TEXTS = [_activity_text(activity) for activity in range(ACTIVITIES)]
_STATEMENT = (
    '{"id":"%s","actor":{"name":"Learner %d","account":{"homePage":"https://lms.example.org",'
    '"name":"learner-%05d"}},"verb":{"id":"http://adlnet.gov/expapi/verbs/%s","display":{"en-GB":"%s"}},"object":%s,'
    '"result":{"score":{"scaled":%.2f,"raw":%d,"min":0,"max":100},"success":%s,"completion":true,"duration":"PT%dM%dS"},'
    '"context":{"registration":"%s","instructor":{"account":{"homePage":"https://lms.example.org","name":"staff-%03d"}},'
    '"contextActivities":{"parent":[{"id":"https://lms.example.org/courses/%03d"}],'
    '"grouping":[{"id":"https://lms.example.org/courses/%03d/run"}],'
    '"category":[{"id":"https://lms.example.org/kinds/%d"}]},'
    '"extensions":{"https://lms.example.org/x/attempt":%d,"https://lms.example.org/x/session":"%s"}},'
    '"timestamp":"%d-10-%02dT%02d:%02d:%02d.%03dZ"}'
)
