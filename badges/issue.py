"""The step "issue": brings the badge of an award to what the award now says. May run twice, and in any order.

read the award -> compose -> sign -> verify what was signed -> one commit: credential, place in the status list, list.
Signing takes milliseconds and so stands before the decision; the decision looks again whether the award, the place and
the list are still what was signed for, and otherwise everything is done anew.

Not known here: why an award is held, who gets to see a badge, how it reaches anybody.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import msgspec

from badges import records
from badges.awards import credential_of, credential_uuid, read_award, recipient_of
from badges.compose import Credential
from badges.issuer import Issuer, address, issuer_of
from badges.records import ISSUED, REVOKED
from badges.status import REVOCATION, Draw, free_place
from badges.verify import verify
from lrs.competency.shapes import Award
from lrs.competency.uncounted import uncounted
from lrs.kernel.times import micros_of_timestamp
from lrs.people import persons
from lrs.storage import Claim, Owed, Reader, Record, Stale, Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

BY = "worker"
ATTEMPTS = 8
SHARED = frozenset({"status-list", "achievement"})
"""Kinds that belong to many badges: what changes one is written before the next badge looks at it."""

IdentifiersOf = Callable[[Reader, str], Sequence[Mapping[str, Any]]]
"""The xAPI identifiers of a person, oldest first."""


class NotAccepted(Exception):
    """Our own verification refused what we had signed; nothing of it was stored."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What issuing needs besides the award; the same for all claims of one call."""

    tenant: Tenant
    issuer: Issuer
    identifiers_of: IdentifiersOf
    draw: Draw


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit writes; ``award_rev`` is that of the award it was made for."""

    award: str
    award_rev: int
    person: str
    puts: tuple[Record, ...] = ()


def issue(
    tenant: Tenant,
    claims: Sequence[Claim],
    *,
    identifiers_of: IdentifiersOf = persons.identifiers_of,
    draw: Draw = secrets.randbelow,
) -> None:
    """Settles each claim on an ``award`` record with the badge in its right state.

    Raises ``Stale`` if a lease was lost, ``NotAccepted`` if what was signed does not verify, ``Unsafe`` if the award
    says what cannot be signed, ``ValueError`` for an award of another shape, ``KeyLost`` if a badge to be revoked is of
    a key that is gone. Claims before that one are settled.
    """
    desk = Desk(tenant, issuer_of(tenant), identifiers_of, draw)
    signed: list[tuple[Claim, Change]] = []
    try:
        for claim in claims:
            change = _change(desk, claim.record.id)
            signed.append((claim, change))
            if any(record.kind in SHARED for record in change.puts):
                _settle_all(desk, signed)
    finally:
        _settle_all(desk, signed)


def _settle_all(desk: Desk, signed: list[tuple[Claim, Change]]) -> None:
    """Settles those that were signed, and empties the list; they come to the writer together and share a commit."""
    begun = [(claim, _settle(desk, claim, change)) for claim, change in signed]
    signed.clear()
    for claim, settled in begun:
        _end(desk, claim, settled)


def _settle(desk: Desk, claim: Claim, change: Change) -> Future[None]:
    return desk.tenant.store.settle([claim], functools.partial(_write, change=change))


def _end(desk: Desk, claim: Claim, settled: Future[None]) -> None:
    """Tries until nothing changed in between; a lost lease is ``Stale`` every time, and in the end raised."""
    for _ in range(ATTEMPTS - 1):
        try:
            return settled.result()
        except Stale:
            settled = _settle(desk, claim, _change(desk, claim.record.id))
    return settled.result()


def _write(tx: Tx, *, change: Change) -> None:
    """The decision: if all is as it was when it was signed, it is written. Raises ``Stale``."""
    award = tx.get("award", change.award)
    if award is None or award.rev != change.award_rev:
        raise Stale(f"award {change.award} was changed")
    for record in change.puts:
        if not record.rev and tx.get(record.kind, record.id):
            raise Stale(f"{record.kind} {record.id} appeared")
        tx.put(record)
        if record.kind == "credential":
            audit.append(tx, BY, f"badge.{record.meta['state']}", {"badge": record.id, "award": change.award})
    if change.puts and tx.get("profile", change.person):
        tx.owe("profile", change.person, Owed("sync"))


def _change(desk: Desk, award_id: str) -> Change:
    """What leads from the badge as it is to the badge as the award says."""
    store = desk.tenant.store
    record = store.get("award", award_id)
    if record is None:
        raise Stale(f"award {award_id} is gone, and what it owed with it")
    held = store.get("credential", credential_uuid(award_id))
    award = read_award(record.body)
    credential = _credential(desk, award_id, award) if award.state == "held" else None
    if credential and not _is_over(credential, desk.tenant.clock()):
        puts = _issued(desk, credential, award, held)
    elif held and held.meta["state"] == ISSUED and not _ends_by_itself(held, award):
        puts = _revoked(desk, held)
    else:
        puts = ()
    changed = tuple(put for put in puts if put.seq == 0)  # the others came from the store as they are
    return Change(award_id, record.rev, award.person, changed)


def _credential(desk: Desk, award_id: str, award: Award) -> Credential:
    tenant = desk.tenant
    identifiers = desk.identifiers_of(tenant.store, award.person)
    recipient = recipient_of(identifiers, award_id, tenant.secret("badge-recipient/1"))
    permanent = functools.partial(address, tenant)
    return credential_of(award_id, award, recipient, address=permanent, zone=tenant.settings.zone)


def _is_over(credential: Credential, now: int) -> bool:
    """An award that nobody has marked as expired yet gets no badge that is born expired."""
    return credential.valid_until is not None and micros_of_timestamp(credential.valid_until) < now


def _ends_by_itself(held: Record, award: Award) -> bool:
    """An award that ran out as its badge says needs no revocation; a withdrawn one does."""
    return award.state != "withdrawn" and not records.promises_more(held, award.valid_until)


def _issued(desk: Desk, credential: Credential, award: Award, held: Record | None) -> tuple[Record, ...]:
    """A badge where there is none or another; its place is kept unless the badge out there must no longer hold.

    More evidence makes no other badge; that it names evidence that no longer counts does. It must not hold beside one
    of another issuer or with its list at another address: wallets would keep both.
    """
    tenant = desk.tenant
    live = held is not None and held.meta["state"] == ISSUED
    current = held is not None and live and records.is_current(tenant, desk.issuer, str(held.meta["list"]))
    if held and current and records.says_the_same(held, credential, desk.issuer) and not _names_lost(desk, award, held):
        return ()
    retired: tuple[Record, ...] = ()
    if held and current and not records.promises_more(held, award.valid_until):
        place = (str(held.meta["list"]), int(held.meta["index"]))
    else:
        place = free_place(tenant.store, records.list_names(tenant, desk.issuer, REVOCATION), desk.draw)
        retired = _retired(desk, held) if held and live else ()
    badge = records.credential_record(tenant, desk.issuer, credential, award, place, held)
    lists = {record.id: record for record in retired if record.kind == "status-list"}
    listed = lists.get(place[0]) or records.list_record(tenant, desk.issuer, place[0])
    _accept(desk, badge, listed)
    taken = records.place_record(tenant, place, badge.id, ISSUED)
    about = records.achievement_record(tenant, credential, award)
    wanted = (badge, taken, listed, about, *retired)
    return tuple({(record.kind, record.id): record for record in wanted}.values())


def _names_lost(desk: Desk, award: Award, held: Record) -> bool:
    """Whether the badge names evidence that no longer counts, and the award no longer does.

    As long as the award does, an evaluation is owed: it owes this step once more.
    """
    named = set(records.named_in(held))
    proofs = {proof.statement for proof in award.evidence}
    lost = uncounted(desk.tenant.store, award.person, named | proofs)
    return not lost.isdisjoint(named) and lost.isdisjoint(proofs)


def _retired(desk: Desk, held: Record) -> tuple[Record, ...]:
    """The place of the badge that is out there, set in its own list, whoever the issuer is now."""
    name, index = str(held.meta["list"]), int(held.meta["index"])
    listed = records.list_record(desk.tenant, desk.issuer, name, index)
    return listed, records.place_record(desk.tenant, (name, index), held.id, REVOKED)


def _revoked(desk: Desk, held: Record) -> tuple[Record, ...]:
    meta = {**held.meta, "state": REVOKED}
    return msgspec.structs.replace(held, meta=meta, seq=0), *_retired(desk, held)


def _accept(desk: Desk, badge: Record, listed: Record) -> None:
    """Reads the badge as a stranger would, with the list as it will be. Raises ``NotAccepted``."""
    at = max(desk.tenant.clock(), micros_of_timestamp(badge.meta["valid_from"]))
    verdict = verify(badge.body, at=at, resolve=lambda _did: desk.issuer.did_document(), fetch=lambda _url: listed.body)
    if not verdict.valid:
        raise NotAccepted("; ".join(f"{check.name}: {check.why}" for check in verdict.checks if not check.ok))
