"""From an award record to the content of a badge. Pure; knows the award's JSON and no store.

Dates become times in the tenant's zone: a badge is valid from the start of its first day to the end of its last.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from badges.compose import Achievement, Alignment, CitedEvidence, Credential, Recipient
from lrs.competency.dates import day_of, micros_in
from lrs.competency.shapes import AboutCompetency, Award, Proof
from lrs.kernel.names import name

_ADDRESS = re.compile(r"(https?|urn):[^\s<>\"{}|\\^`]+")


def read_award(body: bytes) -> Award:
    """The award in *body*. Raises ``msgspec.ValidationError`` for another form, ``ValueError`` for another version."""
    award = msgspec.json.decode(body, type=Award)
    if award.v != 1:
        raise ValueError(f"award of version {award.v}; this program reads version 1")
    return award


def credential_uuid(award_id: str) -> str:
    """The id of the one badge of an award. It follows from the award, so it is the same whenever it is made."""
    return name("credential", award_id)


def achievement_uuid(award: Award) -> str:
    """The id of the achievement, the same for everybody who reaches this level of this competency."""
    about = award.competency
    return name("achievement", about.framework, about.version, about.id, award.scale.id, award.level.code)


def credential_of(
    award_id: str, award: Award, recipient: Recipient, *, address: Callable[[str], str], zone: str
) -> Credential:
    """The content of the badge.

    *address* gives the permanent address of ``achievements/<uuid>``; *zone* is an IANA name.
    """
    tz = ZoneInfo(zone)
    ends = datetime.combine(award.valid_until, time(23, 59, 59), tz).isoformat() if award.valid_until else None
    return Credential(
        id=f"urn:uuid:{credential_uuid(award_id)}",
        achievement=_achievement(award, address),
        recipient=recipient,
        awarded=datetime.combine(award.held_from, time(), tz).isoformat(),
        valid_until=ends,
        evidence=(*(_evidence(proof, zone) for proof in award.evidence), *_counted(award)),
    )


def recipient_of(identifiers: Sequence[Mapping[str, Any]], award_id: str, secret: bytes) -> Recipient:
    """The recipient in the badge: a hashed e-mail address, else a hashed account name, else a ``urn:uuid:`` of its own.

    *identifiers* are xAPI inverse functional identifiers, of which the first counts. The salt, and the id, which no
    other badge has, are made from *secret* and stay the same.
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


def _achievement(award: Award, address: Callable[[str], str]) -> Achievement:
    about, level = award.competency, award.level
    title = f"{about.label}: {level.label}"
    return Achievement(
        id=address(f"achievements/{achievement_uuid(award)}"),
        name=title,
        description=f"{title}, proven by evidence from trusted sources.",
        criteria=f"Evidence that proves {title} ({about.framework} {about.version}).",
        level=level,
        scale=award.scale.levels,
        alignment=_alignment(about),
    )


def _alignment(about: AboutCompetency) -> Alignment | None:
    """The framework's item by its address; ``None`` for an item without a web address."""
    url = about.id if _ADDRESS.fullmatch(about.id) else None
    try:
        url = url or uuid.UUID(about.id).urn
    except ValueError:
        return None
    return Alignment(url, about.label, about.framework, about.code)


def _counted(award: Award) -> Iterator[CitedEvidence]:
    """A line that says how much evidence there is beyond what is named, at the time of signing."""
    if award.evidence_count is not None:
        yield CitedEvidence(
            None, f"{award.evidence_count} learning records in all; {len(award.evidence)} of them are named here"
        )


def _evidence(proof: Proof, zone: str) -> CitedEvidence:
    """A statement, by its id and its day in *zone*. The learner decides whether to show its content."""
    when = micros_in(proof.timestamp)
    day = f" of {day_of(when, zone)}" if when is not None else ""
    return CitedEvidence(uuid.UUID(proof.statement).urn, f"Learning record{day}")
