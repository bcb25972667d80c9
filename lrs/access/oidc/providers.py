"""Sign-in providers of a tenant: added, listed, removed. The secret is kept hidden. Knows no call.

Records: ``oidc-provider`` (id: the name by which it stands in addresses).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from lrs.access.roles import Granted
from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, hide, reveal
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "oidc-provider"
RETURN = "/sign-in/return"
"""The address that is entered at a provider, behind that of the tenant's pages."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
Audience = Literal["staff", "learners", "both"]


class Provider(msgspec.Struct, frozen=True):
    """A provider. *issuer* is exactly what it calls itself; *audience* is who signs in there.

    *groups* are the roles of whoever is in a group of that name, by the claim *groups_claim*. Its endpoints may be on
    the issuer's host and on *hosts*. *secret* is hidden; a public client has none.
    """

    name: str
    label: str
    issuer: str
    client_id: str
    created: int
    secret: str | None = None
    audience: Audience = "staff"
    groups_claim: str = "groups"
    groups: tuple[tuple[str, tuple[Granted, ...]], ...] = ()
    hosts: tuple[str, ...] = ()
    v: int = 1

    def is_for(self, audience: str) -> bool:
        """Whether *audience* (``staff`` or ``learners``) signs in there."""
        return self.audience in {audience, "both"}

    def roles_of(self, groups: Iterable[str]) -> tuple[Granted, ...]:
        """The roles of somebody in these *groups*."""
        told = set(groups)
        return tuple(dict.fromkeys(role for name, roles in self.groups if name in told for role in roles))


_decoder = msgspec.json.Decoder(Provider)


def add(tenant: Tenant, wanted: Provider, secret: str | None, *, by: str) -> None:
    """Adds a provider, or changes the one of its name. Raises ``Refused`` (400)."""
    if not _NAME.fullmatch(wanted.name):
        raise Refused(f"provider {wanted.name!r}: use 1 to 40 lower-case letters, digits and hyphens")
    check_issuer(wanted.issuer)
    if not wanted.client_id or not wanted.label.strip():
        raise Refused("a provider needs a client id and a label")
    kept = msgspec.structs.replace(wanted, secret=hide(_key(tenant), (wanted.name, secret)) if secret else None)

    def decide(tx: Tx) -> None:
        tx.put(Record(KIND, wanted.name, msgspec.json.encode(kept)))
        audit.append(tx, by, "oidc-provider.set", {"provider": wanted.name, "issuer": wanted.issuer})

    tenant.store.write(decide).result()


def remove(tenant: Tenant, name: str, *, by: str) -> bool:
    """Removes a provider: nobody signs in there any more. ``False`` if there is none of this name."""

    def decide(tx: Tx) -> bool:
        if not tx.delete(KIND, name):
            return False
        audit.append(tx, by, "oidc-provider.removed", {"provider": name})
        return True

    return tenant.store.write(decide).result()


def everyone(reader: Reader) -> list[Provider]:
    """All providers, oldest first."""
    return [_decoder.decode(record.body) for record in each(reader, KIND)]


def provider(reader: Reader, name: str) -> Provider:
    """The provider of this *name*. Raises ``Refused`` (404)."""
    record = reader.get(KIND, name)
    if record is None:
        raise Refused("There is no sign-in of this name.", status=404, error="not_found")
    return _decoder.decode(record.body)


def secret_of(tenant: Tenant, found: Provider) -> str | None:
    """The client secret; ``None`` for a public client. Raises ``Refused`` (503) if it cannot be read."""
    if found.secret is None:
        return None
    try:
        name, secret = reveal(_key(tenant), found.secret, tuple[str, str])
    except NotOurs:
        name, secret = "", ""
    if name != found.name:
        message = f"The secret of {found.label} was kept by another installation: set it again with lrs oidc add."
        raise Refused(message, status=503, error="unavailable")
    return secret


def check_issuer(issuer: str) -> None:
    """Raises ``Refused`` unless *issuer* can be one (OpenID Connect Discovery 3: no query, no fragment)."""
    try:
        web_address(issuer)
    except ValueError as error:
        raise Refused(f"the issuer {issuer!r} is no address: {error}") from error
    if {"?", "#"} & set(issuer):
        raise Refused("an issuer has no query and no fragment: copy it as the provider shows it")


def _key(tenant: Tenant) -> bytes:
    return tenant.secret("oidc-provider")


KINDS = (Kind(KIND, "fact", Provider, 1, subjects=None, retention="configuration", exported=False),)
"""Providers are not exported: what hides their secrets is this installation's own."""
