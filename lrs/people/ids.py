"""The ids of identifiers in one tenant's store. Knows no statement; of persons only the record of an identifier.

An agent gives the *name* of its identifier (``identity.identifier_of``). The name is the same everywhere, and anybody
can compute it from an address. A store keeps the *id*: HMAC-SHA256 of the name under a secret of the tenant, as a UUID
(RFC 9562, version 8). Up to 0.2.0 a store kept names. Until all are renamed (``lrs.composition.renaming``) it has both.
A tenant without a root key (a store of 0.2.0 that is only read) has names alone.
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
"""The kind and id of the record that owes the step. It exists as long as an identifier still has a name instead of an
id.
"""
Ids = Callable[[str], str]
"""From the name of an identifier to its id. An id is returned as it is."""

PURPOSE = "identifier-ids"
_DONE = " ".join((*RENAMING, "done"))
_LENGTH = 36
_VERSION = 14
"""The index of the version in the text of a UUID."""


def ids_of(tenant: Tenant) -> Ids:
    """The function that gives the ids of identifiers in the store of *tenant*."""
    return keyed_with(tenant.secret(PURPOSE)) if tenant.secrets.has_root else str


def keyed_with(secret: bytes) -> Ids:
    """Ids that can only be computed with *secret*."""
    return partial(_keyed, secret)


def is_renamed(tenant: Tenant) -> bool:
    """Whether the identifiers in the store of *tenant* all have ids, or all have names."""
    if _DONE not in tenant.seen:
        if tenant.store.get(*RENAMING) is not None:
            return False
        tenant.seen.learn([_DONE])
    return True


def check_renamed(tenant: Tenant) -> None:
    """Raises ``Refused`` (409) unless ``is_renamed``.

    Until then the meanings of statements cannot be compared with what is stored.
    """
    if not is_renamed(tenant):
        message = "the identifiers of an earlier version are still being renamed; let lrs work finish first"
        raise Refused(message, status=409, error="busy")


def is_name(id: str) -> bool:
    """Whether *id* is the name of an identifier, a UUID of version 5, and not an id."""
    return len(id) == _LENGTH and id[_VERSION] == "5"


def identified(agent: Any, ids: Ids) -> Identifier | None:
    """The identifier, with its id, of an xAPI Agent as received. ``None`` as in ``identifier_of``."""
    found = identifier_of(agent)
    return Identifier(ids(found.id), found.ifi, found.sort) if found else None


def record_of(reader: Reader, name: str, ids: Ids) -> Record | None:
    """The ``identifier`` record for a name or an id, whether it was renamed or not."""
    return reader.get("identifier", ids(name)) or (reader.get("identifier", name) if is_name(name) else None)


def _keyed(secret: bytes, name: str) -> str:
    return _id(secret, name) if is_name(name) else name


@lru_cache(maxsize=8_192)
def _id(secret: bytes, name: str) -> str:
    digest = hmac.digest(secret, name.encode(), "sha256")
    return str(uuid.UUID(int=(int.from_bytes(digest[:16]) & ~(0xF000 << 64) & ~(0xC000 << 48)) | 8 << 76 | 2 << 62))
