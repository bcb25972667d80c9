"""What an operator does with services: register, give new secrets, tell all once more. Knows no command line.

A client secret is made here and returned once; the store keeps a keyed hash of it.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from lrs.kernel import outbound
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.matching import consent, services
from lrs.matching.services import Service
from lrs.storage import ROWS, Owed, Tx, pages
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Registered:
    """A new service and the secrets to hand over; the client secret is not kept anywhere."""

    service: Service
    client_secret: str
    webhook_secret: str


def register(
    tenant: Tenant, name: str, *, webhook: str | None, scopes: Sequence[str], purpose: str, by: str
) -> Registered:
    """Keeps a new service. Raises ``Refused``: name taken, unknown scope, no purpose, or a webhook we may not call."""
    if not purpose.strip():
        raise Refused("say what the service uses the data for (--purpose): the learner is asked exactly that")
    if webhook is not None:
        _check_webhook(tenant, webhook)
    client_secret = secrets.token_urlsafe(32)
    service = Service(
        id=services.service_id(name),
        name=name.strip(),
        purpose=purpose.strip(),
        scopes=services.checked_scopes(tuple(scopes)),
        salt=secrets.token_hex(8),
        secret=services.hash_secret(tenant, client_secret),
        webhook=webhook,
    )

    def keep(tx: Tx) -> None:
        services.add(tx, service)
        audit.append(tx, by, "service.added", {"service": service.id})

    tenant.store.write(keep).result()
    return Registered(service, client_secret, services.webhook_secret(tenant, service))


def rotate(tenant: Tenant, id: str, *, by: str) -> Registered:
    """Gives the service new secrets in the place of both; its tokens end, and what is sent from now on is signed anew.

    Raises ``Refused`` (404).
    """
    client_secret = secrets.token_urlsafe(32)
    fresh = {"salt": secrets.token_hex(8), "secret": services.hash_secret(tenant, client_secret)}

    def renew(tx: Tx) -> Service:
        audit.append(tx, by, "service.rotated", {"service": id})
        return services.change(tx, id, lambda service: msgspec.structs.replace(service, **fresh))

    service = tenant.store.write(renew).result()
    return Registered(service, client_secret, services.webhook_secret(tenant, service))


def resync(tenant: Tenant, id: str, *, by: str) -> int:
    """Makes the service active and owes it everything its learners agreed to, once more; the number of consents."""

    def renew(tx: Tx) -> Service:
        audit.append(tx, by, "service.resynced", {"service": id})
        return services.change(tx, id, _renewed)

    tenant.store.write(renew).result()
    owing = [record.id for record in pages(tenant.store, consent.KIND, key("service", id))]
    for at in range(0, len(owing), _BATCH):
        batch = owing[at : at + _BATCH]
        tenant.store.write(functools.partial(_owe, ids=batch), weight=ROWS * len(batch)).result()
    return len(owing)


def _check_webhook(tenant: Tenant, url: str) -> None:
    """An address that does not answer today may tomorrow; one that we may not call is refused at once."""
    try:
        outbound.check(url, tenant.settings)
    except outbound.Blocked as blocked:
        raise Refused(f"the webhook cannot be used: {blocked}", error="bad_webhook") from blocked
    except outbound.Unreachable:
        return


def _renewed(service: Service) -> Service:
    return msgspec.structs.replace(service, state="active", reason=None, generation=service.generation + 1)


def _owe(tx: Tx, ids: Sequence[str]) -> None:
    for id in tx.get_many(consent.KIND, ids):
        tx.owe(consent.KIND, id, Owed(consent.STEP))
