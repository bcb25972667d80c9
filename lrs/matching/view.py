"""The part of a profile that a service may see. Pure: knows no store, no consent record and no clock.

Minimised (domain.md 5.2): no name, e-mail, date of birth or ULN, no statements, and nothing that speaks against the
learner. What was never held, was suspended or revoked is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from lrs.competency.shapes import Profile, ProfileEntry
from lrs.matching.services import BADGES, EVIDENCE
from lrs.storage import Record

ISSUED, REVOKED = "issued", "revoked"
"""The states of a credential (``badges.credentials.records``)."""


class BadgeSummary(msgspec.Struct, frozen=True):
    """A credential. ``id`` is its own id, the same for everybody; ``reference`` is its name for one service alone."""

    id: str
    achievement: str | None
    name: str | None
    valid_from: str | None
    valid_until: str | None
    state: str
    reference: str = ""


def read_profile(record: Record) -> Profile:
    """The profile in *record*. Raises ``msgspec.DecodeError`` if the body is not a profile."""
    return msgspec.json.decode(record.body, type=Profile)


def read_badge(record: Record) -> BadgeSummary:
    """The badge in a ``credential`` *record*. It has nothing of the learner, not even the hashed identifier."""
    body = msgspec.json.decode(record.body, type=dict[str, Any])
    achievement = body.get("credentialSubject", {}).get("achievement", {})
    return BadgeSummary(
        id=str(body.get("id", record.id)),
        achievement=achievement.get("id"),
        name=achievement.get("name"),
        valid_from=body.get("validFrom"),
        valid_until=body.get("validUntil"),
        state=str(record.meta["state"]),
    )


def shown(
    subject: str,
    profile: Profile | None,
    badges: Iterable[BadgeSummary],
    scopes: Collection[str],
    *,
    exact: bool = False,
) -> dict[str, Any]:
    """What a service with consent for *scopes* sees of the learner *subject*; an empty profile if there is none.

    With *exact* it has the second in which each badge was issued, to be compared and not to be shown. It has no
    version: a change that the service cannot see is no change for it.
    """
    held = profile.competencies if profile else ()
    return {
        "subject": subject,
        "competencies": [_competency(one, with_evidence=EVIDENCE in scopes) for one in held],
        "badges": [
            badge_shown(one, {BADGES} if exact else scopes)
            for one in sorted(badges, key=_by_reference)
            if one.state == ISSUED
        ],
    }


def without_counts(view: dict[str, Any]) -> dict[str, Any]:
    """*view* without the amounts of evidence. More evidence is no event; whether amounts are shown is."""
    held = [
        {name: None if name == "evidenceCount" else said for name, said in one.items()} for one in view["competencies"]
    ]
    return {**view, "competencies": held}


def etag(view: dict[str, Any]) -> str:
    """A strong entity tag (RFC 9110 section 8.8.3) of *view*."""
    return f'"{hashlib.sha256(msgspec.json.encode(view, order="sorted")).hexdigest()[:32]}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Whether the If-None-Match header (RFC 9110 section 13.1.2, weak comparison) names *tag*."""
    tags = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return tag in tags or "*" in tags


def _competency(held: ProfileEntry, *, with_evidence: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "competency": msgspec.to_builtins(held.competency),
        "level": {"ordinal": held.level.ordinal, "code": held.level.code, "label": held.level.label},
        "state": held.state,
        "since": held.since.isoformat(),
        "validUntil": held.valid_until.isoformat() if held.valid_until else None,
    }
    if with_evidence:
        told["evidenceCount"] = held.evidence_count
    return told


def badge_shown(badge: BadgeSummary, scopes: Collection[str]) -> dict[str, Any]:
    """What a service with *scopes* is told of a badge.

    Only a service that may have the badge itself gets the second of its issue; all others get the day. All services are
    told the same time, and the seconds of a few badges would be enough to join a learner's two names.
    """
    return {
        "id": badge.reference,
        "achievement": badge.achievement,
        "name": badge.name,
        "validFrom": badge.valid_from if BADGES in scopes or not badge.valid_from else _day(badge.valid_from),
        "validUntil": badge.valid_until,
        "state": badge.state,
    }


def _day(timestamp: str) -> str:
    """The start of the day of *timestamp*, RFC 3339 in UTC."""
    return f"{timestamp[:10]}T00:00:00Z"


def _by_reference(badge: BadgeSummary) -> str:
    """Orders by reference, not by id: with one order for all, two services could join a learner's names."""
    return badge.reference
