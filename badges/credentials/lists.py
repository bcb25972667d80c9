"""The status lists of a tenant: which one is for new badges, and the step "publish", which signs one anew.

A list belongs to an issuer and an address, whichever key signs it: a verifier accepts it only from the issuer and under
the address that the badge names, so neither ever changes. That a badge is revoked is a fact, the record of its place.
Publishing is owed with it; one signature covers all that were revoked until then. A bit that is set stays set.

kind ``status-list``, id ``<purpose>-<n>``: the signed list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count

from msgspec.structs import replace

from badges.credentials import status
from badges.credentials.records import ISSUED, issue_time, method_of, to_bytes
from badges.keys.issuer import Issuer, KeyLost, address, issuer_of
from badges.proofs.sign import sign
from lrs.kernel.keys import key
from lrs.kernel.times import SECOND, micros_of_timestamp
from lrs.storage import Claim, Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant

KIND = "status-list"
PUBLISH = "publish"
GATHER = 5 * SECOND
"""Microseconds between two signatures of lists while badges wait to be issued or revoked."""


def list_names(tenant: Tenant, reader: Reader, issuer: Issuer, purpose: str) -> Iterator[str]:
    """Names of lists for new badges of *issuer*, without end: its own lists, and new ones."""
    for number in count(1):
        name = f"{purpose}-{number}"
        if is_current(tenant, reader, issuer, name):
            yield name


def is_current(tenant: Tenant, reader: Reader, issuer: Issuer, name: str) -> bool:
    """Whether list *name* is new, or belongs to *issuer* at its present address."""
    record = reader.get(KIND, name)
    return record is None or _is_at(tenant, issuer, record)


def former_lists(tenant: Tenant, issuer: Issuer) -> Iterator[tuple[str, str, int]]:
    """Address, issuer and number of unrevoked badges of each list of a former issuer or address."""
    for record in each(tenant.store, KIND):
        if not _is_at(tenant, issuer, record):
            listed = json.loads(record.body)
            places = each(tenant.store, "status", key("status.list", record.id))
            yield listed["id"], listed["issuer"], sum(place.meta["state"] == ISSUED for place in places)


def _is_at(tenant: Tenant, issuer: Issuer, record: Record) -> bool:
    listed = json.loads(record.body)
    return bool(listed["id"] == address(tenant, f"status/{record.id}") and listed["issuer"] == issuer.id)


def list_for_issue(tenant: Tenant, reader: Reader, issuer: Issuer, name: str) -> Record:
    """List *name* as a new badge needs it: as it is stored, or signed, if it is new or no verifier would accept it.

    That is so while it was signed with a clock that was ahead, or by a key that counts no more. Raises ``KeyLost``.
    """
    old = reader.get(KIND, name)
    if old is not None:
        listed = json.loads(old.body)
        owner = replace(issuer, id=listed["issuer"], demonstration=_is_key(listed["issuer"]))
        if owner.answers_for(method_of(listed)) and micros_of_timestamp(listed["validFrom"]) <= tenant.clock():
            return old
    return _signed(tenant, issuer, name, old, _revoked(reader, name) if old else [])


def _signed(tenant: Tenant, issuer: Issuer, name: str, old: Record | None, revoked: Sequence[int]) -> Record:
    """List *name* with the places *revoked* set, signed now. A new one is *issuer*'s, another keeps its own."""
    purpose = name.rpartition("-")[0]
    listed = json.loads(old.body) if old else {"id": address(tenant, f"status/{name}"), "issuer": issuer.id}
    bits = status.bits_of(listed, purpose) if old else status.EMPTY
    signer = replace(issuer, id=listed["issuer"], demonstration=_is_key(listed["issuer"]))
    now = issue_time(tenant.clock(), None)
    unsigned = status.compose_list(listed["id"], signer.id, purpose, status.with_all_set(bits, revoked), now)
    try:
        body = to_bytes(sign(unsigned, signer.key, signer.method, now))
    except KeyLost as error:
        raise KeyLost(f"status list {name} cannot be signed: {error}") from error
    return Record(KIND, name, body, meta={"purpose": purpose}, rev=old.rev if old else 0)


def _is_key(did: str) -> bool:
    return did.startswith("did:key:")


def _revoked(reader: Reader, name: str) -> list[int]:
    """The places that were revoked. Those from before there was this search key are set in the list itself."""
    return [int(place.meta["index"]) for place in each(reader, "status", key("status.revoked", name))]


def is_time(tenant: Tenant) -> bool:
    """Whether what owes "publish" is signed now.

    While badges wait to be issued or revoked, lists are signed every ``GATHER`` only: so revoking thousands signs a
    list every few seconds, not with each batch. What was signed with a clock that was ahead is not waited for.
    """
    if tenant.store.next_due([PUBLISH]) is None:
        return True  # there is nothing to sign
    waits, now = tenant.store.next_due(["issue"]), tenant.clock()
    if waits is None or waits > now:
        return True
    signed = (micros_of_timestamp(json.loads(record.body)["validFrom"]) for record in each(tenant.store, KIND))
    return not any(0 <= now - at < GATHER for at in signed)


def publish(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Settles each claim on a ``status-list`` with the list signed anew. Raises ``Stale``, ``KeyLost``, ``SignerAway``.

    Whoever revokes meanwhile owes it again, so the claim is lost and the next one sees what they did.
    """
    issuer = issuer_of(tenant)
    for claim in claims:
        old, name = claim.record, claim.record.id
        new = _signed(tenant, issuer, name, old, _revoked(tenant.store, name))

        def settle(tx: Tx, new: Record = new) -> None:
            tx.put(new)

        tenant.store.settle([claim], settle).result()


KINDS = (Kind(KIND, "effect", subjects=None, retention="evidence", exported=True),)
"""Public, and about nobody."""
