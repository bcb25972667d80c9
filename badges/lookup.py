"""Finds DID documents and status lists for a verifier: our own in the store, others by guarded outbound calls.

Knows nothing of signatures. ``Outbound`` is ``lrs.kernel.outbound.fetch`` bound to the settings, or ``None`` to stay
offline.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from badges.issuer import did_url, issuer_of
from badges.verifying.verdict import Invalid, Unavailable
from badges.verifying.verification import MAX_LIST, Fetch, Resolve, read
from lrs.kernel.outbound import Blocked, Unreachable
from lrs.storage import each
from lrs.tenancy.tenants import Tenant

Outbound = Callable[[str], bytes]


def resolver(tenant: Tenant, outbound: Outbound | None) -> Resolve:
    """Gives DID documents of did:web issuers. *tenant*'s own is not fetched."""
    own = issuer_of(tenant)

    def resolve(did: str) -> Mapping[str, Any]:
        if did == own.id:
            return own.did_document()
        try:
            return read(_get(did_url(did), outbound), MAX_LIST)
        except (Invalid, ValueError) as error:
            raise Unavailable(f"no DID document of {did}: {error}") from error

    return resolve


def status_lists(tenant: Tenant, outbound: Outbound | None) -> Fetch:
    """Gives status list credentials. *tenant*'s own come from its store, also those of a former address."""

    def fetch(url: str) -> bytes:
        for record in each(tenant.store, "status-list"):
            if json.loads(record.body)["id"] == url:
                return record.body
        return _get(url, outbound)

    return fetch


def _get(url: str, outbound: Outbound | None) -> bytes:
    if outbound is None:
        raise Unavailable(f"{url} was not asked for: offline")
    try:
        return outbound(url)
    except (Blocked, Unreachable) as error:
        raise Unavailable(f"{url}: {error}") from error
