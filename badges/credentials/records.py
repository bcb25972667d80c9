"""The records of badges in the store: signed credentials, and taken places in lists. Writes nothing.

A record made here has ``seq`` 0 and the ``rev`` of the stored one, 0 if there is none. A record that needs no change is
returned as it is stored.

kind ``credential``, id uuid5 of the award: the signed badge; meta has the person, the first day, the place, what it is
for and in which version of the words, and the key that it replaces if its former signature does not count any more.
kind ``status``, id ``status:<list>:<n>``: a taken place. Lists are those of ``badges.credentials.lists``,
achievements those of ``badges.achievements.achievements``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from badges.achievements.achievements import AchievementVersion
from badges.content.awards import credential_uuid
from badges.content.compose import Credential, StatusEntry, compose, is_for
from badges.credentials import status
from badges.keys.issuer import Issuer, address
from badges.proofs.sign import sign
from lrs.competency.shapes import Award
from lrs.kernel.keys import key
from lrs.kernel.strict_json import Json
from lrs.kernel.times import SECOND, micros_of_timestamp
from lrs.storage import Reader, Record
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, of_person_in_meta
from lrs.tenancy.tenants import Tenant

ISSUED = "issued"
REVOKED = "revoked"

BadgeContent = tuple[Credential, AchievementVersion]
"""What a badge says, and which version of its words that is."""
StatusPlace = tuple[str, int]
"""The name of a status list, and the index in it."""


def to_bytes(value: Json) -> bytes:
    """JSON as it is stored and served."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def says_the_same(held: Record, content: BadgeContent, issuer: Issuer, first: str) -> bool:
    """Whether the badge *held* says what a badge with *content* would say now, and its signature counts.

    What is compared is what was reached, by whom, until when, and who endorsed the badge, or the version of the words
    that it has. Which of the issuer's keys signed it is not compared, nor its dates of issue and its place, nor its
    words, which have versions, nor the evidence that it names and its count, because evidence for a held level keeps
    coming. *first* is the address of the first version of the words.
    """
    (credential, version), badge = content, json.loads(held.body)
    now = compose(credential, issuer.profile(), "", StatusEntry("", 0))
    subject, wanted = badge["credentialSubject"], now["credentialSubject"]
    if subject.get("id") != wanted.get("id") or not is_for(subject.get("identifier", []), credential.recipient):
        return False
    reached = held.meta.get("achievement") == version.achievement or subject["achievement"]["id"] == first
    recent = int(held.meta.get("version", 0)) >= version.least
    endorsed = _endorsed(badge, issuer) == [one["id"] for one in credential.endorsements]
    if held.meta.get("version") == version.number:
        endorsed = endorsed and achievement_endorsements(badge) == achievement_endorsements(now)
    same = endorsed and _bare(badge) == _bare(now)
    return reached and recent and same and issuer.answers_for(method_of(badge))


def leaves_wallet(held: Record, credential: Credential) -> bool:
    """Whether the badge *held* names the key of a wallet as its holder, and one with *credential* would name none."""
    before, now = str(json.loads(held.body)["credentialSubject"].get("id", "")), str(credential.recipient.id or "")
    return before.startswith("did:") and not now.startswith("did:")


def _endorsed(badge: Json, issuer: Issuer) -> list[str] | None:
    """The endorsements in *badge*, by id; ``None`` if one of ours, also of its achievement, has a proof of no key."""
    own, of_achievement = badge.get("endorsement", []), badge["credentialSubject"]["achievement"].get("endorsement", [])
    ours = [one for one in (*own, *of_achievement) if one["issuer"]["id"] == issuer.id]
    return [str(one["id"]) for one in own] if all(issuer.answers_for(method_of(one)) for one in ours) else None


def achievement_endorsements(badge: Json) -> list[str]:
    """The endorsements of what *badge* is for, by id."""
    return [str(one["id"]) for one in badge["credentialSubject"]["achievement"].get("endorsement", [])]


def method_of(signed: Json) -> str:
    """The key that signed a badge or a list of ours, as its proof names it."""
    return str(signed["proof"][0]["verificationMethod"])


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
    unasked = {"proof", "validFrom", "credentialStatus", "evidence", "name", "credentialSubject", "endorsement"}
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


def place_record(reader: Reader, place: StatusPlace, credential: str, state: str) -> Record:
    """The record that takes *place* for *credential*."""
    name, index = place
    old = reader.get("status", status.place_id(name, index))
    meta = {"list": name, "index": index, "credential": credential, "state": state}
    if old and old.meta == meta:
        return old
    keys = [key("status.list", name), *([key("status.revoked", name)] if state == REVOKED else [])]
    return Record("status", status.place_id(name, index), meta=meta, keys=tuple(keys), rev=old.rev if old else 0)


def credential_record(
    tenant: Tenant,
    issuer: Issuer,
    content: BadgeContent,
    award: Award,
    place: StatusPlace,
    old: Record | None,
) -> Record:
    """The signed badge with *content* of *award* at *place*, newer than the *old* one that it replaces."""
    credential, version = content
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
        meta=_meta(award, place, valid_from)
        | {"achievement": version.achievement, "version": version.number}
        | _replaced(issuer, old),
        keys=(key("credential.person", award.person),),
        rev=old.rev if old else 0,
    )


def _replaced(issuer: Issuer, old: Record | None) -> dict[str, str]:
    """The fragment of the key that signed *old*, if that key counts no more: its holder has to be given the new one."""
    if old is None or old.meta["state"] != ISSUED:
        return {}
    did, _, fragment = method_of(json.loads(old.body)).rpartition("#")
    lost = did == issuer.id and not issuer.answers_for(f"{did}#{fragment}")
    return {"replaces": fragment} if lost else {}


def _meta(award: Award, place: StatusPlace, valid_from: str) -> dict[str, Any]:
    return {
        "person": award.person,
        "state": ISSUED,
        "list": place[0],
        "index": place[1],
        "valid_from": valid_from,
        "ends": award.valid_until.isoformat() if award.valid_until else None,
    }


def promises_more(held: Record, ends: date | None) -> bool:
    """Whether the present badge is valid for longer than *ends* (``None``: no end)."""
    if ends is None:
        return False
    return held.meta["ends"] is None or str(held.meta["ends"]) > ends.isoformat()


KINDS = (
    Kind(
        "credential",
        "effect",
        subjects=of_person_in_meta,
        retention="evidence",
        exported=True,
        find=by_person("credential", "credential.person"),
    ),
    Kind("status", "effect", subjects=None, retention="evidence", exported=True),
)
"""A place in a list names a badge and not its holder."""
