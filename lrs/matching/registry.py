"""What an operator does with services: register them, give new secrets, send everything again. Knows no command line.

A client secret is made here and returned once; the store has only a keyed hash of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from lrs.kernel.contacts import checked_contact, checked_page
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.times import DAY, HOUR
from lrs.matching import notices, services
from lrs.matching.consent import consent
from lrs.matching.purposes import checked_purpose
from lrs.matching.resync import begin
from lrs.matching.services import FormerSecrets, Service
from lrs.outbox.destinations import check_address
from lrs.storage import Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

MOST_OVERLAP = 7 * DAY
"""The longest time in microseconds for which former secrets may stay valid beside new ones."""


EMPLOYERS_PURPOSE = "To see which skills you hold, at which level and until when, as your employer"


class Registered(msgspec.Struct, frozen=True):
    """A new service and its secrets. The client secret is stored nowhere."""

    service: Service
    client_secret: str
    webhook_secret: str


class AboutService(msgspec.Struct, frozen=True):
    """What learners are told of a service, in addition to name and purpose. ``None`` keeps the present value."""

    contact: str | None = None
    privacy_notice: str | None = None
    return_urls: tuple[str, ...] | None = None

    def checked(self) -> dict[str, Any]:
        """The given values by the names of ``Service``. Raises ``Refused``."""
        found: dict[str, Any] = {}
        if self.contact is not None:
            found["contact"] = checked_contact(self.contact)
        if self.privacy_notice is not None:
            found["privacy_notice"] = checked_page(self.privacy_notice, "privacy notice")
        if self.return_urls is not None:
            found["return_urls"] = tuple(checked_page(url, "return address") for url in self.return_urls)
        return found


def register(
    tenant: Tenant,
    name: str,
    *,
    webhook: str | None,
    scopes: Sequence[str],
    purpose: str,
    by: str,
    told: AboutService = AboutService(),  # noqa: B008 (a frozen value)
    employer: bool = False,
) -> Registered:
    """Stores a new service.

    Raises ``Refused``: the name is taken, a scope is unknown, the purpose says nothing, or an address cannot be used.
    """
    client_secret, name = secrets.token_urlsafe(32), " ".join(name.split())
    service = Service(
        id=services.service_id(name),
        name=name,
        purpose=purpose,
        scopes=services.checked_scopes(tuple(scopes)),
        salt=secrets.token_hex(8),
        secret=services.hash_secret(tenant, client_secret),
        webhook=webhook,
        employer=employer,
        **told.checked(),
    )
    if webhook is not None:
        check_address(tenant, webhook, "webhook")
    service = msgspec.structs.replace(service, purpose=checked_purpose(purpose, name))

    def keep(tx: Tx) -> None:
        services.add(tx, service)
        audit.append(tx, by, "service.added", {"service": service.id})

    tenant.store.write(keep).result()
    return Registered(service, client_secret, services.webhook_secret(tenant, service))


def add_employer(tenant: Tenant, name: str, told: AboutService, *, by: str) -> Service:
    """Stores a new employer called *name*. Nobody gets its secrets: it looks at a page. Raises ``Refused``."""
    scopes, purpose = (services.PROFILES,), EMPLOYERS_PURPOSE
    made = register(tenant, name, webhook=None, scopes=scopes, purpose=purpose, by=by, told=told, employer=True)
    return made.service


def tell(tenant: Tenant, id: str, told: AboutService, *, by: str) -> Service:
    """Changes what learners are told of the service. Raises ``Refused`` (400, 404)."""
    changed = told.checked()
    if not changed:
        raise Refused("nothing to change: name at least one of --webhook, --contact, --privacy-notice and --return-url")

    def decide(tx: Tx) -> Service:
        audit.append(tx, by, "service.set", {"service": id, "set": " ".join(sorted(changed))})
        return services.change(tx, id, lambda service: msgspec.structs.replace(service, **changed))

    return tenant.store.write(decide).result()


def redirect(tenant: Tenant, id: str, webhook: str, *, by: str) -> Service:
    """Sends the events of the service to *webhook* from now on, also those that wait. Raises ``Refused``."""
    check_address(tenant, webhook, "webhook")

    def decide(tx: Tx) -> Service:
        if services.wanted(tx, id).employer:
            raise Refused("an employer is sent nothing: it looks at its page", status=409, error="is_employer")
        audit.append(tx, by, "service.set", {"service": id, "set": "webhook"})
        return services.change(tx, id, lambda service: msgspec.structs.replace(service, webhook=webhook))

    return tenant.store.write(decide).result()


def rotate(tenant: Tenant, id: str, *, by: str, overlap: int = 0) -> Registered:
    """Gives the service new secrets.

    For *overlap* microseconds the former secrets, and tokens that were issued for them, stay valid, and each message is
    signed with both. Without an overlap they end at once. Raises ``Refused`` (400, 404).
    """
    if services.wanted(tenant.store, id).employer:
        raise Refused("an employer has no secrets: it looks at its page", status=409, error="is_employer")
    if not 0 <= overlap <= MOST_OVERLAP:
        raise Refused(f"the former secrets can go on for at most {MOST_OVERLAP // HOUR} hours")
    client_secret = secrets.token_urlsafe(32)
    salt, secret = secrets.token_hex(8), services.hash_secret(tenant, client_secret)
    until = tenant.clock() + overlap

    def renew(tx: Tx) -> Service:
        audit.append(tx, by, "service.rotated", {"service": id, "overlap": f"{overlap // HOUR} h"})
        return services.change(tx, id, renewed)

    def renewed(service: Service) -> Service:
        former = FormerSecrets(service.salt, service.secret, until) if overlap else None
        return msgspec.structs.replace(service, salt=salt, secret=secret, former=former)

    service = tenant.store.write(renew).result()
    return Registered(service, client_secret, services.webhook_secret(tenant, service))


def send_test(tenant: Tenant, id: str, *, by: str) -> str:
    """Queues a test event for the service, as any other event. Gives the id of the delivery.

    Raises ``Refused``: 404 if there is no such service, 409 if nothing is sent to it.
    """

    def decide(tx: Tx) -> str:
        service = services.wanted(tx, id)
        if service.webhook is None:
            message = f"the service {id} has no webhook, so no event can be sent to it"
            raise Refused(message, status=409, error="no_webhook")
        if not service.active:
            message = (
                f"the service {id} is {service.state} ({service.reason}), so nothing is sent: lrs services resync {id}"
            )
            raise Refused(message, status=409, error="service_stopped")
        audit.append(tx, by, "service.tested", {"service": id})
        return notices.queue_test(tx, id, tenant.clock())

    return tenant.store.write(decide).result()


def resync(tenant: Tenant, id: str, *, by: str, only_refused: bool = False) -> int:
    """Makes the service active and owes it everything its learners agreed to, once more; the number of consents.

    With *only_refused*, only if its own receiver stopped it. Raises ``Refused``: 403, 404, and 409 where nothing would
    be done: it is active, and there is nothing to tell it.
    """
    agreed = tenant.store.count(consent.KIND, [key("service", id)])

    def renew(tx: Tx) -> Service:
        service = services.wanted(tx, id)
        if only_refused:
            services.check_refused(service)
        told = agreed if service.webhook else 0
        if service.active and not told:
            why = "no learner agreed to show it anything" if service.webhook else "it has no webhook"
            raise Refused(
                f"the service {id} is active already, and is told nothing: {why}", status=409, error="nothing_to_tell"
            )
        audit.append(tx, by, "service.resynced", {"service": id})
        begin(tx, id)
        return services.change(tx, id, _renewed)

    service = tenant.store.write(renew).result()
    return agreed if service.webhook else 0


def _renewed(service: Service) -> Service:
    fresh = {"state": "active", "reason": None, "is_refused": False, "generation": service.generation + 1}
    return msgspec.structs.replace(service, **fresh)
