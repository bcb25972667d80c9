"""What a verification says, told whole: badges of others in every form, and one badge with one thing otherwise."""

from __future__ import annotations

import copy
import hashlib
import json
import zlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from badges.credentials.status import EMPTY, compose_list, with_all_set
from badges.endorsing.endorsements import draft
from badges.forms.sd_jwt import TYPE
from badges.verifying.verdict import Unavailable, Verdict
from badges.verifying.verify import verify
from badges.views import verdict_view
from lrs.kernel.base64url import base64url
from tests.badges.foreign import badges as foreign
from tests.badges.foreign.badges import DOCUMENTS, WEB, changed, hosted
from tests.badges.made import NOON
from tests.badges.verifying.test_foreign import BY_RULE, HANDED_IN, MADE
from tests.badges.wallet import Wallet
from tests.told.story import Story, differing, inline, tree

KNOWN = {"did:web:college.example.org": "The College", "https://college.example.org/issuer": "The old College"}
DRAWN = ("png", "PNG", "60 MB", "10 MB", "20,000", "1,900", "unnamed nodes")
"""Of what is handed in, what takes long to make; it is looked at by tests of its own."""


def lines(verdict: Verdict, indent: str = "  ") -> list[str]:
    """The outcome and each check that says more than that all is well; for badges inside, too."""
    told = [f"{indent}{verdict.format or '-'} {verdict_view.outcome(verdict)}"]
    told += [
        f"{indent}{'ok' if one.ok else 'NO'} {one.name} {one.code}: {one.why}"
        for one in verdict.checks
        if not one.ok or one.name not in {"form", "badge"}
    ]
    told += [line for badge in verdict.badges for line in lines(badge, indent + "  ")]
    return told + ([f"{indent}withheld: {', '.join(verdict.withheld)}"] if verdict.withheld else [])


def checked(document: bytes, **given: Any) -> Verdict:
    return verify(document, **{"at": NOON, "resolve": foreign.resolve, "fetch": foreign.fetch, **given})


def test_badges_of_others(told):
    story = Story()
    for name in MADE:
        story.head(name)
        story.say(tree(verdict_view.told(checked(DOCUMENTS[name].encode()), KNOWN)))
    told(str(story))


def test_what_is_handed_in(told):
    story = Story()
    for name, (document, _) in {**HANDED_IN, **BY_RULE}.items():
        if not any(word in name for word in DRAWN):
            story.head(name)
            story.extend(lines(checked(document())))
    told(str(story))


def test_pages_of_verdicts(told):
    story = Story()
    for name in (
        "eddsa-did-web",
        "jwt-vc-claim",
        "eddsa-vcdm-1",
        "sd-jwt",
        "endorsed",
        "status-revoked",
        "presentation-jwt",
        "jwt-foreign-jwk",
    ):
        for language in ("en", "cy"):
            story.head(f"{name}, {language}")
            story.say(tree(verdict_view.shown(checked(DOCUMENTS[name].encode()), KNOWN, language=language)))
    story.head("of Open Badges 2, printed")
    story.say(
        tree(
            verdict_view.shown(
                checked(hosted("printed", evidence=[{"narrative": "Seen"}], expires="2027-01-01T00:00:00Z")),
                KNOWN,
                is_printed=True,
            )
        )
    )
    told(str(story))


# -- one badge, one thing otherwise -----------------------------------------------------------------------------------

ISSUER, OTHER = (Wallet(Ed25519PrivateKey.from_private_bytes(bytes([one]) * 32)) for one in (1, 2))
LIST, VCRL, TOKENS, SITE = (
    "https://lists.example/r",
    "https://lists.example/vcrl",
    "https://lists.example/tokens",
    "https://issuer.example",
)
BADGE: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
    "id": "urn:uuid:1a2b3c4d-0000-4000-8000-000000000001",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "name": "Gowning",
    "issuer": {"id": ISSUER.did, "type": ["Profile"], "name": "Centre"},
    "awardedDate": "2026-06-01T00:00:00+01:00",
    "validFrom": "2026-06-01T00:00:00Z",
    "credentialSubject": {
        "id": "did:example:ann",
        "type": ["AchievementSubject"],
        "achievement": {
            "id": "https://issuer.example/achievements/1", "type": ["Achievement"], "name": "Gowning", "description": "Gowns", "criteria": {"narrative": "**Takes**\n\n- a gown"},
            "resultDescription": [{"id": "https://issuer.example/achievements/1#l", "type": ["ResultDescription"], "name": "Level", "resultType": "RubricCriterionLevel", "requiredLevel": "https://issuer.example/l2",
                                   "rubricCriterionLevel": [{"id": "https://issuer.example/l1", "type": ["RubricCriterionLevel"], "name": "One"}, {"id": "https://issuer.example/l2", "type": ["RubricCriterionLevel"], "name": "Two"}]}],
        },
    },
}  # fmt: skip
NOW = NOON // 1_000_000


