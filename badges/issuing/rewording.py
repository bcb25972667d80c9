"""The step "reword": owes ``issue`` for the held badges of an achievement that show words which a steward replaced.

Only if the steward said so. It goes through the awards page by page; killed, it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from badges.achievements import wording
from badges.achievements.counts import achievement_of
from badges.achievements.editing import REWORD
from badges.content.awards import credential_uuid
from badges.credentials.records import ISSUED
from lrs.storage import Claim, Owed, Record, Tx, Walk
from lrs.tenancy.tenants import Tenant

PAGE = 500
"""Awards in one commit."""


def reword(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Settles each claim on a ``badge-wording`` with its next page of awards. Raises ``Stale`` for a lost lease."""
    for claim in claims:
        _reword(tenant, claim)


def _reword(tenant: Tenant, claim: Claim) -> None:
    held = wording.read(claim.record)
    page = tenant.store.find(Walk("award", limit=PAGE, start=claim.record.meta.get("at")))
    badges = {credential_uuid(award.id): award.id for award in page.records}
    found = tenant.store.get_many("credential", badges)
    former = [badges[id] for id, badge in found.items() if _shows_former(badge, claim.record.id, held.least)]

    def settle(tx: Tx) -> None:
        for award in tx.get_many("award", former):
            tx.owe("award", award, Owed("issue"))
        meta = {} if page.next is None else {"at": page.next}
        further = () if page.next is None else (Owed(REWORD),)
        tx.replace(msgspec.structs.replace(claim.record, meta=meta, owed=further))

    tenant.store.settle([claim], settle).result()


def _shows_former(badge: Record, achievement: str, least: int) -> bool:
    recent = int(badge.meta.get("version", 0)) >= least
    return badge.meta["state"] == ISSUED and not recent and achievement_of(badge) == achievement
