"""Composes the body of an event when it is sent, from the data of that moment. Sends nothing.

Shape: Standard Webhooks, "Payload structure": ``type``, ``timestamp``, ``data``. The body names a learner only by the
name that this service alone knows.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

from lrs.competency.dates import day_of
from lrs.kernel.times import short_timestamp
from lrs.matching import changes, notices, services, view
from lrs.matching.changes import Current
from lrs.matching.notices import Notice
from lrs.matching.roles import roles
from lrs.matching.roles.nearest import nearest
from lrs.matching.services import Service
from lrs.outbox import deliveries
from lrs.outbox.channel import Unneeded
from lrs.storage import Record, micros_of
from lrs.tenancy.tenants import Tenant

NEAR, MOST_ROLES = 5, 500
"""The nearest roles that an event has, and how many roles are looked at for them."""


def payload(tenant: Tenant, service: Service, record: Record) -> bytes:
    """The body for the delivery in *record*, as far as the learner's consent allows it now.

    Raises ``Unneeded``, and ``msgspec.MsgspecError`` if the data cannot be read.
    """
    notice = notices.read(record)
    data = _data(tenant, service, notice)
    timestamp = short_timestamp(micros_of(record.seq))
    return msgspec.json.encode({"type": notice.event, "timestamp": timestamp, "data": data})


def _data(tenant: Tenant, service: Service, notice: Notice) -> dict[str, Any]:
    if notice.event == notices.TEST:
        return {"service": service.id, "message": "This is a test. It is about nobody; answer 2xx."}
    if notice.event == changes.WITHDRAWN:
        return {"subject": notice.subject, "version": notice.version, **notice.data}
    now = changes.current(tenant, tenant.store, service, notice.person, tenant.clock())
    shown = now.shown(notice.subject)
    if shown is None:
        raise Unneeded(deliveries.WITHHELD, "the learner's consent does not hold any more")
    if notice.event == changes.GIVEN:
        return _given(notice)
    if notice.event == "profile.updated":
        return _updated(tenant, notice, {**shown, **_nearest(tenant, now)})
    return _badge(tenant, notice, now)


def _given(notice: Notice) -> dict[str, Any]:
    told = notice.data
    return {
        "subject": notice.subject,
        "version": notice.version,
        **told,
        "given": short_timestamp(told["given"]),
        "expires": short_timestamp(told["expires"]) if told["expires"] is not None else None,
    }


def _updated(tenant: Tenant, notice: Notice, shown: dict[str, Any]) -> dict[str, Any]:
    record = tenant.store.get(changes.KIND, notice.change)
    if record and changes.read(record).updated > notice.version:
        raise Unneeded(deliveries.SUPERSEDED, "a newer profile.updated says it all")
    return {**shown, "version": notice.version}


def _nearest(tenant: Tenant, now: Current) -> dict[str, Any]:
    """The roles in effect today that come nearest to what is held, if the learner agrees to ``gap:read``."""
    if services.GAP not in now.consents:
        return {}
    today = day_of(tenant.clock(), tenant.settings.zone)
    found = roles.labelled(tenant.store, list(islice(roles.everyone(tenant.store), MOST_ROLES)))
    held = now.profile.competencies if now.profile else ()
    return {"nearestRoles": nearest(found, held, today, NEAR)}


def _badge(tenant: Tenant, notice: Notice, now: Current) -> dict[str, Any]:
    reference = notice.about
    if reference.startswith("urn:"):  # queued by a version that stored the badge's own id
        reference = services.badge_reference(tenant, notice.service, reference)
    badge = next((one for one in now.badges.values() if one.reference == reference), None)
    if notice.event == "badge.issued" and (badge is None or badge.state != view.ISSUED):
        raise Unneeded(deliveries.SUPERSEDED, "the badge is not in force any more")
    told = view.badge_shown(badge, now.consents) if badge else {"id": reference}
    state = view.ISSUED if notice.event == "badge.issued" else view.REVOKED
    return {"subject": notice.subject, "version": notice.version, "badge": {**told, "state": state}}
