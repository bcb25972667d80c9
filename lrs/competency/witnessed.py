"""What a learner did, who observed it, with which score and for how long: read from statements that prove a skill.

Formats nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.storage import Reader, Record
from lrs.xapi.statements.canonical import definition_in
from lrs.xapi.statements.shape import in_one_language

LANGUAGES = ("en",)
MOST_OBSERVERS = 5


class _Thing(msgspec.Struct, frozen=True):
    id: str = ""
    definition: dict[str, Any] = {}


class _Around(msgspec.Struct, frozen=True):
    parent: list[_Thing] | _Thing = []
    grouping: list[_Thing] | _Thing = []


class _Context(msgspec.Struct, frozen=True):
    instructor: dict[str, Any] = {}
    contextActivities: _Around = _Around()  # noqa: N815 (the xAPI word)


class _Score(msgspec.Struct, frozen=True):
    scaled: float | None = None
    raw: float | None = None
    max: float | None = None


class _Result(msgspec.Struct, frozen=True):
    score: _Score = _Score()
    duration: str = ""


class _Verb(msgspec.Struct, frozen=True):
    id: str = ""


class _Said(msgspec.Struct, frozen=True):
    verb: _Verb = _Verb()
    object: _Thing = _Thing()
    context: _Context = _Context()
    result: _Result = _Result()


_decode = msgspec.json.Decoder(_Said).decode


class Witnessed(msgspec.Struct, frozen=True):
    """One statement for its learner: the name of the *activity*, and the *observers*.

    Both are empty if no name is known; *observed* says whether anybody observed it. *score* is written as people write
    it, such as ``92 of 100``; *duration* is ISO 8601; *verb* and *sort* (the activity's type) are IRIs.
    Each is empty if the statement does not say it.
    """

    activity: str
    observers: tuple[str, ...]
    observed: bool
    score: str = ""
    duration: str = ""
    verb: str = ""
    sort: str = ""


def witnessed(reader: Reader, statements: Iterable[str]) -> dict[str, Witnessed]:
    """The statements with these ids. Nothing for those that are gone, or if they are together too large."""
    wanted = list(dict.fromkeys(statements))
    try:
        found = reader.get_many("statement", wanted) if wanted else {}
    except Refused:  # each may be a megabyte; then a page has only time and source
        return {}
    name_of = lru_cache(maxsize=None)(lambda activity: _name(definition_in(reader, activity)))
    told = {id: _said(record) for id, record in found.items()}
    return {
        id: Witnessed(
            next(filter(None, _names(said, name_of)), ""),
            tuple(_observers(said.context.instructor)),
            bool(said.context.instructor),
            _score(said.result.score),
            said.result.duration,
            said.verb.id,
            _text(said.object.definition.get("type")),
        )
        for id, said in told.items()
    }


def _score(score: _Score) -> str:
    """As it was sent: what 0 to 1 stands for, and which score is a pass, only the rules of its source know."""
    if score.raw is not None and score.max:
        return f"{score.raw:g} of {score.max:g}"
    told = score.raw if score.scaled is None else score.scaled
    return "" if told is None else f"{told:g}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _names(said: _Said, name_of: Callable[[str], str]) -> Iterator[str]:
    """The name of the activity, or of the one it was part of: the session on site, the course."""
    yield _name(said.object.definition)
    if said.object.id:
        yield name_of(said.object.id)
    around = said.context.contextActivities
    for one in (around.parent, around.grouping):
        yield from (_name(thing.definition) for thing in (one if isinstance(one, list) else [one]))


def _said(record: Record) -> _Said:
    try:
        return _decode(record.body)
    except msgspec.MsgspecError:
        return _Said()


def _name(definition: Any) -> str:
    """A name for people; not one that is an address."""
    names = in_one_language(definition, LANGUAGES).get("name", {})
    name = " ".join(str(next(iter(names.values()), "")).split())
    return "" if "://" in name else name


def _observers(instructor: dict[str, Any]) -> Iterator[str]:
    members = instructor.get("member")
    for one in [instructor, *(members if isinstance(members, list) else [])][:MOST_OBSERVERS]:
        name = one.get("name") if isinstance(one, dict) else None
        if isinstance(name, str) and name.strip():
            yield " ".join(name.split())
