"""The Activities resource: one activity, with everything that statements said about it merged. Knows no statement.

Rules: xAPI 1.0.3 Communication 2.5; IEEE 9274.1.1 4.1.6.4.
"""

from __future__ import annotations

from typing import Any

from lrs.storage import Store
from lrs.storage.edge import read
from lrs.xapi.documents.resources import read_activity
from lrs.xapi.request import Answer, Request, Resource, json_answer
from lrs.xapi.statements.canonical import definition_in


async def get(request: Request) -> Answer:
    """GET /activities?activityId=: an Activity, also if no statement has named it."""
    given = request.parameters(("activityId",), ("activityId",))
    return json_answer(await read(activity, request.tenant.store, read_activity(request, given["activityId"])))


def activity(store: Store, activity_id: str) -> dict[str, Any]:
    """The Activity, with its merged definition if there is one."""
    definition = definition_in(store, activity_id)
    known = {"definition": definition} if definition else {}
    return {"objectType": "Activity", "id": activity_id, **known}


HANDLERS: dict[tuple[str, str], Resource] = {("activities", "GET"): get}
