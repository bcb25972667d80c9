"""The rules of 1EdTech's public validator of Open Badges 3.0 (code of v1.11), as a list of what breaks them.

Written from the validator's behaviour, apart from our own verifier: that one checks badges of others, this one ours.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

V2 = "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
_NEEDS_EXTENSIONS = {"1EdTechJsonSchemaValidator2019", "1EdTechRevocationList", "1EdTechCredentialRefresh"}
_ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
LEAST_BITS = 131_072

Json = dict[str, Any]


def faults_of_badge(badge: Json, did: Json, now: datetime) -> list[str]:
    """What of a badge with an embedded proof the validator would refuse; *did* is the issuer's DID document."""
    return [*_common(badge, now), *_proof(badge, did)]


def faults_of_jwt(token: str, did: Json, now: datetime) -> list[str]:
    """The same for a badge as a JWT: header, the claims that stand for members, and the payload."""
    head, payload, *rest = (part for part in token.split("."))
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, payload))
    found = [] if len(rest) == 1 else ["not three parts"]
    found += [] if header.get("alg") in {"RS256", "ES256"} else ["alg is neither RS256 nor ES256"]
    found += [] if header.get("typ") in {None, "JWT"} else ["typ is not JWT"]
    found += [] if header.keys() <= {"alg", "kid", "typ", "jwk"} else ["a header that Open Badges does not allow"]
    keys = {one["id"]: one for one in did["verificationMethod"]}
    found += [] if "publicKeyJwk" in keys.get(header.get("kid"), {}) else ["kid is no published JWK"]
    found += [] if "vc" not in claims else ["the claim vc"]
    pairs = (("iss", claims["issuer"]["id"]), ("jti", claims["id"]), ("sub", claims["credentialSubject"].get("id")))
    found += [f"{name} is not what the badge says" for name, value in pairs if claims.get(name) != value]
    dates = (("nbf", "validFrom"), ("exp", "validUntil"))
    for short, long in dates:
        told = int(datetime.fromisoformat(claims[long]).timestamp()) if long in claims else None
        found += [] if claims.get(short) == told else [f"{short} is not {long}"]
    return [*found, *_common(claims, now)]


def faults_of_list(listed: Json, issuer: str, did: Json) -> list[str]:
    """The same for a Bitstring status list with an embedded proof."""
    subject = listed["credentialSubject"]
    encoded = subject["encodedList"]
    bits = gzip.decompress(base64.urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4)))
    rules = {
        "the context of VCDM 2.0 is not first": listed["@context"][0] == V2,
        "type": "BitstringStatusListCredential" in listed["type"],
        "the subject's type": subject["type"] == "BitstringStatusList",
        "purpose": subject["statusPurpose"] == "revocation",
        "not multibase base64url": encoded.startswith("u"),
        "fewer than 131,072 entries": len(bits) * 8 >= LEAST_BITS,
        "another issuer": listed["issuer"] == issuer,
    }
    found = [what for what, kept in rules.items() if not kept]
    return [*found, *_proof({**listed, "issuer": {"id": issuer}}, did)]


def _common(badge: Json, now: datetime) -> list[str]:
    contexts, subject = badge["@context"], badge["credentialSubject"]
    issuer, achievement = badge["issuer"], subject["achievement"]
    used = json.dumps(badge)
    start, end = badge.get("validFrom", ""), badge.get("validUntil")
    rules = {
        "the first context": contexts[0] == V2,
        "the second context": contexts[1] == OB,
        "a type of the extensions without their context": contexts[2:] == [EXTENSIONS]
        or not any(name in used for name in _NEEDS_EXTENSIONS),
        "type": {"VerifiableCredential", "OpenBadgeCredential"} <= set(badge["type"]),
        "issuer is not a Profile": isinstance(issuer, dict) and "Profile" in issuer["type"],
        "subject": "AchievementSubject" in subject["type"],
        "nobody is named": bool(subject.get("id") or subject.get("identifier")),
        "an identifier": all(one["type"] == "IdentityObject" for one in subject.get("identifier", [])),
        "a result": all("Result" in one["type"] for one in subject.get("result", [])),
        "achievement": all(achievement.get(name) for name in ("id", "type", "name", "description", "criteria")),
        "criteria": bool(achievement["criteria"].get("id") or achievement["criteria"].get("narrative")),
        "evidence": all("Evidence" in one["type"] for one in badge.get("evidence", [])),
        "validFrom": bool(_ZONED.fullmatch(start)) and datetime.fromisoformat(start) <= now,
        "validUntil": end is None or (bool(_ZONED.fullmatch(end)) and datetime.fromisoformat(end) >= now),
    }
    found = [what for what, kept in rules.items() if not kept]
    return [*found, *_results(achievement, subject), *_addresses(badge), *_status(badge), *_empty(badge)]


def _results(achievement: Json, subject: Json) -> Iterator[str]:
    """The ids that nothing outside checks: a result points to a description, and its level is one of that."""
    described = {one["id"]: one for one in achievement.get("resultDescription", [])}
    for one in subject.get("result", []):
        about = described.get(one["resultDescription"], {"rubricCriterionLevel": []})
        levels = [level["id"] for level in about["rubricCriterionLevel"]]
        if levels.count(one["achievedLevel"]) != 1 or about.get("requiredLevel") not in levels:
            yield "a result has a level that is not described"


def _addresses(badge: Json) -> Iterator[str]:
    """What has to be an address that answers, and never a name alone."""
    achievement = badge["credentialSubject"]["achievement"]
    pointed = [one["targetUrl"] for one in achievement.get("alignment", [])]
    pointed += [part["id"] for part in (achievement["criteria"], achievement.get("image", {})) if "id" in part]
    yield from (f"{url} is no address" for url in pointed if not url.startswith("https://"))


def _status(badge: Json) -> Iterator[str]:
    status = badge.get("credentialStatus")
    if not isinstance(status, dict):
        yield "credentialStatus is not one object"
    elif status["type"] != "BitstringStatusListEntry" or status["statusPurpose"] != "revocation":
        yield "a status that the validator does not look at"
    elif not isinstance(status["statusListIndex"], str):
        yield "statusListIndex is no text"


def _empty(part: Any) -> Iterator[str]:
    if part is None or part in ([], {}, ""):
        yield "something is empty"
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _empty(value)


def _proof(signed: Json, did: Json) -> Iterator[str]:
    proof = signed["proof"][0]
    method, issuer = proof["verificationMethod"], signed["issuer"]["id"]
    keys = {one["id"]: one for one in did["verificationMethod"]}
    rules = {
        "purpose": proof["proofPurpose"] == "assertionMethod",
        "suite": proof["cryptosuite"] in {"eddsa-rdfc-2022", "eddsa-2022", "ecdsa-sd-2023"},
        "the key is not the issuer's": method.split("#")[0] == issuer,
        "assertionMethod is not a list of texts": all(isinstance(one, str) for one in did["assertionMethod"]),
        "the key is not published": method in did["assertionMethod"] and method in keys,
        "the controller is another": keys.get(method, {}).get("controller") == issuer,
        "the fragment is not the key": keys.get(method, {}).get("publicKeyMultibase") == method.partition("#")[2],
    }
    yield from (what for what, kept in rules.items() if not kept)
