"""The search keys of a statement: by which filters it is found. Pure; knows no store.

There is one key for each condition, and one for each pair of conditions that are often used together, so that a query
walks a single range however rare the pair is (measured at 600,000 statements: intersecting two frequent keys 94 to 133
ms, a pair key 0.04 ms). A pair key also means that both conditions hold on one statement of a chain of references,
which two single keys would not.

Agents and activities that are only related have no pair keys: there are few contexts with many statements, and each of
their keys has an index page of its own, to be written with every statement. A query for one with a verb walks the one
key and looks up the other.
"""

from __future__ import annotations

from typing import Any

from lrs.kernel.keys import key, pair
from lrs.xapi.statements.identity import ifi_text

KEY_VERSION = 2
"""``meta.k`` of records whose keys were made by this version. Keys of version 1 include all of these and more."""

CONTEXT_KINDS = ("parent", "grouping", "category", "other")


def verb_key(verb: str) -> int:
    """The key of statements with this verb id."""
    return key("verb", verb)


def agent_key(identity: str, *, related: bool = False) -> int:
    """The key of statements with this agent or group, or a group with it as member, as actor or object.

    *related*: anywhere in the statement.
    """
    return key("related agent" if related else "agent", identity)


def activity_key(activity: str, *, related: bool = False) -> int:
    """The key of statements with this activity as object; *related*: also in their context or SubStatement."""
    return key("related activity" if related else "activity", activity)


def registration_key(registration: str) -> int:
    """The key of statements with this registration."""
    return key("registration", registration.lower())


def source_key(source: str) -> int:
    """The key of statements that this source delivered."""
    return key("source", source)


def refers_key(statement: str) -> int:
    """The key of statements that refer to this one as object. It is no search key: voiding does not remove it."""
    return key("refers", statement.lower())


def voided_agent_key(identity: str) -> int:
    """The key of voided statements that name this agent anywhere. No filter asks for it."""
    return key("voided of agent", identity)


def aside_keys(statement: dict[str, Any]) -> tuple[int, ...]:
    """The keys of a statement in quarantine: one for each agent in it, by which subject access finds it."""
    identities = {*_identities(statement["actor"]), *_further_agents(statement)}
    target = statement["object"]
    if target.get("objectType") in _ACTORS:
        identities.update(_identities(target))
    return tuple(agent_key(identity, related=True) for identity in sorted(identities))


def keys_of(statement: dict[str, Any], authority: str | None = None) -> tuple[int, ...]:
    """The search keys of *statement*, a valid one as received, without those of statements it refers to.

    *authority* is the identity of the agent that the LRS sets as authority, if the statement does not keep its own.
    """
    verb = verb_key(statement["verb"]["id"])
    target = statement["object"]
    kind = target.get("objectType", "Activity")
    context = statement.get("context", _NOTHING)
    actors = _identities(statement["actor"])
    if kind in _ACTORS:
        actors += _identities(target)
    own = {agent_key(identity) for identity in actors}
    about = {activity_key(target["id"])} if kind == "Activity" else set()
    if "registration" in context:
        about.add(registration_key(context["registration"]))
    agents = {*actors, *_further_agents(statement)}
    if authority is not None and "authority" not in statement:
        agents.add(authority)
    found = [verb, *own, *about]
    found += [pair(single, verb) for single in found[1:]]
    found += [pair(agent, other) for agent in own for other in about]
    found += [agent_key(identity, related=True) for identity in agents]
    found += [activity_key(id, related=True) for id in set(_all_activities(statement))]
    return tuple(found)


_NOTHING: dict[str, Any] = {}
_ACTORS = frozenset({"Agent", "Group"})


def _identities(agent: dict[str, Any]) -> list[str]:
    """The agents that an agent or group matches for: a group is found by its members (1.0.3 Communication 2.1.3)."""
    identity = ifi_text(agent)
    found = [identity] if identity else []
    if "member" in agent:
        found += [identity for member in agent["member"] if (identity := ifi_text(member))]
    return found


def _further_agents(statement: dict[str, Any]) -> list[str]:
    """Every agent and group except actor and object.

    These are authority, instructor, team, context agents and groups, and those in a SubStatement.
    """
    found = _identities(statement["authority"]) if "authority" in statement else []
    target = statement["object"]
    if target.get("objectType") == "SubStatement":
        found += _identities(target["actor"]) + _further_agents(target)
        if target["object"].get("objectType") in _ACTORS:
            found += _identities(target["object"])
    context = statement.get("context")
    if context:
        for name in ("instructor", "team"):
            if name in context:
                found += _identities(context[name])
        for name, part in (("contextAgents", "agent"), ("contextGroups", "group")):
            for entry in context.get(name, ()):
                found += _identities(entry[part])
    return found


def _all_activities(statement: dict[str, Any]) -> list[str]:
    """Every activity: object, context activities, SubStatement."""
    target = statement["object"]
    kind = target.get("objectType", "Activity")
    found = [target["id"]] if kind == "Activity" else []
    if kind == "SubStatement":
        found += _all_activities(target)
    for listed in statement.get("context", _NOTHING).get("contextActivities", _NOTHING).values():
        found += [listed["id"]] if type(listed) is dict else [activity["id"] for activity in listed]
    return found
