"""What an event says, put together at the moment of sending from what holds then. Sends nothing.

Shape: Standard Webhooks, "Payload structure": ``type``, ``timestamp``, ``data``. A learner has no other name in it than
the one this service alone knows.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lrs.matching import changes, deliveries, services, view
from lrs.matching.changes import Current
from lrs.matching.deliveries import Delivery
from lrs.matching.services import Service
from lrs.matching.times import iso
from lrs.storage import Record, micros_of
from lrs.tenancy.tenants import Tenant


class Unneeded(Exception):
    """There is nothing to send any more; ``state`` says what becomes of the delivery, the text why."""

    def __init__(self, state: str, why: str) -> None:
        super().__init__(why)
        self.state = state


def payload(tenant: Tenant, service: Service, record: Record) -> bytes:
    """The body for the delivery in *record*, as far as the learner agrees to it now.

    Raises ``Unneeded``, and ``msgspec.MsgspecError`` if what is to be told cannot be read.
    """
    delivery = deliveries.read(record)
    data = _data(tenant, service, delivery)
    timestamp = iso(micros_of(record.seq))
    return msgspec.json.encode({"type": delivery.event, "timestamp": timestamp, "data": data})


def _data(tenant: Tenant, service: Service, delivery: Delivery) -> dict[str, Any]:
    if delivery.event == changes.WITHDRAWN:
        return {"subject": delivery.subject, "version": delivery.version, **delivery.data}
    now = changes.current(tenant, tenant.store, service, delivery.person, tenant.clock())
    shown = now.shown(delivery.subject)
    if shown is None:
        raise Unneeded(deliveries.WITHHELD, "the learner's consent does not hold any more")
    if delivery.event == changes.GIVEN:
        return _given(delivery)
    if delivery.event == "profile.updated":
        return _updated(tenant, delivery, shown)
    return _badge(tenant, delivery, now)


def _given(delivery: Delivery) -> dict[str, Any]:
    told = delivery.data
    return {
        "subject": delivery.subject,
        "version": delivery.version,
        **told,
        "given": iso(told["given"]),
        "expires": iso(told["expires"]) if told["expires"] is not None else None,
    }


def _updated(tenant: Tenant, delivery: Delivery, shown: dict[str, Any]) -> dict[str, Any]:
    record = tenant.store.get(changes.KIND, f"{delivery.service}:{delivery.subject}")
    if record and changes.read(record).updated > delivery.version:
        raise Unneeded(deliveries.SUPERSEDED, "a newer profile.updated says it all")
    return {**shown, "version": delivery.version}


def _badge(tenant: Tenant, delivery: Delivery, now: Current) -> dict[str, Any]:
    reference = delivery.about
    if reference.startswith("urn:"):  # queued by a version that kept the badge's own id
        reference = services.badge_reference(tenant, delivery.service, reference)
    badge = next((one for one in now.badges.values() if one.reference == reference), None)
    if delivery.event == "badge.issued" and (badge is None or badge.state != view.ISSUED):
        raise Unneeded(deliveries.SUPERSEDED, "the badge is not in force any more")
    told = view.badge_shown(badge, now.consents) if badge else {"id": reference}
    state = view.ISSUED if delivery.event == "badge.issued" else view.REVOKED
    return {"subject": delivery.subject, "version": delivery.version, "badge": {**told, "state": state}}
