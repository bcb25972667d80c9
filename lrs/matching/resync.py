"""The step ``resync``: queues everything its learners agreed to for a service that was made active again.

Records: ``resync`` (id: the service's, body: the place reached). The commit that makes the service active makes it, so
a process that ends in between leaves nobody out. Each run owes the step ``sync`` to one page of consents and stores in
the same commit where the next page starts, so that other work has its turn in between.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lrs.kernel.keys import key
from lrs.matching.consent import consent
from lrs.storage import ROWS, Claim, Owed, Page, Record, Stale, Tx, Walk
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant

KIND = STEP = "resync"
BATCH = 200
"""Consents in one commit."""


class ResyncPlace(msgspec.Struct, frozen=True):
    """The body of a ``resync`` record.

    *start* is the ``next`` of the last page that was done; ``None`` before the first.
    """

    start: str | None = None
    v: int = 1


def begin(tx: Tx, service: str) -> None:
    """Starts the step for *service* in this commit, from the beginning if it was under way."""
    tx.put(Record(KIND, service, msgspec.json.encode(ResyncPlace()), owed=(Owed(STEP),)))


def resync(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Does the next page of each claimed service. One that was started again meanwhile goes on from its new place."""
    for claim in claims:
        service = claim.record.id
        place = msgspec.json.decode(claim.record.body, type=ResyncPlace)
        walk = Walk(consent.KIND, (key("service", service),), limit=BATCH, start=place.start)
        page = tenant.store.find(walk)

        def decide(tx: Tx, claim: Claim = claim, page: Page = page) -> None:
            _owe(tx, claim.record, page)

        try:
            tenant.store.settle([claim], decide, weight=ROWS * (1 + len(page.records))).result()
        except Stale:
            continue  # another worker has it now


def _owe(tx: Tx, before: Record, page: Page) -> None:
    """Writes what a page owes. Whoever began anew meanwhile made the lease stale: then nothing is written here."""
    for id in tx.get_many(consent.KIND, [one.id for one in page.records]):
        tx.owe(consent.KIND, id, Owed(consent.STEP))
    if page.next is None:
        tx.delete(KIND, before.id)
        return
    further = msgspec.json.encode(ResyncPlace(page.next))
    tx.replace(msgspec.structs.replace(before, body=further, owed=(Owed(STEP),)))


KINDS = (Kind(KIND, "working", ResyncPlace, 1, subjects=None, retention="operational", exported=False),)
