"""Statements to take and change, written out: one of a realistic size, and the seven places an Agent can stand in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lrs.kernel.errors import Refused
from lrs.xapi.statements.validate import check

ID = "12345678-1234-4234-8234-1234567890ab"
REGISTRATION = "ec531277-b57b-4c15-8d91-d292c5b2b8f7"
AGENT = {"objectType": "Agent", "mbox": "mailto:learner@example.com"}
GROUP = {"objectType": "Group", "name": "Class 3b", "member": [AGENT]}
VERB = {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en-US": "completed"}}
ACTIVITY = {"id": "https://school.example/courses/geo/unit1"}
SHA256 = "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a"
ATTACHMENT = {
    "usageType": "https://example.com/attachment-usage/test",
    "display": {"en-US": "A test attachment"},
    "description": {"en-US": "What it is"},
    "contentType": "text/plain; charset=ascii",
    "length": 27,
    "sha2": SHA256,
    "fileUrl": "https://example.com/file.txt",
}

REALISTIC = json.dumps(
    {
        "id": ID,
        "actor": {"objectType": "Agent", "account": {"homePage": "https://school.example", "name": "1625378"}},
        "verb": VERB,
        "object": {
            "objectType": "Activity",
            "id": "https://school.example/courses/geo/unit1",
            "definition": {"name": {"en-US": "Unit 1"}, "type": "http://adlnet.gov/expapi/activities/module"},
        },
        "result": {
            "score": {"scaled": 0.85, "raw": 85, "min": 0, "max": 100},
            "success": True,
            "completion": True,
            "duration": "PT4H35M59.14S",
        },
        "context": {
            "registration": REGISTRATION,
            "instructor": {"account": {"homePage": "https://school.example", "name": "t-9"}},
            "contextActivities": {
                "parent": [{"id": "https://school.example/courses/geo"}],
                "grouping": [{"id": "https://school.example/programmes/science"}],
                "category": [{"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}],
            },
            "extensions": {
                "https://w3id.org/xapi/cmi5/context/extensions/sessionid": "s-1",
                "https://school.example/ext/room": 12,
            },
        },
        "timestamp": "2026-11-21T10:00:00.123Z",
    },
    separators=(",", ":"),
).encode()


def unshared(value: Any) -> Any:
    """A copy in which no part is the same object as another."""
    return json.loads(json.dumps(value))


def statement(**parts: Any) -> dict[str, Any]:
    """The smallest valid statement, with *parts* put in."""
    return unshared({"actor": AGENT, "verb": VERB, "object": ACTIVITY} | parts)


def substatement(**parts: Any) -> dict[str, Any]:
    """The smallest valid SubStatement, with *parts* put in."""
    return {"objectType": "SubStatement"} | statement(**parts)


def changed(value: Any, pointer: str, to: Any) -> Any:
    """A copy of *value* in which *to* stands at *pointer*."""
    copied = target = unshared(value)
    *way, last = pointer.split("/")[1:]
    for step in way:
        target = target[int(step)] if isinstance(target, list) else target.setdefault(step, {})
    target[int(last) if isinstance(target, list) else last] = to
    return copied


AGENT_PLACES = {
    "actor": lambda agent: statement(actor=agent),
    "authority": lambda agent: statement(authority=agent),
    "instructor": lambda agent: statement(context={"instructor": agent}),
    "team": lambda agent: statement(context={"team": agent}),
    "object": lambda agent: statement(object=agent),
    "substatement actor": lambda agent: statement(object=substatement(actor=agent)),
    "substatement instructor": lambda agent: statement(object=substatement(context={"instructor": agent})),
}
POINTER_OF_PLACE = {
    "actor": "/actor",
    "authority": "/authority",
    "instructor": "/context/instructor",
    "team": "/context/team",
    "object": "/object",
    "substatement actor": "/object/actor",
    "substatement instructor": "/object/context/instructor",
}

VERSIONS = ("1.0.3", "2.0.0")
REF = {"objectType": "StatementRef", "id": ID}
IRI = "https://example.com/thing"
IDENTIFIERS = {
    "mbox": "mailto:learner@example.com",
    "mbox_sha1sum": "cd9b00a5611f94eaa7b1661edab976068e364975",
    "openid": "https://openid.example/learner",
    "account": {"homePage": "https://school.example", "name": "1625378"},
}
both_versions = pytest.mark.parametrize("version", VERSIONS)


def accepted(value, *versions):
    for version in versions or VERSIONS:
        check(value, version)


def refused(value, pointer, *versions):
    for version in versions or VERSIONS:
        with pytest.raises(Refused) as caught:
            check(value, version)
        assert caught.value.pointer == pointer, caught.value.message
        assert (caught.value.status, caught.value.error) == (400, "invalid_statement")
        assert caught.value.rule.startswith("xAPI 1.0.3 Data " if version == "1.0.3" else "IEEE 9274.1.1 4.2")
        assert caught.value.message.endswith((".", ".)"))
    return caught.value


def in_both(value):
    """The statement, and one whose object is a SubStatement with the same parts, with what comes before pointers."""
    inner = {name: part for name, part in value.items() if name not in ("id", "stored", "authority", "version")}
    return [(value, ""), (statement(object={"objectType": "SubStatement"} | inner), "/object")]


def with_everything():
    return statement(
        actor={"account": IDENTIFIERS["account"]},
        authority=AGENT,
        object=ACTIVITY | {"definition": {"interactionType": "choice", "choices": [{"id": "a"}]}},
        result={"score": {"raw": 1}},
        context={
            "statement": REF,
            "team": GROUP,
            "instructor": AGENT,
            "contextActivities": {"parent": [ACTIVITY | {"definition": {}}]},
        },
        attachments=[ATTACHMENT],
    )
