"""What our verifier refuses, each for its own reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from badges.keys import multikey
from badges.proofs.sign import sign
from badges.verifying.verdict import Unavailable
from tests.badges.made import failed, set_in, signed_anew, verdict_on

STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
NOT_ASKED = ("status", "not asked for, because the signature does not hold")


def test_a_verdict_says_what_was_found_in_five_checks(issued, badge, issuer):
    verdict = verdict_on(issued, badge)

    assert verdict.valid
    assert verdict.shown() == {
        "valid": True,
        "format": "vc",
        "checks": [
            {"name": "form", "ok": True, "code": "ok", "why": "JSON-LD with every term defined"},
            {
                "name": "badge",
                "ok": True,
                "code": "ok",
                "why": '"Aseptic gowning: Practitioner", issued by "Engraft, default"',
            },
            {"name": "signature", "ok": True, "code": "ok", "why": f"eddsa-rdfc-2022, by {issuer.method}"},
            {
                "name": "dates",
                "ok": True,
                "code": "ok",
                "why": "valid from 2026-11-21T12:00:00Z until 2027-05-31T23:59:59+01:00",
            },
            {"name": "status", "ok": True, "code": "ok", "why": "not on the revocation list"},
        ],
    }


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "empty"),
        (b"{", "JSON"),
        (b"[]", "not a JSON object"),
        (b'{"a": 1, "a": 2}', "twice|more than once|duplicate"),
        (b'{"a": NaN}', "JSON|NaN"),
        (b"[" * 100_000, "."),
        (b" " * (256 * 1024 + 1), "larger than 256 KiB"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_what_is_no_json_object_is_refused_at_the_door(issued, document, why):
    verdict = verdict_on(issued, document)

    assert [check.name for check in verdict.checks] == ["form"]
    assert verdict.credential is None
    assert re.search(why, verdict.checks[0].why)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Aseptic gowning: Expert"),
        ("validUntil", "2037-05-31T23:59:59+01:00"),
        ("awardedDate", "2020-06-01T00:00:00+01:00"),
        ("issuer.name", "University of Oxford"),
        ("credentialSubject.identifier.0.salt", "00"),
        ("credentialSubject.identifier.0.hashed", False),
        ("credentialSubject.achievement.name", "Brain surgery"),
        ("credentialSubject.achievement.alignment.0.targetCode", "GMP-9"),
        ("credentialSubject.achievement.resultDescription.0.rubricCriterionLevel.1.name", "Expert"),
        ("evidence.0.id", "urn:uuid:00000000-0000-4000-8000-000000000000"),
        ("credentialStatus.statusListIndex", "1"),
        ("proof.0.created", "2026-11-21T12:00:01Z"),
        ("id", "urn:uuid:00000000-0000-4000-8000-000000000000"),
    ],
)
def test_any_word_that_was_changed_breaks_the_signature(issued, badge, path, value):
    verdict = verdict_on(issued, set_in(badge, path, value))

    assert failed(verdict) == [("signature", "the signature does not fit what the badge says"), NOT_ASKED]


@pytest.mark.parametrize("part", ["validUntil", "evidence", "name"])
def test_any_part_that_was_taken_out_breaks_the_signature(issued, badge, part):
    del badge[part]

    assert [name for name, _why in failed(verdict_on(issued, badge))] == ["signature", "status"]


@pytest.mark.parametrize(
    ("changes", "check", "why"),
    [
        ({"validFrom": "2026-11-21T12:00:01Z"}, "dates", "not valid before 2026-11-21T12:00:01Z"),
        ({"validUntil": "2026-11-21T11:59:59Z"}, "dates", "expired at 2026-11-21T11:59:59Z"),
        ({"validFrom": "2026-11-21T12:00:00"}, "dates", "validFrom has no time zone"),
        ({"validFrom": "yesterday"}, "dates", "validFrom is not a date and time"),
        ({"validFrom": None}, "dates", "validFrom is not a date and time"),
        ({"type": ["VerifiableCredential"]}, "badge", "not an OpenBadgeCredential"),
        (
            {"credentialStatus": {"id": "urn:x:1", "type": "1EdTechCredentialRefresh"}},
            "status",
            "credentialStatus is not one object of type BitstringStatusListEntry",
        ),
    ],
)
def test_what_the_issuer_itself_signed_wrongly_is_refused(issued, badge, issuer, changes, check, why):
    contexts = badge["@context"]
    if "credentialStatus" in changes:
        contexts = [*contexts, "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"]

    verdict = verdict_on(issued, signed_anew(issuer, badge, **{"@context": contexts, **changes}))

    assert failed(verdict) == [(check, why)]


def test_a_badge_whose_id_stands_for_something_else_inside_it_is_refused(issued, badge, issuer):
    changed = signed_anew(issuer, badge, evidence=[{"id": badge["id"], "type": ["Evidence"]}])

    assert failed(verdict_on(issued, changed)) == [("form", "the badge has no id of its own")]


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("issuer", "did:web:skills.example.org:t:default", "issuer is not one object of type Profile"),
        ("credentialSubject.identifier", [], "credentialSubject has neither id nor identifier"),
        ("credentialSubject.achievement.criteria", {}, "the achievement lacks id, name, description or criteria"),
        ("@context", ["https://www.w3.org/ns/credentials/v2"], "@context does not begin with"),
    ],
)
def test_what_other_verifiers_refuse_is_refused_here(issued, badge, path, value, why):
    checks = dict(failed(verdict_on(issued, set_in(badge, path, value))))

    assert checks["badge"].startswith(why)


def test_a_stranger_cannot_sign_for_an_issuer_with_a_key_in_the_issuers_name(issued, badge, issuer):
    method = f"{issuer.id}#{multikey.multibase_of_public(STRANGER.public_key().public_bytes_raw())}"
    unsigned = {name: value for name, value in badge.items() if name != "proof"}
    forged = sign(unsigned, STRANGER, method, "2026-11-21T12:00:00Z")

    assert failed(verdict_on(issued, forged)) == [
        ("signature", "the issuer does not list this key as its assertionMethod"),
        NOT_ASKED,
    ]


def test_a_stranger_cannot_sign_for_an_issuer_with_a_did_key_of_its_own(issued, badge):
    multibase = multikey.multibase_of_public(STRANGER.public_key().public_bytes_raw())
    unsigned = {name: value for name, value in badge.items() if name != "proof"}
    forged = sign(unsigned, STRANGER, f"did:key:{multibase}#{multibase}", "2026-11-21T12:00:00Z")

    assert failed(verdict_on(issued, forged)) == [("signature", "the key is not the issuer's own"), NOT_ASKED]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"assertionMethod": []}, "does not list this key"),
        ({"assertionMethod": [{"id": "x"}]}, "does not list this key"),
        ({"id": "did:web:other.example.org"}, "does not list this key"),
        ({"verificationMethod": []}, "does not hold the key"),
        ({"verificationMethod": "x"}, "does not hold the key"),
    ],
)
def test_a_did_document_that_does_not_vouch_for_the_key_is_refused(issued, badge, issuer, change, why):
    verdict = verdict_on(issued, badge, resolve=lambda _did: {**issuer.did_document(), **change})

    assert ("signature" in dict(failed(verdict))) is True
    assert why in dict(failed(verdict))["signature"]


def test_a_did_document_that_cannot_be_had_makes_the_badge_not_valid(issued, badge):
    def nowhere(did: str) -> dict[str, Any]:
        raise Unavailable(f"{did} did not answer")

    verdict = verdict_on(issued, badge, resolve=nowhere)

    assert [name for name, _why in failed(verdict)] == ["signature", "status"]


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        ([], "no proof of the suite"),
        ({}, "no proof of the suite"),
        (None, "no proof of the suite"),
        ([{"type": "Ed25519Signature2018", "proofPurpose": "assertionMethod"}], "no proof of the suite"),
        ([{"cryptosuite": "eddsa-jcs-2022"}], "no proof of the suite"),
        ([{"proofPurpose": "authentication"}], "no proof of the suite"),
        ([{"proofValue": "u1234"}], "proofValue is not in base58btc"),
        ([{"proofValue": "z0OIl"}], "the signature does not fit"),
        ([{"proofValue": "z" + "2" * 200}], "the signature does not fit"),
        ([{"expires": "2026-11-21T11:00:00Z"}], "the proof has expired"),
        ([{"@context": "https://www.w3.org/ns/credentials/v2"}], "the proof has a context of its own"),
        ([{"verificationMethod": "#z6Mk"}], "the key is not the issuer's own"),
        ([{"verificationMethod": 7}], "the key is not the issuer's own"),
    ],
)
def test_a_proof_of_another_kind_is_no_proof(issued, badge, proof, why):
    own = badge["proof"][0]
    badge["proof"] = [{**own, **part} for part in proof] if isinstance(proof, list) else proof

    assert why in dict(failed(verdict_on(issued, badge)))["signature"]


def test_a_single_proof_outside_an_array_is_a_proof(issued, badge):
    badge["proof"] = badge["proof"][0]

    assert verdict_on(issued, badge).valid


@pytest.mark.parametrize(
    "id", ["did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", "did:ion:abc", "https://example.org/issuer"]
)
def test_an_issuer_that_we_cannot_resolve_is_not_believed(issued, badge, id):
    changed = set_in(badge, "issuer.id", id)
    changed["proof"][0]["verificationMethod"] = f"{id}#{id.rpartition(':')[2]}"

    assert "signature" in dict(failed(verdict_on(issued, changed)))


def test_a_proof_that_is_longer_than_any_is_refused(issued, badge):
    badge["proof"][0]["domain"] = ["x" * 100] * 100

    (signature,) = [check for check in verdict_on(issued, badge).checks if check.name == "signature"]

    assert (signature.ok, signature.why) == (False, "the proof is longer than 8192 characters")
