"""Finds DID documents, keys and status lists for a verifier: our own in the store, others by guarded outbound calls.

Knows nothing of signatures. ``Outbound`` is a guarded call bound to the settings, or ``None`` to stay offline.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from badges.forms.sd_jwt import issuer_address
from badges.keys.issuer import did_url, issuer_of
from badges.verifying.sd_jwt import metadata_url
from badges.verifying.verdict import Invalid, Unavailable
from badges.verifying.verification import MAX_LIST, Fetch, Resolve, read
from lrs.kernel import outbound
from lrs.kernel.outbound import Blocked, Unreachable
from lrs.kernel.settings import Settings
from lrs.storage import each
from lrs.tenancy.tenants import Tenant

Outbound = Callable[[str], bytes]
_NO_ANSWER = "{url} gave no answer that can be used"
_ACCEPT = "application/vc, application/json, application/ld+json;q=0.9, application/vc+jwt;q=0.8, */*;q=0.5"


def outbound_within(settings: Settings, seconds: float, *, inside: tuple[str, ...] = ()) -> Outbound:
    """Guarded calls for strangers, that end *seconds* from now, all of them together.

    Strangers choose the addresses, so only https on the public internet is asked: what ``LRS_OUTBOUND_ALLOW`` opens for
    this server's own systems counts only as far as it is named here, as *inside*. Every failure is told by the same
    words, so that nobody learns what there is inside. Only an answer of 410 is told, which is a revocation.
    """
    end, strict = time.monotonic() + seconds, settings.model_copy(update={"outbound_allow": inside})

    def get(url: str) -> bytes:
        left = end - time.monotonic()
        try:
            answer = outbound.ask(url, {"accept": _ACCEPT}, strict, seconds=left) if left > 0 else None
        except (Blocked, Unreachable) as error:
            raise Unavailable(_NO_ANSWER.format(url=url)) from error
        if answer is not None and answer.status == 410:
            raise Unavailable(f"{url} says that it is gone", "gone")
        if answer is None or answer.status != 200 or len(answer.body) >= outbound.MAX_BODY:
            raise Unavailable(_NO_ANSWER.format(url=url))
        return answer.body

    return get


def resolver(tenant: Tenant, call: Outbound | None) -> Resolve:
    """Gives DID documents of did:web issuers. *tenant*'s own is not fetched."""
    own = issuer_of(tenant)

    def resolve(did: str) -> Mapping[str, Any]:
        if did == own.id:
            return own.did_document()
        try:
            return read(_get(did_url(did), call), MAX_LIST)
        except (Invalid, ValueError) as error:
            raise Unavailable(f"no DID document of {did}: {error}") from error

    return resolve


def status_lists(tenant: Tenant, call: Outbound | None) -> Fetch:
    """Gives status lists and keys. *tenant*'s own come from its store, also lists of a former address."""
    own = issuer_of(tenant)

    def fetch(url: str) -> bytes:
        for record in each(tenant.store, "status-list"):
            if json.loads(record.body)["id"] == url:
                return record.body
        if not own.demonstration and url == metadata_url(issuer_address(own)):
            return json.dumps({"issuer": issuer_address(own), "jwks": own.jwks()}).encode()
        return _get(url, call)

    return fetch


def _get(url: str, call: Outbound | None) -> bytes:
    if call is None:
        raise Unavailable(f"{url} was not asked for: offline")
    try:
        return call(url)
    except (Blocked, Unreachable) as error:
        raise Unavailable(f"{url}: {error}") from error
