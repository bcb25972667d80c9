"""What our verifier refuses, each for its own reason, and that nothing makes it fall over."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from badges import multikey
from badges.issuer import Issuer, issuer_of
from badges.lookup import resolver, status_lists
from badges.sign import sign
from badges.status import EMPTY, compose_list, with_set
from badges.verify import Unavailable, Verdict, verify
from lrs.tenants import Tenant
from tests.badges.made import HOUR, NOON, badge_in, list_in, put_award, run_issue, tenant_in

Json = dict[str, Any]
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    opened = tenant_in(tmp_path_factory.mktemp("tenant"))
    put_award(opened)
    run_issue(opened)
    yield opened
    opened.store.close()


@pytest.fixture
def issuer(tenant: Tenant) -> Issuer:
    return issuer_of(tenant)


@pytest.fixture
def badge(tenant: Tenant) -> Json:
    return badge_in(tenant)[1]


def signed_anew(issuer: Issuer, badge: Json, **changes: Any) -> Json:
    """The badge with changes that the issuer itself signed."""
    unsigned = {name: value for name, value in {**badge, **changes}.items() if name != "proof" and value is not None}
    return sign(unsigned, issuer.key, issuer.method, "2026-11-21T12:00:00Z")


def verdict_on(tenant: Tenant, badge: Json | bytes, at: int = NOON, **given: Any) -> Verdict:
    document = badge if isinstance(badge, bytes) else json.dumps(badge).encode()
    ways = {"resolve": resolver(tenant, None), "fetch": status_lists(tenant, None), **given}
    return verify(document, at=at, **ways)


def failed(verdict: Verdict) -> list[tuple[str, str]]:
    return [(check.name, check.why) for check in verdict.checks if not check.ok]


def test_a_verdict_says_what_was_found_in_five_checks(tenant, badge, issuer):
    verdict = verdict_on(tenant, badge)

    assert verdict.valid
    assert verdict.shown() == {
        "valid": True,
        "checks": [
            {"name": "form", "ok": True, "why": "JSON-LD with every term defined"},
            {"name": "badge", "ok": True, "why": "Aseptic gowning: Practitioner, issued by Engraft, default"},
            {"name": "signature", "ok": True, "why": f"eddsa-rdfc-2022, by {issuer.method}"},
            {
                "name": "dates",
                "ok": True,
                "why": "valid from 2026-11-21T12:00:00+00:00 until 2027-05-31T23:59:59+01:00",
            },
            {"name": "status", "ok": True, "why": "not on the revocation list"},
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
        (b" " * (256 * 1024 + 1), "larger than 262144 bytes"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_what_is_no_json_object_is_refused_at_the_door(tenant, document, why):
    verdict = verdict_on(tenant, document)

    assert [check.name for check in verdict.checks] == ["form"]
    assert verdict.credential is None
    assert re.search(why, verdict.checks[0].why)


def set_in(badge: Json, path: str, value: Any) -> Json:
    changed = deepcopy(badge)
    part: Any = changed
    *way, last = path.split(".")
    for step in way:
        part = part[int(step) if step.isdigit() else step]
    part[int(last) if last.isdigit() else last] = value
    return changed


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
def test_any_word_that_was_changed_breaks_the_signature(tenant, badge, path, value):
    verdict = verdict_on(tenant, set_in(badge, path, value))

    assert failed(verdict) == [("signature", "the signature does not fit what the badge says")]


@pytest.mark.parametrize("part", ["validUntil", "evidence", "name"])
def test_any_part_that_was_taken_out_breaks_the_signature(tenant, badge, part):
    del badge[part]

    assert [name for name, _why in failed(verdict_on(tenant, badge))] == ["signature"]


@pytest.mark.parametrize(
    ("changes", "check", "why"),
    [
        ({"validFrom": "2026-11-21T12:00:01Z"}, "dates", "not valid before 2026-11-21T12:00:01+00:00"),
        ({"validUntil": "2026-11-21T11:59:59Z"}, "dates", "expired at 2026-11-21T11:59:59+00:00"),
        ({"validFrom": "2026-11-21T12:00:00"}, "dates", "validFrom has no time zone"),
        ({"validFrom": "yesterday"}, "dates", "validFrom is not a date and time"),
        ({"validFrom": None}, "dates", "validFrom is not a date and time"),
        ({"type": ["VerifiableCredential"]}, "badge", "not an OpenBadgeCredential"),
        (
            {"credentialStatus": {"id": "urn:x:1", "type": "1EdTechRevocationList"}},
            "status",
            "credentialStatus is not one object of type BitstringStatusListEntry",
        ),
    ],
)
def test_what_the_issuer_itself_signed_wrongly_is_refused(tenant, badge, issuer, changes, check, why):
    contexts = badge["@context"]
    if "credentialStatus" in changes:
        contexts = [*contexts, "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"]

    verdict = verdict_on(tenant, signed_anew(issuer, badge, **{"@context": contexts, **changes}))

    assert failed(verdict) == [(check, why)]


def test_a_badge_whose_id_stands_for_something_else_inside_it_is_refused(tenant, badge, issuer):
    changed = signed_anew(issuer, badge, evidence=[{"id": badge["id"], "type": ["Evidence"]}])

    assert failed(verdict_on(tenant, changed)) == [("form", "the badge has no id of its own")]


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("issuer", "did:web:skills.example.org:t:default", "issuer is not one object of type Profile"),
        ("credentialSubject.identifier", [], "credentialSubject has neither id nor identifier"),
        ("credentialSubject.achievement.criteria", {}, "the achievement lacks id, name, description or criteria"),
        ("@context", ["https://www.w3.org/ns/credentials/v2"], "@context does not begin with"),
    ],
)
def test_what_other_verifiers_refuse_is_refused_here(tenant, badge, path, value, why):
    checks = dict(failed(verdict_on(tenant, set_in(badge, path, value))))

    assert checks["badge"].startswith(why)


def test_a_stranger_cannot_sign_for_an_issuer_with_a_key_in_the_issuers_name(tenant, badge, issuer):
    method = f"{issuer.id}#{multikey.multibase_of(STRANGER)}"
    unsigned = {name: value for name, value in badge.items() if name != "proof"}
    forged = sign(unsigned, STRANGER, method, "2026-11-21T12:00:00Z")

    assert failed(verdict_on(tenant, forged)) == [
        ("signature", "the issuer does not list this key as its assertionMethod")
    ]


def test_a_stranger_cannot_sign_for_an_issuer_with_a_did_key_of_its_own(tenant, badge):
    multibase = multikey.multibase_of(STRANGER)
    unsigned = {name: value for name, value in badge.items() if name != "proof"}
    forged = sign(unsigned, STRANGER, f"did:key:{multibase}#{multibase}", "2026-11-21T12:00:00Z")

    assert failed(verdict_on(tenant, forged)) == [("signature", "the key is not the issuer's own")]


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
def test_a_did_document_that_does_not_vouch_for_the_key_is_refused(tenant, badge, issuer, change, why):
    verdict = verdict_on(tenant, badge, resolve=lambda _did: {**issuer.did_document(), **change})

    assert ("signature" in dict(failed(verdict))) is True
    assert why in dict(failed(verdict))["signature"]


def test_a_did_document_that_cannot_be_had_makes_the_badge_not_valid(tenant, badge):
    def nowhere(did: str) -> Json:
        raise Unavailable(f"{did} did not answer")

    verdict = verdict_on(tenant, badge, resolve=nowhere)

    assert [name for name, _why in failed(verdict)] == ["signature", "status"]


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        ([], "no proof of the suite"),
        ({}, "no proof of the suite"),
        (None, "no proof of the suite"),
        ([{"type": "Ed25519Signature2020", "proofPurpose": "assertionMethod"}], "no proof of the suite"),
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
def test_a_proof_of_another_kind_is_no_proof(tenant, badge, proof, why):
    own = badge["proof"][0]
    badge["proof"] = [{**own, **part} for part in proof] if isinstance(proof, list) else proof

    assert why in dict(failed(verdict_on(tenant, badge)))["signature"]


def test_a_single_proof_outside_an_array_is_a_proof(tenant, badge):
    badge["proof"] = badge["proof"][0]

    assert verdict_on(tenant, badge).valid


@pytest.mark.parametrize(
    "id", ["did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", "did:ion:abc", "https://example.org/issuer"]
)
def test_an_issuer_that_we_cannot_resolve_is_not_believed(tenant, badge, id):
    changed = set_in(badge, "issuer.id", id)
    changed["proof"][0]["verificationMethod"] = f"{id}#{id.rpartition(':')[2]}"

    assert "signature" in dict(failed(verdict_on(tenant, changed)))


def served(by: Issuer, url: str, key: Ed25519PrivateKey | None = None, **changes: Any) -> Callable[[str], bytes]:
    """A status list as somebody might serve it in the place of ours."""
    unsigned = {**compose_list(url, by.id, "revocation", EMPTY, "2026-11-21T12:00:00Z"), **changes}
    listed = sign(unsigned, key or by.key, by.method, "2026-11-21T12:00:00Z")
    return lambda _url: json.dumps(listed).encode()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": "https://skills.example.org/t/default/status/revocation-2"}, "another one"),
        ({"issuer": "did:web:other.example.org"}, "another issuer's"),
        ({"validFrom": "2026-11-21T13:00:00Z"}, "not valid before"),
        ({"validUntil": "2026-11-21T11:00:00Z"}, "expired"),
        ({"type": ["VerifiableCredential"]}, "not a BitstringStatusListCredential"),
        ({"credentialSubject": {"id": "urn:x:1"}}, "no BitstringStatusList"),
        ({"credentialSubject": {"type": "BitstringStatusList", "statusPurpose": "suspension"}}, "not about revocation"),
        ({"credentialSubject": {"type": "BitstringStatusList", "statusPurpose": "revocation"}}, "multibase"),
    ],
)
def test_a_status_list_that_cannot_be_believed_makes_the_badge_not_valid(tenant, badge, issuer, changes, why):
    verdict = verdict_on(tenant, badge, fetch=served(issuer, list_in(tenant)["id"], **changes))

    assert [name for name, _why in failed(verdict)] == ["status"]
    assert why in failed(verdict)[0][1]


def test_a_status_list_that_a_stranger_signed_makes_the_badge_not_valid(tenant, badge, issuer):
    verdict = verdict_on(tenant, badge, fetch=served(issuer, list_in(tenant)["id"], STRANGER))

    assert failed(verdict) == [("status", "the signature does not fit what the badge says")]


def test_a_status_list_that_cannot_be_had_makes_the_badge_not_valid(tenant, badge):
    def nowhere(url: str) -> bytes:
        raise Unavailable(f"{url} did not answer")

    assert failed(verdict_on(tenant, badge, fetch=nowhere)) == [
        ("status", "https://skills.example.org/t/default/status/revocation-1 did not answer")
    ]


def test_a_suspended_badge_is_not_valid_and_says_so(tenant, badge, issuer):
    url = "https://skills.example.org/t/default/status/suspension-1"
    entry = {**badge["credentialStatus"], "id": f"{url}#5", "statusPurpose": "suspension", "statusListIndex": "5"}
    suspended = signed_anew(issuer, badge, credentialStatus={**entry, "statusListCredential": url})
    unsigned = compose_list(url, issuer.id, "suspension", with_set(EMPTY, 5), "2026-11-21T12:00:00Z")
    listed = json.dumps(sign(unsigned, issuer.key, issuer.method, "2026-11-21T12:00:00Z")).encode()

    verdict = verdict_on(tenant, suspended, fetch=lambda _url: listed)

    assert failed(verdict) == [("status", "suspended")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"statusPurpose": "message"}, "neither a revocation nor a suspension"),
        ({"statusListIndex": "-1"}, "not a whole number"),
        ({"statusListIndex": "131072"}, "not in a list"),
        ({"statusListIndex": "²"}, "not a whole number"),
    ],
)
def test_a_place_that_is_none_makes_the_badge_not_valid(tenant, badge, issuer, change, why):
    changed = signed_anew(issuer, badge, credentialStatus={**badge["credentialStatus"], **change})

    assert why in dict(failed(verdict_on(tenant, changed)))["status"]


def test_a_badge_without_a_status_list_is_valid_for_its_time(tenant, badge, issuer):
    changed = signed_anew(issuer, badge, credentialStatus=None)

    assert verdict_on(tenant, changed).valid
    assert not verdict_on(tenant, changed, at=NOON + 365 * 24 * HOUR).valid


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "@context", "name", "proof", "x", "@value"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
PATHS = [
    "@context",
    "@context.0",
    "id",
    "type",
    "type.1",
    "issuer",
    "issuer.id",
    "validFrom",
    "validUntil",
    "credentialSubject",
    "credentialSubject.type",
    "credentialSubject.achievement",
    "credentialSubject.achievement.criteria",
    "evidence",
    "evidence.0.id",
    "credentialStatus",
    "credentialStatus.statusPurpose",
    "credentialStatus.statusListIndex",
    "credentialStatus.statusListCredential",
    "proof",
    "proof.0",
    "proof.0.type",
    "proof.0.expires",
    "proof.0.proofValue",
    "proof.0.verificationMethod",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(st.sampled_from(PATHS), VALUES)
def test_no_value_in_any_place_makes_the_verifier_fall_over(tenant, badge, path, value):
    verdict = verdict_on(tenant, set_in(badge, path, value))

    assert verdict.valid is (set_in(badge, path, value) == badge) or path.startswith(("type", "evidence"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.sampled_from(["", *PATHS]), VALUES)
def test_no_status_list_and_no_did_document_makes_the_verifier_fall_over(tenant, badge, issuer, path, value):
    listed = list_in(tenant)
    if path and path.split(".")[0] in listed and "." not in path:
        listed[path] = value
    did = {**issuer.did_document(), "assertionMethod": value}

    first = verdict_on(tenant, badge, fetch=lambda _url: json.dumps(listed).encode())
    second = verdict_on(tenant, badge, resolve=lambda _did: did)

    assert {check.name for check in first.checks} == {"form", "badge", "signature", "dates", "status"}
    assert not second.valid