def token(claims: dict[str, Any], *, signer: Wallet = ISSUER, by: Wallet | None = None, **header: Any) -> str:
    """A JWT of *claims* that *signer* signs, with the key of *by* in its header."""
    named = by or signer
    head = {
        name: one
        for name, one in {"alg": "EdDSA", "typ": "JWT", "kid": f"{named.did}#{named.multikey}", **header}.items()
        if one is not None
    }
    text = ".".join(base64url(json.dumps(part).encode()) for part in (head, claims))
    return f"{text}.{base64url(signer.key.sign(text.encode()))}"


def put_in(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Puts *value* at a path; ``None`` takes out what is there."""

    def change(one: dict[str, Any]) -> None:
        *way, last = path.split("/")
        part: Any = one
        for step in way:
            part = part[int(step)] if step.isdigit() else part[step]
        at: Any = int(last) if last.isdigit() else last
        if value is None:
            del part[at]
        else:
            part[at] = value

    return change


def at(moment: str) -> str:
    return f"2026-11-21T{moment}"


ONE_THING: list[tuple[str, list[Callable[[dict[str, Any]], None]], dict[str, Any]]] = [
    # what, what of the badge is otherwise, what of the header
    ("as it is", [], {}),
    ("valid from now", [put_in("validFrom", at("12:00:00Z"))], {}),
    ("valid in a moment", [put_in("validFrom", at("12:00:00.000001Z"))], {}),
    ("valid until now", [put_in("validUntil", at("12:00:00Z"))], {}),
    ("valid until a moment ago", [put_in("validUntil", at("11:59:59.999999Z"))], {}),
    ("valid until now, elsewhere", [put_in("validUntil", "2026-11-21T13:00:00+01:00")], {}),
    ("no date", [put_in("validFrom", "yesterday")], {}),
    ("no zone", [put_in("validFrom", "2026-06-01T00:00:00")], {}),
    ("no beginning", [put_in("validFrom", None)], {}),
    ("exp now", [put_in("exp", NOW)], {}),
    ("exp in a moment", [put_in("exp", NOW + 1)], {}),
    ("exp as a text", [put_in("exp", "soon")], {}),
    ("nbf now", [put_in("nbf", NOW), put_in("validFrom", at("12:00:00Z"))], {}),
    ("nbf in a second", [put_in("nbf", NOW + 1), put_in("validFrom", at("12:00:00Z"))], {}),
    ("nbf a second off", [put_in("nbf", NOW - 11), put_in("validFrom", at("11:59:50Z"))], {}),
    ("nbf two seconds off", [put_in("nbf", NOW - 12), put_in("validFrom", at("11:59:50Z"))], {}),
    ("exp two seconds off", [put_in("exp", NOW + 12), put_in("validUntil", at("12:00:10Z"))], {}),
    ("iss of another", [put_in("iss", OTHER.did)], {}),
    ("jti of another", [put_in("jti", "urn:x:1")], {}),
    ("sub of another", [put_in("sub", "did:example:ben")], {}),
    ("all claims", [put_in("iss", ISSUER.did), put_in("jti", BADGE["id"]), put_in("sub", "did:example:ann"), put_in("aud", "x"), put_in("iat", 1)], {}),
    ("a term that nobody defines", [put_in("colour", "red")], {}),
    ("no id", [put_in("id", None)], {}),
    ("its id twice", [put_in("credentialSubject/id", BADGE["id"])], {}),
    ("its id in an endorsement's subject", [put_in("evidence", [{"id": BADGE["id"], "type": ["EndorsementSubject"]}])], {}),
    ("another kind", [put_in("type", ["VerifiableCredential", "AchievementCredential"])], {}),
    ("no kind", [put_in("type", ["VerifiableCredential"])], {}),
    ("no credential", [put_in("type", ["OpenBadgeCredential"])], {}),
    ("contexts turned round", [put_in("@context", BADGE["@context"][::-1])], {}),
    ("of VCDM 1.1", [put_in("@context/0", "https://www.w3.org/2018/credentials/v1"), put_in("issuanceDate", "2026-06-01T00:00:00Z"), put_in("validFrom", None)], {}),
    ("of VCDM 1.1, expired", [put_in("@context/0", "https://www.w3.org/2018/credentials/v1"), put_in("issuanceDate", "2026-06-01T00:00:00Z"), put_in("validFrom", None), put_in("expirationDate", at("11:00:00Z"))], {}),
    ("issuer by its id", [put_in("issuer", ISSUER.did)], {}),
    ("issuer of no type", [put_in("issuer/type", [])], {}),
    ("issuer without a name", [put_in("issuer/name", None)], {}),
    ("issuer without an id", [put_in("issuer/id", None)], {}),
    ("two subjects", [put_in("credentialSubject", [BADGE["credentialSubject"]] * 2)], {}),
    ("subject of no type", [put_in("credentialSubject/type", [])], {}),
    ("nobody", [put_in("credentialSubject/id", None)], {}),
    ("nobody but an identifier", [put_in("credentialSubject/id", None), put_in("credentialSubject/identifier", [{"type": "IdentityObject", "hashed": False, "identityHash": "ann@x.example", "identityType": "emailAddress"}])], {}),
    *((f"achievement without {name}", [put_in(f"credentialSubject/achievement/{name}", None)], {}) for name in ("id", "name", "description", "criteria", "type")),
    ("level that is none", [put_in("credentialSubject/achievement/resultDescription/0/requiredLevel", "https://issuer.example/l3")], {}),
    ("alg none", [], {"alg": "none"}),
    ("alg of another kind", [], {"alg": "RS256"}),
    ("alg by its new name", [], {"alg": "Ed25519"}),
    ("no kid", [], {"kid": None}),
    ("kid is the fragment", [], {"kid": f"#{ISSUER.multikey}"}),
    ("kid of another", [], {"kid": f"{OTHER.did}#{OTHER.multikey}"}),
    ("jwk of its own", [], {"kid": None, "jwk": ISSUER.jwk}),
    ("something critical", [], {"crit": ["exp"]}),
    ("not encoded", [], {"b64": False}),
]  # fmt: skip


def badge_with(*changes: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    made = copy.deepcopy(BADGE)
    for change in changes:
        change(made)
    return made


USUAL = verdict_view.told(verify(token(BADGE).encode(), at=NOON, resolve=foreign.resolve, fetch=foreign.fetch), {})


def test_one_badge_with_one_thing_otherwise(told):
    story = Story()
    for case, changes, header in ONE_THING:
        verdict = checked(token(badge_with(*changes), **header).encode())
        story.head(case)
        story.extend(lines(verdict))
        story.say(
            f"  says: {inline(differing(USUAL.get('badge', {}), verdict_view.told(verdict, {}).get('badge', {})))}"
        )
    story.head("another signs in its name")
    story.extend(lines(checked(token(BADGE, signer=OTHER, by=ISSUER).encode())))
    for case, document in {
        "in a vc claim": {"vc": BADGE, "iss": ISSUER.did},
        "in a vc claim, less": {
            "vc": {name: one for name, one in BADGE.items() if name not in {"id", "issuer"}},
            "iss": ISSUER.did,
            "jti": BADGE["id"],
        },
    }.items():
        story.head(case)
        story.extend(lines(checked(token(document).encode())))
    told(str(story))


def entry(
    type: str = "BitstringStatusListEntry", purpose: Any = "revocation", index: Any = "4", url: Any = LIST, **more: Any
) -> dict[str, Any]:
    return {
        "id": f"{url}#{index}",
        "type": type,
        "statusPurpose": purpose,
        "statusListIndex": index,
        "statusListCredential": url,
        **more,
    }


def listed(url: str = LIST, purpose: str = "revocation", by: Wallet = ISSUER, **more: Any) -> bytes:
    made = compose_list(url, by.did, purpose, with_all_set(EMPTY, [5, 131_071]), "2026-11-21T11:00:00Z") | more
    return token(made, signer=by).encode()


LISTS: dict[str, bytes] = {
    LIST: listed(),
    f"{LIST}/suspension": listed(f"{LIST}/suspension", "suspension"),
    f"{LIST}/others": listed(f"{LIST}/others", by=OTHER),
    f"{LIST}/moved": listed(),
    f"{LIST}/until-now": listed(f"{LIST}/until-now", validUntil="2026-11-21T12:00:00Z"),
    f"{LIST}/stale": listed(f"{LIST}/stale", validUntil="2026-11-21T11:59:59Z"),
    f"{LIST}/early": listed(f"{LIST}/early", validFrom="2026-11-21T12:00:01Z"),
    f"{LIST}/exp": listed(f"{LIST}/exp", exp=NOW),
    f"{LIST}/none": listed(f"{LIST}/none", type=["VerifiableCredential"]),
    f"{LIST}/short": listed(f"{LIST}/short", credentialSubject={"id": "x:1", "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": "uH4sI"}),
    f"{LIST}/both": listed(f"{LIST}/both", credentialSubject={**compose_list(LIST, "", "revocation", with_all_set(EMPTY, [5]), "")["credentialSubject"], "statusPurpose": ["revocation", "suspension"]}),
    VCRL: json.dumps({"id": VCRL, "issuer": ISSUER.did, "revokedCredential": [{"id": "urn:x:1"}]}).encode(),
    f"{VCRL}/revoked": json.dumps({"id": f"{VCRL}/revoked", "issuer": ISSUER.did, "revokedCredential": [{"id": BADGE["id"]}]}).encode(),
    f"{VCRL}/true": json.dumps({"id": f"{VCRL}/true", "issuer": ISSUER.did, "revokedCredential": [{"id": BADGE["id"], "revoked": True}]}).encode(),
    f"{VCRL}/false": json.dumps({"id": f"{VCRL}/false", "issuer": ISSUER.did, "revokedCredential": [{"id": BADGE["id"], "revoked": False}]}).encode(),
    f"{VCRL}/text": json.dumps({"id": f"{VCRL}/text", "issuer": ISSUER.did, "revokedCredential": [BADGE["id"]]}).encode(),
    f"{VCRL}/former": json.dumps({"id": f"{VCRL}/former", "issuer": BADGE["issuer"], "revokedCredentials": {"id": BADGE["id"]}}).encode(),
    f"{VCRL}/others": json.dumps({"id": f"{VCRL}/others", "issuer": OTHER.did, "revokedCredential": []}).encode(),
    f"{VCRL}/no-json": b"<html>",
}  # fmt: skip


def fetch(url: str) -> bytes:
    if url in LISTS:
        return LISTS[url]
    raise Unavailable(f"{url} is gone", "gone") if url.endswith("/gone") else Unavailable(f"{url} does not answer")


OLD_LIST = {"type": "1EdTechRevocationList"}
STATUSES: list[tuple[str, Any]] = [
    ("not set", entry()), ("set", entry(index="5")), ("the last place", entry(index="131071")), ("behind the last", entry(index="131072")), ("a number", entry(index=5)),
    ("less than none", entry(index="-1")), ("of ten digits", entry(index="1234567890")), ("suspended", entry(purpose="suspension", index="5", url=f"{LIST}/suspension")),
    ("not suspended", entry(purpose="suspension", url=f"{LIST}/suspension")), ("a list about another purpose", entry(purpose="suspension", index="5")), ("a message", entry(purpose="message")),
    ("a refresh", entry(purpose="refresh")), ("another purpose", entry(purpose="colour")), ("no purpose", entry(purpose=None)), ("no address", entry(url=None)), ("of 2021", entry("StatusList2021Entry", index="5")),
    ("another kind", entry("Other")), ("a text", "x"), ("none", []), ("four, the last set", [entry(), entry(), entry(purpose="message"), entry(index="5")]), ("five", [entry()] * 5),
    ("both purposes in one list", [entry(url=f"{LIST}/both"), entry(purpose="suspension", index="5", url=f"{LIST}/both")]),
    *((f"list: {name}", entry(url=f"{LIST}/{name}")) for name in ("others", "moved", "until-now", "stale", "early", "exp", "none", "short", "away", "gone")),
    *((f"former list: {name or 'of another badge'}", {**OLD_LIST, "id": f"{VCRL}{'/' if name else ''}{name}"}) for name in ("", "revoked", "true", "false", "text", "former", "others", "no-json", "away")),
    ("former list without https", {**OLD_LIST, "id": "http://lists.example"}),
]  # fmt: skip


def test_status_lists(told):
    story = Story()
    for case, status in STATUSES:
        document = token(badge_with(put_in("credentialStatus", status))).encode()
        (check,) = [one for one in checked(document, fetch=fetch).checks if one.name == "status"]
        story.say(f"{case}: {'ok' if check.ok else 'NO'} {check.code}: {check.why}")
    told(str(story))


def sd_jwt(*shown: Any, header: dict[str, Any] | None = None, hidden: int = 0, **claims: Any) -> bytes:
    texts = [base64url(json.dumps(one).encode()) for one in shown]
    digests = [base64url(hashlib.sha256(one.encode()).digest()) for one in texts] + [
        f"hidden{at}" for at in range(hidden)
    ]
    usual = {
        "iss": ISSUER.did,
        "vct": TYPE,
        "iat": NOW,
        "badge": BADGE["id"],
        "issuer_name": "Centre",
        "achievement": {"id": "x:1", "name": "Gowning", "description": "Gowns"},
        "level": "Two",
        "_sd_alg": "sha-256",
        "_sd": digests,
    }
    told = {name: one for name, one in {**usual, **claims}.items() if one is not None}
    return "~".join([token(told, **{"typ": "dc+sd-jwt", **(header or {})}), *texts, ""]).encode()


def statuses(*places: int, bits: Any = 1, header: dict[str, Any] | None = None, **claims: Any) -> bytes:
    told = {
        "sub": TOKENS,
        "iat": NOW,
        "status_list": {"bits": bits, "lst": base64url(zlib.compress(bytes(places)))},
        **claims,
    }
    return token(told, **{"typ": "statuslist+jwt", **(header or {})}).encode()


def at_place(index: Any, url: Any = TOKENS) -> dict[str, Any]:
    return {"status": {"status_list": {"idx": index, "uri": url}}}


AWARDED = ["salt", "awarded", "2026-06-01T00:00:00Z"]
CRITERIA = ["salt", "criteria", {"narrative": "Takes a gown"}]
SD_JWTS: list[tuple[str, bytes, bytes]] = [
    ("as it is", sd_jwt(), b""), ("of the former type", sd_jwt(header={"typ": "vc+sd-jwt"}), b""), ("of another type", sd_jwt(header={"typ": "JWT"}), b""), ("of another vct", sd_jwt(vct="x"), b""),
    ("shows when and how", sd_jwt(AWARDED, CRITERIA), b""), ("withholds one more", sd_jwt(AWARDED, CRITERIA, hidden=1), b""), ("withholds all", sd_jwt(hidden=2), b""),
    ("says twice when", sd_jwt(AWARDED, ["other", "awarded", "2020-01-01T00:00:00Z"]), b""), ("says the issuer anew", sd_jwt(["salt", "iss", "x"]), b""), ("hides digests", sd_jwt(["salt", "...", "x"]), b""),
    ("shows what nobody signed", sd_jwt(AWARDED, _sd=[]), b""), ("no salt", sd_jwt(["awarded", "x"]), b""), ("other digests", sd_jwt(_sd_alg="sha-512"), b""), ("no digests named", sd_jwt(AWARDED, _sd_alg=None), b""),
    ("no achievement", sd_jwt(achievement=None), b""), ("no issuer", sd_jwt(iss=None), b""), ("an issuer that is a site", sd_jwt(iss=f"{SITE}/t/one"), b""), ("no such site", sd_jwt(iss="http://x"), b""),
    ("expires now", sd_jwt(exp=NOW), b""), ("expires in a second", sd_jwt(exp=NOW + 1), b""), ("issued for ever", sd_jwt(iat=10**13), b""), ("a binding", sd_jwt() + b"x.y.z", b""),
    ("place 0 of one bit", sd_jwt(**at_place(0)), statuses(0b10, 1)), ("place 1, revoked", sd_jwt(**at_place(1)), statuses(0b10, 1)), ("place 8, revoked", sd_jwt(**at_place(8)), statuses(0b10, 1)),
    ("behind the last", sd_jwt(**at_place(16)), statuses(0b10, 1)), ("two bits, suspended", sd_jwt(**at_place(1)), statuses(0b1000, bits=2)), ("two bits, three", sd_jwt(**at_place(1)), statuses(0b1100, bits=2)),
    ("four bits", sd_jwt(**at_place(1)), statuses(0x20, bits=4)), ("eight bits", sd_jwt(**at_place(1)), statuses(0, 1, bits=8)), ("three bits", sd_jwt(**at_place(1)), statuses(0, bits=3)),
    ("a place that is a text", sd_jwt(**at_place("1")), statuses(0)), ("less than none", sd_jwt(**at_place(-1)), statuses(0)), ("no address", sd_jwt(**at_place(1, None)), statuses(0)),
    ("a list of another kind", sd_jwt(**at_place(0)), statuses(0, header={"typ": "JWT"})), ("a list of another address", sd_jwt(**at_place(0)), statuses(0, sub="x")), ("a list that ended", sd_jwt(**at_place(0)), statuses(0, exp=NOW)),
    ("a list of another", sd_jwt(**at_place(0)), token({"sub": TOKENS, "status_list": {}}, signer=OTHER, typ="statuslist+jwt").encode()), ("a list of nothing", sd_jwt(**at_place(0)), statuses(0, status_list={"bits": 1, "lst": "x"})),
    ("no list", sd_jwt(status={"other": 1}), b""),
]  # fmt: skip


def test_sd_jwts(told):
    def answering(body: bytes) -> Callable[[str], bytes]:
        metadata = {
            "issuer": f"{SITE}/t/one",
            "jwks": {"keys": [{**ISSUER.jwk, "kid": f"{ISSUER.did}#{ISSUER.multikey}"}]},
        }
        known = {TOKENS: body, f"{SITE}/.well-known/jwt-vc-issuer/t/one": json.dumps(metadata).encode()}
        return lambda url: known[url] if known.get(url) else fetch(url)

    story = Story()
    usual = verdict_view.told(checked(sd_jwt(), fetch=fetch), {})["badge"]
    for case, document, body in SD_JWTS:
        verdict = checked(document, fetch=answering(body))
        story.head(case)
        story.extend(lines(verdict))
        story.say(f"  says: {inline(differing(usual, verdict_view.told(verdict, {}).get('badge', {})))}")
    told(str(story))


def endorsing(about: str = BADGE["id"], by: Wallet = OTHER, **changes: Any) -> str:
    profile = {"id": by.did, "type": ["Profile"], "name": "Employer"}
    made = (
        draft(about, "Gowning", profile, "I saw it", id="urn:uuid:2a2b3c4d-0000-4000-8000-000000000002", at=NOON)
        | changes
    )
    return token({name: one for name, one in made.items() if one is not None}, signer=by)


SUBJECT = {"id": BADGE["id"], "type": ["EndorsementSubject"], "endorsementComment": "I saw it"}
ACHIEVEMENT = BADGE["credentialSubject"]["achievement"]["id"]
ENDORSEMENTS: list[tuple[str, list[Callable[[dict[str, Any]], None]]]] = [
    ("of the badge", [put_in("endorsementJwt", [endorsing()])]),
    ("of the achievement", [put_in("credentialSubject/achievement/endorsementJwt", [endorsing(ACHIEVEMENT)])]),
    ("of the issuer", [put_in("issuer/endorsementJwt", [endorsing(ISSUER.did)])]),
    ("by the issuer", [put_in("endorsementJwt", [endorsing(by=ISSUER)])]),
    ("of another thing", [put_in("endorsementJwt", [endorsing(ACHIEVEMENT)])]),
    ("by somebody else's key", [put_in("endorsementJwt", [endorsing(by=OTHER).rpartition(".")[0] + "." + endorsing(by=ISSUER).rpartition(".")[2]])]),
    ("valid until now", [put_in("endorsementJwt", [endorsing(validUntil="2026-11-21T12:00:00Z")])]),
    ("expired", [put_in("endorsementJwt", [endorsing(validUntil="2026-11-21T11:59:59Z")])]),
    ("exp now", [put_in("endorsementJwt", [endorsing(exp=NOW)])]),
    ("not yet", [put_in("endorsementJwt", [endorsing(validFrom="2026-11-21T12:00:01Z")])]),
    ("of another kind", [put_in("endorsementJwt", [endorsing(type=["VerifiableCredential"])])]),
    ("not revoked", [put_in("endorsementJwt", [endorsing(credentialStatus=entry(url=f"{LIST}/others"))])]),
    ("revoked", [put_in("endorsementJwt", [endorsing(credentialStatus=entry(url=f"{LIST}/others", index="5"))])]),
    ("with a term that nobody defines", [put_in("endorsementJwt", [endorsing(colour="red")])]),
    ("no token", [put_in("endorsementJwt", ["x"])]),
    ("neither text nor object", [put_in("endorsementJwt", [1])]),
    ("an object without a proof", [put_in("endorsement", [{"type": ["EndorsementCredential"], "issuer": {"id": OTHER.did}, "credentialSubject": SUBJECT}])]),
    ("six", [put_in("endorsementJwt", [endorsing()] * 6)]),
    ("seven", [put_in("endorsementJwt", [endorsing()] * 7)]),
]  # fmt: skip


def test_endorsements(told):
    story = Story()
    for case, changes in ENDORSEMENTS:
        verdict = checked(token(badge_with(*changes)).encode(), fetch=fetch)
        story.head(case)
        story.extend(line for line in lines(verdict) if "endorsements" in line or "form" in line)
        story.say(f"  {inline(verdict_view.told(verdict, {OTHER.did: 'The Works'}).get('endorsements', []))}")
    told(str(story))


def salted(text: str, kind: str = "sha256", salt: str = "deadsea") -> str:
    return f"{kind}${hashlib.new(kind, (text + salt).encode()).hexdigest()}"


IDENTITIES: list[tuple[str, Any]] = [
    ("hashed", [{"hashed": True, "identityHash": salted("ann@x.example"), "identityType": "emailAddress", "salt": "deadsea"}]),
    ("hashed as it was written", [{"hashed": True, "identityHash": salted("Ann@X.example"), "identityType": "emailAddress", "salt": "deadsea"}]),
    ("hashed in other capitals", [{"hashed": True, "identityHash": salted("ANN@X.example"), "identityType": "emailAddress", "salt": "deadsea"}]),
    ("hashed with another salt", [{"hashed": True, "identityHash": salted("ann@x.example"), "identityType": "emailAddress", "salt": "x"}]),
    ("hashed without one", [{"hashed": True, "identityHash": salted("ann@x.example", salt=""), "identityType": "emailAddress"}]),
    ("MD5", [{"hashed": True, "identityHash": salted("ann@x.example", "md5"), "identityType": "emailAddress", "salt": "deadsea"}]),
    ("SHA-1", [{"hashed": True, "identityHash": salted("ann@x.example", "sha1"), "identityType": "emailAddress", "salt": "deadsea"}]),
    ("in capitals of hex", [{"hashed": True, "identityHash": salted("ann@x.example").replace("sha256$", "") and "sha256$" + salted("ann@x.example")[7:].upper(), "identityType": "emailAddress", "salt": "deadsea"}]),
    ("plain", [{"hashed": False, "identityHash": "mailto:ANN@x.example", "identityType": "emailAddress"}]),
    ("plain, nothing said", [{"identityHash": "ann@x.example", "identityType": "emailAddress"}]),
    ("plain, another", [{"hashed": False, "identityHash": "ben@x.example", "identityType": "emailAddress"}]),
    ("an account", [{"hashed": False, "identityHash": "ann@x.example", "identityType": "accountId"}]),
    ("a name and an address", [{"hashed": False, "identityHash": "Ann", "identityType": "name"}, {"hashed": False, "identityHash": "ann@x.example", "identityType": "emailAddress"}]),
    ("the 20th", [{"hashed": False, "identityHash": f"a{at}@x.example", "identityType": "emailAddress"} for at in range(19)] + [{"hashed": False, "identityHash": "ann@x.example", "identityType": "emailAddress"}]),
    ("the 21st", [{"hashed": False, "identityHash": f"a{at}@x.example", "identityType": "emailAddress"} for at in range(20)] + [{"hashed": False, "identityHash": "ann@x.example", "identityType": "emailAddress"}]),
    ("one alone", {"hashed": False, "identityHash": "ann@x.example", "identityType": "emailAddress"}),
]  # fmt: skip


def test_whose_it_is(told):
    story = Story()
    for case, identifier in IDENTITIES:
        kinds = (
            [{"type": "IdentityObject", **one} for one in identifier]
            if isinstance(identifier, list)
            else {"type": "IdentityObject", **identifier}
        )
        document = token(badge_with(put_in("credentialSubject/identifier", kinds))).encode()
        found = [
            next(one for one in checked(document, address=address).checks if one.name == "recipient")
            for address in ("Ann@X.example", " ann@x.example ", "mailto:ann@x.example", "ben@x.example")
        ]
        story.say(f"{case}: {' | '.join(f'{one.code}' for one in found)}: {found[0].why}")
    told(str(story))


HOSTED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # what, what is otherwise at its address, what is otherwise in the profile of its issuer
    ("as it is", {}, {}), ("not revoked", {"revoked": False}, {}), ("revoked", {"revoked": True}, {}), ("revoked by a word", {"revoked": "yes"}, {}),
    ("expires now", {"expires": "2026-11-21T12:00:00Z"}, {}), ("expired", {"expires": "2026-11-21T11:59:59Z"}, {}), ("issued now", {"issuedOn": "2026-11-21T12:00:00Z"}, {}),
    ("no recipient", {"recipient": None}, {}), ("another edition", {"@context": "https://w3id.org/openbadges/v1"}, {}), ("at home", {}, {"verification": {"allowedOrigins": "college.example.org"}}),
    ("at one of two", {}, {"verification": {"allowedOrigins": ["other.example", "college.example.org"]}}), ("only elsewhere", {}, {"verification": {"allowedOrigins": ["other.example"]}}),
    ("under its start", {}, {"verification": {"startsWith": "https://college.example.org/assertions/"}}), ("not under its start", {}, {"verification": {"startsWith": ["https://college.example.org/badges/"]}}),
    ("under the second", {}, {"verification": {"startsWith": ["https://college.example.org/b/", "https://college.example.org/a"]}}), ("nameless", {}, {"name": None}), ("at another site", {}, {"id": "https://other.example/issuer"}),
]  # fmt: skip


def test_hosted_badges_of_open_badges_2(told):
    story = Story()
    for case, changes, profile in HOSTED:
        name = f"told-{case.replace(' ', '-')}"
        issuer = {"id": f"{foreign.SITE}/issuer", "type": "Issuer", "name": "College", "url": foreign.SITE, **profile}
        badge = {
            "type": "BadgeClass",
            "id": f"{foreign.SITE}/badge",
            "name": "Pipetting",
            "description": "Pipettes",
            "criteria": {"narrative": "Takes a pipette"},
            "issuer": {key: one for key, one in issuer.items() if one is not None},
        }
        shown = json.loads(hosted(name, badge=badge, **{key: one for key, one in changes.items() if one is not None}))
        if "recipient" in changes:
            WEB[shown["id"]] = json.dumps(
                {key: one for key, one in json.loads(WEB[shown["id"]]).items() if key != "recipient"}
            ).encode()
            shown.pop("recipient")
        document = json.dumps({key: one for key, one in shown.items() if key not in changes}).encode()
        if "@context" in changes:
            document = json.dumps(shown).encode()
        verdict = checked(document)
        story.head(case)
        story.extend(lines(verdict))
    story.say(tree(verdict_view.told(checked(hosted("told-whole", expires="2027-01-01T00:00:00Z")), KNOWN)))
    for case, change in {"for programs, changed": {"name": "Surgery"}, "without an address": {"id": "urn:x:1"}}.items():
        story.head(case)
        story.extend(lines(checked(json.dumps(json.loads(hosted("told-other")) | change).encode())))
    told(str(story))


KEYS: list[tuple[str, dict[str, Any]]] = [
    ("revoked now", {"revoked": "2026-11-21T12:00:00Z"}), ("revoked in a second", {"revoked": "2026-11-21T12:00:01Z"}), ("expires now", {"expires": "2026-11-21T12:00:00Z"}), ("expires in a second", {"expires": "2026-11-21T12:00:01Z"}),
    ("of another", {"controller": "did:web:other.example"}), ("no key", {"publicKeyMultibase": "z6Mk"}), ("P-256 said", {"publicKeyMultibase": "zDna"}), ("private", {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "x", "d": "y"}}),
]  # fmt: skip


def test_keys_of_issuers(told):
    story = Story()
    document = DOCUMENTS["eddsa-did-web"].encode()
    for case, changes in KEYS:

        def resolve(did: str, changes: dict[str, Any] = changes) -> dict[str, Any]:
            found = foreign.resolve(did)
            methods = [
                {name: part for name, part in (one | changes).items() if part is not None}
                for one in found["verificationMethod"]
            ]
            return found | {"verificationMethod": methods}

        story.head(case)
        story.extend(lines(checked(document, resolve=resolve)))
    for case, change in {
        "not for assertions": {"assertionMethod": []},
        "as an object": {"assertionMethod": foreign.resolve("did:web:college.example.org")["verificationMethod"]},
        "of another id": {"id": "did:web:other.example"},
    }.items():
        story.head(case)
        story.extend(lines(checked(document, resolve=lambda did, change=change: foreign.resolve(did) | change)))
    told(str(story))


def test_presentations(told):
    story = Story()
    held = json.loads(DOCUMENTS["eddsa-did-web"])
    others = [
        json.loads(
            json.dumps(held).replace("Pipetting", f"P{at}").replace('"created": "2026', f'"created": "{2000 + at}')
        )
        for at in range(8)
    ]
    envelope = {"id": f"data:application/vc+jwt,{token(BADGE)}", "type": "EnvelopedVerifiableCredential"}
    sent: dict[str, bytes] = {
        "of none": foreign.presentation(), "of eight": foreign.presentation(*[held] * 8), "of eight that differ": foreign.presentation(*others), "of nine": foreign.presentation(*[held] * 9), "of a token, an envelope, an SD-JWT": foreign.presentation(token(BADGE), envelope, sd_jwt().decode()),
        "of one good and one changed": foreign.presentation(held, changed("eddsa-did-web", put_in("name", "Surgery")).decode()), "of a word": foreign.presentation("badge"), "of an address": foreign.presentation(f"{foreign.SITE}/assertions/good"),
        "as a token": token({"vp": {"type": ["VerifiablePresentation"], "holder": ISSUER.did, "verifiableCredential": [token(BADGE)]}}).encode(), "as a token by another": token({"vp": {"type": ["VerifiablePresentation"], "holder": OTHER.did, "verifiableCredential": [token(BADGE)]}}).encode(),
        "as a token that ended": token({"exp": NOW, "vp": {"type": ["VerifiablePresentation"], "holder": ISSUER.did, "verifiableCredential": [token(BADGE)]}}).encode(), "as a token of nobody": token({"vp": {"type": ["VerifiablePresentation"], "verifiableCredential": [token(BADGE)]}}).encode(),
    }  # fmt: skip
    for case, document in sent.items():
        story.head(case)
        story.extend(lines(checked(document, fetch=fetch)))
    told(str(story))
