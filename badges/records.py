"""The records of badges in the store: signed credentials, signed lists, taken places, achievements. Writes nothing.

A record made here has ``seq`` 0 and the ``rev`` of the stored one, 0 if there is none. A record that needs no change is
returned as it is stored.

kind ``credential``, id uuid5 of the award: the signed badge; meta has the person, the award, the first day, the place.
kind ``status-list``, id ``<purpose>-<n>``: the signed list; its address and issuer never change. kind ``status``, id
``status:<list>:<n>``: a taken place. kind ``achievement``: the Achievement as JSON, without learners.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count, islice
from typing import Any

from badges import status
from badges.awards import achievement_uuid, credential_uuid
from badges.compose import Credential, StatusEntry, achievement_json, compose
from badges.issuer import Issuer, address, key_did
from badges.sign import sign
from lrs.competency.shapes import Award
from lrs.kernel.keys import key
from lrs.kernel.strict_json import Json
from lrs.kernel.times import SECOND, micros_of_timestamp
from lrs.storage import Reader, Record, each
from lrs.storage.about import by_keys
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant

ISSUED = "issued"
REVOKED = "revoked"

StatusPlace = tuple[str, int]
"""The name of a status list, and the index in it."""


class KeyLost(Exception):
    """A list has to change, and the key of its issuer cannot be had with this master key."""


def to_bytes(value: Json) -> bytes:
    """JSON as it is stored and served."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def says_the_same(held: Record, credential: Credential, issuer: Issuer) -> bool:
    """Whether the badge *held* says what *credential* would say now, and is signed with *issuer*'s key.

    Its dates of issue and its place are not compared, and neither are the evidence that it names and its count, because
    evidence for a held level keeps coming.
    """
    badge = json.loads(held.body)
    now = compose(credential, issuer.profile(), "", StatusEntry("", 0))
    return _bare(badge) == _bare(now) and _method(badge) == issuer.method


def badged(reader: Reader, awards: Iterable[str]) -> set[str]:
    """Those of *awards* (ids) that have a badge that is valid."""
    ids = {credential_uuid(award): award for award in awards}
    found = (reader.get_many("credential", some) for some in batched(ids))
    return {ids[id] for records in found for id, held in records.items() if held.meta["state"] == ISSUED}


def batched(ids: Iterable[str], size: int = 500) -> Iterator[list[str]]:
    """*ids* in lists of at most *size*."""
    left = iter(ids)
    while some := list(islice(left, size)):
        yield some


def named_in(held: Record) -> list[str]:
    """The statements that the badge *held* names as evidence."""
    evidence = json.loads(held.body).get("evidence", [])
    return [str(one["id"]).removeprefix("urn:uuid:") for one in evidence if "id" in one]


def _bare(badge: Json) -> Json:
    unasked = {"proof", "validFrom", "credentialStatus", "evidence"}
    return {name: value for name, value in badge.items() if name not in unasked}


