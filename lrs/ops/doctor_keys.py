"""The part of ``lrs doctor`` about the keys that sign badges: one that is missing, old, late, or was given up."""

from __future__ import annotations

import json
from collections.abc import Iterator

from badges.credentials.records import ISSUED, method_of
from badges.keys.issuer import Issuer, issuer_of
from badges.keys.ring import Key
from lrs.kernel.plain_text import counted
from lrs.kernel.printing import time_of
from lrs.kernel.times import DAY
from lrs.ops.doctor import Finding
from lrs.storage import each
from lrs.tenancy.tenants import Tenant

OLD = 730 * DAY
"""Microseconds after which a key that signs should be replaced: what it signed stays valid."""
LATE = DAY // 24
"""How long after its time a next key may wait for the worker."""
_CHECK = "badge-keys"


def of_keys(tenant: Tenant) -> Iterator[Finding]:
    """A finding for each key that needs somebody, else one that says how many there are."""
    issuer, now = issuer_of(tenant), tenant.clock()
    found = [
        *_signing(issuer, now),
        *(_waiting(key) for key in issuer.ring.keys if key.state == "next" and key.since + LATE < now),
        *_given_up(tenant, issuer),
    ]
    yield from found
    if not found:
        states = [key.state for key in issuer.ring.keys]
        told = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        yield Finding(_CHECK, "ok", f"{told}; retired keys stay published, for the badges that they signed")


def _signing(issuer: Issuer, now: int) -> Iterator[Finding]:
    if issuer.ring.active() is None:
        yield Finding(_CHECK, "problem", "no key signs badges: lrs badges keys rotate makes one")
    for key in issuer.ring.keys:
        if key.state == "active" and key.since and now - key.since > OLD and not issuer.demonstration:
            message = (
                f"{key.id} ({key.algorithm}) has signed since {time_of(key.since)}: lrs badges keys rotate replaces it,"
                " and no badge has to be issued anew"
            )
            yield Finding(_CHECK, "warning", message)


def _waiting(key: Key) -> Finding:
    message = f"{key.id} should sign since {time_of(key.since)} and does not: is a worker running? (lrs work status)"
    return Finding(_CHECK, "problem", message)


def _given_up(tenant: Tenant, issuer: Issuer) -> Iterator[Finding]:
    """How many badges wait to be issued anew because a key was given up; they are valid with nobody meanwhile."""
    given_up = [key for key in issuer.ring.keys if key.state == "compromised"]
    names = {issuer.method_of(key) for key in given_up}
    lost = sum(
        held.meta["state"] == ISSUED and method_of(json.loads(held.body)) in names
        for held in (each(tenant.store, "credential") if given_up else ())
    )
    if lost:
        keys = ", ".join(key.id for key in given_up)
        wait = f"{counted(lost, 'badge')} that a compromised key ({keys}) signed {'waits' if lost == 1 else 'wait'}"
        message = f"{wait} to be issued anew: lrs work status"
        yield Finding(_CHECK, "problem", message)
