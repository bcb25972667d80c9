"""Shows what a service would get of one learner before anybody agrees: as data, and in words.

The profile is made by the functions that make the sent one (``changes.current``, ``view.shown``). Knows no page: the
sentences around the words are in ``templates/shared/sharing.html``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any

import msgspec

from lrs.competency.shapes import ProfileEntry
from lrs.matching import changes, services, view
from lrs.matching.roles import roles
from lrs.matching.roles.gap import MET, gap
from lrs.matching.services import BADGES, EVIDENCE, GAP, OUTCOMES, PROFILES, Service
from lrs.storage import Reader
from lrs.tenancy.tenants import Tenant
from lrs.web.dates import written_day
from lrs.web.language import ENGLISH

ROLES_SHOWN = 3
"""The number of roles for which a preview shows what a service would be told."""


class SkillSeen(msgspec.Struct, frozen=True):
    """A competency as a service sees it. *state* is ``held``, ``expiring`` or ``expired``; days are written as words.

    *evidence* is its amount, if that is shown.
    """

    label: str
    level: str
    state: str
    since: str
    until: str
    evidence: int | None


class BadgeSeen(msgspec.Struct, frozen=True):
    """A badge as a service sees it. Days are written as words; *until* is empty if it has no end."""

    name: str
    since: str
    until: str


class Seen(msgspec.Struct, frozen=True):
    """A profile in words. It has nothing that the service is not sent."""

    skills: tuple[SkillSeen, ...]
    badges: tuple[BadgeSeen, ...]


class RoleSeen(msgspec.Struct, frozen=True):
    """What a service would be told of a role: the match in percent, and the labels of what is missing."""

    label: str
    match: float | None
    missing: tuple[str, ...]


class SharingPreview(msgspec.Struct, frozen=True):
    """What ``profiles:read`` shows (*seen*), and by scope what each further scope would add to it.

    For ``profiles:read.evidence`` these are the skills with the amounts of evidence, for ``badges:read`` the badges,
    for ``gap:read`` the first ``ROLES_SHOWN`` roles (``RoleSeen``). ``outcomes:write`` shows nothing.
    """

    seen: Seen
    adds: Mapping[str, tuple[Any, ...]]


def gets(tenant: Tenant, service: Service, person: str) -> dict[str, Any] | None:
    """The profile that *service* gets of *person* now; ``None`` without consent, or if the service was disabled."""
    now = changes.current(tenant, tenant.store, service, person, tenant.clock())
    return now.shown(services.pairwise(tenant, service.id, person)) if service.active else None


def would_get(tenant: Tenant, service: Service, person: str, scopes: Collection[str]) -> dict[str, Any]:
    """The profile that *service* would get of *person* now with consent to *scopes*, whatever the learner agreed to."""
    now = changes.current(tenant, tenant.store, service, person, tenant.clock())
    return view.shown(services.pairwise(tenant, service.id, person), now.profile, now.badges.values(), scopes)


def preview(
    tenant: Tenant, service: Service, person: str, scopes: Collection[str], language: str = ENGLISH
) -> SharingPreview:
    """What *service* would get of *person* with ``profiles:read``, and what each other scope in *scopes* would add."""
    now = changes.current(tenant, tenant.store, service, person, tenant.clock())
    plain, whole = (
        in_words(view.shown("", now.profile, now.badges.values(), by), language) for by in ({PROFILES}, scopes)
    )
    roles_seen = _roles(tenant.store, now.profile.competencies if now.profile else ()) if GAP in scopes else ()
    could_add = {EVIDENCE: whole.skills, BADGES: whole.badges, GAP: roles_seen, OUTCOMES: ()}
    return SharingPreview(plain, {scope: added for scope, added in could_add.items() if scope in scopes})


def in_words(profile: Mapping[str, Any], language: str = ENGLISH) -> Seen:
    """A *profile* as it is sent (``view.shown``), with the labels and days that people know."""
    return Seen(
        skills=tuple(_skill(one, language) for one in profile["competencies"]),
        badges=tuple(_badge(one, language) for one in sorted(profile["badges"], key=_by_name)),
    )


def _skill(held: Mapping[str, Any], language: str) -> SkillSeen:
    about, level = held["competency"], held["level"]
    return SkillSeen(
        label=about["label"] or about["code"] or about["id"],
        level=level["label"] or level["code"] or str(level["ordinal"]),
        state=held["state"],
        since=written_day(held["since"], language),
        until=written_day(held["validUntil"], language) if held["validUntil"] else "",
        evidence=held.get("evidenceCount"),
    )


def _by_name(badge: Mapping[str, Any]) -> str:
    """The order of badges for people. Services get them by reference, which tells nothing."""
    return str(badge["name"] or badge["achievement"] or "").casefold()


def _badge(badge: Mapping[str, Any], language: str) -> BadgeSeen:
    days = (written_day(badge[name], language) if badge[name] else "" for name in ("validFrom", "validUntil"))
    return BadgeSeen(badge["name"] or badge["achievement"] or "", *days)


def _roles(reader: Reader, held: Iterable[ProfileEntry]) -> tuple[RoleSeen, ...]:
    known = roles.labelled(reader, list(islice(roles.everyone(reader), ROLES_SHOWN)))
    gaps = [gap(role, held) for role in known]
    return tuple(RoleSeen(one["role"]["label"], one["match"], _missing(one["requirements"])) for one in gaps)


def _missing(requirements: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(one["label"] or one["competency"] for one in requirements if one["result"] not in MET)
