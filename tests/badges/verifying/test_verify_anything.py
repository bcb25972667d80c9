"""Whatever is put in whatever place, the verifier answers."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.badges.made import list_in, set_in, verdict_on

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
def test_no_value_in_any_place_makes_the_verifier_fall_over(issued, badge, path, value):
    verdict = verdict_on(issued, set_in(badge, path, value))

    assert verdict.valid is (set_in(badge, path, value) == badge) or path.startswith(("type", "evidence"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.sampled_from(["", *PATHS]), VALUES)
def test_no_status_list_and_no_did_document_makes_the_verifier_fall_over(issued, badge, issuer, path, value):
    listed = list_in(issued)
    if path and path.split(".")[0] in listed and "." not in path:
        listed[path] = value
    did = {**issuer.did_document(), "assertionMethod": value}

    first = verdict_on(issued, badge, fetch=lambda _url: json.dumps(listed).encode())
    second = verdict_on(issued, badge, resolve=lambda _did: did)

    assert {check.name for check in first.checks} == {"form", "badge", "signature", "dates", "status"}
    assert not second.valid
