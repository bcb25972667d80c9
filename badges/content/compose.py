"""An award as an Open Badges 3.0 credential. Pure: no clock, no randomness, no store, no key.

Valid by both published editions of the JSON schema: arrays for everything that may occur more than once, plain strings,
no null, no empty array. Source: 1EdTech "Open Badges 3.0", section "Data models"; W3C VCDM 2.0.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec.structs import replace

from badges.proofs.contexts import CREDENTIALS_V2, OPEN_BADGES
from lrs.competency.frameworks.levels import Level
from lrs.kernel.strict_json import Json, JsonView


class Alignment(msgspec.Struct, frozen=True):
    """The framework's item that an achievement stands for; ``url`` is absolute."""

    url: str
    name: str
    framework: str | None = None
    code: str | None = None


class Achievement(msgspec.Struct, frozen=True):
    """What can be earned: ``level`` of ``scale``. ``id`` is an absolute address; ``criteria`` is Markdown.

    ``criteria_page`` and ``image`` are addresses that answer. ``former`` is the version before, by address and number.
    """

    id: str
    name: str
    description: str
    criteria: str
    level: Level | None = None
    scale: tuple[Level, ...] = ()
    alignment: Alignment | None = None
    criteria_page: str | None = None
    image: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    creator: Json | None = None
    version: int | None = None
    former: tuple[str, int] | None = None


class Recipient(msgspec.Struct, frozen=True):
    """Who earned it: an absolute ``id``, or an identity of ``kind``, which is hashed here; and the name, if agreed to.

    *kind* is ``emailAddress`` or ``accountId``. *formerly* is the same identity as earlier releases hashed it.
    """

    id: str | None = None
    kind: str | None = None
    identity: str = ""
    salt: str = ""
    formerly: str = ""
    name: str = ""


class CitedEvidence(msgspec.Struct, frozen=True):
    """One piece of evidence, described for people.

    ``id`` is ``urn:`` or https, never the data itself; ``None`` for a line about several pieces. ``genre`` is the kind
    of assessment.
    """

    id: str | None
    name: str
    description: str = ""
    genre: str = ""


class Credential(msgspec.Struct, frozen=True):
    """One achievement (JSON) of one recipient, not yet signed. Times are ISO 8601 with a zone.

    *endorsements* are those of the badge itself; those of the achievement are in its JSON.
    """

    id: str
    achievement: Json
    recipient: Recipient
    awarded: str
    valid_until: str | None = None
    evidence: tuple[CitedEvidence, ...] = ()
    endorsements: tuple[Json, ...] = ()


class StatusEntry(msgspec.Struct, frozen=True):
    """Position ``index`` in the status list at ``list_url``."""

    list_url: str
    index: int
    purpose: str = "revocation"


def compose(badge: Credential, issuer: Json, valid_from: str, status: StatusEntry) -> Json:
    """The unsigned credential. *issuer* is a Profile; *valid_from* is in the past and later with each re-issue."""
    credential: Json = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": badge.id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": badge.achievement["name"],
        "issuer": issuer,
        "awardedDate": badge.awarded,
        "validFrom": valid_from,
        "validUntil": badge.valid_until,
        "credentialSubject": _subject(badge),
        "evidence": [_evidence(item) for item in badge.evidence],
        "endorsement": list(badge.endorsements),
        "credentialStatus": _status(status),
    }
    return _without_empty(credential)


def achievement_json(achievement: Achievement) -> Json:
    """The Achievement, which contains nothing about a learner."""
    image = {"id": achievement.image, "type": "Image", "caption": achievement.name} if achievement.image else None
    return _without_empty(
        {
            "id": achievement.id,
            "type": ["Achievement"],
            "achievementType": "Competency",
            "name": achievement.name,
            "description": achievement.description,
            "criteria": _without_empty({"id": achievement.criteria_page, "narrative": achievement.criteria}),
            "image": image,
            "inLanguage": achievement.language,
            "creator": achievement.creator,
            "tag": list(achievement.tags),
            "version": str(achievement.version) if achievement.version else None,
            "related": [_related(*achievement.former)] if achievement.former else [],
            "alignment": [_alignment(achievement.alignment)] if achievement.alignment else [],
            "resultDescription": [_result_description(achievement)] if achievement.level else [],
        }
    )


