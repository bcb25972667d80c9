"""Matching services: which exist, what they may ask for, and the secrets shared with each. Knows no person's data.

Only an operator registers a service. Its client secret is stored as a keyed hash. Its webhook secret is not stored: it
is derived from the tenant's key and the service's salt, so a copied database cannot sign anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import hidden_character
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "service"
PROFILES = "profiles:read"
EVIDENCE = "profiles:read.evidence"
BADGES = "badges:read"
ROLES = "roles:read"
GAP = "gap:read"
OUTCOMES = "outcomes:write"
SCOPES = (PROFILES, EVIDENCE, BADGES, ROLES, GAP, OUTCOMES)
CONSENTED = (PROFILES, EVIDENCE, BADGES, GAP, OUTCOMES)
"""The scopes that are about a person, so that each needs that person's consent."""

_NONE = "0" * 64
_NOT_IN_ID = re.compile(r"[^a-z0-9]+")


class FormerSecrets(msgspec.Struct, frozen=True):
    """The former secrets, which are valid beside the new ones *until* then (microseconds UTC)."""

    salt: str
    secret: str
    until: int


class Service(msgspec.Struct, frozen=True):
    """A registered service.

    ``id`` is also its OAuth client id; ``generation`` counts how often everything was sent again.

    ``is_refused`` says that its own receiver stopped it (401, 403, 410), and nobody here. Learners are shown its
    ``contact`` and ``privacy_notice``, and return only to one of ``return_urls``. An *employer* looks at a page here,
    at skills alone, and neither asks nor is sent anything (``lrs.matching.employers``).
    """

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
    contact: str = ""
    privacy_notice: str = ""
    return_urls: tuple[str, ...] = ()
    former: FormerSecrets | None = None
    is_refused: bool = False
    employer: bool = False
    v: int = 1

    @property
    def active(self) -> bool:
        """Whether it may be told something and may ask."""
        return self.state == "active"

    @property
    def asks_learners(self) -> bool:
        """Whether a learner can be asked to let it see something."""
        return self.active and PROFILES in self.scopes

    def salts(self, now: int) -> tuple[str, ...]:
        """The salts of its valid secrets and tokens at *now*, newest first."""
        return (self.salt, self.former.salt) if self.former and now < self.former.until else (self.salt,)


LONGEST_NAME = 200


def service_id(name: str) -> str:
    """The id of a service with this *name*. Raises ``Refused`` if that is no short line with a letter or a digit."""
    if len(name) > LONGEST_NAME:
        raise Refused(f"a service's name has at most {LONGEST_NAME} characters: learners read it", error="bad_name")
    made = _NOT_IN_ID.sub("-", name.lower()).strip("-")[:40].strip("-")
    if not made:
        raise Refused("a service's name needs at least one letter or digit", error="bad_name")
    if hidden := hidden_character(name):
        raise Refused(f"the name has {hidden} in it, which nobody sees: type it anew", error="bad_name")
    return made


