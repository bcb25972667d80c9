"""The data of the pages about matching services. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lrs.matching.services import BADGES, EVIDENCE, GAP, OUTCOMES, PROFILES, ROLES, SCOPES, Service
from lrs.outbox.listing import DestinationStatus
from lrs.pages.states import mood, state_word
from lrs.pages.words import lasting
from lrs.web.dates import written_moment, written_timestamp
from lrs.web.listing import ListColumn, ListRow

SEES = {
    PROFILES: "Competencies, levels, dates and badges",
    EVIDENCE: "How much evidence stands behind each",
    BADGES: "The badges themselves",
    ROLES: "Roles and what they ask for (of nobody)",
    GAP: "What a learner still needs for a role",
    OUTCOMES: "It tells us who was shortlisted or hired",
}
OF_EMPLOYER = "Skills, levels, and until when"
"""What an employer sees, whose only scope is that of profiles."""
COLUMNS = (
    ListColumn("name", "Service"),
    ListColumn("who", "What", facet=True),
    ListColumn("id", "Client id"),
    ListColumn("state", "State", facet=True),
    ListColumn("scopes", "May see", sortable=False, facet=True, words=SEES),
    ListColumn("waiting", "Waiting", figure=True),
    ListColumn("behind", "Behind", sortable=False),
)
DELIVERY_COLUMNS = (
    ListColumn("queued", "When"),
    ListColumn("what", "What", facet=True),
    ListColumn("state", "State", facet=True),
    ListColumn("status", "Answer", figure=True),
    ListColumn("reason", "Why", sortable=False),
    ListColumn("id", "Id", sortable=False, seen=False),
)
_ASKS = "It asks, and is sent nothing"
_MOODS = {"delivered": "good", "dead": "bad"}


def rows(found: Iterable[Service], destinations: Mapping[str, DestinationStatus], now: int, root: str) -> list[ListRow]:
    """The services; *destinations* are those with a webhook, by the service's id."""
    return [_row(one, destinations.get(one.id), now, root) for one in found]


def sees(one: Service) -> str:
    """What a service or an employer may see, in words."""
    return OF_EMPLOYER if one.employer else "; ".join(SEES[scope] for scope in one.scopes)


def _row(one: Service, destination: DestinationStatus | None, now: int, root: str) -> ListRow:
    lag = destination.lag(now) if destination else 0
    return ListRow(
        {
            "name": one.name,
            "who": "Employer" if one.employer else "Matching service",
            "id": one.id,
            "state": one.state,
            "scopes": one.scopes,
            "waiting": destination.waiting if destination else None,
            "behind": lasting(lag) if lag else None,
        },
        {
            "state": state_word(one.state),
            "scopes": sees(one),
            "waiting": str(destination.waiting) if destination else "" if one.employer else _ASKS,
        },
        {"name": f"{root}/staff/services/{one.id}"},
        {"state": mood(one.state)},
    )


def service(one: Service, destination: DestinationStatus | None, learners: int, now: int, zone: str) -> dict[str, Any]:
    """What the page about one service says of it. *learners* counts those of whom it was ever told."""
    overlap = one.former.until if one.former and one.former.until > now else None
    return {
        "id": one.id,
        "name": one.name,
        "purpose": one.purpose,
        "contact": one.contact,
        "privacy_notice": one.privacy_notice,
        "webhook": one.webhook or "",
        "scopes": [{"name": scope, "says": SEES[scope]} for scope in one.scopes],
        "state": state_word(one.state),
        "mood": mood(one.state),
        "reason": one.reason or "",
        "is_active": one.active,
        "is_refused": one.is_refused,
        "is_employer": one.employer,
        "learners": learners,
        "waiting": destination.waiting if destination else 0,
        "overlap": written_moment(overlap, zone) if overlap else "",
    }


def delivery_rows(found: Iterable[Mapping[str, Any]], zone: str) -> list[ListRow]:
    """Deliveries to one service, in the form of ``outbox.listing``."""
    return [
        ListRow(
            {column.name: one[column.name] for column in DELIVERY_COLUMNS},
            {
                "queued": written_timestamp(str(one["queued"]), zone),
                "state": state_word(str(one["state"])),
                "status": "" if one["status"] is None else str(one["status"]),
                "reason": _reason(one, zone),
            },
            moods={"state": _MOODS.get(str(one["state"]), "")},
        )
        for one in found
    ]


def _reason(delivery: Mapping[str, Any], zone: str) -> str:
    """Why a delivery is in its state, and when it is tried again if it failed."""
    said, again = str(delivery["reason"] or ""), delivery.get("again")
    return f"{said} at {written_timestamp(str(again), zone)}" if again else said


def scope_options(chosen: Sequence[str]) -> list[dict[str, Any]]:
    """The ticks of the form by which a service is added."""
    return [{"value": one, "text": SEES[one], "hint": one, "on": one in chosen} for one in SCOPES]
