"""What the step "issue" reads: everything that badges are made from, many in a round trip, and what a badge would say.

Writes nothing and signs no badge; the endorsements of ours are signed, because they are part of what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from badges.achievements import achievements, wording
from badges.content.attainment import of_award
from badges.content.awards import achievement_uuid, credential_of, credential_uuid, read_award, recipient_of
from badges.content.described_evidence import named
from badges.credentials.records import BadgeContent
from badges.credentials.status import ENTRIES, PROBES, REVOCATION, Draw, place_id
from badges.endorsing import endorsements
from badges.endorsing.endorsements import Endorsements, endorsements_of, signed_endorsements
from badges.held import holders, shown_names, stops
from badges.held.shares import may_share
from badges.keys.issuer import Issuer
from lrs.access import source_names
from lrs.access.source_names import shown_name
from lrs.competency.shapes import Award
from lrs.competency.witnessed import witnessed
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.strict_json import Json
from lrs.people import persons
from lrs.storage import Reader, RecordName
from lrs.storage.ahead import ReadAhead
from lrs.tenancy.tenants import Tenant

FIRST_LIST = f"{REVOCATION}-1"
IdentifiersOf = Callable[[Reader, str], Sequence[Mapping[str, Any]]]
"""The xAPI identifiers of a person, oldest first."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What issuing needs besides the award; the same for all claims of one call. *reader* is what it reads by.

    *did* is the document of the issuer's DID, *holder* the DID of a wallet that is about to hold the badge, *endorsers*
    are the documents of others who endorsed what is issued.
    """

    tenant: Tenant
    issuer: Issuer
    did: Mapping[str, object]
    identifiers_of: IdentifiersOf
    draw: Draw
    reader: Reader
    holder: str | None = None
    endorsers: dict[str, Mapping[str, object]] = field(default_factory=dict)


OF_BADGE = (holders.KIND, endorsements.KIND, shown_names.KIND)
"""Kinds of what a badge says beyond its award; each record has the id of the badge."""


def read_ahead(ahead: ReadAhead, awards: Sequence[str], draw: Draw) -> list[int]:
    """Reads what badges of *awards* are made from, and whether places in the first list that are drawn now are free.

    Gives the places. What is not read here is read when it is asked for.
    """
    ahead.load([("status-list", FIRST_LIST), *(("award", id) for id in awards)])
    held = ahead.get_many("credential", map(credential_uuid, awards))
    drawn = [draw(ENTRIES) for _ in range(PROBES * (len(awards) - len(held)))]
    names: list[RecordName] = [("status", place_id(FIRST_LIST, index)) for index in drawn]
    names += [("status-list", str(record.meta["list"])) for record in held.values()]
    names += [(stops.KIND, id) for id in held]
    found = []
    for record in ahead.get_many("award", awards).values():
        with suppress(ValueError):  # it fails by itself
            found.append(read_award(record.body))
    people = {award.person for award in found}
    names += [(wording.KIND, achievement_uuid(award)) for award in found]
    names += [(source_names.KIND, proof.source) for award in found for proof in named(award)]
    names += [(kind, credential_uuid(award)) for award in awards for kind in OF_BADGE]
    ahead.load([*names, *(("person", id) for id in people)])
    words = ahead.get_many(wording.KIND, [name for kind, name in names if kind == wording.KIND])
    current = [wording.read(one).current for one in words.values()]
    ahead.load((kind, id) for id in current for kind in (achievements.KIND, endorsements.KIND))
    with suppress(Refused):  # together too large: then those of one badge are read at a time
        ahead.load(("statement", proof.statement) for award in found for proof in named(award))
    ahead.load(("person", into) for into in persons.holders(ahead, people).values())
    members = {member for id in people for member in persons.members_of(ahead, id)}
    ahead.load_with("identifier", (key("identifier-person", member) for member in members))
    return drawn


def content_of(desk: Desk, award_id: str, award: Award) -> BadgeContent:
    """What the badge of *award* would say now, with the version of its words."""
    tenant, reader = desk.tenant, desk.reader
    identifiers = desk.identifiers_of(reader, award.person)
    shown = shown_names.shown_name(reader, credential_uuid(award_id))
    if shown and not may_share(tenant, award.person, reader):
        shown = ""
    recipient = recipient_of(identifiers, award_id, tenant.secret("badge-recipient/1"), shown)
    if did := desk.holder or holders.holder_of(reader, credential_uuid(award_id)):
        recipient = replace(recipient, id=did)
    version = achievements.current(tenant, reader, desk.issuer, of_award(award))
    seen = witnessed(reader, (proof.statement for proof in named(award)))
    of_achievement = None if version.records else endorsements_of(reader, version.id)  # a new version has none
    json = version.json | ({"endorsement": endorsed} if (endorsed := _signed(desk, of_achievement)) else {})
    said = _with_shown_sources(reader, award)
    credential = credential_of(award_id, said, recipient, json, zone=tenant.settings.zone, seen=seen)
    own = _signed(desk, endorsements_of(reader, credential_uuid(award_id)))
    return (replace(credential, endorsements=tuple(own)) if own else credential), version


def _with_shown_sources(reader: Reader, award: Award) -> Award:
    """*award*, whose evidence says the shown names of its sources."""
    shown = {one: name for one in {proof.source for proof in named(award)} if (name := shown_name(reader, one))}
    if not shown:
        return award
    evidence = tuple(msgspec.structs.replace(one, source=shown.get(one.source, one.source)) for one in award.evidence)
    return msgspec.structs.replace(award, evidence=evidence)


def _signed(desk: Desk, found: Endorsements | None) -> list[Json]:
    """The endorsements to embed. What is kept of their endorsers' keys is what our own verification is told."""
    given = found.given if found else ()
    desk.endorsers.update({one.endorser: one.did for one in given if one.did is not None})
    return signed_endorsements(found, desk.issuer)
