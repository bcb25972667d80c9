"""The step "issue": brings the badge of an award up to date with the award. May run twice, and in any order.

read the award -> compose -> sign -> verify what was signed -> one commit: credential, place in the status list; a new
list with the first badge in it, and for a place that is revoked the owed publication of its list
(``badges.credentials.lists``).
Signing takes milliseconds, so it is done before the decision. The decision checks that the award, the place and the
list are unchanged since; otherwise everything is done again.

Knows not why an award is held, who may see a badge, and how it is delivered.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

import msgspec

from badges.achievements import achievements, wording
from badges.achievements.counts import count_issued
from badges.claims import claims
from badges.content.awards import credential_uuid, read_award
from badges.content.compose import Credential
from badges.credentials import lists, records
from badges.credentials.records import ISSUED, REVOKED, BadgeContent
from badges.credentials.status import REVOCATION, Draw, free_place
from badges.held import stops
from badges.issuing.desk import Desk, IdentifiersOf, content_of, read_ahead
from badges.keys.issuer import address, issuer_of
from badges.verifying.verify import verify
from lrs.competency.shapes import Award
from lrs.competency.uncounted import uncounted
from lrs.kernel.times import micros_of_timestamp
from lrs.people import persons
from lrs.storage import Claim, Owed, Record, Stale, Tx
from lrs.storage.ahead import ReadAhead
from lrs.tenancy import audit, signing_keys
from lrs.tenancy.tenants import Tenant

BY = "worker"
ATTEMPTS = 8
SHARED = frozenset({"status-list", achievements.KIND, achievements.ITEM, wording.KIND})
"""Kinds of records that belong to many badges. A change of one is written before the next badge is worked on."""


class NotAccepted(Exception):
    """Our own verification refused what was signed. Nothing of it was stored."""


class BadgeChange(msgspec.Struct, frozen=True):
    """What one commit writes. ``award_rev`` is the revision of the award that it was made for.

    ``key`` is the id of the key that signed; ``to_publish`` names the status lists in which it revokes a place.
    """

    award: str
    award_rev: int
    person: str
    key: str
    puts: tuple[Record, ...] = ()
    to_publish: frozenset[str] = frozenset()


def issue(
    tenant: Tenant,
    claims: Sequence[Claim],
    *,
    identifiers_of: IdentifiersOf = persons.identifiers_of,
    draw: Draw = secrets.randbelow,
) -> None:
    """Settles each claim on an ``award`` record with its badge up to date.

    Raises ``Stale`` if a lease was lost, ``NotAccepted`` if what was signed does not verify, ``Unsafe`` if the award
    has content that cannot be signed, ``ValueError`` for an award of another form, ``SignerAway`` if whoever keeps the
    key does not answer. Claims before that one are settled.
    """
    drawn: deque[int] = deque()
    ahead = ReadAhead(tenant.store)
    next_drawn: Draw = lambda bound: drawn.popleft() if drawn else draw(bound)  # noqa: E731 (a line of its own)
    issuer = issuer_of(tenant)
    desk = Desk(tenant, issuer, issuer.did_document(), identifiers_of, next_drawn, ahead)
    drawn.extend(read_ahead(ahead, [claim.record.id for claim in claims], draw))
    signed: list[tuple[Claim, BadgeChange]] = []
    try:
        for claim in claims:
            change = change_of(desk, claim.record.id)
            signed.append((claim, change))
            if any(record.kind in SHARED for record in change.puts):
                _settle_all(desk, signed)
                ahead.forget((record.kind, record.id) for record in change.puts)
    finally:
        _settle_all(desk, signed)


def _settle_all(desk: Desk, signed: list[tuple[Claim, BadgeChange]]) -> None:
    """Settles the signed ones and empties the list. They reach the writer together and share a commit."""
    begun = [(claim, _settle(desk, claim, change)) for claim, change in signed]
    signed.clear()
    for claim, settled in begun:
        _end(desk, claim, settled)


def _settle(desk: Desk, claim: Claim, change: BadgeChange) -> Future[None]:
    names = [(record.kind, record.id) for record in change.puts]
    reads = [("award", change.award), *names, ("profile", change.person), audit.HEAD]
    reads.append((signing_keys.KIND, change.key))
    return desk.tenant.store.settle([claim], partial(write_change, tenant=desk.tenant, change=change), reads=reads)


def _end(desk: Desk, claim: Claim, settled: Future[None]) -> None:
    """Tries until nothing changed meanwhile. Raises ``Stale`` for a lost lease."""
    for _ in range(ATTEMPTS - 1):
        try:
            return settled.result()
        except Stale:
            if not desk.tenant.store.holds(claim):
                raise
            issuer = issuer_of(desk.tenant)
            now = replace(desk, reader=desk.tenant.store, issuer=issuer, did=issuer.did_document())
            settled = _settle(desk, claim, change_of(now, claim.record.id))
    return settled.result()


def write_change(tx: Tx, *, tenant: Tenant, change: BadgeChange) -> None:
    """The decision: writes if nothing changed since signing. Raises ``Stale`` otherwise."""
    if (award := tx.get("award", change.award)) is None or award.rev != change.award_rev:
        raise Stale(f"award {change.award} was changed")
    if change.puts:
        signing_keys.check(tx, change.key)
    for record in change.puts:
        if not record.rev and tx.get(record.kind, record.id):
            raise Stale(f"{record.kind} {record.id} appeared")
        if record.kind == "credential" and record.meta["state"] == ISSUED:
            count_issued(tx, record)
        tx.put(record)
        if record.kind == "credential":
            audit.append(tx, BY, f"badge.{record.meta['state']}", {"badge": record.id, "award": change.award})
            claims.tell(tx, tenant, record)
    for name in change.to_publish:
        tx.owe(lists.KIND, name, Owed(lists.PUBLISH))
    if change.puts and tx.get("profile", change.person):
        tx.owe("profile", change.person, Owed("sync"))


def change_of(desk: Desk, award_id: str) -> BadgeChange:
    """The change from the present badge to the badge that the award asks for."""
    record = desk.reader.get("award", award_id)
    if record is None:
        raise Stale(f"award {award_id} is gone, and what it owed with it")
    held = desk.reader.get("credential", credential_uuid(award_id))
    award = read_award(record.body)
    stopped = held is not None and desk.reader.get(stops.KIND, held.id) is not None
    content = content_of(desk, award_id, award) if award.state == "held" and not stopped else None
    if content and not _is_over(content[0], desk.tenant.clock()):
        puts = _issued(desk, content, award, held)
    elif held and held.meta["state"] == ISSUED and (stopped or not _ends_by_itself(held, award)):
        puts = _revoked(desk, held)
    else:
        puts = ()
    changed = tuple(put for put in puts if put.seq == 0)  # the others are unchanged records from the store
    gone = [one for one in changed if one.kind == "status" and one.meta["state"] == REVOKED]
    to_publish = frozenset(str(one.meta["list"]) for one in gone)
    return BadgeChange(award_id, record.rev, award.person, desk.issuer.key.id, changed, to_publish)


def _is_over(credential: Credential, now: int) -> bool:
    """Whether the badge would have expired already: an award that is not yet marked as expired gets no such badge."""
    return credential.valid_until is not None and micros_of_timestamp(credential.valid_until) < now


def _ends_by_itself(held: Record, award: Award) -> bool:
    """Whether the badge needs no revocation, because the award expired on the badge's own date.

    A withdrawn one needs it.
    """
    return award.state != "withdrawn" and not records.promises_more(held, award.valid_until)


def _issued(desk: Desk, content: BadgeContent, award: Award, held: Record | None) -> tuple[Record, ...]:
    """The records of a new or changed badge. It keeps its place in the list unless the old badge must be revoked.

    More evidence changes no badge; naming evidence that no longer counts does. The old badge must be revoked if the
    issuer or the address of its list differs, because wallets would keep both, and if it was taken back from a wallet.
    """
    tenant = desk.tenant
    live = held is not None and held.meta["state"] == ISSUED
    current = held is not None and live and lists.is_current(tenant, desk.reader, desk.issuer, str(held.meta["list"]))
    first = address(tenant, f"achievements/{content[1].achievement}")
    same = held and current and records.says_the_same(held, content, desk.issuer, first)
    if held and same and not _names_lost(desk, award, held):
        return ()
    retired: tuple[Record, ...] = ()
    kept = held and not records.leaves_wallet(held, content[0]) and not records.promises_more(held, award.valid_until)
    if held and current and kept:
        place = (str(held.meta["list"]), int(held.meta["index"]))
    else:
        names = lists.list_names(tenant, desk.reader, desk.issuer, REVOCATION)
        place = free_place(desk.reader, names, desk.draw)
        retired = _retired(desk, held) if held and live else ()
    badge = records.credential_record(tenant, desk.issuer, content, award, place, held)
    listed = lists.list_for_issue(tenant, desk.reader, desk.issuer, place[0])
    _accept(desk, badge, listed)
    taken = records.place_record(desk.reader, place, badge.id, ISSUED)
    wanted = (badge, taken, listed, *content[1].records, *retired)
    return tuple({(record.kind, record.id): record for record in wanted}.values())


def _names_lost(desk: Desk, award: Award, held: Record) -> bool:
    """Whether the badge names evidence that no longer counts and that the award no longer names.

    As long as the award still names it, an evaluation is owed, which will owe this step again.
    """
    named = set(records.named_in(held))
    proofs = {proof.statement for proof in award.evidence}
    lost = uncounted(desk.tenant.store, award.person, named | proofs)
    return not lost.isdisjoint(named) and lost.isdisjoint(proofs)


def _retired(desk: Desk, held: Record) -> tuple[Record, ...]:
    """Revokes the place of the present badge in its own list, whoever the issuer is now."""
    place = str(held.meta["list"]), int(held.meta["index"])
    return (records.place_record(desk.reader, place, held.id, REVOKED),)


def _revoked(desk: Desk, held: Record) -> tuple[Record, ...]:
    meta = {**held.meta, "state": REVOKED}
    return msgspec.structs.replace(held, meta=meta, seq=0), *_retired(desk, held)


def _accept(desk: Desk, badge: Record, listed: Record) -> None:
    """Verifies the badge as others would, with the list as it will be. Raises ``NotAccepted``."""
    at = max(desk.tenant.clock(), micros_of_timestamp(badge.meta["valid_from"]))
    verdict = verify(
        badge.body, at=at, resolve=lambda did: desk.endorsers.get(did, desk.did), fetch=lambda _url: listed.body
    )
    if not verdict.valid:
        raise NotAccepted("; ".join(f"{check.name}: {check.why}" for check in verdict.checks if not check.ok))
