"""What pages show of an apprenticeship. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from adapters.apprenticeship.progress import Covered, Picture
from adapters.apprenticeship.progress_read import SeenApprenticeship
from lrs.web.dates import Dates, written_day
from lrs.web.listing import ListColumn, ListRow

APPRENTICES = (
    ListColumn("name", "Apprentice"),
    ListColumn("standard", "Standard", facet=True),
    ListColumn("start", "Began"),
    ListColumn("end", "Planned end"),
    ListColumn("evidenced", "Evidenced", figure=True, seen=False),
    ListColumn("progress", "In progress", figure=True, seen=False),
    ListColumn("missing", "Missing", figure=True),
    ListColumn("hours", "Off-the-job hours", figure=True),
    ListColumn("gateway", "Gateway", facet=True),
)
THROUGH, OVER, OVERDUE, NOT_READY, READY = "Through", "Ended", "Overdue", "Not ready", "Ready"
_MOODS = {THROUGH: "good", OVER: "", OVERDUE: "bad", NOT_READY: "warn", READY: "good"}
_PARTS = (("knowledge", "K"), ("skills", "S"), ("behaviours", "B"))


def shown(seen: SeenApprenticeship, dates: Dates) -> dict[str, Any]:
    """The page about one apprenticeship."""
    one = seen.picture
    of, hours = one.registration, one.hours
    return {
        "standard": of.standard.ref,
        "version": of.standard.version,
        "title": one.title,
        "since": dates.day(of.since),
        "planned_end": dates.day(of.planned_end) if of.planned_end else "",
        "parts": [_part(name, [it for it in one.covered if it.criterion.code[0] == at], dates) for name, at in _PARTS],
        "count": len(one.covered),
        "evidenced": len(one.covered) - one.lacking,
        "foreign": [
            {"version": version, "codes": ", ".join(codes), "is_own": _is_own(version, one)}
            for version, codes in one.foreign
        ],
        "hours": spoken(hours.minutes),
        "whole_hours": hours.minutes // 60,
        "planned": hours.planned,
        "minimum": hours.minimum,
        "needed": hours.needed,
        "short": spoken(max(0, (hours.needed or 0) * 60 - hours.minutes)),
        "lacks": one.lacks,
        "lacking": one.lacking,
        "through": dates.day(one.through) if one.through else "",
        "whole": seen.whole,
    }


def spoken(minutes: int) -> str:
    """*minutes* as hours: ``187``, ``186.5``; to the hundredth, never rounded up to what was not done."""
    hundredths = minutes * 100 // 60
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")


def listed(person: str, name: str, one: Picture, today: date, root: str) -> ListRow:
    """An apprentice in the list of a provider on the day *today*."""
    of, hours, count = one.registration, one.hours, len(one.covered)
    state, end = state_on(one, today), of.planned_end
    begun = sum(covered.state == "in_progress" for covered in one.covered)
    missing = f"{one.lacking - begun} of {count}" if count else "Not known"
    beneath = [f"{begun} more in progress"] if begun else []
    own = {_is_own(version, one) for version, _ in one.foreign}
    beneath += ["some evidence has a code that the standard has not"] if True in own else []
    beneath += ["some evidence is of another version"] if False in own else []
    known = {"name": name, "standard": f"{of.standard.ref} {of.standard.version}".strip(), "gateway": state}
    return ListRow(
        known
        | {
            "start": of.since.isoformat(),
            "end": end or None,
            "evidenced": count - one.lacking if count else None,
            "progress": begun if count else None,
            "missing": one.lacking - begun if count else None,
            "hours": round(hours.minutes / 60, 2),
        },
        {
            "start": written_day(of.since),
            "end": written_day(end) if end else "",
            "missing": missing,
            "hours": spoken(hours.minutes) + (f" of {hours.needed}" if hours.needed is not None else ""),
        },
        {"name": f"{root}/staff/learners/{person}/apprenticeship"},
        {"gateway": _MOODS[state]} | ({"end": "bad"} if state == OVERDUE else {}),
        {"missing": "; ".join(beneath)} if beneath else {},
    )


def _is_own(version: str, one: Picture) -> bool:
    """Whether *version* is the registered one: then it is the code that is wrong."""
    return bool(version) and version == one.registration.standard.version


def state_on(one: Picture, today: date) -> str:
    """How far an apprenticeship is on the day *today*, in a word or two."""
    if one.through or one.over:
        return THROUGH if one.through and not one.over else OVER
    return OVERDUE if one.is_overdue(today) else NOT_READY if one.lacks else READY


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