def checked_scopes(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """*scopes* without repetition, in our order. Raises ``Refused`` for an unknown one."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise Refused(f"unknown scope {unknown[0]}; there are {', '.join(SCOPES)}", error="invalid_scope")
    return tuple(scope for scope in SCOPES if scope in scopes)


def scopes_asked(service: Service, scopes: tuple[str, ...]) -> tuple[str, ...]:
    """*scopes*, or by default all that *service* has and a learner can give. Raises ``Refused``."""
    offered = tuple(scope for scope in CONSENTED if scope in service.scopes)
    asked = checked_scopes(scopes) or offered
    if not asked or not set(asked) <= set(offered):
        raise Refused(f"this service can ask a learner for: {', '.join(offered) or 'nothing'}", error="invalid_scope")
    if PROFILES not in asked:
        raise Refused(f"every consent includes {PROFILES}", error="invalid_scope")
    return asked


def hash_secret(tenant: Tenant, secret: str) -> str:
    """The keyed hash of a client *secret* (256 random bits), as it is stored."""
    return hmac.new(tenant.secret("client-secret"), secret.encode(), hashlib.sha256).hexdigest()


def webhook_secret(tenant: Tenant, service: Service, salt: str = "") -> str:
    """The secret that signs messages to this service: ``whsec_`` and 32 bytes in base64 (Standard Webhooks).

    *salt* is one of ``Service.salts``; by default the newest.
    """
    seed = msgspec.json.encode([service.id, salt or service.salt])
    return "whsec_" + base64.b64encode(hmac.digest(tenant.secret("webhook"), seed, hashlib.sha256)).decode()


def pairwise(tenant: Tenant, service: str, person: str) -> str:
    """The name of *person* for *service* alone. Two services cannot join their names, and nobody can reverse one."""
    seed = msgspec.json.encode([service, person])
    return hmac.digest(tenant.secret("pairwise"), seed, hashlib.sha256)[:16].hex()


def badge_reference(tenant: Tenant, service: str, badge: str) -> str:
    """The name of *badge* for *service* alone. With the badge's own id two services could join a learner's names."""
    seed = msgspec.json.encode([service, "badge", badge])
    return hmac.digest(tenant.secret("pairwise"), seed, hashlib.sha256)[:16].hex()


def add(tx: Tx, service: Service) -> Service:
    """Stores a new *service*. Raises ``Refused`` (409) if its id is taken."""
    if tx.get(KIND, service.id):
        raise Refused(f"a service {service.id} exists already", status=409, error="service_exists")
    tx.insert(Record(kind=KIND, id=service.id, body=msgspec.json.encode(service)))
    return service


def get(reader: Reader, id: str) -> Service | None:
    """The service with this *id*, in any state."""
    record = reader.get(KIND, id)
    return msgspec.json.decode(record.body, type=Service) if record else None


def wanted(reader: Reader, id: str) -> Service:
    """The service with this *id*. Raises ``Refused`` (404)."""
    service = get(reader, id)
    if service is None:
        raise Refused(f"there is no service {id}", status=404, error="service_unknown")
    return service


def meant(reader: Reader, said: str) -> Service:
    """The service that somebody means by its client id or its name, in small or capital letters. ``Refused`` (404)."""
    there = (one for one in everyone(reader) if said.casefold() in {one.id, one.name.casefold()})
    return get(reader, said) or next(there, None) or wanted(reader, said)


def named(reader: Reader, ids: Iterable[str]) -> dict[str, Service]:
    """The services of *ids* that exist, by id."""
    found = reader.get_many(KIND, ids)
    return {id: msgspec.json.decode(record.body, type=Service) for id, record in found.items()}


def everyone(reader: Reader) -> Iterator[Service]:
    """All services, in the order they were registered."""
    for record in each(reader, KIND):
        yield msgspec.json.decode(record.body, type=Service)


def change(tx: Tx, id: str, changed: Callable[[Service], Service]) -> Service:
    """Replaces the service by ``changed(service)``. Raises ``Refused`` (404)."""
    record = tx.get(KIND, id)
    if record is None:
        raise Refused(f"there is no service {id}", status=404, error="service_unknown")
    service = changed(msgspec.json.decode(record.body, type=Service))
    tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(service), owed=()))
    return service


def disable(tx: Tx, id: str, reason: str, *, by: str) -> Service:
    """Disables the service: from the commit on it is sent nothing, and its tokens are refused."""
    return _stop(tx, id, by, state="disabled", reason=reason, is_refused=False)


def refuse(tx: Tx, id: str, reason: str, *, state: str) -> None:
    """Stops the service in this *state*, because its own receiver refused a message.

    A service that is stopped already stays as it is. Otherwise a late answer would hide that somebody here disabled it.
    """
    service = get(tx, id)
    if service and service.active:
        _stop(tx, id, f"service {id}", state=state, reason=reason, is_refused=True)


def _stop(tx: Tx, id: str, by: str, *, state: str, reason: str, is_refused: bool) -> Service:
    audit.append(tx, by, f"service.{state}", {"service": id})
    stopped = {"state": state, "reason": reason, "is_refused": is_refused}
    return change(tx, id, lambda service: msgspec.structs.replace(service, **stopped))


def check_refused(service: Service) -> None:
    """Refuses a *service* that its own receiver did not stop: 409 if it is active, 403 if somebody here disabled it."""
    if service.active:
        raise Refused("The service is active already.", status=409, error="service_active")
    if not service.is_refused:
        message = "The service was disabled here: ask an administrator to make it active again."
        raise Refused(message, status=403, error="forbidden")


def authenticate(tenant: Tenant, id: str, secret: str) -> Service | None:
    """The active service with this client id and secret. An unknown id takes as long as a wrong secret."""
    service = get(tenant.store, id)
    former = service.former if service and service.former and tenant.clock() < service.former.until else None
    kept = (service.secret if service else _NONE, former.secret if former else _NONE)
    hashed = hash_secret(tenant, secret).encode()
    matches = [hmac.compare_digest(one.encode(), hashed) for one in kept]
    return service if service and any(matches) and service.active and not service.employer else None


KINDS = (Kind(KIND, "fact", Service, 1, subjects=None, retention="configuration", exported=True),)
