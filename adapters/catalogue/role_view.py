"""The data of the public pages of roles, as plain values for JSON and for the templates. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from typing import Any
from urllib.parse import urlencode

from adapters.catalogue import view
from adapters.catalogue.entries import CatalogueEntry
from adapters.catalogue.leads import AskedFor, Lead, asked_for, leads
from lrs.competency.frameworks.framework import Framework
from lrs.competency.frameworks.levels import Level
from lrs.matching.roles.gap import Role
from lrs.matching.roles.nearest import in_effect
from lrs.web.dates import written_day
from lrs.web.language import ENGLISH, catalogue, said_in
from lrs.web.listing import ListColumn, ListRow

ROLES = (
    ListColumn("role", "Role"),
    ListColumn("id", "Name", seen=False),
    ListColumn("asks", "Asks for", sortable=False),
    ListColumn("required", "Required skills", figure=True),
    ListColumn("source", "Source", seen=False),
    ListColumn("from", "From", seen=False),
    ListColumn("until", "Until", seen=False),
)
EFFECT = ("from %(begins)s until %(ends)s", "from %(begins)s", "until %(ends)s")
"""From when until when a role has effect; in the catalogue of texts."""
_SHOWN = 4
"""Names of skills on the list; the page of the role has all."""


def address(root: str, role: str, on: date | None, page: str = "one") -> str:
    """The address of a *page* about *role*, on the day that somebody chose."""
    return f"{root}/roles/{page}?{urlencode({'role': role} | ({'on': on.isoformat()} if on else {}))}"


def listed(found: Iterable[Role], day: date, root: str, on: date | None) -> list[ListRow]:
    """A row for each role in effect on *day*; *on* is the day that somebody chose."""
    return [_row(one, root, on) for one in found if in_effect(one, day)]


def _row(one: Role, root: str, on: date | None) -> ListRow:
    asks = tuple(each.label or each.competency for each in one.requirements)
    more = f" and {len(asks) - _SHOWN} more" if len(asks) > _SHOWN else ""
    return ListRow(
        {
            "role": one.label,
            "id": one.id,
            "asks": asks,
            "required": sum(each.essential for each in one.requirements),
            "source": one.source or "",
            "from": one.valid_from.isoformat() if one.valid_from else None,
            "until": one.valid_until.isoformat() if one.valid_until else None,
        },
        {"asks": ", ".join(asks[:_SHOWN]) + more},
        {"role": address(root, one.id, on)},
    )


def role(one: Role, frameworks: Sequence[Framework], entries: Sequence[CatalogueEntry], root: str) -> dict[str, Any]:
    """What *one* asks for and which entries lead there, as programs read it; *root* is in front of addresses."""
    return {
        "id": one.id,
        "label": one.label,
        "source": one.source,
        "validFrom": one.valid_from.isoformat() if one.valid_from else None,
        "validUntil": one.valid_until.isoformat() if one.valid_until else None,
        "requirements": [_asked(asked_for(each, frameworks), entries, root) for each in one.requirements],
    }


def _asked(asked: AskedFor, entries: Sequence[CatalogueEntry], root: str) -> dict[str, Any]:
    requirement = asked.requirement
    return {
        "competency": asked.item.id if asked.item else requirement.competency,
        "code": asked.item.code if asked.item else None,
        "label": asked.label,
        "framework": asked.framework.id if asked.framework else requirement.framework,
        "frameworkTitle": asked.framework.title if asked.framework else None,
        "essential": requirement.essential,
        "weight": float(requirement.weight),
        "level": requirement.level,
        "levelLabel": asked.level.label if asked.level else None,
        "statements": list(asked.statements),
        "courses": [_lead(each, asked, root) for each in leads(asked, entries)],
    }


def _lead(one: Lead, asked: AskedFor, root: str) -> dict[str, Any]:
    level: Level | None = asked.framework.scale.at(one.level) if asked.framework and one.level else None
    return {
        "id": one.entry.id,
        "title": one.entry.title,
        "kind": one.entry.sort,
        "provider": one.entry.provider or None,
        "hours": one.entry.hours,
        "where": view.where(one.entry),
        "level": one.level,
        "levelLabel": level.label if level else None,
        "enough": one.enough,
        "address": f"{root}/catalogue/{one.entry.id}",
    }


def parts(told: dict[str, Any], language: str = ENGLISH) -> list[dict[str, Any]]:
    """The requirements of a role for its page: the essential ones, then the others; a part without any is left out."""
    asked = [one | {"courses": [_written(each, language) for each in one["courses"]]} for one in told["requirements"]]
    kinds = (("required", True), ("useful", False))
    found = [{"name": name, "asked": [one for one in asked if one["essential"] is is_it]} for name, is_it in kinds]
    return [one for one in found if one["asked"]]


def _written(lead: dict[str, Any], language: str) -> dict[str, Any]:
    return lead | {
        "kind": said_in(language, lead["kind"]),
        "hours": "" if lead["hours"] is None else f"{lead['hours']:g}",
    }


def frame_code(address: str, title: str) -> str:
    """What another site puts into a page of its own to show *address* in a frame. It is shown as text."""
    return f'<iframe src="{escape(address)}" title="{escape(title)}" width="100%" height="600"></iframe>'


def effect(one: Role, language: str = ENGLISH) -> str:
    """From when until when a role has effect, in words; empty if always."""
    begins, ends = (written_day(day, language) if day else "" for day in (one.valid_from, one.valid_until))
    both, since, until = map(catalogue(language).gettext, EFFECT)
    text = both if begins and ends else since if begins else until if ends else ""
    return text % {"begins": begins, "ends": ends} if text else ""
