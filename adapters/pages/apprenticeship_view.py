"""What pages show of an apprenticeship. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.apprenticeship.progress import Covered, Picture
from adapters.apprenticeship.progress_read import SeenApprenticeship
from lrs.web.dates import Dates

_PARTS = (("knowledge", "K"), ("skills", "S"), ("behaviours", "B"))


def shown(seen: SeenApprenticeship, dates: Dates) -> dict[str, Any]:
    """The page about one apprenticeship."""
    one = seen.picture
    of, hours = one.registration, one.hours
    evidenced = sum(it.state == "evidenced" for it in one.covered)
    return {
        "standard": of.standard.ref,
        "version": of.standard.version,
        "title": one.title,
        "since": dates.day(of.since),
        "planned_end": dates.day(of.planned_end) if of.planned_end else "",
        "parts": [_part(name, [it for it in one.covered if it.criterion.code[0] == at], dates) for name, at in _PARTS],
        "count": len(one.covered),
        "evidenced": evidenced,
        "foreign": [{"version": version, "codes": ", ".join(codes)} for version, codes in one.foreign],
        "hours": spoken(hours.minutes),
        "whole_hours": hours.minutes // 60,
        "planned": hours.planned,
        "minimum": hours.minimum,
        "needed": hours.needed,
        "short": spoken(max(0, (hours.needed or 0) * 60 - hours.minutes)),
        "lacks": one.lacks,
        "lacking": len(one.covered) - evidenced,
        "through": dates.day(one.through) if one.through else "",
        "whole": seen.whole,
    }


def spoken(minutes: int) -> str:
    """*minutes* as hours: ``187``, ``186.5``; to the hundredth, never rounded up to what was not done."""
    hundredths = minutes * 100 // 60
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")


def row(person: str, name: str, one: Picture, dates: Dates) -> dict[str, Any]:
    """An apprentice in the list of a provider."""
    return {"person": person, "name": name, **shown(SeenApprenticeship(one, whole=True), dates)}


def _part(name: str, covered: Sequence[Covered], dates: Dates) -> dict[str, Any]:
    return {
        "name": name,
        "evidenced": sum(one.state == "evidenced" for one in covered),
        "criteria": [
            {
                "code": one.criterion.code,
                "text": one.criterion.text,
                "state": one.state,
                "pieces": one.pieces,
                "last": dates.day(one.last) if one.last else "",
            }
            for one in covered
        ],
    }
