"""By which route somebody comes into the sector, and where they live: for planning, and for nobody else.

A route is what one centre was told: it shows and changes its own, and never that of another. Staff of the organisation
tell it for no centre (``""``): only who reaches all centres sees that.

Records: ``learner-route`` (id: from the centre, and the identifier by which statements call them), the newest one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, cast

import msgspec

from adapters.reading.cells import district_in
from adapters.reading.people import Ifi
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.plain_text import hidden_character
from lrs.storage import Reader, Record, Tx, each
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
FIELDS = ("route", "sector", "district")
"""Those of the form."""


class LearnerRoute(msgspec.Struct, frozen=True):
    """The route of *who*, as *centre* was told it; *sector* is where somebody comes from who was reskilled.

    The route may be unknown (``""``) where the postcode *district* is known. *at* is in microseconds UTC.
    """

    who: Ifi
    kind: RouteKind | Literal[""]
    sector: str
    at: int
    centre: str = ""
    district: str = ""
    v: int = 1


def keep(
    tx: Tx, centre: str, who: Ifi, told: Mapping[str, str], now: int, by: str, others: Sequence[Ifi] = ()
) -> LearnerRoute | None:
    """Keeps what *centre* was *told* by the fields ``route``, ``sector``, ``district``. Raises ``Refused`` (400).

    It replaces what the centre was told of *others*, who are the same person. If all fields are empty, what was kept is
    deleted, and ``None`` is given; where nothing was kept, that is refused.
    """
    kind, sector, lives = (" ".join(told.get(field, "").split()) for field in FIELDS)
    if not (kind or sector or lives) and sum(tx.delete(KIND, route_id(centre, one)) for one in (who, *others)):
        audit.append(tx, by, "learner.route-deleted", {"centre": centre})
        return None
    district = district_in(lives)
    if lives and not district:
        raise Refused("Write the first half of the postcode, such as SG1 or EC1A.", error="no_district")
    if kind not in ROUTES and (kind or not district):
        message = "Choose the route by which they came. To delete what is kept, leave all three empty."
        raise Refused(message, error="no_route")
    if kind == "reskilled" and not sector:
        raise Refused("Say from which sector they were reskilled.", error="no_sector")
    if len(sector) > LONGEST or hidden_character(sector):
        raise Refused(f"Write the sector in at most {LONGEST} characters.", error="no_sector")
    one = LearnerRoute(who, cast("RouteKind", kind), sector if kind == "reskilled" else "", now, centre, district)
    for other in others:
        tx.delete(KIND, route_id(centre, other))
    keys = (_ifi_key(who.agent().as_version()), key("learner-route.kind", kind))
    tx.put(Record(KIND, route_id(centre, who), msgspec.json.encode(one), keys=keys))
    audit.append(tx, by, "learner.route", {"route": kind, "centre": centre})
    return one


def route_of(reader: Reader, centre: str, who: Ifi) -> LearnerRoute | None:
    """The route of *who* as *centre* was told it."""
    record = reader.get(KIND, route_id(centre, who))
    return route_in(record) if record else None


def routes_elsewhere(reader: Reader, centre: str, who: Ifi) -> list[LearnerRoute]:
    """What others than *centre* were told of *who*, by the names of the centres: for who reaches all of them."""
    found = map(route_in, each(reader, KIND, _ifi_key(who.agent().as_version())))
    return sorted((one for one in found if one.centre != centre), key=lambda one: one.centre)


def said(one: LearnerRoute) -> str:
    """A route in words; empty if it is not known."""
    return ROUTES.get(one.kind, "")


def route_id(centre: str, who: Ifi) -> str:
    """The id of the record of the route of *who* as *centre* was told it."""
    return name(KIND, centre, who.home, who.name)


def route_in(record: Record) -> LearnerRoute:
    """The route in *record*."""
    return msgspec.json.decode(record.body, type=LearnerRoute)


def _ifi_key(agent: Mapping[str, Any]) -> int:
    return key("learner-route.ifi", ifi_text(agent) or "")


def _about(record: Record) -> Subjects:
    known = identifier_of(route_in(record).who.agent().as_version())
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
