"""The Activities resource: one activity with all that statements said about it, merged. Knows no statement.

Rules: xAPI 1.0.3 Communication 2.5; IEEE 9274.1.1 4.1.6.4.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lrs.documents.resources import read_activity
from lrs.edge import read
from lrs.http import Answer, Request, Resource, json_answer
from lrs.statements.definitions import DEFINITION, definition_key, merged_definition
from lrs.storage import Store

MOST_DEFINITIONS = 1_000
"""The newest are merged: content that sends a new definition with each statement must not make reading slow."""


async def get(request: Request) -> Answer:
    """GET /activities?activityId=: an Activity, also for one nobody has heard of."""
    given = request.parameters(("activityId",), ("activityId",))
    return json_answer(await read(activity, request.tenant.store, read_activity(request, given["activityId"])))


def activity(store: Store, activity_id: str) -> dict[str, Any]:
    """The Activity, with its merged definition if any is known."""
    page = store.find(DEFINITION, [definition_key(activity_id)], newest_first=True, limit=MOST_DEFINITIONS)
    definition = merged_definition(msgspec.json.decode(record.body) for record in reversed(page.records))
    known = {"definition": definition} if definition else {}
    return {"objectType": "Activity", "id": activity_id, **known}


HANDLERS: dict[tuple[str, str], Resource] = {("activities", "GET"): get}
