"""What people read of a verdict: one outcome, what the badge says, and each check. Pure; knows no markup.

Texts in a badge come from outside; pages escape them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from badges.content.narrative import blocks
from badges.verifying.endorsements import endorsements_in
from badges.verifying.shape import is_of_vcdm_1, issuer_id
from badges.verifying.verdict import Check, Verdict
from badges.verifying.verify import failures
from badges.views.badge_view import MOST_EVIDENCE, endorser
from lrs.kernel.plain_text import one_line
from lrs.kernel.strict_json import JsonView
from lrs.web.dates import written_day
from lrs.web.language import ENGLISH

LONGEST = 400
"""Characters of a text from outside that are shown."""
_WORSE_FIRST = ("revoked", "suspended", "expired", "not_yet_valid", "another_recipient", "no_address", "unavailable")
_CHANGED = {"bad_signature", "bad_disclosure", "claims_differ", "hosted_differs", "proof_expired"}
_NOT_SUPPORTED = {"token_not_supported", "proof_not_derived", "did_not_supported", "unknown_context"}
_OF_ITSELF = {"form", "badge", "signature"}
"""Checks of the badge alone: what a status list lacks was not changed in the badge."""
_UNREADABLE = {"not_json", "not_a_jwt", "no_badge_in_file", "not_a_badge", "bad_image", "ambiguous_image"}


def outcome(verdict: Verdict) -> str:
    """What a verdict comes to, in a word: ``valid``, ``revoked``, ``changed``, …; ``not_valid`` for other reasons."""
    failed = [check for check in failures(verdict) if check.name != "holder"]
    codes, own = {check.code for check in failed}, {check.code for check in failed if check.name in _OF_ITSELF}
    if not list(failures(verdict)):
        return "all_valid" if len(verdict.badges) > 1 else "valid"
    if any(badge.valid for badge in verdict.badges) and all(check.ok for check in verdict.checks):
        return "some_valid"
    kinds = (
        ("unreadable", own & _UNREADABLE),
        ("changed", own & _CHANGED),
        ("not_supported", {code for code in codes if code in _NOT_SUPPORTED or code.endswith("_not_supported")}),
        ("stranger", {code for code in own if code.startswith("key_")}),
        *((code, codes & {code}) for code in _WORSE_FIRST),
    )
    return next((name for name, found in kinds if found), "not_valid")


def shown(
    verdict: Verdict, known: Mapping[str, str], *, is_printed: bool = False, language: str = ENGLISH
) -> dict[str, Any]:
    """The values of a page about *verdict*, with days in *language*.

    *known* are the issuers that the organisation knows: names by ids.

    *is_printed*: by a certificate somebody was given, which says nothing of the evidence.
    """
    badges = [_badge(one, known, language) for one in (verdict.badges or (verdict,))]
    if is_printed:
        badges = [one | {"evidence": []} for one in badges]
    holder = [_check(check) for check in verdict.checks] if verdict.badges else []
    return {"outcome": outcome(verdict), "badges": badges, "holder": holder}


def told(verdict: Verdict, known: Mapping[str, str]) -> dict[str, Any]:
    """*verdict* for programs, with what each badge says of itself, and whether its issuer is one of those *known*.

    So are those who endorse it.
    """
    inside = {"badges": [told(one, known) for one in verdict.badges]} if verdict.badges else {}
    said = summary(verdict.credential, verdict.format) if verdict.credential is not None else {}
    badge = {"badge": said, "issuerKnown": _known(verdict, said, known) != ""} if said else {}
    endorsed = [
        {
            "issuer": one["who"],
            "issuerId": one["id"],
            "issuerKnown": one["known"] != "",
            "byIssuerOfBadge": one["is_issuer"],
            "comment": one["says"],
        }
        for one in _endorsed(verdict, verdict.credential or {}, known)
    ]
    told_of = {"endorsements": endorsed} if endorsed else {}
    return {**verdict.shown(), "outcome": outcome(verdict), **badge, **told_of, **inside}


def _known(verdict: Verdict, said: Mapping[str, str], known: Mapping[str, str]) -> str:
    """What the issuer is called here, if the badge is its own; whoever only names it is not known by that."""
    return known.get(said.get("issuerId", ""), "") if _signed(verdict) else ""


def _signed(verdict: Verdict) -> bool:
    return any(check.name == "signature" and check.ok for check in verdict.checks)


def _badge(verdict: Verdict, known: Mapping[str, str], language: str) -> dict[str, Any]:
    credential = verdict.credential or {}
    said = summary(credential, verdict.format)
    return {
        **said,
        **_further(credential, verdict.format),
        "endorsed": _endorsed(verdict, credential, known),
        "is_badge": any(check.name == "badge" for check in verdict.checks),
        "signed": _signed(verdict),
        "known": _known(verdict, said, known),
        "day": written_day((said["given"] or said["from"])[:10], language),
        "first_day": written_day(said["from"][:10], language),
        "last_day": written_day(said["until"][:10], language),
        "withheld": verdict.withheld,
        "outcome": outcome(verdict),
        "format": verdict.format,
        "checks": [_check(check) for check in verdict.checks],
    }


def _check(check: Check) -> dict[str, Any]:
    return {"name": check.name, "ok": check.ok, "code": check.code, "why": _text(check.why)}


def summary(credential: JsonView, format: str) -> dict[str, str]:
    """What a badge of *format* says that it is; empty texts for what it does not say.

    Each member is read from where the checks of that format look, never from a place that another format has.
    """
    is_ob2, subject = format == "ob2", _object(credential.get("credentialSubject"))
    achievement = _object(credential.get("badge") if is_ob2 else subject.get("achievement"))
    issuer = achievement.get("issuer") if is_ob2 else credential.get("issuer")
    named = _object(issuer) or {"id": issuer}
    criteria = achievement.get("criteria")
    start, end = _days(credential, format)
    return {
        "id": _text(credential.get("id")),
        "name": _text(achievement.get("name") or credential.get("name")),
        "description": _text(achievement.get("description")),
        "criteria": _text(_object(criteria).get("narrative") if isinstance(criteria, Mapping) else criteria),
        "achievementId": achievement["id"] if isinstance(achievement.get("id"), str) else "",
        "issuer": _text(named.get("name")),
        "issuerId": _text(named.get("id")),
        "given": "" if is_ob2 else _text(credential.get("awardedDate")),
        "from": _text(start),
        "until": _text(end),
    }


def _days(credential: JsonView, format: str) -> tuple[Any, Any]:
    """From when until when it is valid."""
    if format == "ob2":
        return credential.get("issuedOn"), credential.get("expires")
    if is_of_vcdm_1(credential):
        return (
            credential.get("issuanceDate") or credential.get("validFrom"),
            credential.get("expirationDate") or credential.get("validUntil"),
        )
    return credential.get("validFrom"), credential.get("validUntil")


def _further(credential: JsonView, format: str) -> dict[str, Any]:
    """What only people read: the criteria in blocks, the level, the holder's name, and how it was shown."""
    is_ob2, subject = format == "ob2", _object(credential.get("credentialSubject"))
    achievement = _object(credential.get("badge") if is_ob2 else subject.get("achievement"))
    criteria = achievement.get("criteria")
    told = _object(criteria).get("narrative") if isinstance(criteria, Mapping) else criteria
    names = [] if is_ob2 else [one for one in _objects(subject.get("identifier")) if one.get("identityType") == "name"]
    return {
        "takes": blocks("\n".join(map(one_line, told[: 4 * LONGEST].splitlines())) if isinstance(told, str) else ""),
        "level": _level(achievement),
        "holder": next((_text(one.get("identityHash")) for one in names if one.get("hashed") is not True), ""),
        "evidence": [
            {"name": _text(one.get("name")), "told": _text(one.get("narrative") or one.get("description"))}
            for one in _objects(credential.get("evidence"))[:MOST_EVIDENCE]
        ],
    }


