"""A tenant's keys change: a new one is published, and signs after a wait; one that is no longer secret is given up.

rotate: one commit stores the next key, published from now on, which owes the step "rotate" for when its wait is over ->
that step, in one commit: the active key is retired, the next one is active. No badge is issued anew: a retired key
stays in the DID document. The wait is for those who keep a DID document for a while.

compromise: one commit marks the key, makes another one active, and owes the publication of every status list and the
step "reissue" -> that step owes "issue" for every badge whose signature counts no more, some awards in a commit.

So a kill at any time leaves the state before or after a commit, and what is left to do is owed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from badges.content.awards import credential_uuid
from badges.credentials.lists import KIND as LIST
from badges.credentials.lists import PUBLISH
from badges.credentials.records import ISSUED, method_of
from badges.keys.issuer import issuer_of, web_did
from lrs.kernel.errors import Refused
from lrs.kernel.times import HOUR
from lrs.storage import Claim, Owed, Record, Stale, Tx, Walk, each
from lrs.tenancy import audit, signing_keys
from lrs.tenancy.signers import FreshKey, Signer, first_keys, signers, stored_public
from lrs.tenancy.signing_keys import KEPT, KIND, Algorithm, KeptKey, KeyState, SigningKey
from lrs.tenancy.tenants import Tenant

ROTATE, REISSUE = "rotate", "reissue"
WAIT = 24 * HOUR
"""How long a next key is published before it signs. Our DID document may be kept for five minutes; some resolvers keep
one for a day."""
PAGE = 500
"""Awards in one commit."""


class Made(NamedTuple):
    """A key that its signer has made and no record names yet."""

    id: str
    algorithm: Algorithm
    new: FreshKey
    signer: str


def rotate(tenant: Tenant, algorithm: Algorithm, *, wait: int = WAIT, by: str) -> str:
    """Publishes a next key for *algorithm*, which signs in *wait* microseconds. Gives its id.

    The first key for an algorithm signs at once: nobody can have kept a document without it for what nothing signed.
    Raises ``Refused`` for a demonstration, and while there is a next key.
    """
    _check(tenant)
    made = _made(tenant, algorithm)

    def decide(tx: Tx) -> None:
        waiting = signing_keys.found(tx, algorithm, "next")
        if waiting is not None:
            raise Refused(f"{waiting} is the next {algorithm} key already", status=409, error="key_waits")
        _begin(tx, tenant)
        is_first = signing_keys.active(tx, algorithm) is None
        now = tenant.clock()
        _store(tx, tenant, made, "active" if is_first else "next", now if is_first else now + wait)
        audit.append(tx, by, "badge-key.made", {"key": made.id, "algorithm": algorithm})

    tenant.store.write(decide).result()
    return made.id


def take_over(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """The step "rotate": settles each claim on a next key by making it the active one."""
    for claim in claims:
        tenant.store.settle([claim], partial(_take_over, id=claim.record.id, now=tenant.clock())).result()


def _take_over(tx: Tx, id: str, now: int) -> None:
    record = tx.get(KIND, id)
    key = signing_keys.read(record) if record else None
    if record is None or key is None or key.state != "next":
        return  # it became active, or was given up, when another key was compromised
    before = signing_keys.active(tx, key.algorithm)
    if before is not None:
        _change(tx, before, "retired", until=now)
    _change(tx, id, "active", since=now)
    audit.append(tx, "worker", "badge-key.rotated", {"key": id, "retired": before or "none"})


def compromise(tenant: Tenant, id: str, *, by: str) -> str | None:
    """Gives up the key *id*: from now on nothing that it signed is valid. Gives the id of the one that signs instead.

    That is the next key, or else a new one; ``None`` if *id* signed nothing any more. Badges that it signed are issued
    anew under their ids. Raises ``Refused`` for a demonstration, an unknown key, and one that is given up already.
    """
    _check(tenant)
    record = tenant.store.get(KIND, id)
    key = signing_keys.read(record) if record else first_keys(tenant.secrets).get(id)
    if key is None:
        raise Refused(f"there is no key {id}: lrs badges keys list shows them", status=404, error="not_found")
    made = _made(tenant, key.algorithm)

    def decide(tx: Tx) -> str | None:
        _begin(tx, tenant)
        given_up = signing_keys.read(_kept(tx, id))
        if given_up.state == "compromised":
            raise Refused(f"{id} is marked as compromised already", status=409, error="key_given_up")
        now = tenant.clock()
        heir = _heir(tx, tenant, made, now) if given_up.state == "active" else None
        _change(tx, id, "compromised", until=now)
        tx.owe(KIND, id, Owed(REISSUE))
        for listed in list(each(tx, LIST)):
            tx.owe(LIST, listed.id, Owed(PUBLISH))
        audit.append(tx, by, "badge-key.compromised", {"key": id, "instead": heir or "none"})
        return heir

    return tenant.store.write(decide).result()


def _heir(tx: Tx, tenant: Tenant, made: Made, now: int) -> str:
    """The key that signs from now on: the next one, or *made*."""
    waiting = signing_keys.found(tx, made.algorithm, "next")
    if waiting is None:
        _store(tx, tenant, made, "active", now)
        return made.id
    _change(tx, waiting, "active", since=now)
    return waiting


def reissue(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """The step "reissue": owes ``issue`` for the next awards whose badge has no signature that counts, page by page."""
    for claim in claims:
        _reissue(tenant, claim)


def _reissue(tenant: Tenant, claim: Claim) -> None:
    issuer = issuer_of(tenant)
    page = tenant.store.find(Walk("award", limit=PAGE, start=claim.record.meta.get("at")))
    badges = {credential_uuid(award.id): award.id for award in page.records}
    held = tenant.store.get_many("credential", badges)
    lost = [
        badges[id]
        for id, badge in held.items()
        if badge.meta["state"] == ISSUED and not issuer.answers_for(method_of(json.loads(badge.body)))
    ]

    def settle(tx: Tx) -> None:
        for award in tx.get_many("award", lost):
            tx.owe("award", award, Owed("issue"))
        further = () if page.next is None else (Owed(REISSUE),)
        count = int(claim.record.meta.get("badges", 0)) + len(lost)
        meta = {"badges": count} if page.next is None else {"badges": count, "at": page.next}
        tx.replace(msgspec.structs.replace(claim.record, meta=meta, owed=further))

    tenant.store.settle([claim], settle).result()


def _check(tenant: Tenant) -> None:
    if web_did(tenant) is None:
        raise Refused(
            "this issuer is a demonstration: its key is its identity, so it cannot have another. Set LRS_PUBLIC_URL to"
            " an https address, then lrs badges renew",
            status=409,
            error="cannot_rotate",
        )


def _made(tenant: Tenant, algorithm: Algorithm) -> Made:
    """A new key. It is nothing until a record names it, so one that is left over by a kill does no harm."""
    signer: Signer = list(signers(tenant).values())[-1]
    id = signing_keys.next_id(tenant.store)
    return Made(id, algorithm, signer.make(id, algorithm), signer.name)


def _store(tx: Tx, tenant: Tenant, made: Made, state: KeyState, since: int) -> None:
    """Stores *made*; a next key owes to become active *since*. Raises ``Stale`` if somebody else took its id."""
    _begin(tx, tenant)
    if tx.get(KIND, made.id) is not None:
        raise Stale(f"{made.id} was made by somebody else meanwhile: look at the list of keys, and try again")
    key = SigningKey(1, made.algorithm, stored_public(made.new.public), tenant.clock(), state, since)
    owed = (Owed(ROTATE, due=since),) if state == "next" else ()
    tx.insert(Record(KIND, made.id, msgspec.json.encode(key), owed=owed))
    tx.insert(Record(KEPT, made.id, msgspec.json.encode(KeptKey(1, made.signer, made.new.kept))))


def _begin(tx: Tx, tenant: Tenant) -> None:
    """Stores the first keys that have no record yet, so that their states can change. All are as old as the first."""
    known = tx.get(KIND, signing_keys.FIRST)
    created = signing_keys.read(known).created if known else tenant.clock()
    for id, key in first_keys(tenant.secrets).items():
        if tx.get(KIND, id) is None:
            tx.insert(Record(KIND, id, msgspec.json.encode(msgspec.structs.replace(key, created=created))))


def _kept(tx: Tx, id: str) -> Record:
    record = tx.get(KIND, id)
    if record is None:
        raise Stale(f"the key {id} is gone")
    return record


def _change(tx: Tx, id: str, state: KeyState, *, since: int | None = None, until: int | None = None) -> None:
    record = _kept(tx, id)
    key = signing_keys.read(record)
    since = key.since if since is None else since
    changed = msgspec.structs.replace(key, state=state, since=since, until=until)
    tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(changed), owed=()))
