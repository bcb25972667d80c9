"""Matching services: which exist, what they may ask for, and the secrets shared with each. Knows no person's data.

A service is registered by an operator, never by itself. Its client secret is kept as a keyed hash; its webhook secret
is not kept at all but derived from the tenant's key and the service's salt, so a copied database signs nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator

import msgspec

from lrs.kernel.errors import Refused
from lrs.storage import Reader, Record, Tx, pages
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "service"
PROFILES = "profiles:read"
EVIDENCE = "profiles:read.evidence"
BADGES = "badges:read"
ROLES = "roles:read"
GAP = "gap:read"
SCOPES = (PROFILES, EVIDENCE, BADGES, ROLES, GAP)
CONSENTED = (PROFILES, EVIDENCE, BADGES, GAP)
"""The scopes that touch a person, so that each needs that person's consent."""

_NOT_IN_ID = re.compile(r"[^a-z0-9]+")


class Service(msgspec.Struct, frozen=True):
    """A registered service. ``id`` is also its OAuth client id; ``generation`` counts how often all was sent again."""

    id: str
    name: str
    purpose: str
    scopes: tuple[str, ...]
    salt: str
    secret: str
    webhook: str | None = None
    state: str = "active"
    reason: str | None = None
    generation: int = 0
    v: int = 1

    @property
    def active(self) -> bool:
        """Whether it may be told anything, and may ask."""
        return self.state == "active"


def service_id(name: str) -> str:
    """The id a service of this *name* has. Raises ``Refused`` if nothing is left of it."""
    made = _NOT_IN_ID.sub("-", name.lower()).strip("-")[:40].strip("-")
    if not made:
        raise Refused("a service's name needs at least one letter or digit", error="bad_name")
    return made


def checked_scopes(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """*scopes* without repetition, in our order. Raises ``Refused`` for one that does not exist."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise Refused(f"unknown scope {unknown[0]}; there are {', '.join(SCOPES)}", error="invalid_scope")
    return tuple(scope for scope in SCOPES if scope in scopes)


def hash_secret(tenant: Tenant, secret: str) -> str:
    """The keyed hash under which a client *secret* (256 random bits) is kept."""
    return hmac.new(tenant.secret("client-secret"), secret.encode(), hashlib.sha256).hexdigest()


def webhook_secret(tenant: Tenant, service: Service) -> str:
    """The secret that signs what this service is sent: ``whsec_`` and 32 bytes in base64 (Standard Webhooks)."""
    seed = msgspec.json.encode([service.id, service.salt])
    return "whsec_" + base64.b64encode(hmac.digest(tenant.secret("webhook"), seed, hashlib.sha256)).decode()


def pairwise(tenant: Tenant, service: str, person: str) -> str:
    """The name *person* has towards *service* alone: two services cannot join theirs, nobody can reverse it."""
    seed = msgspec.json.encode([service, person])
    return hmac.digest(tenant.secret("pairwise"), seed, hashlib.sha256)[:16].hex()


def badge_reference(tenant: Tenant, service: str, badge: str) -> str:
    """The name that the badge of the id *badge* has towards *service* alone; its own id would join a learner's two."""
    seed = msgspec.json.encode([service, "badge", badge])
    return hmac.digest(tenant.secret("pairwise"), seed, hashlib.sha256)[:16].hex()


def add(tx: Tx, service: Service) -> Service:
    """Keeps a new *service*. Raises ``Refused`` (409) if its id is taken."""
    if tx.get(KIND, service.id):
        raise Refused(f"a service {service.id} exists already", status=409, error="service_exists")
    tx.insert(Record(kind=KIND, id=service.id, body=msgspec.json.encode(service)))
    return service


def get(reader: Reader, id: str) -> Service | None:
    """The service with this *id*, in whatever state."""
    record = reader.get(KIND, id)
    return msgspec.json.decode(record.body, type=Service) if record else None


def wanted(reader: Reader, id: str) -> Service:
    """The service with this *id*. Raises ``Refused`` (404)."""
    service = get(reader, id)
    if service is None:
        raise Refused(f"there is no service {id}", status=404, error="service_unknown")
    return service


def everyone(reader: Reader) -> Iterator[Service]:
    """All services, in the order they were registered."""
    for record in pages(reader, KIND):
        yield msgspec.json.decode(record.body, type=Service)


def change(tx: Tx, id: str, changed: Callable[[Service], Service]) -> Service:
    """Puts ``changed(service)`` in its place. Raises ``Refused`` (404)."""
    record = tx.get(KIND, id)
    if record is None:
        raise Refused(f"there is no service {id}", status=404, error="service_unknown")
    service = changed(msgspec.json.decode(record.body, type=Service))
    tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(service), owed=()))
    return service


def disable(tx: Tx, id: str, reason: str, *, by: str) -> Service:
    """From the commit on, the service is sent nothing and its tokens open nothing."""
    audit.append(tx, by, "service.disabled", {"service": id})
    return change(tx, id, lambda service: msgspec.structs.replace(service, state="disabled", reason=reason))


def authenticate(tenant: Tenant, id: str, secret: str) -> Service | None:
    """The active service with this client id and secret; an unknown id takes as long as a wrong secret."""
    service = get(tenant.store, id)
    kept = service.secret if service else "0" * 64
    matches = hmac.compare_digest(kept.encode(), hash_secret(tenant, secret).encode())
    return service if service and matches and service.active else None


KINDS = (Kind(KIND, "fact", Service, 1, subjects=None, retention="configuration", exported=True),)
