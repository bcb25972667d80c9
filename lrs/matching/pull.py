"""Answers to services that ask: the feed of changes, one profile, the gap for a role. Knows no HTTP.

Consent is checked when the answer is made. So a profile is gone from the commit of a withdrawal on, also if the feed
does not have the withdrawal yet. What was given is stored once a day (``disclosures``).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from lrs.competency.dates import day_of
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.sealed import NotOurs, hide, reveal, unseal
from lrs.kernel.times import short_timestamp
from lrs.matching import changes, disclosures, services, view
from lrs.matching.changes import Current, ToldState
from lrs.matching.roles import roles
from lrs.matching.roles.gap import Role, gap
from lrs.matching.roles.nearest import in_effect, nearest
from lrs.matching.services import Service
from lrs.storage import Page, Record, Walk, micros_of, pages
from lrs.tenancy.tenants import Tenant


def feed(tenant: Tenant, service: Service, cursor: str | None, limit: int) -> dict[str, Any]:
    """Up to *limit* profiles that changed after *cursor*, in the order of their changes.

    A withdrawn one is a tombstone.

    A profile that changes again moves to the end, so a walk may meet it twice and never misses it. The cursor of the
    answer can always be used for the next request. It hides its place: services that compare the places of their
    learners could find out that two of them are one. Raises ``Refused`` (400) for a cursor that is not this service's.
    """
    after = _after(tenant, service, cursor)
    page = _changed(tenant, service, after, limit)
    last = page.records[-1].seq if page.records else after
    told = [_entry(tenant, service, record) for record in page.records]
    given = [changes.read(record).person for record, one in zip(page.records, told, strict=True) if not one["deleted"]]
    disclosures.note(tenant, service.id, given, "profile")
    return {
        "profiles": told,
        "cursor": hide(tenant.secret("cursor"), (service.id, last)),
        "more": page.next is not None,
    }


def one(tenant: Tenant, service: Service, subject: str) -> dict[str, Any]:
    """The profile of the learner that this service calls *subject*. Raises ``Refused`` (404), also without consent."""
    told, now = _found(tenant, service, subject)
    shown = now.shown(subject)
    if shown is None:
        raise _unknown()
    disclosures.note(tenant, service.id, [told.person], "profile")
    return {**shown, "version": told.version}


def badge(tenant: Tenant, service: Service, subject: str, reference: str) -> bytes:
    """The signed badge that *service* calls *reference*.

    Raises ``Refused`` (404), also without the learner's consent to ``badges:read``, and for a revoked badge.
    """
    told, now = _found(tenant, service, subject)
    agreed = now.badges.values() if services.BADGES in now.consents else ()
    for held in agreed:
        if held.reference == reference and held.state == view.ISSUED:
            record = tenant.store.get("credential", held.id.removeprefix("urn:uuid:"))
            if record is not None:
                disclosures.note(tenant, service.id, [told.person], "badge")
                return record.body
    raise Refused("there is no such badge, or no consent to it", status=404, error="badge_unknown")


def gap_of(tenant: Tenant, service: Service, subject: str, role: str, day: date | None = None) -> dict[str, Any]:
    """The gap between the learner and *role*, and whether the role is in effect on *day* (today).

    A role that is out of effect is answered, too. Raises ``Refused`` (404), also without consent to ``gap:read``.
    """
    told, now = _found(tenant, service, subject)
    if services.GAP not in now.consents:
        raise _unknown()
    held = now.profile.competencies if now.profile else ()
    (asked,) = roles.labelled(tenant.store, [roles.get(tenant.store, role)])
    disclosures.note(tenant, service.id, [told.person], "gap")
    on = day or day_of(tenant.clock(), tenant.settings.zone)
    effect = {"on": on.isoformat(), "inEffect": in_effect(asked, on), **_days(asked)}
    return {"subject": subject, **effect, **gap(asked, held)}


def nearest_to(
    tenant: Tenant, service: Service, subject: str, day: date | None = None, limit: int = 10
) -> dict[str, Any]:
    """The roles in effect on *day* (today) that come nearest. Raises ``Refused`` (404), also without ``gap:read``."""
    told, now = _found(tenant, service, subject)
    if services.GAP not in now.consents:
        raise _unknown()
    on = day or day_of(tenant.clock(), tenant.settings.zone)
    held = now.profile.competencies if now.profile else ()
    found = roles.labelled(tenant.store, list(roles.everyone(tenant.store)))
    disclosures.note(tenant, service.id, [told.person], "gap")
    return {"subject": subject, "on": on.isoformat(), "roles": nearest(found, held, on, limit)}


def role_shown(role: Role) -> dict[str, Any]:
    """A role as services see it."""
    return {
        "id": role.id,
        "label": role.label,
        "source": role.source,
        **_days(role),
        "requirements": [
            {
                "competency": asked.competency,
                "label": asked.label,
                "framework": asked.framework,
                "level": asked.level,
                "essential": asked.essential,
                "weight": float(asked.weight),
            }
            for asked in role.requirements
        ],
    }


def _days(role: Role) -> dict[str, str | None]:
    """The first and the last day on which *role* has effect."""
    return {
        "validFrom": role.valid_from.isoformat() if role.valid_from else None,
        "validUntil": role.valid_until.isoformat() if role.valid_until else None,
    }


def _changed(tenant: Tenant, service: Service, after: int, limit: int) -> Page:
    """The next page that is not empty, or the last one. The store may give an empty page and still have more."""
    found = pages(tenant.store, Walk(changes.KIND, [key("service", service.id)], after=after, limit=limit))
    return next(page for page in found if page.records or page.next is None)


def _entry(tenant: Tenant, service: Service, record: Record) -> dict[str, Any]:
    told = changes.told_in(tenant.store, record)
    shown = changes.current(tenant, tenant.store, service, told.person, tenant.clock()).shown(told.subject)
    entry: dict[str, Any] = {
        "subject": told.subject,
        "version": told.version,
        "changed": short_timestamp(micros_of(record.seq)),
    }
    if shown is None:
        return {**entry, "deleted": True}
    profile = {**shown, "version": told.version}
    return {**entry, "deleted": False, "etag": view.etag(profile), "profile": profile}


def _found(tenant: Tenant, service: Service, subject: str) -> tuple[ToldState, Current]:
    record = tenant.store.get(changes.KIND, f"{service.id}:{subject}")
    if record is None:
        raise _unknown()
    told = changes.told_in(tenant.store, record)
    return told, changes.current(tenant, tenant.store, service, told.person, tenant.clock())


def _after(tenant: Tenant, service: Service, cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        owner, seq = reveal(tenant.secret("cursor"), cursor, tuple[str, int])
    except NotOurs:
        owner, seq = _former_cursor(tenant, cursor)
    if owner != service.id:
        raise _bad_cursor()
    return seq


def _former_cursor(tenant: Tenant, cursor: str) -> tuple[str, int]:
    """The place in a cursor of version 0.1.0, which a service may have kept."""
    try:
        return unseal(tenant.secret("cursor"), cursor, tuple[str, int])
    except NotOurs as error:
        raise _bad_cursor() from error


def _bad_cursor() -> Refused:
    return Refused(
        "the cursor is not one that this service was given: leave it out to begin at the beginning", error="bad_cursor"
    )


def _unknown() -> Refused:
    return Refused("there is no such profile, or no consent to it", status=404, error="profile_unknown")