def issue_time(now: int, last: str | None) -> str:
    """``validFrom``: *now* (microseconds UTC) rounded down to the second, and always later than *last*.

    Within one second it is a millisecond later. It is in the future only if *last* is, because a clock was ahead: then
    the badge is valid only from that time on, for verifiers allow no clock skew.
    """
    moment = datetime.fromtimestamp(now // SECOND, UTC)
    if last and (before := datetime.fromtimestamp(micros_of_timestamp(last) / SECOND, UTC)) >= moment:
        moment = before + timedelta(milliseconds=1)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def list_names(tenant: Tenant, reader: Reader, issuer: Issuer, purpose: str) -> Iterator[str]:
    """Names of lists for new badges of *issuer*, without end: its own lists, and new ones."""
    for number in count(1):
        name = f"{purpose}-{number}"
        if is_current(tenant, reader, issuer, name):
            yield name


def is_current(tenant: Tenant, reader: Reader, issuer: Issuer, name: str) -> bool:
    """Whether list *name* is new, or belongs to *issuer* at its present address."""
    record = reader.get("status-list", name)
    return record is None or _is_at(tenant, issuer, record)


def former_lists(tenant: Tenant, issuer: Issuer) -> Iterator[tuple[str, str, int]]:
    """Address, issuer and number of unrevoked badges of each list of a former issuer or address."""
    for record in each(tenant.store, "status-list"):
        if not _is_at(tenant, issuer, record):
            listed = json.loads(record.body)
            places = each(tenant.store, "status", key("status.list", record.id))
            yield listed["id"], listed["issuer"], sum(place.meta["state"] == ISSUED for place in places)


def _is_at(tenant: Tenant, issuer: Issuer, record: Record) -> bool:
    listed = json.loads(record.body)
    return bool(listed["id"] == address(tenant, f"status/{record.id}") and _method(listed) == issuer.method)


def _method(listed: Json) -> str:
    return str(listed["proof"][0]["verificationMethod"])


def list_record(tenant: Tenant, reader: Reader, issuer: Issuer, name: str, revoke: int | None = None) -> Record:
    """List *name* with place *revoke* set, signed again. A new list is made for *issuer*; another keeps its own issuer.

    A verifier accepts a list only under the address and from the issuer that the badge names, so neither ever changes.
    All did:web issuers of a tenant have one key. A list that was signed while the clock was ahead is signed again: no
    verifier would accept it until then. Raises ``KeyLost``.
    """
    old = reader.get("status-list", name)
    purpose = name.rpartition("-")[0]
    listed = json.loads(old.body) if old else {"id": address(tenant, f"status/{name}"), "issuer": issuer.id}
    bits = status.bits_of(listed, purpose) if old else status.EMPTY
    is_ahead = old is not None and micros_of_timestamp(listed["validFrom"]) > tenant.clock()
    if old and not is_ahead and (revoke is None or status.is_set(bits, revoke)):
        return old
    signer = replace(issuer, id=listed["issuer"])
    if signer.id.startswith("did:key:") and signer.id != key_did(issuer.key):
        raise KeyLost(f"status list {name} is of {signer.id}: bring back the master key that gave it")
    bits = bits if revoke is None else status.with_set(bits, revoke)
    now = issue_time(tenant.clock(), None)
    unsigned = status.compose_list(listed["id"], signer.id, purpose, bits, now)
    body = to_bytes(sign(unsigned, signer.key, signer.method, now))
    return Record("status-list", name, body, meta={"purpose": purpose}, rev=old.rev if old else 0)


def place_record(reader: Reader, place: StatusPlace, credential: str, state: str) -> Record:
    """The record that takes *place* for *credential*."""
    name, index = place
    old = reader.get("status", status.place_id(name, index))
    meta = {"list": name, "index": index, "credential": credential, "state": state}
    if old and old.meta == meta:
        return old
    return Record(
        "status", status.place_id(name, index), meta=meta, keys=(key("status.list", name),), rev=old.rev if old else 0
    )


def credential_record(
    tenant: Tenant, issuer: Issuer, credential: Credential, award: Award, place: StatusPlace, old: Record | None
) -> Record:
    """The signed badge *credential* of *award* at *place*, newer than the *old* one that it replaces."""
    list_url = address(tenant, f"status/{place[0]}")
    now = tenant.clock()
    valid_from = issue_time(now, old.meta["valid_from"] if old else None)
    unsigned = compose(credential, issuer.profile(), valid_from, StatusEntry(list_url, place[1]))
    signed = sign(unsigned, issuer.key, issuer.method, issue_time(now, None))
    id = credential.id.removeprefix("urn:uuid:")
    return Record(
        "credential",
        id,
        to_bytes(signed),
        meta=_meta(award, place, valid_from),
        keys=(key("credential.person", award.person),),
        rev=old.rev if old else 0,
    )


def _meta(award: Award, place: StatusPlace, valid_from: str) -> dict[str, Any]:
    return {
        "person": award.person,
        "state": ISSUED,
        "list": place[0],
        "index": place[1],
        "valid_from": valid_from,
        "ends": award.valid_until.isoformat() if award.valid_until else None,
    }


def achievement_record(reader: Reader, credential: Credential, award: Award) -> Record:
    """The achievement for its public page."""
    id = achievement_uuid(award)
    old = reader.get("achievement", id)
    content = to_bytes(achievement_json(credential.achievement))
    if old and old.body == content:
        return old
    return Record("achievement", id, content, rev=old.rev if old else 0)


def promises_more(held: Record, ends: date | None) -> bool:
    """Whether the present badge is valid for longer than *ends* (``None``: no end)."""
    if ends is None:
        return False
    return held.meta["ends"] is None or str(held.meta["ends"]) > ends.isoformat()


def _holder(record: Record) -> Subjects:
    return subjects(persons=[record.meta["person"]])


KINDS = (
    Kind(
        "credential",
        "effect",
        subjects=_holder,
        retention="evidence",
        exported=True,
        find=by_keys("credential", lambda whose: (key("credential.person", one) for one in whose.persons)),
    ),
    Kind("status-list", "effect", subjects=None, retention="evidence", exported=True),
    Kind("status", "effect", subjects=None, retention="evidence", exported=True),
    Kind("achievement", "effect", subjects=None, retention="evidence", exported=True),
)
"""A place in a list names a badge and not its holder. Lists and achievements are public and name nobody."""
