"""Which parts of a standard the courses that a learner has begun lead to. Pure; knows no store.

A course leads to a criterion if the rules in force count both for one competency: what the course proves and what
evidence for the criterion proves. Or if an offering says that the course gives that competency. Or if the competency
that the course proves is the criterion itself, by its identifier. Of a course that a rule counts, only statements of
sources that the rule trusts count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from adapters.apprenticeship.facts import Standard
from adapters.apprenticeship.standard_records import StandardRecord
from adapters.apprenticeship.told_of_standard import place_of
from adapters.reading.vocabulary import ATTEMPTED, COMPLETED, INITIALIZED, LAUNCHED, PASSED, PROGRESSED
from lrs.competency.rules.rules import Index

VERBS = (LAUNCHED, INITIALIZED, ATTEMPTED, PROGRESSED, COMPLETED, PASSED)
"""What is told of somebody who has begun a course, or gone further in it."""


class CourseLead(msgspec.Struct, frozen=True):
    """That a course leads to the *criterion* (its identifier), for statements of *sources*; of any, if it is empty."""

    criterion: str
    sources: tuple[str, ...]


class BegunByActor(NamedTuple):
    """The *criteria* to which leads what somebody has begun, and the actor as it was stored."""

    actor: bytes
    criteria: set[str]


class _Thing(msgspec.Struct, frozen=True):
    id: str = ""


class _Around(msgspec.Struct, frozen=True):
    parent: tuple[_Thing, ...] = ()
    grouping: tuple[_Thing, ...] = ()


class _Context(msgspec.Struct, frozen=True):
    contextActivities: _Around = _Around()  # noqa: N815 (the xAPI word)


class _Done(msgspec.Struct, frozen=True):
    actor: msgspec.Raw = msgspec.Raw(b"{}")
    verb: _Thing = _Thing()
    object: _Thing = _Thing()
    context: _Context = _Context()


_decode = msgspec.json.Decoder(_Done).decode


def leads(
    rules: Index, standard: Standard, record: StandardRecord, offered: Mapping[str, Collection[str]]
) -> dict[str, list[CourseLead]]:
    """The criteria of *standard* to which each activity leads, by the rules and by what is *offered*.

    *offered* are the items of frameworks that a course is said to give, by its activities.
    """
    criteria = {standard.iri("ksb", one.code): one.guid for one in record.criteria}
    guids = {one.guid.casefold(): one.guid for one in record.criteria}
    proves: dict[str, set[str]] = {}
    for key, competency in rules.competencies.items():
        if guid := guids.get(competency.id.casefold().removeprefix("urn:uuid:")):
            proves.setdefault(key, set()).add(guid)
    for rule in rules.by_item.values():
        if guid := criteria.get(rule.activity):
            proves.setdefault(rule.competency, set()).add(guid)
    found: dict[str, list[CourseLead]] = {}
    for rule in rules.by_item.values():
        if place_of(rule.activity) is None:
            some = (CourseLead(guid, rule.sources) for guid in sorted(proves.get(rule.competency, ())))
            found.setdefault(rule.activity, []).extend(some)
    by_item: dict[str, set[str]] = {}
    for key, guids_of in proves.items():
        if key in rules.competencies:
            by_item.setdefault(rules.competencies[key].id, set()).update(guids_of)
    for activity, items in offered.items():
        told = {guid for item in items for guid in by_item.get(item, ())}
        found.setdefault(activity, []).extend(CourseLead(guid, ()) for guid in sorted(told))
    return {activity: some for activity, some in found.items() if some}


def begun(led: Mapping[str, Iterable[CourseLead]], statements: Iterable[tuple[bytes, str]]) -> set[str]:
    """The criteria, by their identifiers, to which lead what *statements* tell as begun, each with its source."""
    return set().union(*(one.criteria for one in begun_by(led, statements)))


def begun_by(
    led: Mapping[str, Iterable[CourseLead]], statements: Iterable[tuple[bytes, str]]
) -> Iterator[BegunByActor]:
    """Who has begun what leads to criteria, by *statements* with one of ``VERBS``, each with its source.

    What is done in a part of a course is done in the course.
    """
    for body, source in statements:
        try:
            done = _decode(body)
        except msgspec.DecodeError:
            continue
        around = done.context.contextActivities
        things = (done.object, *around.parent, *around.grouping) if done.verb.id in VERBS else ()
        leading = (one for thing in things for one in led.get(thing.id, ()))
        if criteria := {one.criterion for one in leading if not one.sources or source in one.sources}:
            yield BegunByActor(bytes(done.actor), criteria)
