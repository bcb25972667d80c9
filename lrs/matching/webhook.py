"""The channel ``webhook``: tells a matching service of an event, signed by Standard Webhooks.

Its destinations are the services that have a webhook. Source: Standard Webhooks, "Signature scheme". Any answer but 2xx
and 410 is tried again on the schedule: a service that was given new secrets may refuse until it knows them.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from lrs.kernel import outbound
from lrs.kernel.settings import Settings
from lrs.kernel.times import SECOND
from lrs.matching import changes, notices, services
from lrs.matching.notices import Notice
from lrs.matching.payload import payload
from lrs.matching.services import Service
from lrs.outbox.channel import UNKNOWN, Channel, Destination, Message, Outcome, name_of, outcome_of, with_name
from lrs.storage import Record, Tx
from lrs.storage.ahead import ReadAhead
from lrs.tenancy.tenants import Tenant

_UNREADABLE = Notice(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, 0)


def compose(tenant: Tenant, record: Record, destination: Destination) -> Message:
    """The signed event of *record*. See ``Channel``."""
    service = services.wanted(tenant.store, destination.id)
    body = payload(tenant, service, record)
    return Message(functools.partial(_post, destination.address, body, _headers(tenant, service, record.id, body)))


def foresee(_: Tenant, ahead: ReadAhead, records: Sequence[Record]) -> None:
    """Reads ahead what ``compose`` will look up for *records*. See ``Channel``."""
    told: list[Notice] = []
    for record in records:
        with suppress(msgspec.MsgspecError):  # ``compose`` raises it again
            told.append(notices.read(record))
    names = {(services.KIND, one.service) for one in told} | {(changes.KIND, one.change) for one in told}
    people = {one.person for one in told if one.person}
    ahead.load([*names, *(("person", id) for id in people)])
    changes.load_current(ahead, people)


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


class _Services:
    """The services that have a webhook, as destinations."""

    def find(self, tenant: Tenant, id: str) -> Destination | None:
        """See ``Destinations.find``."""
        service = services.get(tenant.store, id)
        return _destination(service) if service else None

    def everyone(self, tenant: Tenant) -> Iterator[Destination]:
        """See ``Destinations.everyone``."""
        return filter(None, map(_destination, services.everyone(tenant.store)))

    def stop(self, tx: Tx, id: str, state: str, reason: str) -> None:
        """See ``Destinations.stop``. The tokens of the service end as well."""
        services.refuse(tx, id, reason, state=state)


def sign(secret: str, id: str, seconds: int, body: bytes) -> str:
    """The ``webhook-signature`` of *body* (Standard Webhooks, symmetric): ``v1,<base64 of HMAC-SHA256>``."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.digest(key, f"{id}.{seconds}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed).decode()


def _destination(service: Service) -> Destination | None:
    if service.webhook is None:
        return None
    named = with_name(service.name)
    return Destination(notices.CHANNEL, service.id, service.webhook, service.state, service.reason, options=named)


def _headers(tenant: Tenant, service: Service, id: str, body: bytes) -> dict[str, str]:
    now = tenant.clock()
    seconds = now // SECOND
    signed = [sign(services.webhook_secret(tenant, service, salt), id, seconds, body) for salt in service.salts(now)]
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signed),
    }


def _post(url: str, body: bytes, headers: Mapping[str, str], settings: Settings) -> Outcome:
    return outcome_of(outbound.post_again(url, body, headers, settings))


CHANNEL = Channel(
    notices.CHANNEL,
    compose,
    about,
    foresee=foresee,
    own=_Services(),
    resume="lrs services resync {id}",
    called=name_of,
)