def _endorsed(verdict: Verdict, credential: JsonView, known: Mapping[str, str]) -> list[dict[str, Any]]:
    """Who endorsed the badge, or what it is for, and what they say; only where the check of endorsements succeeded."""
    if not any(check.name == "endorsements" and check.ok for check in verdict.checks):
        return []
    achievement = _object(_object(credential.get("credentialSubject")).get("achievement"))
    found = [one for part in (credential, achievement) for one in endorsements_in(part)]
    issuer = issuer_id(credential) if found and _signed(verdict) else ""
    return [
        {
            **endorser(issuer_id(one), issuer, known),
            "id": _text(issuer_id(one)),
            "who": _text(_object(one.get("issuer")).get("name")),
            "says": _text(_object(one.get("credentialSubject")).get("endorsementComment")),
        }
        for one in found
    ]


def _level(achievement: JsonView) -> str:
    for scale in _objects(achievement.get("resultDescription")):
        for one in _objects(scale.get("rubricCriterionLevel")):
            if one.get("id") is not None and one.get("id") == scale.get("requiredLevel"):
                return _text(one.get("name"))
    return ""


def _objects(value: Any) -> list[JsonView]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping)]


def _object(value: Any) -> JsonView:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """A text from outside on one line, not longer than ``LONGEST``; nothing else is a text."""
    if not isinstance(value, str):
        return ""
    line = one_line(" ".join(value[: 4 * LONGEST].split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