def identities(recipient: Recipient) -> list[Json]:
    """The ``identifier`` of the subject: whom the badge is for, and the name if it is shown."""
    found = [_identity(recipient.kind, recipient.identity, recipient.salt)] if recipient.kind else []
    return [*found, _name(recipient.name)] if recipient.name else found


def is_for(identifiers: list[Json], recipient: Recipient) -> bool:
    """Whether *identifiers* of a badge are those of *recipient*, hashed as now or as earlier releases did."""
    if identifiers == identities(recipient):
        return True
    return bool(recipient.formerly) and identifiers == identities(replace(recipient, identity=recipient.formerly))


def _related(url: str, version: int) -> Json:
    return {"id": url, "type": ["Related"], "version": str(version)}


def _evidence(item: CitedEvidence) -> Json:
    told = {
        "id": item.id,
        "type": ["Evidence"],
        "name": item.name,
        "description": item.description,
        "genre": item.genre,
    }
    return _without_empty(told)


def _subject(badge: Credential) -> Json:
    return _without_empty(
        {
            "id": badge.recipient.id,
            "type": ["AchievementSubject"],
            "identifier": identities(badge.recipient),
            "achievement": badge.achievement,
            "result": [
                {"type": ["Result"], "resultDescription": described["id"], "achievedLevel": described["requiredLevel"]}
                for described in badge.achievement.get("resultDescription", ())
            ],
        }
    )


def _identity(kind: str, identity: str, salt: str) -> Json:
    hashed = hashlib.sha256((identity + salt).encode()).hexdigest()
    return {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": f"sha256${hashed}",
        "identityType": kind,
        "salt": salt,
    }


def _name(name: str) -> Json:
    return {"type": "IdentityObject", "hashed": False, "identityHash": name, "identityType": "name"}


def _alignment(alignment: Alignment) -> Json:
    return _without_empty(
        {
            "type": ["Alignment"],
            "targetType": "CFItem",
            "targetUrl": alignment.url,
            "targetName": alignment.name,
            "targetFramework": alignment.framework,
            "targetCode": alignment.code,
        }
    )


def _result_description(achievement: Achievement) -> Json:
    levels = [
        _without_empty(
            {
                "id": _level_id(achievement, level),
                "type": ["RubricCriterionLevel"],
                "level": level.code,
                "name": level.label,
                "description": level.description,
            }
        )
        for level in achievement.scale
    ]
    return _without_empty(
        {
            "id": _results_id(achievement),
            "type": ["ResultDescription"],
            "name": "Level",
            "resultType": "RubricCriterionLevel",
            "requiredLevel": _level_id(achievement, achievement.level) if achievement.level else None,
            "rubricCriterionLevel": levels,
        }
    )


def _results_id(achievement: Achievement) -> str:
    return f"{achievement.id}#level"


def _level_id(achievement: Achievement, level: Level) -> str:
    return f"{achievement.id}#level-{level.ordinal}"


def _status(status: StatusEntry) -> Json:
    return {
        "id": f"{status.list_url}#{status.index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": status.purpose,
        "statusListIndex": str(status.index),
        "statusListCredential": status.list_url,
    }


def _without_empty(parts: Json) -> Json:
    return {name: value for name, value in parts.items() if value not in (None, "", [])}


def name_in(credential: JsonView) -> str:
    """The holder's name, if the badge says it openly."""
    for one in credential["credentialSubject"].get("identifier", ()):
        if one.get("identityType") == "name" and not one.get("hashed"):
            return str(one["identityHash"])
    return ""
