"""Badges of others: good ones in every form, and hostile ones, each with the reason that programs are told."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import pytest

from badges.verifying.verdict import Unavailable, Verdict
from badges.verifying.verify import failures, verify
from badges.views.verdict_view import summary
from tests.badges.foreign import badges as foreign
from tests.badges.foreign.badges import DOCUMENTS, MAYZE, SITE, WEB, changed, hosted, jwt_changed
from tests.badges.made import NOON
from tests.rows import each_of

MADE = {
    # name: the reasons of the checks that fail, by check
    "eddsa-did-key": {},
    "eddsa-did-web": {},
    "eddsa-vcdm-1": {},
    "ecdsa-p256": {},
    "ecdsa-p384": {},
    "ed25519-2020": {},
    "two-proofs": {},
    "key-embedded": {},
    "key-revoked": {"signature": "key_revoked"},
    "key-expired": {"signature": "key_expired"},
    "key-unlisted": {"signature": "key_not_listed"},
    "ecdsa-sd-derived": {},
    "ecdsa-sd-base": {"signature": "proof_not_derived"},
    "presentation-ed25519-2020": {},
    "presentation-jwt": {},
    "jwt-rs256": {},
    "jwt-es256": {},
    "jwt-eddsa": {},
    "jwt-did-jwk": {},
    "jwt-kid-address": {},
    "jwt-jwk-header": {},
    "jwt-vc-claim": {},
    "jwt-foreign-kid": {"signature": "key_not_issuers"},
    "jwt-foreign-jwk": {"signature": "key_not_listed"},
    "jwt-wrong-claims": {"form": "claims_differ"},
    "jwt-expired": {"dates": "expired"},
    "jwt-ps256": {"signature": "algorithm_not_supported"},
    "jwt-hs256": {"signature": "algorithm_not_supported"},
    "jwt-undefined-term": {"form": "undefined_term"},
    "status-clear": {},
    "status-two-clear": {},
    "status-jwt-clear": {},
    "status-2021-clear": {},
    "vcrl-clear": {},
    "status-revoked": {"status": "revoked"},
    "status-suspended": {"status": "suspended"},
    "status-both-purposes": {"status": "suspended"},
    "status-jwt-revoked": {"status": "revoked"},
    "status-2021-revoked": {"status": "revoked"},
    "vcrl-revoked": {"status": "revoked"},
    "status-stale": {"status": "status_list_stale"},
    "status-other": {"status": "status_list_not_issuers"},
    "status-cut": {"status": "bad_status_list"},
    "status-bomb": {"status": "bad_status_list"},
    "status-gone": {"status": "unavailable"},
    "expired": {"dates": "expired"},
    "not-yet": {"dates": "not_yet_valid"},
    "schema": {},
    "schema-broken": {"schema": "schema_broken"},
    "endorsed": {},
    "endorsed-jwt": {},
    "endorsed-expired": {"endorsements": "endorsement_expired"},
    "endorsed-another": {"endorsements": "endorsement_about_another"},
    "endorsed-forged": {"endorsements": "endorsement_bad_signature"},
    "sd-jwt": {},
    "sd-jwt-revoked": {"status": "revoked"},
    "sd-jwt-other-type": {"form": "type_not_supported"},
}
ANOTHER = "https://university.example/issuer"
KEY = json.loads(WEB[f"{SITE}/keys/1"])


def elsewhere(**told: Any) -> bytes:
    """A badge at our site that says itself where badges of another issuer are; *told* says that issuer."""
    says = {"allowedOrigins": ["college.example.org"], "startsWith": SITE}
    inside = {"id": ANOTHER, "type": "Issuer", "name": "University", "verification": says}
    badge = {"type": "BadgeClass", "id": f"{SITE}/badge", "name": "Pipetting", "issuer": inside}
    WEB[ANOTHER] = json.dumps({"id": ANOTHER, "type": "Issuer", "name": "University"} | told).encode()
    return hosted("elsewhere", badge=badge)


def _say(address: str, **parts: Any) -> None:
    """Changes what is at *address*."""
    WEB[address] = json.dumps(json.loads(WEB[address]) | parts).encode()


def add(**parts: Any) -> Any:
    return lambda badge: badge.update(parts)


def named(name: str, *more: tuple[str, Any]) -> Any:
    return lambda badge: badge["credentialSubject"]["achievement"].update({"name": name, **dict(more)})


STRANGE = {"id": "https://strange.example/schema.json", "type": "JsonSchema"}
AGAIN = base64.urlsafe_b64encode(b'["salt", "iss", "did:web:university.example"]')
"""What an SD-JWT shows: a name that it has already."""


def digest(shown: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(shown).digest()).decode().rstrip("=")


HANDED_IN: dict[str, tuple[Any, dict[str, str]]] = {
    "png": (lambda: foreign.baked_png("eddsa-did-web"), {}),
    "png with a JWT": (lambda: foreign.baked_png("jwt-rs256"), {}),
    "png, compressed text": (lambda: foreign.packed(DOCUMENTS["eddsa-did-web"].encode()), {}),
    "svg": (lambda: foreign.svg(foreign.cdata("eddsa-did-web")), {}),
    "svg with a script": (
        lambda: foreign.svg(foreign.cdata("eddsa-did-web"), "<script>alert(1)</script>"),
        {},
    ),
    "svg with entities": (lambda: b'<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + foreign.svg("&a;"), {"form": "bad_image"}),
    "svg without a badge": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", {"form": "no_badge_in_file"}),
    "png without a badge": (lambda: foreign.with_chunk(b"tEXt", b"Comment\0x"), {"form": "no_badge_in_file"}),
    "png with two": (
        lambda: foreign.with_chunk(b"tEXt", b"openbadges\0{}", times=2),
        {"form": "ambiguous_image"},
    ),
    "png with three, the last damaged": (
        # what comes behind the second is not unpacked
        lambda: foreign.with_chunks((b"tEXt", b"openbadges\0{}"), (b"tEXt", b"openbadges\0{}"), foreign.DAMAGED),
        {"form": "ambiguous_image"},
    ),
    "png that unpacks to 60 MB": (lambda: foreign.packed(bytes(60 * 2**20)), {"form": "too_large"}),
    "png cut off": (lambda: foreign.baked_png("eddsa-did-web")[:900], {"form": "bad_image"}),
    "png of 5,001 chunks": (lambda: foreign.with_chunk(b"tEXt", b"", times=5_001), {"form": "too_complex"}),
    "a photograph": (lambda: b"\xff\xd8\xff\xe0" + bytes(100), {"form": "no_badge_in_file"}),
    "10 MB": (lambda: b'{"a": "' + b"x" * 10_000_000 + b'"}', {"form": "too_large"}),
    "nothing": (lambda: b"", {"form": "not_json"}),
    "a changed word": (lambda: changed("eddsa-did-web", named("Surgery")), {"signature": "bad_signature"}),
    "a changed word of a JWT": (lambda: jwt_changed("jwt-rs256", named("Surgery")), {"signature": "bad_signature"}),
    "a JWT that nobody signed": (lambda: foreign.unsigned("jwt-rs256"), {"signature": "algorithm_not_supported"}),
    "a word in a derived proof": (
        lambda: changed("ecdsa-sd-derived", named("Surgery")),
        {"signature": "bad_signature"},
    ),
    "a proof taken out": (lambda: changed("eddsa-did-web", add(proof=[])), {"signature": "no_proof"}),
    "a schema, and 20,000 types": (
        lambda: changed("schema", add(type=["VerifiableCredential", "OpenBadgeCredential", *["x"] * 20_000])),
        {"form": "too_complex", "signature": "too_complex", "schema": "too_complex"},
    ),
    "a changed word, and a status list": (
        lambda: changed("status-clear", named("Surgery")),
        {"signature": "bad_signature", "status": "not_asked"},
    ),
    "a suite to come": (
        lambda: changed("eddsa-did-web", lambda badge: badge["proof"].update(cryptosuite="mldsa-2026")),
        {"signature": "suite_not_supported", "form": "ok"},
    ),
    "another's issuer id": (
        lambda: changed("eddsa-did-key", lambda badge: badge["issuer"].update(id="did:web:college.example.org")),
        {"signature": "key_not_issuers"},
    ),
    "a context in the document": (
        lambda: changed("eddsa-did-web", lambda badge: badge["@context"].append({"name": "urn:x"})),
        {"form": "unknown_context", "signature": "unknown_context"},
    ),
    "a control character": (
        lambda: changed("eddsa-did-web", named("Pipet\x07ting")),
        {"form": "control_character", "signature": "control_character"},
    ),
    "1,900 alignments": (
        lambda: changed(
            "eddsa-did-web",
            named("Pipetting", ("alignment", foreign.grown({"type": ["Alignment"], "targetName": "x"}, 1_900))),
        ),
        {"form": "too_complex", "signature": "too_complex"},
    ),
    "a tree of unnamed nodes": (
        lambda: changed("eddsa-did-web", add(relatedResource=foreign.own_tree(8))),
        {"form": "too_complex", "signature": "too_complex"},
    ),
    "Open Badges 2": (lambda: hosted("good"), {}),
    "Open Badges 2, its address": (lambda: hosted("good") and f"{SITE}/assertions/good".encode(), {}),
    "Open Badges 2 in a PNG": (
        lambda: hosted("good") and foreign.with_chunk(b"tEXt", b"openbadges\0" + f"{SITE}/assertions/good".encode()),
        {},
    ),
    "Open Badges 2, revoked": (lambda: hosted("revoked", revoked=True), {"status": "revoked"}),
    "Open Badges 2, expired": (lambda: hosted("over", expires="2026-02-01T00:00:00Z"), {"dates": "expired"}),
    "Open Badges 2, another recipient": (
        lambda: hosted("differs", recipient={"type": "email", "hashed": False, "identity": MAYZE}),
        {"form": "hosted_differs"},
    ),
    **{
        f"Open Badges 2, another {name} than at its address": (
            lambda name=name, told=told: json.dumps(json.loads(hosted(f"other-{name}")) | {name: told}).encode(),
            {"form": "hosted_differs"},
        )
        for name, told in {
            "expires": "2099-01-01T00:00:00Z",
            "issuedOn": "2020-01-10T09:00:00Z",
            "badge": f"{SITE}/another-badge",
        }.items()
    },
    "Open Badges 2, not where its issuer says that its badges are": (
        lambda: elsewhere(verification={"allowedOrigins": ["college.example.org"], "startsWith": [f"{SITE}/badges/"]}),
        {"signature": "key_not_issuers"},
    ),
    "Open Badges 2, at another site": (
        elsewhere,
        {"signature": "key_not_issuers"},
    ),
    "Open Badges 2, at another site that its issuer names": (
        lambda: elsewhere(verification={"allowedOrigins": ["college.example.org"]}),
        {},
    ),
    "Open Badges 2, of a DID": (
        lambda: hosted("did", badge={"id": f"{SITE}/badge", "issuer": {"id": "did:web:university.example"}}),
        {"form": "did_not_supported"},
    ),
    "Open Badges 2, signed": (
        lambda: json.dumps(json.loads(hosted("good")) | {"verification": {"type": "SignedBadge"}}).encode(),
        {"form": "no_proof"},
    ),
    "Open Badges 2, signed (RS256)": (lambda: foreign.signed("good-signed"), {}),
    "Open Badges 2, signed (ES256)": (lambda: foreign.signed("good-es256", foreign.P256_KEY), {}),
    "Open Badges 2, signed, in a PNG": (
        lambda: foreign.with_chunk(b"tEXt", b"openbadges\0" + foreign.signed("png-signed")),
        {},
    ),
    "Open Badges 2, signed, revoked": (lambda: foreign.signed("revoked-signed"), {"status": "revoked"}),
    "Open Badges 2, signed by a key that the issuer does not list": (
        lambda: foreign.signed("unlisted", publicKey=f"{SITE}/another-key"),
        {"signature": "key_not_listed", "status": "not_asked"},
    ),
    "Open Badges 2, signed by a key that belongs to another issuer": (
        lambda: (foreign.signed("stolen"), _say(f"{SITE}/stolen/key", owner=ANOTHER))[0],
        {"signature": "key_not_issuers", "status": "not_asked"},
    ),
    "Open Badges 2, signed, with a changed word": (
        lambda: b".".join([*foreign.signed("tampered").split(b".")[:2], foreign.signed("other").split(b".")[2]]),
        {"signature": "bad_signature", "status": "not_asked"},
    ),
    "Open Badges 2, signed, what it is for at another site": (
        lambda: foreign.signed_for(ANOTHER),
        {"form": "key_not_issuers"},
    ),
    "Open Badges 2, signed, with a list of another issuer": (
        lambda: (foreign.signed("listed"), _say(f"{SITE}/listed/revoked", issuer=ANOTHER))[0],
        {"status": "status_list_not_issuers"},
    ),
    "Open Badges 2, signed, whose key is no key": (
        lambda: (foreign.signed("no-key"), _say(f"{SITE}/no-key/key", publicKeyPem="-----BEGIN"))[0],
        {"signature": "bad_key", "status": "not_asked"},
    ),
    "a certificate": (lambda: foreign.pdf(DOCUMENTS["eddsa-did-web"].encode()), {}),
    "a certificate, not compressed": (lambda: foreign.pdf(DOCUMENTS["jwt-rs256"].encode(), packed=False), {}),
    "a certificate with two badges": (
        lambda: foreign.pdf(DOCUMENTS["eddsa-did-web"].encode(), times=2),
        {"form": "ambiguous_image"},
    ),
    "a certificate with a picture and a badge": (
        lambda: foreign.pdf(b"\xff\xd8\xff") + foreign.pdf(DOCUMENTS["eddsa-did-web"].encode()),
        {},
    ),
    "a PDF with nothing attached": (
        lambda: b"%PDF-1.7\n1 0 obj << /EmbeddedFiles 2 0 R >>",
        {"form": "no_badge_in_file"},
    ),
    "a certificate that unpacks to 60 MB": (lambda: foreign.pdf(b"{" + bytes(60 * 2**20)), {"form": "too_large"}),
    "a certificate cut off": (
        lambda: foreign.pdf(DOCUMENTS["eddsa-did-web"].encode()).partition(b"endstream")[0][:-40],
        {"form": "bad_image"},
    ),
    "a PDF with 30 files": (lambda: foreign.pdf(b"x", times=30), {"form": "too_complex"}),
    "a PDF that is encrypted": (lambda: foreign.pdf(b"{}") + b"/Encrypt 5 0 R", {"form": "no_badge_in_file"}),
    "Open Badges 1": (
        lambda: json.dumps({"uid": "1", "recipient": MAYZE, "badge": f"{SITE}/badge", "verify": {}}).encode(),
        {"form": "version_not_supported"},
    ),
    "a credential that is no badge": (
        lambda: changed("eddsa-did-web", add(type=["VerifiableCredential"])),
        {"badge": "not_a_badge", "signature": "bad_signature"},
    ),
    "a version to come": (
        lambda: changed(
            "eddsa-did-web",
            lambda badge: badge["@context"].__setitem__(1, "https://purl.imsglobal.org/spec/ob/v4p0/context.json"),
        ),
        {"badge": "version_not_supported", "form": "unknown_context", "signature": "unknown_context"},
    ),
    "a presentation of two": (
        lambda: foreign.presentation(json.loads(DOCUMENTS["eddsa-did-web"]), DOCUMENTS["jwt-es256"]),
        {},
    ),
    "a presentation with a revoked one": (
        lambda: foreign.presentation(json.loads(DOCUMENTS["eddsa-did-web"]), json.loads(DOCUMENTS["status-revoked"])),
        {"status": "revoked"},
    ),
    "a presentation of nine": (
        lambda: foreign.presentation(*[json.loads(DOCUMENTS["eddsa-did-web"])] * 9),
        {"form": "bad_presentation"},
    ),
    "a presentation in one": (
        lambda: foreign.presentation(json.loads(foreign.presentation(json.loads(DOCUMENTS["eddsa-did-web"])))),
        {"badge": "version_not_supported", "form": "ambiguous_id", "signature": "incomplete", "dates": "bad_date"},
    ),
    "a presentation that another one signed": (
        lambda: changed("presentation-ed25519-2020", add(holder="did:web:college.example.org")),
        {"holder": "key_not_issuers"},
    ),
    "a presentation that has expired": (
        lambda: jwt_changed("presentation-jwt", add(exp=1)),
        {"holder": "expired"},
    ),
    "a broken schema behind one that nobody knows": (
        lambda: changed(
            "schema-broken", lambda badge: badge.update(credentialSchema=[STRANGE, *badge["credentialSchema"]])
        ),
        {"signature": "bad_signature", "schema": "schema_broken"},
    ),
    "a JWT that must be understood otherwise": (
        lambda: foreign.headed("jwt-rs256", crit=["exp"]),
        {"form": "token_not_supported"},
    ),
    "a JWT that is not encoded": (lambda: foreign.headed("jwt-rs256", b64=False), {"form": "token_not_supported"}),
    "an SD-JWT with each digest twice": (
        lambda: jwt_changed("sd-jwt", lambda claims: claims["_sd"].extend(claims["_sd"])),
        {"form": "bad_disclosure"},
    ),
    "an SD-JWT that says its issuer a second time": (
        lambda: jwt_changed("sd-jwt", lambda claims: claims["_sd"].append(digest(AGAIN))) + AGAIN + b"~",
        {"form": "bad_disclosure"},
    ),
    "an SD-JWT with something slipped in": (
        lambda: DOCUMENTS["sd-jwt"].encode() + b"WyJzIiwibGV2ZWwiLCJFeHBlcnQiXQ~",
        {"form": "bad_disclosure"},
    ),
}
"""What is handed in, and the reasons of the checks that fail."""


def checked(document: bytes, **given: Any) -> Verdict:
    return verify(document, at=NOON, resolve=foreign.resolve, fetch=foreign.fetch, **given)


def reasons(verdict: Verdict) -> dict[str, str]:
    return {check.name: check.code for check in failures(verdict)}


@each_of("name", MADE)
def test_a_badge_that_other_software_made_is_taken_or_refused_for_its_reason(name):
    assert reasons(checked(DOCUMENTS[name].encode())) == MADE[name]


def shown_with(*disclosures: object) -> bytes:
    """The SD-JWT with further disclosures, whose digests its issuer did not sign."""
    more = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in disclosures]
    return (
        jwt_changed("sd-jwt", lambda claims: claims["_sd"].extend(digest(one.encode()) for one in more))
        + "".join(f"{one}~" for one in more).encode()
    )


PROOF = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "assertionMethod"}
BY_RULE = {
    "a proof that expired a moment ago": (
        lambda: changed("eddsa-did-web", lambda badge: badge["proof"].update(expires="2026-11-21T11:59:59Z")),
        "proof_expired",
    ),
    "a proof that expires now": (
        lambda: changed("eddsa-did-web", lambda badge: badge["proof"].update(expires="2026-11-21T12:00:00Z")),
        "bad_signature",
    ),
    "a proof of a chain": (
        lambda: changed("eddsa-did-web", lambda badge: badge["proof"].update(previousProof="urn:x:1")),
        "suite_not_supported",
    ),
    "a proof with a context of its own": (
        lambda: changed("eddsa-did-web", lambda badge: badge["proof"].update({"@context": ["urn:x"]})),
        "bad_proof",
    ),
    "a proof for another purpose": (
        lambda: changed("eddsa-did-web", lambda badge: badge["proof"].update(proofPurpose="authentication")),
        "no_proof",
    ),
    "five proofs": (
        lambda: changed("eddsa-did-web", lambda badge: badge.update(proof=[badge["proof"], *[PROOF] * 4])),
        "too_complex",
    ),
    "an SD-JWT with a key binding": (lambda: DOCUMENTS["sd-jwt"].encode() + b"eyJh", "token_not_supported"),
    "an SD-JWT with 101 disclosures": (lambda: DOCUMENTS["sd-jwt"].encode() + b"e30~" * 101, "too_complex"),
    "a disclosure without a salt": (lambda: shown_with(["level", "Expert"]), "bad_disclosure"),
    "a disclosure whose name is a number": (lambda: shown_with(["salt", 1, "Expert"]), "bad_disclosure"),
    "a disclosure of digests": (lambda: shown_with(["salt", "_sd", ["x"]]), "bad_disclosure"),
    "a further disclosure": (lambda: shown_with(["salt", "grade", "high"]), "bad_signature"),
    "seven endorsements": (
        lambda: changed("endorsed", lambda badge: badge.update(endorsement=[{}] * 7)),
        "too_complex",
    ),
    "an endorsement that is none": (
        lambda: changed("endorsed", lambda badge: badge.update(endorsement=[7])),
        "endorsement_incomplete",
    ),
    "a web page": (lambda: b"  <!DOCTYPE html><html></html>", "no_badge_in_file"),
    "a PNG of more than 4 MiB": (
        lambda: foreign.baked_png("eddsa-did-web") + bytes(4 * 2**20),
        "too_large",
    ),
}


@each_of("name", BY_RULE)
def test_what_a_rule_forbids_is_refused_by_its_name(name):
    document, code = BY_RULE[name]

    assert code in {check.code for check in failures(checked(document()))}


def test_the_table_has_every_badge_that_was_made():
    assert MADE.keys() == DOCUMENTS.keys()


@pytest.mark.parametrize("name", HANDED_IN)
def test_what_is_handed_in_is_taken_or_refused_for_its_reason(name):
    document, expected = HANDED_IN[name]

    found = reasons(checked(document()))

    assert found == {check: code for check, code in expected.items() if code != "ok"}


@pytest.mark.parametrize("name", ["eddsa-did-web", "jwt-rs256", "sd-jwt", "ecdsa-sd-derived"])
def test_a_badge_is_somebodys_if_its_salted_hash_is_that_of_their_address(name):
    document = DOCUMENTS[name].encode()

    assert reasons(checked(document, address="Mayze@Example.org ")) == {}
    assert reasons(checked(document, address="other@example.org")) == {"recipient": "another_recipient"}


def test_a_badge_without_an_address_says_that_nothing_can_be_seen_from_one():
    document = changed("eddsa-did-web", lambda badge: badge["credentialSubject"].update(identifier=[], id="urn:x:1"))

    assert reasons(checked(document, address=MAYZE))["recipient"] == "no_address"


def test_a_badge_of_open_badges_2_is_somebodys_by_its_salted_hash():
    assert reasons(checked(hosted("good"), address=MAYZE)) == {}
    assert reasons(checked(hosted("good"), address="other@example.org")) == {"recipient": "another_recipient"}


def test_a_badge_that_is_gone_from_its_address_is_revoked_and_one_that_cannot_be_had_is_not():
    shown = hosted("left")

    def found(code: str) -> dict[str, str]:
        def fetch(url: str) -> bytes:
            if url.endswith("/assertions/left"):
                raise Unavailable(url, code)
            return foreign.fetch(url)

        return reasons(verify(shown, at=NOON, resolve=foreign.resolve, fetch=fetch))

    assert found("gone") == {"form": "revoked"}
    assert found("unavailable") == {"form": "unavailable"}


def test_what_nobody_checked_in_a_hosted_badge_is_left_out():
    stray = {
        "issuer": {"id": "did:web:university.example"},
        "credentialSubject": {"achievement": {"id": "urn:x:another", "name": "Surgery"}},
        "awardedDate": "2020-01-01T00:00:00Z",
    }

    verdict = checked(hosted("stray", **stray))

    assert verdict.valid
    assert verdict.credential is not None
    assert verdict.credential.keys().isdisjoint(stray)
    said = summary(verdict.credential | stray, verdict.format)
    assert (said["issuerId"], said["achievementId"]) == (f"{SITE}/issuer", f"{SITE}/badge")
    assert (said["name"], said["given"], said["from"][:10]) == ("Pipetting", "", "2026-01-10")


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ({f"{SITE}/.well-known/jwks.json": {"keys": []}}, {"signature": "key_not_listed"}),
        ({f"{SITE}/.well-known/jwks.json": {"keys": [KEY | {"iss": ANOTHER}]}}, {"signature": "key_not_listed"}),
        ({f"{SITE}/.well-known/jwks.json": {"keys": [KEY | {"iss": SITE}]}}, {}),
        ({f"{SITE}/.well-known/jwks.json": None}, {"signature": "unavailable"}),
        ({f"{SITE}/.well-known/jwks.json": None, SITE: {"id": SITE}}, {"signature": "key_not_listed"}),
        ({f"{SITE}/.well-known/jwks.json": None, SITE: "lists it"}, {}),
    ],
)
def test_a_key_on_the_issuers_site_signs_for_it_only_if_the_issuer_lists_it(listed, found):
    method = {"id": "#1", "type": "JsonWebKey", "publicKeyJwk": KEY}
    profile = {"id": SITE, "verificationMethod": [method], "assertionMethod": ["#1"]}

    def fetch(url: str) -> bytes:
        told = listed.get(url, "as it is")
        if told is None:
            raise Unavailable(url)
        return (
            foreign.fetch(url) if told == "as it is" else json.dumps(profile if told == "lists it" else told).encode()
        )

    document = DOCUMENTS["jwt-kid-address"].encode()

    assert reasons(verify(document, at=NOON, resolve=foreign.resolve, fetch=fetch)) == found


def test_a_key_in_the_issuers_document_that_another_one_controls_signs_nothing():
    def resolve(did: str) -> dict[str, Any]:
        document = foreign.resolve(did)
        methods = [one | {"controller": "did:web:university.example"} for one in document["verificationMethod"]]
        return document | {"verificationMethod": methods}

    document = DOCUMENTS["eddsa-did-web"].encode()

    assert reasons(verify(document, at=NOON, resolve=resolve, fetch=foreign.fetch)) == {"signature": "key_not_listed"}


def test_names_from_outside_cannot_forge_a_line_of_ours():
    name = 'Pipetting", issued by "The Crown\u202e\nok  status: fine'

    (badge,) = [check for check in checked(changed("eddsa-did-web", named(name))).checks if check.name == "badge"]

    assert badge.why == (
        '"Pipetting\\", issued by \\"The Crown\\u202e ok status: fine", issued by "College of the Example"'
    )


def test_nothing_is_asked_for_more_than_once():
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return foreign.fetch(url)

    verdict = verify(
        foreign.presentation(*[json.loads(DOCUMENTS["status-clear"])] * 3),
        at=NOON,
        resolve=foreign.resolve,
        fetch=fetch,
    )

    assert verdict.valid
    assert asked == [f"{SITE}/status/revocation"]


def costly() -> dict[str, bytes]:
    """The costliest documents that are within all other limits."""
    alike = {"type": "IdentityObject", "salt": [f"v{number}" for number in range(150)], "identityHash": ["x"]}
    twins = lambda badge: badge["credentialSubject"].update(identifier=foreign.grown(alike, 6))  # noqa: E731
    one = json.loads(changed("eddsa-did-web", twins))
    two = json.loads(changed("two-proofs", twins))
    wide = json.loads(changed("eddsa-did-web", add(evidence=foreign.grown({"type": ["Evidence"], "name": "x"}, 249))))
    many = [json.loads(json.dumps(part).replace("Pipetting", f"P{n}")) for part in (one, two, wide) for n in range(2)]
    return {
        "one": json.dumps(one).encode(),
        "wide": json.dumps(wide).encode(),
        "a presentation of six": foreign.presentation(*many),
    }


@pytest.mark.parametrize("name", ["one", "wide", "a presentation of six"])
def test_the_costliest_badges_cost_half_a_second_at_the_most(name):
    document = costly()[name]
    begun = time.thread_time()

    verdict = checked(document)

    assert not verdict.valid
    assert time.thread_time() - begun < 1.0  # measured 0.2 s; twice the limit, because the machine has other work
