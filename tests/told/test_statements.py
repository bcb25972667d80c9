"""What every member of a statement may be, told whole: each is left out, and each is something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lrs.kernel.errors import Refused
from lrs.xapi.statements.validate import check
from tests.told.story import Story, inline
from tests.xapi.statements.examples import (
    AGENT,
    ATTACHMENT,
    GROUP,
    ID,
    IDENTIFIERS,
    REF,
    REGISTRATION,
    VERB,
    statement,
    substatement,
    unshared,
)

IRI = "https://a.example/b"
TEXTS = {"en-GB": "One", "cy": "Un"}
COMPONENTS = {name: [{"id": "a", "description": TEXTS}] for name in ("choices", "scale", "source", "target", "steps")}
DEFINITION = {
    "name": TEXTS,
    "description": TEXTS,
    "type": IRI,
    "moreInfo": IRI,
    "interactionType": "choice",
    "correctResponsesPattern": ["a"],
    "choices": COMPONENTS["choices"],
    "extensions": {IRI: 1},
}
ACTIVITY = {"objectType": "Activity", "id": IRI, "definition": DEFINITION}
CONTEXT = {
    "registration": REGISTRATION,
    "instructor": AGENT,
    "team": GROUP,
    "contextActivities": {name: [{"id": IRI}] for name in ("parent", "grouping", "category", "other")},
    "revision": "1",
    "platform": "VLE",
    "language": "en-GB",
    "statement": REF,
    "extensions": {IRI: 1},
}
NEWER = CONTEXT | {
    "contextAgents": [{"objectType": "contextAgent", "agent": AGENT, "relevantTypes": [IRI]}],
    "contextGroups": [{"objectType": "contextGroup", "group": GROUP, "relevantTypes": [IRI]}],
}
RESULT = {
    "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10},
    "success": True,
    "completion": False,
    "response": "a",
    "duration": "PT1H",
    "extensions": {IRI: 1},
}
TIMES = {"timestamp": "2026-11-21T10:00:00Z", "stored": "2026-11-21T10:00:00Z"}
ALL = statement(
    id=ID,
    actor={"objectType": "Group", "name": "3b", "account": IDENTIFIERS["account"], "member": [{"name": "A", **AGENT}]},
    verb=VERB,
    object=ACTIVITY,
    result=RESULT,
    context=CONTEXT,
    authority={"objectType": "Group", "member": [AGENT, {"openid": IRI}]},
    version="1.0.3",
    attachments=[ATTACHMENT],
    **TIMES,
)
OTHERS: tuple[Any, ...] = (None, "", "x", 7, True, [], {}, ["x"], {"x": 1})
"""What stands in the place of a member, so that each rule has somebody who breaks it."""
OF = {"1.0.3": ALL, "2.0.0": ALL | {"context": NEWER, "version": "2.0.0"}}
RULE = re.compile(r" \[([0-9.]+)\]$")
INTERACTIONS = (
    *("true-false", "choice", "fill-in", "long-fill-in", "matching", "performance", "sequencing", "likert", "numeric"),
    *("other", "Choice"),
)


def places(value: Any, pointer: str = "") -> Iterator[str]:
    """The pointers of all that is in *value*."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in members:
        here = f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
        yield here
        yield from places(one, here)


def at(value: Any, pointer: str, *to: Any) -> Any:
    """A copy of *value* with what *to* holds at *pointer*; without *to* nothing stands there."""
    copied = target = unshared(value)
    *way, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    for step in way:
        target = target[int(step)] if isinstance(target, list) else target[step]
    key = int(last) if isinstance(target, list) else last
    if to:
        target[key] = to[0]
    else:
        del target[key]
    return copied


def said(value: Any, version: str, pointer: str) -> str:
    """How *value* is refused; the place is told only where it is not *pointer*, the rule as a number."""
    try:
        check(value, version)
    except Refused as refused:
        where = "" if refused.pointer == pointer else f"at {refused.pointer or 'the whole'}: "
        return f"{where}{refused.message} [{(refused.rule or 'no rule').split()[-1]}]"
    return "taken"


def lines(version: str) -> Iterator[str]:
    whole = OF[version]
    for pointer in places(whole):
        yield f"{pointer}: without it {said(at(whole, pointer), version, pointer)}"
        came: dict[str, list[str]] = {}
        for other in OTHERS:
            came.setdefault(said(at(whole, pointer, other), version, pointer), []).append(inline(other))
        yield from (f"    {' '.join(values)} -> {told}" for told, values in came.items())


