"""The ids of identifiers in one tenant's store. Knows no statement, and no person beyond the record of an identifier.

What an agent says gives the *name* of its identifier (``identity.identifier_of``), which is the same everywhere, so
anybody computes it from an address. A store keeps the *id*: HMAC-SHA256 of the name under a secret of the tenant, as a
UUID (RFC 9562, version 8). Up to 0.2.0 a store kept names; until all are renamed (``lrs.renaming``) it has both, and a
tenant without a root key (a store of before that is only read) has names alone.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from lrs.kernel.errors import Refused
from lrs.storage import Reader, Record
from lrs.tenancy import root_keys
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import Identifier, identifier_of

STEP = "rename"
RENAMING = root_keys.RENAMING
"""The kind and id of the record that is there, and owes the step, until no name is left where an id belongs."""
Ids = Callable[[str], str]
"""From the name of an identifier to its id; an id stays what it is."""

PURPOSE = "identifier-ids"
_DONE = " ".join((*RENAMING, "done"))
_VERSION = 14
"""Where in the text of a UUID its version stands."""


def ids_of(tenant: Tenant) -> Ids:
    """What gives the ids of identifiers in the store of *tenant*."""
    return keyed_with(tenant.secret(PURPOSE)) if tenant.secrets.has_root else str


def keyed_with(secret: bytes) -> Ids:
    """Ids that only who has *secret* computes."""
    return partial(_keyed, secret)


def is_renamed(tenant: Tenant) -> bool:
    """Whether all identifiers in the store of *tenant* stand under their ids, or all under their names."""
    if _DONE not in tenant.seen:
        if tenant.store.get(*RENAMING) is not None:
            return False
        tenant.seen.learn([_DONE])
    return True


def check_renamed(tenant: Tenant) -> None:
    """Raises ``Refused`` (409) unless ``is_renamed``: what is read of statements could not be compared."""
    if not is_renamed(tenant):
        message = "the identifiers of an earlier version are still being renamed; let lrs work finish first"
        raise Refused(message, status=409, error="busy")


def is_name(id: str) -> bool:
    """Whether *id* is the name of an identifier, a UUID of version 5, and no id yet."""
    return id[_VERSION : _VERSION + 1] == "5"


def identified(agent: Any, ids: Ids) -> Identifier | None:
    """The identifier of an xAPI Agent as received, with its id; ``None`` as ``identifier_of`` says."""
    found = identifier_of(agent)
    return Identifier(ids(found.id), found.ifi, found.sort) if found else None


def record_of(reader: Reader, name: str, ids: Ids) -> Record | None:
    """The ``identifier`` record of a name or an id, whether or not it was renamed yet."""
    return reader.get("identifier", ids(name)) or (reader.get("identifier", name) if is_name(name) else None)


@lru_cache(maxsize=8_192)
def _keyed(secret: bytes, name: str) -> str:
    if not is_name(name):
        return name
    digest = hmac.digest(secret, name.encode(), "sha256")
    return str(uuid.UUID(int=(int.from_bytes(digest[:16]) & ~(0xF000 << 64) & ~(0xC000 << 48)) | 8 << 76 | 2 << 62))
