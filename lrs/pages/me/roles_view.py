"""What is missing for a role, and how to get there, for the own pages of learners. Pure: no store, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from lrs.matching.declared import DeclaredSkill
from lrs.matching.roles.gap import Role
from lrs.matching.roles.role_plan import RolePlan
from lrs.web.dates import Dates


def choices(known: Iterable[Role], today: date, dates: Dates) -> list[tuple[str, str]]:
    """The roles to choose from, by id: those that have not ended, each not in effect yet with its first day."""
    return [
        (
            one.id,
            f"{one.label} ({dates.day(one.valid_from)})" if one.valid_from and one.valid_from > today else one.label,
        )
        for one in known
        if not one.has_ended(today)
    ]


def near(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The roles that come nearest, from ``nearest.nearest``, without those of which nothing is held."""
    return [
        {
            "id": one["role"]["id"],
            "label": one["role"]["label"],
            "match": _whole(one["match"]),
            "met": one["essentials"]["met"],
            "required": one["essentials"]["required"],
        }
        for one in found
        if one["match"]
    ]


def _whole(match: float) -> int:
    """*match* in whole percent. Only where nothing is missing it is 100."""
    return 100 if match == 100 else min(round(match), 99)


def roles(
    gap: Mapping[str, Any], words: Mapping[str, Mapping[int, str]], dates: Dates, said: Iterable[DeclaredSkill] = ()
) -> dict[str, Any]:
    """What is missing for a role, from ``gap.gap``; *words* are the names of the levels of each competency.

    *said* are the skills that the learner says they have, and that nothing proves.
    """
    declared = {name.casefold() for one in said for name in (one.id, one.label)}
    return {
        "label": gap["role"]["label"],
        "match": None if gap["match"] is None else _whole(gap["match"]),
        "full": gap["full"],
        "required": 0 < gap["essentials"]["required"] == gap["essentials"]["met"],
        "requirements": [
            _requirement(one, words.get(one["competency"], {}), dates)
            | {"said": not declared.isdisjoint((one["competency"].casefold(), (one["label"] or "").casefold()))}
            for one in gap["requirements"]
        ],
    }


def planned(found: RolePlan, base: str) -> dict[str, Any]:
    """What to take for a role; *base* is in front of the addresses of the catalogue."""
    return {
        "steps": [
            {
                "title": one.offered.title,
                "address": f"{base}/catalogue/{one.offered.id}",
                "hours": f"{one.offered.hours:g}" if one.offered.hours is not None else "",
                "closes": ", ".join(each.label or each.competency for each in one.closes),
                "opens": ", ".join(one.opens),
            }
            for one in found.steps
        ],
        "hours": f"{found.hours:g}" if found.hours else "",
        "silent": found.silent,
        "left": [each.label or each.competency for each in found.left],
        "blocked": [
            {"title": one.title, "address": f"{base}/catalogue/{one.id}", "needs": ", ".join(needs)}
            for one, needs in found.blocked
        ],
    }


def _requirement(one: Mapping[str, Any], words: Mapping[int, str], dates: Dates) -> dict[str, Any]:
    return {
        "label": one["label"] or one["competency"],
        "essential": one["essential"],
        "result": one["result"],
        "required": words.get(one["required"]) or one["required"],
        "level": words.get(one["level"]) or one["level"],
        "until": dates.day(one["validUntil"]) if one["validUntil"] else "",
    }
