"""The step ``resync``: a service that was taken back is owed everything its learners agreed to, once more.

Records: ``resync`` (id: the service's, body: how far it is). It is made in the commit that takes the service back, so a
process that ends in between leaves nobody out. Each run owes the step ``sync`` to one page of consents and says in the
same commit where the next one begins: other work has its turn between two pages.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lrs.kernel.keys import key
from lrs.matching import consent
from lrs.storage import ROWS, Claim, Owed, Page, Record, Stale, Tx, Walk
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant

KIND = STEP = "resync"
BATCH = 200
"""Consents that are owed in one commit."""


class ResyncPlace(msgspec.Struct, frozen=True):
    """The body of a ``resync`` record. *start* is the ``next`` of the page that was owed last; ``None`` before it."""

    start: str | None = None
    v: int = 1


def begin(tx: Tx, service: str) -> None:
    """Owes *service* everything with this commit; what was on its way begins anew."""
    tx.put(Record(KIND, service, msgspec.json.encode(ResyncPlace()), owed=(Owed(STEP),)))


def resync(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Owes each claimed service the next page. Who was begun anew meanwhile goes on from there."""
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
            continue  # somebody else has it now


def _owe(tx: Tx, before: Record, page: Page) -> None:
    known = tx.get(KIND, before.id)
    if known is None:
        return
    if known.rev != before.rev:
        tx.owe(KIND, before.id, Owed(STEP))
        return
    for id in tx.get_many(consent.KIND, [one.id for one in page.records]):
        tx.owe(consent.KIND, id, Owed(consent.STEP))
    if page.next is None:
        tx.delete(KIND, before.id)
        return
    tx.put(Record(KIND, before.id, msgspec.json.encode(ResyncPlace(page.next)), rev=known.rev))
    tx.owe(KIND, before.id, Owed(STEP))


KINDS = (Kind(KIND, "working", ResyncPlace, 1, subjects=None, retention="operational", exported=False),)
