"""The step "reword": owes ``issue`` for the held badges that show what was replaced since.

That is a former version of an achievement, if a steward said that held badges are to have the new one; a former name of
the issuer; or who endorsed their achievement before. It goes through the awards page by page; killed, it goes on where
it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import msgspec

from badges.achievements import wording
from badges.achievements.achievements import version_id
from badges.achievements.counts import achievement_of
from badges.content.awards import credential_uuid
from badges.credentials.records import ISSUED, achievement_endorsements
from badges.endorsing import endorsements
from badges.keys.issuer import REWORD, issuer_of
from lrs.storage import Claim, Owed, Record, Tx, Walk
from lrs.tenancy.tenants import Tenant

PAGE = 500
"""Awards in one commit."""


def reword(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Settles each claim with its next page of awards: on words, on endorsements, or on the name of the issuer.

    Raises ``Stale`` for a lost lease.
    """
    for claim in claims:
        _reword(tenant, claim)


def _reword(tenant: Tenant, claim: Claim) -> None:
    is_former = _former(tenant, claim.record)
    page = tenant.store.find(Walk("award", limit=PAGE, start=claim.record.meta.get("at")))
    badges = {credential_uuid(award.id): award.id for award in page.records}
    found = tenant.store.get_many("credential", badges)
    former = [badges[id] for id, badge in found.items() if badge.meta["state"] == ISSUED and is_former(badge)]

    def settle(tx: Tx) -> None:
        for award in tx.get_many("award", former):
            tx.owe("award", award, Owed("issue"))
        meta = {} if page.next is None else {"at": page.next}
        further = () if page.next is None else (Owed(REWORD),)
        tx.replace(msgspec.structs.replace(claim.record, meta=meta, owed=further))

    tenant.store.settle([claim], settle).result()


def _former(tenant: Tenant, record: Record) -> Callable[[Record], bool]:
    """Whether a badge shows what the change of *record* replaced."""
    if record.kind == "issuer":
        return _of_issuer(tenant)
    return _of_endorsements(record) if record.kind == endorsements.KIND else _of_words(record)


def _of_endorsements(record: Record) -> Callable[[Record], bool]:
    """Whether a badge has the version *record* of its words, and not the endorsements that this has now."""
    given = [one.id for one in endorsements.endorsements_in(record).given]

    def is_former(badge: Record) -> bool:
        of, number = badge.meta.get("achievement"), badge.meta.get("version")
        if not (of and number) or version_id(str(of), int(number)) != record.id:
            return False
        return achievement_endorsements(json.loads(badge.body)) != given

    return is_former


def _of_words(record: Record) -> Callable[[Record], bool]:
    """Whether a badge is of the achievement *record*, in words that no held badge is to have any more."""
    least = wording.read(record).least
    return lambda badge: int(badge.meta.get("version", 0)) < least and achievement_of(badge) == record.id


def _of_issuer(tenant: Tenant) -> Callable[[Record], bool]:
    """Whether a badge of the present issuer calls it otherwise than it is called now."""
    profile = issuer_of(tenant).profile()

    def is_former(badge: Record) -> bool:
        shown = json.loads(badge.body)["issuer"]
        return bool(shown["id"] == profile["id"] and shown != profile)

    return is_former
