"""By which route somebody comes into the sector: kept for planning, and shown to nobody who matches or employs.

Records: ``learner-route`` (id: from the identifier by which statements call them). The newest one holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

import msgspec

from adapters.people import Ifi
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.plain_text import control_character
from lrs.storage import Reader, Record, Tx
from lrs.storage.about import Whose, by_keys
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy import audit
from lrs.xapi.statements.identity import identifier_of, ifi_text

KIND = "learner-route"
RouteKind = Literal["apprentice", "placement", "reskilled", "graduate"]
ROUTES: Mapping[str, str] = {
    "apprentice": "Apprentice",
    "placement": "Placement or work experience",
    "reskilled": "Reskilled from another sector",
    "graduate": "Graduate",
}
"""Each route, and what people call it."""
LONGEST = 100


class LearnerRoute(msgspec.Struct, frozen=True):
    """The route of *who*; *sector* is where somebody comes from who was reskilled. *at* is in microseconds UTC."""

    who: Ifi
    kind: RouteKind
    sector: str
    at: int
    v: int = 1


def keep(tx: Tx, who: Ifi, told: Mapping[str, str], now: int, by: str) -> LearnerRoute:
    """Keeps the route in the fields *told* of a form (``route``, ``sector``). Raises ``Refused`` (400)."""
    kind, sector = told.get("route", ""), " ".join(told.get("sector", "").split())
    if kind not in ROUTES:
        raise Refused("Choose the route by which they came.", error="no_route")
    if kind == "reskilled" and not sector:
        raise Refused("Say from which sector they were reskilled.", error="no_sector")
    if len(sector) > LONGEST or control_character(sector):
        raise Refused(f"Write the sector in at most {LONGEST} characters.", error="no_sector")
    one = LearnerRoute(who, cast("RouteKind", kind), sector if kind == "reskilled" else "", now)
    keys = (_ifi_key(who.agent().as_version()), key("learner-route.kind", kind))
    tx.put(Record(KIND, route_id(who), msgspec.json.encode(one), keys=keys))
    audit.append(tx, by, "learner.route", {"route": kind})
    return one


def route_of(reader: Reader, who: Ifi) -> LearnerRoute | None:
    """The route of *who*."""
    record = reader.get(KIND, route_id(who))
    return _decode(record) if record else None


def route_id(who: Ifi) -> str:
    """The id of the record of the route of *who*."""
    return name(KIND, who.home, who.name)


def _decode(record: Record) -> LearnerRoute:
    return msgspec.json.decode(record.body, type=LearnerRoute)


def _ifi_key(agent: Mapping[str, Any]) -> int:
    return key("learner-route.ifi", ifi_text(agent) or "")


def _about(record: Record) -> Subjects:
    known = identifier_of(_decode(record).who.agent().as_version())
    return subjects(identifiers=[known.id] if known else ())


def _keys(whose: Whose) -> Iterator[int]:
    return (_ifi_key(agent) for agent in whose.agents)


KINDS = (
    Kind(
        KIND,
        "fact",
        LearnerRoute,
        1,
        subjects=_about,
        retention="evidence",
        exported=True,
        find=by_keys(KIND, _keys),
    ),
)
