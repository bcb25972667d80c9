"""The online platform of the demonstration: its statements, sent with ``tincan`` as a real platform would."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files
from uuid import UUID, uuid5

from tincan import (
    Activity,
    ActivityDefinition,
    Agent,
    AgentAccount,
    Context,
    Extensions,
    RemoteLRS,
    Result,
    Score,
    Statement,
    Verb,
)

PLATFORM = "https://online.engraft-demo.example"
COURSES = "https://courses.engraft-demo.example/"
SAME_PERSON = "https://w3id.org/engraft/extensions/identifiers"
_ADL = "http://adlnet.gov/expapi/verbs/"
_NAMESPACE = UUID("5b0f6f0e-5d0e-5f3e-9a55-0d6d0c7b7d11")
_TITLES = {
    "gowning": "Gowning: why and how",
    "aseptic-technique": "Aseptic technique",
    "cell-culture": "Cell culture basics",
    "gmp-foundations": "GMP foundations",
    "data-integrity": "Data integrity",
}
_POINTS = {
    "gowning": (92, 88, 95, 84, 90, 81, 86, 97, 74, 89, 91, 83),
    "aseptic-technique": (85, 79, 90, 72, 88, 69, 76, 93, 81, 77, 0, 0),
    "cell-culture": (88, 0, 92, 0, 95, 73, 0, 80, 78, 84, 0, 71),
    "gmp-foundations": (94, 82, 0, 86, 91, 88, 79, 90, 85, 93, 87, 0),
}
"""Points out of 100 by learner; 0 is a course that was not taken."""


def statements() -> list[Statement]:
    """All statements of the platform, with the same ids at every run."""
    return [statement for place, person in enumerate(people()) for statement in _of(place, person)]


def people() -> list[dict[str, str]]:
    """The learners: name, lms_id, email."""
    text = (files("lrs.ops.demo") / "people.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def send(endpoint: str, key: str, secret: str) -> int:
    """Sends all of them, and gives how many were stored.

    Raises ``RuntimeError`` with the answer if they are refused.
    """
    platform = RemoteLRS(endpoint=f"{endpoint}/", version="1.0.3", username=key, password=secret)
    told = statements()
    answer = platform.save_statements(told)
    if not answer.success:
        raise RuntimeError(f"the online platform's statements were refused: {answer.data}")
    return len(told)


def _of(place: int, person: dict[str, str]) -> Iterator[Statement]:
    yield _registered(person)
    for course, points in _POINTS.items():
        if points[place]:
            yield _result(person, course, points[place])
    if place % 3:
        yield _statement(person, "completed", "data-integrity", result=Result(completion=True))


def _registered(person: dict[str, str]) -> Statement:
    """A statement with the learner's address: the platform is trusted to say which identifiers are one person's."""
    same = Extensions({SAME_PERSON: [{"mbox": f"mailto:{person['email']}"}]})
    return _statement(person, "registered", "", context=Context(extensions=same))


def _result(person: dict[str, str], course: str, points: int) -> Statement:
    passed = points >= 70
    result = Result(score=Score(scaled=points / 100, raw=points, min=0, max=100), success=passed, completion=True)
    return _statement(person, "passed" if passed else "failed", course, result=result)


def _statement(person: dict[str, str], verb: str, course: str, **more: object) -> Statement:
    name = _TITLES.get(course, "Online training platform")
    return Statement(
        id=uuid5(_NAMESPACE, f"{person['lms_id']} {verb} {course}"),
        actor=Agent(name=person["name"], account=AgentAccount(home_page=PLATFORM, name=person["lms_id"])),
        verb=Verb(id=_ADL + verb, display={"en": verb}),
        object=Activity(id=COURSES + course, definition=ActivityDefinition(name={"en": name})),
        **more,
    )
