"""The data of the pages of the catalogue, as plain values for the templates. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from adapters.catalogue.entries import CatalogueEntry, DatedSeats
from adapters.catalogue.offerings import Offering
from adapters.lms.courses.courses import Course
from adapters.lms.courses.structure import shown_title
from adapters.training_centre.attendees import Attendee
from adapters.training_centre.centre_sessions import CentreSession
from adapters.training_centre.pages.view import times
from lrs.competency.frameworks.framework import Framework
from lrs.kernel.printing import time_of
from lrs.web.language import ENGLISH, catalogue, said_in
from lrs.web.listing import ListColumn, ListRow

CATALOGUE = (
    ListColumn("title", "What"),
    ListColumn("kind", "Kind", facet=True, seen=False, said=True),
    ListColumn("gives", "Gives", facet=True, sortable=False),
    ListColumn("where", "Where", facet=True, said=True),
    ListColumn("language", "Language", facet=True, seen=False, said=True),
    ListColumn("provider", "Run by", facet=True, seen=False, sources=True),
    ListColumn("hours", "Hours", figure=True),
    ListColumn("cost", "Cost", figure=True),
    ListColumn("next", "Next date"),
    ListColumn("seats", "Seats left", figure=True, seen=False),
)
LISTED = 100
"""Competencies of a framework that the form of an offering lists."""
OFFERINGS = (
    ListColumn("title", "Offering"),
    ListColumn("name", "Name"),
    ListColumn("kind", "Kind", facet=True),
    ListColumn("gives", "Gives", figure=True),
    ListColumn("provider", "Run by", facet=True, sources=True),
)


IN_WORDS = ("Free", "Online", "Ask who runs it", "Full: there is a waiting list", "English", "Welsh")
"""What stands in place of values, or is a value of most entries, in the catalogue of texts."""
_FREE, _ONLINE, _ASK, _FULL, *_ = IN_WORDS


def columns(found: Iterable[CatalogueEntry], language: str) -> tuple[ListColumn, ...]:
    """``CATALOGUE`` with what entries give in *language*; in addresses it stays in English, as in the files."""
    words = {value: text for one in found for value, text in zip(given(one), given(one, language), strict=True)}
    return tuple(replace(one, words=words) if one.name == "gives" else one for one in CATALOGUE)


def cost(pence: int | None, language: str = ENGLISH) -> str:
    """A cost as people read it."""
    if pence is None:
        return ""
    if not pence:
        return catalogue(language).gettext(_FREE)
    return f"£{pence // 100}" if pence % 100 == 0 else f"£{pence / 100:.2f}"


def given(one: CatalogueEntry, language: str = ENGLISH) -> list[str]:
    """What an entry gives, in words."""
    return [_at_level(name, level, language) for name, level in one.gives]


def _at_level(label: str, level: int | None, language: str) -> str:
    """A competency in words, with its level where there is one."""
    if not level:
        return label
    return f"{label}, {catalogue(language).gettext('level %(level)s') % {'level': level}}"


def where(one: CatalogueEntry, language: str = ENGLISH) -> str:
    """Where it is: online, or a place."""
    said = catalogue(language).gettext
    return said(_ONLINE) if one.online else one.place or said(_ASK)


def listed(found: Iterable[CatalogueEntry], root: str, language: str = ENGLISH) -> list[ListRow]:
    """A row for each entry. Seats are those of all dates; empty where nobody counts them."""
    return [
        ListRow(
            {
                "title": one.title,
                "kind": one.sort,
                "gives": tuple(given(one)),
                "where": where(one),
                "language": one.language,
                "provider": one.provider,
                "hours": one.hours,
                "cost": None if one.cost is None else one.cost / 100,
                "next": time_of(one.next_date),
                "seats": _seats(one),
            },
            {"cost": cost(one.cost, language), "next": times(one.dates[0].session, language) if one.dates else ""}
            | {"where": where(one, language), "gives": "; ".join(given(one, language))}
            | ({"hours": f"{one.hours:g}"} if one.hours is not None else {}),
            {"title": f"{root}/catalogue/{one.id}"},
            {},
            {
                "title": " · ".join(filter(None, (said_in(language, one.sort), one.provider))),
                "next": _seats_said(one, language),
            },
        )
        for one in found
    ]


def _seats_said(one: CatalogueEntry, language: str) -> str:
    left, texts = _seats(one), catalogue(language)
    if not left:
        return "" if left is None else texts.gettext(_FULL)
    return texts.ngettext("%(num)s seat left", "%(num)s seats left", left) % {"num": left}


def _seats(one: CatalogueEntry) -> int | None:
    counted = [date.left for date in one.dates if date.left is not None]
    return sum(counted) if counted else None


def entry(one: CatalogueEntry, root: str, language: str = ENGLISH) -> dict[str, Any]:
    """One entry."""
    said = catalogue(language).gettext
    return {
        "id": one.id,
        "title": one.title,
        "sort": said_in(language, one.sort),
        "text": one.text,
        "provider": one.provider,
        "gives": given(one, language),
        "needs": [_at_level(need.label, need.level, language) for need in one.needed],
        "facts": [
            (said(pair[0]), pair[1])
            for pair in (
                ("Where", where(one, language)),
                ("Hours", "" if one.hours is None else f"{one.hours:g}"),
                ("Language", one.language),
                ("Cost", cost(one.cost, language)),
            )
            if pair[1]
        ],
        "enrol_at": one.enrol_at,
        "is_course": one.is_course,
        "opens": one.opens,
        "dates": [_date(date, root, language) for date in one.dates],
    }


def _date(one: DatedSeats, root: str, language: str) -> dict[str, Any]:
    return {
        "times": times(one.session, language),
        "centre": one.session.centre,
        "place": one.session.place,
        "left": one.left,
        "address": f"{root}/me/plan?book={one.session.id}",
    }


def offerings(found: Iterable[Offering], root: str) -> list[ListRow]:
    """A row for each offering."""
    return [
        ListRow(
            {"title": one.title, "name": one.id, "kind": one.sort, "gives": len(one.gives), "provider": one.provider},
            {},
            {"title": f"{root}/staff/catalogue/{one.id}"},
        )
        for one in found
    ]


def course_choices(found: Iterable[Course], chosen: str) -> list[tuple[str, str]]:
    """The imported courses of which an offering may be one, by title; one that is *chosen* stays, shown or not."""
    known = {
        one.id: shown_title(one.title) for one in found if not one.client and (not one.withdrawn or one.id == chosen)
    }
    by_title = sorted(known.items(), key=lambda pair: (pair[1].casefold(), pair[0]))
    kept = [(chosen, chosen)] if chosen and chosen not in known else []
    return [("", "None of them"), *kept, *by_title]


def competency_lines(frameworks: Iterable[Framework]) -> list[str]:
    """The competencies of *frameworks* with their levels, as they may be written."""
    return [
        f"{item.code}, {item.label}: {', '.join(f'{level.ordinal} {level.label}' for level in one.scale.levels)}"
        for one in frameworks
        for item in one.items[:LISTED]
    ]


def plan(found: Iterable[tuple[CentreSession, Attendee]], now: int, language: str = ENGLISH) -> list[dict[str, Any]]:
    """The sessions of a learner's plan."""
    return [
        {
            "id": session.id,
            "title": session.title,
            "times": times(session, language),
            "place": ", ".join(filter(None, (session.host, session.place))),
            "centre": session.centre,
            "waits": one.seat == "waiting",
            "is_cancelled": session.state == "cancelled",
            "is_over": session.ends <= now,
            "can_give_back": one.seat in {"booked", "waiting"}
            and session.is_ahead(now)
            and not (one.attendance or one.steps),
        }
        for session, one in found
    ]


def wanted(one: CentreSession, left: int | None, language: str = ENGLISH) -> dict[str, Any]:
    """A session in which somebody may book a seat."""
    where = ", ".join(filter(None, (one.host, one.place)))
    told = {"id": one.id, "title": one.title, "times": times(one, language), "place": where, "centre": one.centre}
    return told | {"left": left}
