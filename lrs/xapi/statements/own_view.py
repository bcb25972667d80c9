"""What somebody is shown of a statement that names them: what is theirs, and nothing of others. Pure.

Others are agents without an identifier and without a name; of whoever instructed, the name stays, because it says who
vouched for the result. A statement in which somebody is not the learner shows them what was done, and not the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lrs.kernel.times import timestamp_of_micros
from lrs.storage import Record, micros_of
from lrs.storage.about import Whose
from lrs.xapi.statements.canonical import decode_as_told
from lrs.xapi.statements.identity import IDENTIFIERS, identifier_of

_ABOUT_OTHERS = ("id", "verb", "timestamp")
Mine = frozenset[str]
"""The names of the identifiers of whoever is shown it."""


def statement_shown(record: Record, whose: Whose) -> dict[str, Any]:
    """The statement in *record* as *whose* may see it, with its source."""
    mine, statement = _names(whose), decode_as_told(record.body)
    told = {"stored": timestamp_of_micros(micros_of(record.seq)), "source": record.meta.get("source", "")}
    if record.meta.get("voided"):
        told["voided"] = True
    if _is_mine(statement.get("actor"), mine):
        return {"id": record.id, **_without_others(statement, mine), **told}
    kept: dict[str, Any] = {name: statement[name] for name in _ABOUT_OTHERS if name in statement}
    kept["object"] = _without_others(statement.get("object", {}), mine)
    instructor = statement.get("context", {}).get("instructor")
    if isinstance(instructor, dict) and _is_mine(instructor, mine):
        kept["context"] = {"instructor": _agent(instructor, mine)}
    return {**kept, "id": record.id, **told}


def agent_shown(agent: Mapping[str, Any], whose: Whose) -> Any:
    """An agent, or any other JSON value, without what is others'."""
    return _without_others(agent, _names(whose))


def _names(whose: Whose) -> Mine:
    return frozenset(found.id for agent in whose.agents if (found := identifier_of(agent)))


def _without_others(value: Any, mine: Mine, field: str = "") -> Any:
    if isinstance(value, list):
        return [_without_others(one, mine) for one in value]
    if not isinstance(value, dict):
        return value
    if identifier_of(value) or "member" in value:
        return _agent(value, mine, named=field == "instructor")
    return {name: _without_others(one, mine, name) for name, one in value.items()}


def _agent(agent: dict[str, Any], mine: Mine, *, named: bool = False) -> dict[str, Any]:
    """*agent* as it is, if it is one's own; otherwise without identifier, and without a name unless *named*."""
    found = identifier_of(agent)
    is_own = found is not None and found.id in mine
    hidden = () if is_own else (*IDENTIFIERS, "member", *(() if named else ("name",)))
    kept = {name: value for name, value in agent.items() if name not in hidden and name != "member"}
    members = agent.get("member")
    own = [one for one in members if _is_mine(one, mine)] if isinstance(members, list) else []
    return {**kept, "member": own} if own else kept


def _is_mine(agent: Any, mine: Mine) -> bool:
    """Whether *agent*, or a member of it, is one's own."""
    found = identifier_of(agent)
    if found is not None and found.id in mine:
        return True
    members = agent.get("member") if isinstance(agent, dict) else None
    return isinstance(members, list) and any(_is_mine(one, mine) for one in members)
