"""Who only voids statements is no learner: staff who correct a record, and whatever brings in a corrected file."""

from __future__ import annotations

from typing import Any

import msgspec

from lrs.kernel.keys import pair
from lrs.storage import Reader, Record, Walk, walked
from lrs.xapi.statements.identity import agents_in, ifi_text
from lrs.xapi.statements.keys import agent_key, verb_key, voided_agent_key
from lrs.xapi.statements.validate import VOIDED


def only_voids(reader: Reader, ifi: dict[str, Any]) -> bool:
    """Whether the agent *ifi* has voided statements, and was never said to do anything else, not even wrongly."""
    who = ifi_text(ifi) or ""
    agent, voids = agent_key(who), verb_key(VOIDED)
    if not reader.find(Walk("statement", (pair(agent, voids),), limit=1, bare=True)).records:
        return False
    if any(True for _ in walked(reader, Walk("statement", (agent, ~voids), bare=True))):
        return False
    return not any(_is_actor(record, who) for record in walked(reader, Walk("statement", (voided_agent_key(who),))))


def _is_actor(record: Record, who: str) -> bool:
    actor = msgspec.json.decode(record.body)["actor"]
    return who in {ifi_text(one) for one in agents_in({"actor": actor, "object": {}})}
