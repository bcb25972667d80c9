"""The ``ids`` and ``canonical`` formats of a statement. Pure. ``exact`` is the stored text and is not made here.

Rules: xAPI 1.0.3 Communication 2.1.3 "format"; Data 2.4.3 and 2.4.4 for members with a language map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lrs.kernel.strict_json import Json
from lrs.xapi.statements.keys import CONTEXT_KINDS

_COMPONENTS = ("choices", "scale", "source", "target", "steps")
_IDENTIFYING = ("objectType", "mbox", "mbox_sha1sum", "openid", "account")


def ids_only(statement: Json) -> Json:
    """Reduces agents, groups, activities and verbs to what identifies them."""
    return _shaped(statement, agent=_identified, activity=_activity_id, verb=lambda verb: {"id": verb["id"]})


def canonical(statement: Json, languages: Sequence[str], definition_of: Callable[[str], Json]) -> Json:
    """Gives every activity the result of *definition_of* its id, if any, and every language map one entry.

    That entry is in the first of *languages* that the map has, else its first one.
    """

    def verb(verb: Json) -> Json:
        return {**verb, "display": _one_language(verb["display"], languages)} if "display" in verb else verb

    def activity(activity: Json) -> Json:
        definition = definition_of(activity["id"]) or activity.get("definition")
        return {**activity, "definition": in_one_language(definition, languages)} if definition else activity

    return _shaped(statement, agent=lambda agent: agent, activity=activity, verb=verb)


def languages_of(header: str | None) -> list[str]:
    """The language tags of an Accept-Language header by preference (RFC 9110 12.5.4), without malformed parts."""
    weighted = []
    for place, part in enumerate((header or "").split(",")[:50]):
        tag, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if tag and weight > 0:
            weighted.append((-weight, place, tag.lower()))
    return [tag for _, _, tag in sorted(weighted)]


def _shaped(
    statement: Json, *, agent: Callable[[Json], Json], activity: Callable[[Json], Json], verb: Callable[[Json], Json]
) -> Json:
    shaped = dict(statement)
    shaped["actor"] = agent(statement["actor"])
    shaped["verb"] = verb(statement["verb"])
    target = statement["object"]
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        shaped["object"] = activity(target)
    elif kind in {"Agent", "Group"}:
        shaped["object"] = agent(target)
    elif kind == "SubStatement":
        shaped["object"] = _shaped(target, agent=agent, activity=activity, verb=verb)
    if "authority" in statement:
        shaped["authority"] = agent(statement["authority"])
    if "context" in statement:
        shaped["context"] = _context(statement["context"], agent, activity)
    return shaped


def _context(context: Json, agent: Callable[[Json], Json], activity: Callable[[Json], Json]) -> Json:
    shaped = dict(context)
    for name in ("instructor", "team"):
        if name in context:
            shaped[name] = agent(context[name])
    for name, part in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in context:
            shaped[name] = [{**entry, part: agent(entry[part])} for entry in context[name]]
    if listed := context.get("contextActivities"):
        shaped["contextActivities"] = {
            name: [activity(one) for one in listed[name]] for name in CONTEXT_KINDS if name in listed
        }
    return shaped


def _identified(agent: Json) -> Json:
    """One identifier and the type. An anonymous group keeps its members, in the same form."""
    found = {name: agent[name] for name in _IDENTIFYING if name in agent}
    found.setdefault("objectType", "Agent")
    if len(found) == 1 and "member" in agent:
        found["member"] = [_identified(member) for member in agent["member"]]
    return found


def _activity_id(activity: Json) -> Json:
    return {"id": activity["id"]}


def in_one_language(definition: Json, languages: Sequence[str]) -> Json:
    """*definition* with one entry in each language map."""
    shaped = dict(definition)
    for name in ("name", "description"):
        if name in definition:
            shaped[name] = _one_language(definition[name], languages)
    for name in _COMPONENTS:
        if name in definition:
            shaped[name] = [
                {**entry, "description": _one_language(entry["description"], languages)}
                if "description" in entry
                else entry
                for entry in definition[name]
            ]
    return shaped


def _one_language(texts: Json, languages: Sequence[str]) -> Json:
    if len(texts) <= 1:
        return texts
    by_tag = {tag.lower(): tag for tag in reversed(texts)}
    for wanted in languages:
        if wanted in by_tag:
            return {by_tag[wanted]: texts[by_tag[wanted]]}
        # RFC 4647 3.4 shortens the wanted tag. If that fails, another region of the language is the next best.
        for tag in texts:
            if tag.lower().startswith(f"{wanted}-") or wanted.startswith(f"{tag.lower()}-"):
                return {tag: texts[tag]}
    first = next(iter(texts))
    return {first: texts[first]}
