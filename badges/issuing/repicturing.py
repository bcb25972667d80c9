"""The step "repicture": makes a new version of each achievement whose image a steward changed.

It goes through the achievements page by page; killed, it goes on where it was. If the steward said so, each version
owes the step "reword", by which badges that are held are issued anew with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from badges.achievements import pictures, wording
from badges.achievements.achievements import KIND, new_version, stored_wording, versions_of
from badges.achievements.editing import REPICTURE, write_version
from badges.achievements.wording import BadgeWording
from badges.keys.issuer import REWORD, issuer_of
from lrs.storage import Claim, Owed, Page, Reader, Record, Stale, Tx, Walk
from lrs.tenancy.tenants import Tenant

PAGE = 100
"""Achievements that are looked at in one commit."""
BY = "worker"
_TRIES = 4


def repicture(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Settles each claim on a ``badge-image`` with its next page of achievements. Raises ``Stale`` for a lost lease."""
    for claim in claims:
        for _ in range(_TRIES - 1):
            try:
                _repicture(tenant, claim)
                break
            except Stale:  # a steward changed one of the achievements meanwhile, or the lease is lost
                if not tenant.store.holds(claim):
                    raise
        else:
            _repicture(tenant, claim)


def _repicture(tenant: Tenant, claim: Claim) -> None:
    image, issuer = claim.record, issuer_of(tenant)
    anew = bool(image.meta.get("anew"))
    page = tenant.store.find(Walk(wording.KIND, limit=PAGE, start=image.meta.get("at")))
    held = [one for one in map(wording.read, page.records) if _may_have(one, image.id)]
    differing = [one for one in held if _differs(tenant.store, one)]
    versions = [new_version(tenant, tenant.store, issuer, one, anew=anew) for one in differing]
    had = [one for one in held if anew and one not in differing and _former_differs(tenant.store, one)]
    raised = [stored_wording(tenant.store, msgspec.structs.replace(one, least=one.version)) for one in had]

    def settle(tx: Tx) -> None:
        for version in versions:
            about = {"achievement": version.achievement, "version": str(version.number)}
            about["anew"] = "yes" if anew else "no"
            write_version(tx, version=version, by=BY, action="badge.words_renewed", about=about, anew=anew)
        for record in raised:
            tx.put(record)
            tx.owe(record.kind, record.id, Owed(REWORD))
        _go_on(tx, image, page)

    tenant.store.settle([claim], settle).result()


def _go_on(tx: Tx, image: Record, page: Page) -> None:
    """Owes the next page. After the last one, an image that was taken away is gone, and another one just stands."""
    if page.next is not None:
        tx.replace(msgspec.structs.replace(image, meta={**image.meta, "at": page.next}, owed=(Owed(REPICTURE),)))
    elif "blob" in image.meta:
        tx.replace(msgspec.structs.replace(image, meta={"blob": image.meta["blob"]}))
    else:
        tx.delete(pictures.KIND, image.id)


def _may_have(held: BadgeWording, image: str) -> bool:
    return image in [pictures.scope_id(held.attainment, scope) for scope in pictures.SCOPES]


def _differs(reader: Reader, held: BadgeWording) -> bool:
    """Whether the current version of *held* shows another image than it would now."""
    record = reader.get(KIND, held.current) if held.current else None
    return record is None or record.meta.get("blob") != pictures.picture_for(reader, held.attainment)


def _former_differs(reader: Reader, held: BadgeWording) -> bool:
    """Whether a version that badges may still have shows another one: somebody made the current one meanwhile."""
    blob = pictures.picture_for(reader, held.attainment)
    former = [id for id, number in versions_of(reader, held.attainment.id) if held.least <= number < held.version]
    return any(one.meta.get("blob") != blob for one in reader.get_many(KIND, former).values())