def test_what_each_member_may_be(told: Any) -> None:
    assert {version: said(whole, version, "") for version, whole in OF.items()} == dict.fromkeys(OF, "taken")
    first, newer = list(lines("1.0.3")), list(lines("2.0.0"))
    told("\n".join(first), "1_0", is_tidy=True)
    old, new = (
        {RULE.sub("", line): rule[1] for line in some if (rule := RULE.search(line))} for some in (first, newer)
    )
    known = {RULE.sub("", line) for line in first}
    told("\n".join(line for line in newer if RULE.sub("", line) not in known), "only_2_0", is_tidy=True)
    pairs = {f"{rule} is {new[line]}" for line, rule in old.items() if line in new}
    told("\n".join(sorted(pairs)), "rules", is_tidy=True)


def test_what_members_go_together(told: Any) -> None:
    story = Story()
    for kind in INTERACTIONS:
        took = [name for name in COMPONENTS if said(of_kind(kind, name), "1.0.3", "") == "taken"]
        story.say(f"{kind}: {said(of_kind(kind), '1.0.3', '/object/definition/interactionType')}; with {took}")
    for name, value in TOGETHER.items():
        story.say(f"{name}: {said(value, '1.0.3', '')}")
        newer = said(value, "2.0.0", "")
        story.extend([f"    2.0: {newer}"] if newer.split(" [")[0] != said(value, "1.0.3", "").split(" [")[0] else [])
    told(str(story), is_tidy=True)


def of_kind(kind: str, name: str | None = None) -> Any:
    parts = {"interactionType": kind} | ({name: COMPONENTS[name]} if name else {})
    return statement(object={"id": IRI, "definition": parts})


TWICE = [{"id": "a"}, {"id": "a"}]
VOIDS = {"id": "http://adlnet.gov/expapi/verbs/voided"}
TOGETHER = {
    "two identifiers": statement(actor=AGENT | {"openid": IRI}),
    "an agent with members": statement(actor=AGENT | {"member": [AGENT]}),
    "a group with neither": statement(actor={"objectType": "Group"}),
    "a group with nobody and no name": statement(actor={"objectType": "Group", "member": []}),
    "a group in a group": statement(actor={"objectType": "Group", "member": [AGENT, GROUP]}),
    "the second member is wrong": statement(actor={"objectType": "Group", "member": [AGENT, {"mbox": "x"}]}),
    "an authority of one": statement(authority={"objectType": "Group", "member": [AGENT]}),
    "an authority of three": statement(authority={"objectType": "Group", "member": [AGENT, AGENT, AGENT]}),
    "an authority with a name of its own": statement(
        authority={"objectType": "Group", "member": [AGENT, AGENT], "openid": IRI}
    ),
    "an id twice": statement(object={"id": IRI, "definition": {"interactionType": "choice", "choices": TWICE}}),
    "an id in two lists": statement(
        object={"id": IRI, "definition": {"interactionType": "matching", "source": TWICE[:1], "target": TWICE[:1]}}
    ),
    "choices without a kind": statement(object={"id": IRI, "definition": {"choices": TWICE[:1]}}),
    "a revision of an agent": statement(object=AGENT, context={"revision": "1"}),
    "a platform of a reference": statement(object=REF, context={"platform": "VLE"}),
    "a revision of an activity": statement(context={"revision": "1", "platform": "VLE"}),
    "it voids an activity": statement(verb=VOIDS),
    "it voids a statement": statement(verb=VOIDS, object=REF),
    "an inner one": statement(object=substatement()),
    "an inner one of an inner one": statement(object=substatement(object=substatement())),
    "an inner one with an id": statement(object=substatement(id=ID)),
    "an inner one that voids": statement(object=substatement(verb=VOIDS, object=REF)),
    "scaled at its ends": statement(result={"score": {"scaled": -1}}),
    "scaled over its end": statement(result={"score": {"scaled": 1.0001}}),
    "scaled under its end": statement(result={"score": {"scaled": -1.0001}}),
    "raw at its ends": statement(result={"score": {"raw": 0, "min": 0, "max": 10}}),
    "raw at its other end": statement(result={"score": {"raw": 10, "min": 0, "max": 10}}),
    "raw under min": statement(result={"score": {"raw": -1, "min": 0}}),
    "raw over max": statement(result={"score": {"raw": 11, "max": 10}}),
    "min is max": statement(result={"score": {"min": 1, "max": 1}}),
    "min over max": statement(result={"score": {"min": 2, "max": 1}}),
}
