"""The structure of a course: blocks and assignable units, as a tree. Pure; knows no format of packages and no store.

The words are those of cmi5 (section 13). A course of another format is a course with one unit or a flat list of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

MoveOn = Literal["NotApplicable", "Passed", "Completed", "CompletedAndPassed", "CompletedOrPassed"]
LaunchMethod = Literal["AnyWindow", "OwnWindow"]
CourseFormat = Literal["cmi5", "tincan", "scorm"]
"""What a package is made for: cmi5, Tin Can (``tincan.xml``), SCORM 1.2."""
LanguageMap = Mapping[str, str]


class Objective(msgspec.Struct, frozen=True):
    """What a part teaches. *id* is the publisher's IRI."""

    id: str
    title: LanguageMap
    description: LanguageMap


class AssignableUnit(msgspec.Struct, frozen=True, tag="au"):
    """What is launched. *id* is the publisher's, *activity* the id that we give it, the same in every version.

    *activity_type* is the IRI of its type, by its package or by the profile of its format; empty if neither says one.
    *url* is absolute, or a path within the package, with whatever query the publisher wrote. *mastery_score* is between
    0 and 1. *launch_parameters* are what content is told at its start, in SCORM its ``datafromlms``; *longest* and
    *when_over* what SCORM tells it of a time limit (``maxtimeallowed``, ``timelimitaction``).
    """

    id: str
    title: LanguageMap
    description: LanguageMap
    url: str
    activity: str = ""
    launch_method: LaunchMethod = "AnyWindow"
    move_on: MoveOn = "NotApplicable"
    mastery_score: float | None = None
    launch_parameters: str = ""
    entitlement_key: str = ""
    activity_type: str = ""
    objectives: tuple[str, ...] = ()
    longest: str = ""
    when_over: str = ""


class Block(msgspec.Struct, frozen=True, tag="block"):
    """Parts that are satisfied together. *id* is the publisher's, *activity* ours; *activity_type* as of a unit."""

    id: str
    title: LanguageMap
    description: LanguageMap
    children: tuple[Block | AssignableUnit, ...]
    activity: str = ""
    objectives: tuple[str, ...] = ()
    activity_type: str = ""


CoursePart = Block | AssignableUnit


class Structure(msgspec.Struct, frozen=True):
    """A course. *id* is the publisher's, *activity* ours; *activity_type* as of a unit.

    *described* are the ids of activities that its package only describes (in Tin Can): content speaks of them, too.
    *types* are the types that the package gives what it does not launch, by the ids.
    """

    id: str
    title: LanguageMap
    description: LanguageMap
    children: tuple[CoursePart, ...]
    activity: str = ""
    objectives: tuple[Objective, ...] = ()
    described: tuple[str, ...] = ()
    activity_type: str = ""
    types: Mapping[str, str] = {}


def parts_of(children: tuple[CoursePart, ...]) -> Iterator[CoursePart]:
    """Every block and unit, each block before what it contains."""
    for part in children:
        yield part
        if isinstance(part, Block):
            yield from parts_of(part.children)


def units_of(structure: Structure) -> list[AssignableUnit]:
    """The assignable units, in their order. Their places in it, from 0, are how programs name them."""
    return [part for part in parts_of(structure.children) if isinstance(part, AssignableUnit)]


def with_activities(structure: Structure, ids: Mapping[str, str]) -> Structure:
    """*structure* with the activity ids of *ids*, which are found by ``name_of``."""

    def given(part: CoursePart) -> CoursePart:
        activity = ids[name_of(part)]
        if isinstance(part, Block):
            children = tuple(given(child) for child in part.children)
            return msgspec.structs.replace(part, activity=activity, children=children)
        return msgspec.structs.replace(part, activity=activity)

    children = tuple(given(child) for child in structure.children)
    return msgspec.structs.replace(structure, activity=ids[name_of(structure)], children=children)


def name_of(part: Structure | CoursePart) -> str:
    """A name for *part* within its course: a block and a unit may have the same id."""
    sort = "course" if isinstance(part, Structure) else "block" if isinstance(part, Block) else "au"
    return f"{sort} {part.id}"


def activities_in(structure: Structure) -> dict[str, str]:
    """The activity ids in *structure*, by ``name_of``."""
    return {name_of(part): part.activity for part in (structure, *parts_of(structure.children))}


def shown_title(texts: LanguageMap) -> str:
    """*texts* in English if there are such, else in the first language."""
    return next((text for tag, text in texts.items() if tag.partition("-")[0] == "en"), "") or next(
        iter(texts.values()), ""
    )
