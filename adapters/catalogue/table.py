"""Reads offerings and their dates from CSV or XLSX. Pure; knows no store.

Columns: ``offering`` (a name) and ``title``; optional ``kind``, ``provider``, ``description``, ``competency``,
``level``, ``needs`` and ``needs_level`` (a competency that somebody must have first), ``hours``,
``place``, ``online`` (yes, no), ``language``, ``cost`` (pounds, or free), ``enrol_at`` (https),
``course`` (the number of an imported course); and for a date with seats ``centre``, ``session_id``, ``date``,
``starts``, ``ends``, ``seats``, ``session_kind``. The first row of an offering says what it is; each may add a
competency or a date. A row that cannot be used, its date too, is left out alone and whole, with its reason; if it is
the first, the whole offering is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from adapters.catalogue.offerings import Offering, checked
from adapters.catalogue.scales import Scales, off_scale
from adapters.reading.cells import choice, whole, yes
from adapters.reading.words import KIND
from adapters.training_centre.centre_sessions import CentreSession, Gives, checked_centre
from adapters.training_centre.planning import FormFault, hours, session_in
from lrs.competency.tables import read_table
from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import Row, Unusable

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "offering": ("offering_id",),
    "title": (),
    "kind": ("type",),
    "provider": ("run by",),
    "description": ("text",),
    "competency": (),
    "level": (),
    "needs": ("prerequisite",),
    "needs_level": ("prerequisite level",),
    "hours": (),
    "place": ("location",),
    "online": (),
    "language": (),
    "cost": ("price",),
    "enrol_at": ("link", "enrol at"),
    "course": (),
    "centre": (),
    "session_id": (),
    "session_kind": (),
    "date": (),
    "starts": (),
    "ends": (),
    "seats": (),
}
_COST = re.compile(r"(?:£\s*)?(\d{1,6})(?:\.(\d{2}))?")


@dataclass(slots=True)
class ReadCatalogue:
    """What a table holds: offerings and sessions in its order, and its rows that could not be used, with reasons."""

    offerings: dict[str, Offering] = field(default_factory=dict)
    sessions: list[CentreSession] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)


def read_catalogue(content: Path | bytes, zone: str, by: str, now: int, scales: Scales) -> ReadCatalogue:
    """The offerings in a file; dates are on the clock of *zone*, and levels on *scales*.

    Raises ``Refused`` for a file that is no table.
    """
    rows, faults = read_table(content, COLUMNS, needed=("offering", "title"))
    found = ReadCatalogue(faults=[(one.row, one.reason) for one in faults])
    refused: set[str] = set()
    for row in rows:
        try:
            offering = _told(found, row, refused, scales)
            dated = [_session(row, offering, zone, by, now)] if row["date"] else []
            found.offerings[row["offering"]] = offering
            found.sessions += dated
        except Unusable as problem:
            found.faults.append((row.place.row, f"{problem.column}: {problem.message}"))
        except FormFault as problem:
            found.faults.append((row.place.row, f"{problem.field}: {problem.message}"))
        except Refused as problem:
            found.faults.append((row.place.row, problem.message))
        if row["offering"] not in found.offerings:
            refused.add(row["offering"])
    if not rows and not faults:
        raise Refused("the file holds no offerings: it has no rows", error="bad_file")
    found.faults.sort()
    return found


def _told(found: ReadCatalogue, row: Row, refused: set[str], scales: Scales) -> Offering:
    """The offering of *row*, or the one that is there with what the row adds."""
    id = row["offering"]
    if id in refused:
        raise Refused("the first row of this offering cannot be used")
    gives, needs = _named(row, "competency", "level", scales), _named(row, "needs", "needs_level", scales)
    known = found.offerings.get(id)
    if known is None:
        return checked(replace(_offering(row), gives=gives, needs=needs))
    return checked(replace(known, gives=_with(known.gives, gives), needs=_with(known.needs, needs)))


def _named(row: Row, column: str, at: str, scales: Scales) -> tuple[Gives, ...]:
    """The competency in *column* with the level in the column *at*. Raises ``Unusable`` for a level that is none."""
    if not row[column]:
        return ()
    one = Gives(row[column], whole(row, at, 0) or None)
    if why := off_scale(one, scales):
        raise Unusable("no_level", at, row[at], why)
    return (one,)


def _with(before: tuple[Gives, ...], added: tuple[Gives, ...]) -> tuple[Gives, ...]:
    return tuple(dict.fromkeys((*before, *added)))


def _offering(row: Row) -> Offering:
    return Offering(
        row["offering"],
        " ".join(row["title"].split()),
        row["kind"] or "Course",
        row["provider"],
        row["description"],
        hours=hours(row.cells),
        place=row["place"],
        online=yes(row, "online", default=False),
        language=row["language"] or "English",
        cost=cost_of(row["cost"]),
        enrol_at=row["enrol_at"],
        course=row["course"],
    )


def cost_of(text: str) -> int | None:
    """A cost in pence, as somebody typed it in pounds; ``None`` for nothing. Raises ``Refused``."""
    told = " ".join(text.split()).casefold()
    if not told:
        return None
    if told in {"free", "none", "no cost"}:
        return 0
    match = _COST.fullmatch(told.replace(",", ""))
    if not match:
        raise Refused("Write the cost in pounds, such as 250 or 249.99, or: free.", error="bad_offering")
    return int(match[1]) * 100 + int(match[2] or 0)


def _session(row: Row, of: Offering, zone: str, by: str, now: int) -> CentreSession:
    """The session of a row with a date; it is open for bookings."""
    if not row["centre"]:
        raise FormFault("centre", "a date needs the training centre where it is")
    checked_centre(row["centre"])
    told = {
        "title": of.title,
        "kind": choice(row, "session_kind", KIND, "practical"),
        "number": row["session_id"],
        "date": row["date"],
        "starts": row["starts"],
        "ends": row["ends"],
        "seats": row["seats"],
        "place": of.place,
        "opened": "yes",
    }
    number = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{of.id}-{row['date']}-{row['starts']}")[:40]
    made = session_in(told, centre=row["centre"], zone=zone, lead=None, by=by, number=number, checklist=None, now=now)
    return replace(made, offering=of.id)
