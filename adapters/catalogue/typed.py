"""Reads what somebody typed of an offering, and fills its form in again. Pure; knows no store and no page."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.catalogue.offerings import Offering
from adapters.catalogue.table import cost_of
from adapters.training_centre.centre_sessions import Gives
from adapters.training_centre.planning import hours
from lrs.kernel.errors import Refused

FIELDS = (
    *("id", "title", "sort", "provider", "text", "gives", "hours", "place", "online", "language", "cost", "enrol_at"),
    *("course", "needs"),
)
"""Those of the form."""


def offering_in(told: Mapping[str, str]) -> Offering:
    """The offering in the fields of a form; not checked yet. Raises ``Refused`` (400)."""
    line = {name: " ".join(told.get(name, "").split()) for name in FIELDS}
    return Offering(
        line["id"],
        line["title"],
        line["sort"] or "Course",
        line["provider"],
        told.get("text", "").replace("\r\n", "\n").strip(),
        tuple(_gives(each) for each in told.get("gives", "").splitlines() if each.strip()),
        hours(line),
        line["place"],
        line["online"] == "yes",
        line["language"] or "English",
        cost_of(line["cost"]),
        line["enrol_at"],
        line["course"],
        tuple(_gives(each) for each in told.get("needs", "").splitlines() if each.strip()),
    )


def _gives(text: str) -> Gives:
    """A competency and its level, as ``GOWN, 2``."""
    name, _, level = (part.strip() for part in text.partition(","))
    if level and not (len(level) < 4 and level.isascii() and level.isdigit() and 0 < int(level) < 100):
        raise Refused(f"{text.strip()[:60]}: a level is a whole number, such as: GOWN, 2", error="bad_offering")
    return Gives(name, int(level) if level else None)


def fields_of(one: Offering) -> dict[str, str]:
    """The fields of the form that *one* fills."""
    gives, needs = (
        "\n".join(f"{each.competency}, {each.level}" if each.level else each.competency for each in some)
        for some in (one.gives, one.needs)
    )
    pounds = "" if one.cost is None else f"{one.cost / 100:.2f}"
    told = {name: str(getattr(one, name)) for name in ("id", "title", "sort", "provider", "text", "place", "language")}
    return told | {
        "gives": gives,
        "needs": needs,
        "hours": "" if one.hours is None else f"{one.hours:g}",
        "online": "yes" if one.online else "",
        "cost": pounds,
        "enrol_at": one.enrol_at,
        "course": one.course,
    }
