"""An award record read as what a badge says of it. Pure; knows the award's JSON and no store.

Dates become times in the tenant's zone: a badge is awarded at the beginning of its first day and ends with its last.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from badges.compose import Achievement, Alignment, Award, Evidence, Level, Recipient
from lrs.competency.dates import day_of, micros_in
from lrs.kernel.names import name

_ADDRESS = re.compile(r"(https?|urn):[^\s<>\"{}|\\^`]+")


class Competency(msgspec.Struct, frozen=True):
    """The framework's item that the award is about."""

    id: str
    label: str
    framework: str | None = None
    version: str | int | None = None
    code: str | None = None


class Rung(msgspec.Struct, frozen=True):
    """One level of the scale."""

    ordinal: int
    code: str
    label: str


class Scale(msgspec.Struct, frozen=True):
    """All levels that can be reached."""

    id: str = ""
    levels: tuple[Rung, ...] = ()


class Proof(msgspec.Struct, frozen=True):
    """A statement the award rests on."""

    statement: str
    source: str | None = None
    timestamp: str | None = None


class Described(msgspec.Struct, frozen=True):
    """The achievement in its owner's words, where somebody wrote them."""

    name: str
    description: str
    criteria: str
    id: str | None = None
    image: str | None = None


class AwardBody(msgspec.Struct, frozen=True):
    """The body of a record of kind ``award``, version 1; what a badge does not say is passed over.

    *evidence_count* is given where *evidence* does not name all there is.
    """

    v: int
    person: str
    competency: Competency
    level: Rung
    held_from: date
    state: str
    valid_until: date | None = None
    scale: Scale = Scale()
    evidence: tuple[Proof, ...] = ()
    evidence_count: int | None = None
    achievement: Described | None = None


def read_body(body: bytes) -> AwardBody:
    """The award in *body*. Raises ``msgspec.ValidationError`` for another shape, ``ValueError`` for another version."""
    award = msgspec.json.decode(body, type=AwardBody)
    if award.v != 1:
        raise ValueError(f"award of version {award.v}; this program reads version 1")
    return award


def credential_uuid(award_id: str) -> str:
    """The id of the one badge of an award, whatever runs twice."""
    return name("credential", award_id)


def achievement_uuid(award: AwardBody) -> str:
    """The same for everybody who reaches this level of this competency."""
    about = award.competency
    version = about.version if about.version is not None else ""
    return name("achievement", about.framework or "", version, about.id, award.scale.id, award.level.code)


def award_of(
    award_id: str, body: AwardBody, recipient: Recipient, *, address: Callable[[str], str], zone: str
) -> Award:
    """What the badge says. *address* gives the permanent address of ``achievements/<uuid>``; *zone* is an IANA name."""
    tz = ZoneInfo(zone)
    ends = datetime.combine(body.valid_until, time(23, 59, 59), tz).isoformat() if body.valid_until else None
    return Award(
        id=f"urn:uuid:{credential_uuid(award_id)}",
        achievement=_achievement(body, address),
        recipient=recipient,
        awarded=datetime.combine(body.held_from, time(), tz).isoformat(),
        valid_until=ends,
        evidence=(*(_evidence(proof, zone) for proof in body.evidence), *_counted(body)),
    )


def recipient_of(identifiers: Sequence[Mapping[str, Any]], award_id: str, secret: bytes) -> Recipient:
    """Whom the badge names: a hashed e-mail address, else a hashed account name, else a ``urn:uuid:`` of its own.

    *identifiers* are xAPI inverse functional identifiers, of which the first counts. The salt, and the id that nobody
    else's badge shares, come from *secret* and stay the same.
    """
    own = hmac.digest(secret, award_id.encode(), hashlib.sha256)
    salt = own[:16].hex()
    for found in identifiers:
        if "mbox" in found:
            return Recipient(kind="emailAddress", identity=found["mbox"].removeprefix("mailto:"), salt=salt)
    for found in identifiers:
        if "account" in found:
            return Recipient(kind="accountId", identity=found["account"]["name"], salt=salt)
    return Recipient(id=uuid.UUID(bytes=own[16:], version=4).urn)


def _achievement(body: AwardBody, address: Callable[[str], str]) -> Achievement:
    about, level, told = body.competency, body.level, body.achievement
    own = told.id if told and told.id and _ADDRESS.fullmatch(told.id) else None
    title = f"{about.label}: {level.label}"
    framework = " ".join(str(part) for part in (about.framework, about.version) if part)
    return Achievement(
        id=own or address(f"achievements/{achievement_uuid(body)}"),
        name=told.name if told else title,
        description=told.description if told else f"{title}, proven by evidence from trusted sources.",
        criteria=told.criteria
        if told
        else f"Evidence that proves {title}" + (f" ({framework})." if framework else "."),
        level=Level(level.ordinal, level.code, level.label),
        scale=tuple(Level(step.ordinal, step.code, step.label) for step in body.scale.levels or (level,)),
        alignment=_alignment(about),
        image=told.image if told else None,
    )


def _alignment(about: Competency) -> Alignment | None:
    """The framework's item by its address; an item without one cannot be pointed at."""
    url = about.id if _ADDRESS.fullmatch(about.id) else None
    try:
        url = url or uuid.UUID(about.id).urn
    except ValueError:
        return None
    return Alignment(url, about.label, about.framework, about.code)


def _counted(body: AwardBody) -> Iterator[Evidence]:
    """How much there is besides what is named, as of the signing."""
    if body.evidence_count is not None:
        yield Evidence(
            None, f"{body.evidence_count} learning records in all; {len(body.evidence)} of them are named here"
        )


def _evidence(proof: Proof, zone: str) -> Evidence:
    """A statement by its id and its day in *zone*; what it says, and who said it, is the learner's to disclose."""
    when = micros_in(proof.timestamp or "")
    day = f" of {day_of(when, zone)}" if when is not None else ""
    return Evidence(uuid.UUID(proof.statement).urn, f"Learning record{day}")
