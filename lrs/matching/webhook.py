"""The channel ``webhook``: tells a matching service of an event, signed by Standard Webhooks.

Source: Standard Webhooks, "Signature scheme". Any answer but 2xx and 410 is tried again on the schedule: a service that
was given new secrets may refuse until it knows them.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lrs.kernel import outbound
from lrs.kernel.settings import Settings
from lrs.matching import notices, services
from lrs.matching.notices import CHANNEL, Notice
from lrs.matching.payload import payload
from lrs.matching.services import Service
from lrs.outbox.channel import Destination, Message, Outcome, Undeliverable, outcome_of
from lrs.storage import Record, Tx
from lrs.tenancy.tenants import Tenant

_SECOND = 1_000_000
_UNREADABLE = Notice("?", "?", "?", "?", 0)


def compose(tenant: Tenant, record: Record) -> Message:
    """The signed event of *record*. See ``Channel.compose``."""
    notice = notices.read(record)
    service = services.get(tenant.store, notice.service)
    if service is None or service.webhook is None:
        raise Undeliverable("the service is not registered for deliveries")
    if not service.active:
        raise Undeliverable(f"the service is disabled: {service.reason}")
    body = payload(tenant, service, record)
    send = functools.partial(_post, service.webhook, body, _headers(tenant, service, record.id, body))
    return Message(service.id, send)


def stop(tx: Tx, to: str, outcome: Outcome) -> str:
    """Disables the service. See ``Channel.stop``."""
    services.disable(tx, to, outcome.reason, by=f"service {to}")
    return f"the service is disabled: {outcome.reason}"


def destinations(tenant: Tenant) -> Iterator[Destination]:
    """The services that have a webhook."""
    for service in services.everyone(tenant.store):
        if service.webhook is not None:
            yield Destination(CHANNEL, service.id, service.state, service.reason)


def about(record: Record) -> Mapping[str, Any]:
    """The service, the event, and the learner as this service alone knows them."""
    try:
        notice = notices.read(record)
    except msgspec.MsgspecError:
        notice = _UNREADABLE
    return {
        "to": notice.service,
        "what": notice.event,
        "service": notice.service,
        "event": notice.event,
        "subject": notice.subject,
        "version": notice.version,
    }


def sign(secret: str, id: str, seconds: int, body: bytes) -> str:
    """The ``webhook-signature`` of *body* (Standard Webhooks, symmetric): ``v1,<base64 of HMAC-SHA256>``."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.digest(key, f"{id}.{seconds}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed).decode()


def _headers(tenant: Tenant, service: Service, id: str, body: bytes) -> dict[str, str]:
    seconds = tenant.clock() // _SECOND
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": sign(services.webhook_secret(tenant, service), id, seconds, body),
    }


def _post(url: str, body: bytes, headers: Mapping[str, str], settings: Settings) -> Outcome:
    return outcome_of(outbound.post(url, body, headers, settings))
