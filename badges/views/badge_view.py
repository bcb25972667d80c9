"""What people read of a stored badge: from the signed JSON to the values of pages. Pure; knows no markup and no store.

Texts in a badge come from frameworks and statements; pages escape them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from badges.content.narrative import blocks
from badges.verifying.shape import issuer_id
from badges.verifying.verdict import Verdict
from lrs.kernel.strict_json import JsonView
from lrs.web.dates import written_day
from lrs.web.language import ENGLISH

MOST_EVIDENCE = 12
"""Pieces of evidence that a page shows."""
_PLAIN = {"revoked", "suspended", "expired", "not_yet_valid"}
"""Reasons why a badge that is genuine does not count now."""
LINKEDIN = "https://www.linkedin.com/profile/add"


def badge(credential: JsonView, language: str = ENGLISH) -> dict[str, Any]:
    """The values for a page about *credential*. An empty text or list stands for what it lacks."""
    subject = credential["credentialSubject"]
    achievement, issuer = subject["achievement"], credential["issuer"]
    evidence = [_evidence(one) for one in credential.get("evidence", ())]
    signed, awarded = credential["validFrom"][:10], str(credential.get("awardedDate", credential["validFrom"]))[:10]
    return {
        "name": achievement["name"],
        "level": _level(achievement),
        "description": achievement.get("description", ""),
        "takes": blocks(achievement.get("criteria", {}).get("narrative", "")),
        "stands_for": address(achievement["id"]),
        "issuer": issuer["name"],
        "issuer_page": address(str(issuer.get("url", ""))),
        "awarded": written_day(awarded, language),
        "copy_from": written_day(signed, language) if signed != awarded else "",
        "until": written_day(credential["validUntil"][:10], language) if "validUntil" in credential else "",
        "evidence": evidence[:MOST_EVIDENCE],
        "more_evidence": max(0, len(evidence) - MOST_EVIDENCE),
        "id": credential["id"],
    }


def endorsed(credential: JsonView, known: Mapping[str, str]) -> list[dict[str, Any]]:
    """Who endorsed the badge, or what it is for, and what they say; *known* as for ``endorser``."""
    parts, issuer = (credential, credential["credentialSubject"]["achievement"]), issuer_id(credential)
    return [
        {
            **endorser(issuer_id(one), issuer, known),
            "who": str(one["issuer"].get("name", "")),
            "says": str(one["credentialSubject"].get("endorsementComment", "")),
        }
        for part in parts
        for one in part.get("endorsement", ())
    ]


def endorser(id: str, issuer: str, known: Mapping[str, str]) -> dict[str, Any]:
    """What is known of who signed an endorsement, by its *id*: what it is called here, or whether it is the *issuer*.

    A name in an endorsement is what its endorser wrote there: anybody can write any. *known* are the issuers that the
    organisation knows, names by ids.
    """
    return {"id": id, "known": known.get(id, ""), "is_issuer": id == issuer}


def address(text: str) -> str:
    """*text* if it is a web address, else an empty text: whatever a page links to."""
    return text if text.startswith(("https://", "http://")) else ""


def checked(verdict: Verdict, state: str) -> str:
    """What a check came to: ``good``, ``revoked``, ``suspended``, ``expired``, ``not_yet_valid``, or ``bad``.

    The last one stands for a badge that is not as it was signed.

    *state* is what is known here: a badge that was revoked or suspended a moment ago is not in its list yet.
    """
    failed = {check.name for check in verdict.checks if not check.ok}
    if state != "issued":
        return state
    if not failed:
        return "good"
    code = next(check.code for check in verdict.checks if not check.ok)
    return code if len(failed) == 1 and code in _PLAIN else "bad"


def linkedin(credential: JsonView, page: str) -> str:
    """The address at LinkedIn by which a member adds this badge to their profile; *page* is where it can be seen.

    Source: LinkedIn, "Add to Profile".
    """
    awarded = date.fromisoformat(str(credential.get("awardedDate", credential["validFrom"]))[:10])
    told = {
        "startTask": "CERTIFICATION_NAME",
        "name": credential["credentialSubject"]["achievement"]["name"],
        "organizationName": credential["issuer"]["name"],
        "issueYear": str(awarded.year),
        "issueMonth": str(awarded.month),
        "certId": credential["id"],
    }
    if "validUntil" in credential:
        ends = date.fromisoformat(credential["validUntil"][:10])
        told |= {"expirationYear": str(ends.year), "expirationMonth": str(ends.month)}
    return f"{LINKEDIN}?{urlencode(told | ({'certUrl': page} if page else {}))}"


def _level(achievement: JsonView) -> str:
    scale: JsonView = next(iter(achievement.get("resultDescription", ())), {})
    required = scale.get("requiredLevel")
    return next((str(one["name"]) for one in scale.get("rubricCriterionLevel", ()) if one["id"] == required), "")


def _evidence(one: JsonView) -> dict[str, str]:
    told = str(one.get("narrative") or one.get("description") or "")
    return {"name": str(one.get("name", "")), "told": told}
