"""The Agents resource: everything known about an agent, as a Person. Knows no statement.

Rules: xAPI 1.0.3 Communication 2.4; IEEE 9274.1.1 4.1.6.3. The answer has only what was said about exactly this
identifier: which identifiers belong to one person is no matter of xAPI, and not every caller may know it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lrs.storage import Store, Walk
from lrs.storage.edge import read
from lrs.xapi.request import Answer, Request, Resource, json_answer
from lrs.xapi.statements.definitions import AGENT_NAME, agent_name_key
from lrs.xapi.statements.identity import IDENTIFIERS
from lrs.xapi.statements.query import read_agent

MOST_NAMES = 100
"""The newest names are in the answer. An agent with more names than this is a program."""


async def get(request: Request) -> Answer:
    """GET /agents?agent=: a Person, also for an agent that no statement has named."""
    given = request.parameters(("agent",), ("agent",))
    agent, identity = read_agent(given["agent"], request.version)
    return json_answer(person(agent, await read(_names, request.tenant.store, identity)))


def person(agent: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """*agent* as a Person, in which every property is an array.

    *names* are those from statements; one in the request is not used.
    """
    found: dict[str, Any] = {"objectType": "Person"}
    if names:
        found["name"] = names
    for field in IDENTIFIERS:
        if field in agent:
            found[field] = [agent[field]]
    return found


def _names(store: Store, identity: str) -> list[str]:
    page = store.find(Walk(AGENT_NAME, [agent_name_key(identity)], newest_first=True, limit=MOST_NAMES))
    return [msgspec.json.decode(record.body)["name"] for record in reversed(page.records)]


HANDLERS: dict[tuple[str, str], Resource] = {("agents", "GET"): get}
