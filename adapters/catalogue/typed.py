"""Reads what somebody typed of an offering, and fills its form in again. Pure; knows no store and no page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.catalogue.offerings import Offering
from adapters.catalogue.scales import named_in
from adapters.catalogue.table import cost_of
from adapters.training_centre.centre_sessions import Gives
from adapters.training_centre.planning import hours
from lrs.competency.frameworks.framework import Framework

FIELDS = (
    *("id", "title", "sort", "provider", "text", "gives", "hours", "place", "online", "language", "cost", "enrol_at"),
    *("course", "needs"),
)
"""Those of the form."""


def offering_in(told: Mapping[str, str], frameworks: Sequence[Framework] = ()) -> Offering:
    """The offering in the fields of a form, with competencies of *frameworks*; not checked yet.

    Raises ``Refused`` (400).
    """
    line = {name: " ".join(told.get(name, "").split()) for name in FIELDS}
    return Offering(
        line["id"],
        line["title"],
        line["sort"] or "Course",
        line["provider"],
        told.get("text", "").replace("\r\n", "\n").strip(),
        _given(told, "gives", frameworks),
        hours(line),
        line["place"],
        line["online"] == "yes",
        line["language"] or "English",
        cost_of(line["cost"]),
        line["enrol_at"],
        line["course"],
        _given(told, "needs", frameworks),
    )


def _given(told: Mapping[str, str], field: str, frameworks: Sequence[Framework]) -> tuple[Gives, ...]:
    return tuple(named_in(line, frameworks) for line in told.get(field, "").splitlines() if line.strip())


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
