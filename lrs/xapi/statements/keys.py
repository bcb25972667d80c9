"""The search keys of a statement, pure: which filters find it. Knows no store.

One key per condition, and one per pair of conditions that are asked together, so that a query walks a single range
however rare the pair is (measured at 600,000 statements: intersecting two frequent keys 94 to 133 ms, a pair key
0.04 ms). A pair key also answers for one statement of a chain of references, which two keys side by side would not.
What is only related has no pair keys: contexts are few and busy, and each of their keys has an index page of its own
to be written with every statement. With a verb they are walked and looked up.
"""

from __future__ import annotations

from typing import Any

from lrs.kernel.keys import key, pair
from lrs.xapi.statements.identity import ifi_text

KEY_VERSION = 2
"""``meta.k`` of records whose keys were made by this function. Those of version 1 hold all of these and more."""

CONTEXT_KINDS = ("parent", "grouping", "category", "other")


def verb_key(verb: str) -> int:
    """Statements with this verb id."""
    return key("verb", verb)


def agent_key(identity: str, *, related: bool = False) -> int:
    """Statements with this agent or group, or a group with it as a member, as actor or object; *related*: anywhere."""
    return key("related agent" if related else "agent", identity)


def activity_key(activity: str, *, related: bool = False) -> int:
    """Statements with this activity as object; *related*: in their context or SubStatement too."""
    return key("related activity" if related else "activity", activity)


def registration_key(registration: str) -> int:
    """Statements of this registration."""
    return key("registration", registration.lower())


def source_key(source: str) -> int:
    """Statements that this source delivered."""
    return key("source", source)


def refers_key(statement: str) -> int:
    """Statements whose object is a reference to this one; not a search key: it outlives voiding."""
    return key("refers", statement.lower())


def keys_of(statement: dict[str, Any], authority: str | None = None) -> tuple[int, ...]:
    """The search keys of *statement*, a valid statement as received, without those of what it refers to.

    *authority* is the identity of the agent that the LRS sets as authority, where the statement keeps none of its own.
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
    """Whom an agent or a group stands for: a group whose member is asked for matches (1.0.3 Communication 2.1.3)."""
    identity = ifi_text(agent)
    found = [identity] if identity else []
    if "member" in agent:
        found += [identity for member in agent["member"] if (identity := ifi_text(member))]
    return found


def _further_agents(statement: dict[str, Any]) -> list[str]:
    """Every agent and group but actor and object: authority, instructor, team, context agents, groups, SubStatement."""
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
