"""Records of apprenticeship standards as Skills England publishes them: small, and made up but for their shape."""

from __future__ import annotations

import json
from typing import Any


def guid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def record(version: str = "1.0", knowledge: tuple[int, ...] = (1, 2, 3), **more: Any) -> dict[str, Any]:
    """ST1406 with *knowledge* (numbers of identifiers, in their order), two skills and a behaviour."""
    return {
        "referenceNumber": "ST1406",
        "larsCode": 755,
        "version": version,
        "versionNumber": version,
        "level": 3,
        "title": "Science manufacturing technician",
        "status": "Approved for delivery",
        "route": "Health and science",
        "typicalDuration": 18,
        "coreAndOptions": True,
        "options": [{"optionId": guid(901), "title": "Biotechnology"}, {"optionId": guid(902), "title": "Aseptic"}],
        "duties": [{"dutyID": guid(800), "dutyDetail": "Make batches", "mappedKnowledge": [guid(1)]}],
        "knowledges": [{"knowledgeId": guid(one), "detail": f"Knows thing {one}"} for one in knowledge],
        "skills": [{"skillId": guid(101), "detail": "Gowns"}, {"skillId": guid(102), "detail": "Fills"}],
        "behaviours": [{"behaviourId": guid(201), "detail": "Takes care"}],
        **more,
    }


RECORD = json.dumps(record())
