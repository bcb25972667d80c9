"""What statements say about activities and agents: definitions and names, in records of their own. Knows no store.

Both are insert-only records named by their content, so writing them again changes nothing and two writers never
conflict. They are merged when read: for each field and language the value that was first stored last wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec

from lrs.kernel.keys import key
from lrs.storage import Record
from lrs.storage.about import Whose, by_keys
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.statements.identity import IDENTIFIERS, agents_in, identifier_of, ifi_text

DEFINITION = "definition"
AGENT_NAME = "agent_name"

_COMPONENTS = frozenset({"choices", "scale", "source", "target", "steps"})
_MERGED_MAPS = frozenset({"name", "description", "extensions"})
_CACHED_BYTES = 4_096
"""Bytes of the longest definition or name that is cached, with what it is about."""
_encode = msgspec.json.encode


def definition_key(activity_id: str) -> int:
    """The search key of the definitions of this activity."""
    return key(DEFINITION, activity_id)


def agent_name_key(identity: str) -> int:
    """The search key of the names of the agent with this ``ifi_text``."""
    return key(AGENT_NAME, identity)


def side_records(statement: dict[str, Any]) -> tuple[Record, ...]:
    """The definitions and names in *statement*, a valid one: records to insert if they are missing.

    ``definition``: body is the definition's JSON. ``agent_name``: body is ``{"agent": {…IFI}, "name": …}``.
    """
    found: dict[str, Record] = {}
    for activity in activities_in(statement):
        definition = activity.get("definition")
        if definition:
            record = _definition(activity["id"], _encode(definition))
            found[record.id] = record
    for agent in agents_in(statement):
        name = agent.get("name")
        if name and (identity := ifi_text(agent)):
            record = _name(identity, _encode({field: agent[field] for field in IDENTIFIERS if field in agent}), name)
            found[record.id] = record
    return tuple(found.values())


def merged_definition(definitions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """*definitions* of one activity, oldest first, merged: later values win, by language, extension and component."""
    whole: dict[str, Any] = {}
    for definition in definitions:
        for field, value in definition.items():
            if field in _MERGED_MAPS and field in whole:
                whole[field] = {**whole[field], **value}
            elif field in _COMPONENTS and field in whole:
                whole[field] = _merged_components(whole[field], value)
            else:
                whole[field] = value
    return whole


def _merged_components(older: list[dict[str, Any]], newer: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {component["id"]: component.get("description", {}) for component in older}
    return [
        {**component, "description": {**known[component["id"]], **component.get("description", {})}}
        if known.get(component["id"])
        else component
        for component in newer
    ]


def _definition(activity_id: str, text: bytes) -> Record:
    short = len(activity_id) + len(text) <= _CACHED_BYTES
    return _cached_definition(activity_id, text) if short else _new_definition(activity_id, text)


def _new_definition(activity_id: str, text: bytes) -> Record:
    name = sha256(_encode(activity_id) + text).hexdigest()
    return Record(DEFINITION, name, text, keys=(definition_key(activity_id),))


_cached_definition = lru_cache(maxsize=4_096)(_new_definition)


def _name(identity: str, agent: bytes, name: str) -> Record:
    short = len(agent) + len(name) <= _CACHED_BYTES
    return _cached_name(identity, agent, name) if short else _new_name(identity, agent, name)


def _new_name(identity: str, agent: bytes, name: str) -> Record:
    text = _encode({"agent": msgspec.Raw(agent), "name": name})
    return Record(AGENT_NAME, sha256(_encode([identity, name])).hexdigest(), text, keys=(agent_name_key(identity),))


_cached_name = lru_cache(maxsize=4_096)(_new_name)


def activities_in(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The activities that *statement* names, each as often as it does."""
    target = statement["object"]
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        yield target
    elif kind == "SubStatement":
        yield from activities_in(target)
    context = statement.get("context")
    if context:
        for listed in context.get("contextActivities", {}).values():
            if isinstance(listed, list):
                yield from listed
            else:
                yield listed


def _named(record: Record) -> Subjects:
    found = identifier_of(msgspec.json.decode(record.body)["agent"])
    return subjects(identifiers=[found.id] if found else ())


def _name_keys(whose: Whose) -> Iterable[int]:
    return (agent_name_key(text) for agent in whose.agents if (text := ifi_text(agent)))


KINDS = (
    Kind(DEFINITION, "fact", subjects=None, retention="evidence", exported=True),
    Kind(
        AGENT_NAME,
        "fact",
        subjects=_named,
        retention="evidence",
        exported=True,
        find=by_keys(AGENT_NAME, _name_keys),
    ),
)
