"""From an award record to the content of a badge. Pure; knows the award's JSON and no store.

Dates become times in the tenant's zone: a badge is valid from the start of its first day to the end of its last.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from badges.content.attainment import of_award
from badges.content.compose import Credential, Recipient
from badges.content.described_evidence import described
from lrs.competency.shapes import Award
from lrs.competency.witnessed import Witnessed
from lrs.kernel.names import name
from lrs.kernel.strict_json import Json

_GUESSABLE = re.compile(r"\W*(\d\W*){1,14}")
"""Numbers of people, such as the ten digits of a ULN: whoever has the badge finds one by trying all of them."""


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
    return of_award(award).id


def credential_of(
    award_id: str,
    award: Award,
    recipient: Recipient,
    achievement: Json,
    *,
    zone: str,
    seen: Mapping[str, Witnessed] | None = None,
) -> Credential:
    """The content of the badge.

    *achievement* is the version that it gets; *zone* is an IANA name; *seen* is what is known of statements, by id.
    """
    tz = ZoneInfo(zone)
    ends = datetime.combine(award.valid_until, time(23, 59, 59), tz).isoformat() if award.valid_until else None
    return Credential(
        id=f"urn:uuid:{credential_uuid(award_id)}",
        achievement=achievement,
        recipient=recipient,
        awarded=datetime.combine(award.held_from, time(), tz).isoformat(),
        valid_until=ends,
        evidence=described(award, seen or {}, zone),
    )


def recipient_of(
    identifiers: Sequence[Mapping[str, Any]], award_id: str, secret: bytes, shown_name: str = ""
) -> Recipient:
    """The recipient in the badge: a hashed e-mail address, else a hashed account, else a ``urn:uuid:`` of its own.

    *identifiers* are xAPI inverse functional identifiers, of which the first counts. An address is hashed in lower
    case, an account as ``<home page> <name>``; an account that is only a number is not hashed, because it can be found
    by trying. The salt, and the id, which no other badge has, are made from *secret* and stay the same. *shown_name*
    is the holder's name, if they agreed to have it shown.
    """
    own = hmac.digest(secret, award_id.encode(), hashlib.sha256)
    salt = own[:16].hex()
    for found in identifiers:
        if "mbox" in found:
            mail = found["mbox"].removeprefix("mailto:")
            return Recipient(None, "emailAddress", mail.lower(), salt, formerly=mail, name=shown_name)
    for found in identifiers:
        if "account" in found and not _GUESSABLE.fullmatch(found["account"]["name"]):
            account = found["account"]
            whole = f"{account['homePage']} {account['name']}"
            return Recipient(None, "accountId", whole, salt, formerly=account["name"], name=shown_name)
    return Recipient(uuid.UUID(bytes=own[16:], version=4).urn, salt=salt, name=shown_name)
