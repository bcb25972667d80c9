"""Keys that another process keeps (``LRS_SIGNER``), and what is said where it is not to be had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from badges.issuing import rotation
from badges.keys.issuer import issuer_of
from lrs.composition.steps import drain
from lrs.kernel.errors import Misconfigured
from lrs.kernel.times import HOUR
from lrs.tenancy.signers import SignerAway
from lrs.tenancy.signing_keys import FIRST, FIRST_JWT
from lrs.tenancy.tenants import Tenant
from tests.badges import kms
from tests.badges.made import badge_in, failed, put_award, run_issue, verdict_on

pytestmark = pytest.mark.mongo_in_soak

SECOND = "badge-signing-key/2"


def kept_by(tenant: Tenant, signer: str | None) -> Tenant:
    return replace(tenant, settings=tenant.settings.model_copy(update={"signer": signer}))


@pytest.fixture
def outside(tenant: Tenant) -> Iterator[Tenant]:
    yield kept_by(tenant, "tests.badges.kms:signer")
    while kms.MADE:
        kms.MADE.pop().end()


@pytest.mark.parametrize("algorithm", ["Ed25519", "ES256", "RS256"])
def test_a_new_key_is_kept_by_the_signer_that_is_set_and_the_store_has_its_name_there_only(outside, algorithm):
    rotation.rotate(outside, algorithm, wait=0, by="operator")
    drain(outside, ["rotate"])

    assert json.loads(outside.store.get("kept-key", SECOND).body) == {"v": 1, "signer": "stand-in", "kept": "kms:0"}
    assert issuer_of(outside).ring.active(algorithm).id == SECOND


def test_a_badge_that_the_kms_signed_verifies_and_the_first_key_is_still_kept_here(outside):
    put_award(outside)
    run_issue(outside)
    first = badge_in(outside)[1]
    rotation.rotate(outside, "Ed25519", wait=0, by="operator")
    drain(outside, ["rotate"])

    outside.clock.now += HOUR
    put_award(outside, valid_until=None)
    run_issue(outside)
    second = badge_in(outside)[1]

    issuer = issuer_of(outside)
    assert [badge["proof"][0]["verificationMethod"] for badge in (first, second)] == [
        issuer.method_of(key) for key in issuer.ring.keys if key.algorithm == "Ed25519"
    ]
    assert failed(verdict_on(outside, first)) == failed(verdict_on(outside, second)) == []


def test_a_kms_that_is_away_loses_nothing_and_is_named(outside):
    rotation.rotate(outside, "Ed25519", wait=0, by="operator")
    drain(outside, ["rotate"])
    put_award(outside)
    kms.MADE[-1].end()

    with pytest.raises(SignerAway, match="the KMS does not answer"):
        run_issue(outside)

    assert outside.store.count("credential") == outside.store.count("status-list") == 0
    assert {backlog.step: backlog.waiting for backlog in outside.store.backlog()} == {"issue": 1}


def test_a_key_of_a_signer_that_is_not_set_any_more_says_what_to_set(outside):
    rotation.rotate(outside, "ES256", by="operator")
    alone = kept_by(outside, None)

    with pytest.raises(SignerAway, match=r"key badge-signing-key/2 is kept by 'stand-in': set LRS_SIGNER"):
        issuer_of(alone).ring.keys[-1].sign(b"x")
    assert len(issuer_of(alone).key.sign(b"x")) == 64


@pytest.mark.parametrize("path", ["no.such.module:signer", "tests.badges.kms:nothing", "tests.badges.kms", "", ":x"])
def test_a_signer_that_is_not_there_is_refused_before_a_key_is_made(tenant, path):
    with pytest.raises(Misconfigured, match=r"LRS_SIGNER: .* is no function .* write it as module:function"):
        rotation.rotate(kept_by(tenant, path), "ES256", by="operator")

    assert [key.id for key in issuer_of(tenant).ring.keys] == [FIRST, FIRST_JWT]


def test_a_signer_may_not_have_the_name_of_the_program_itself(tenant, monkeypatch):
    monkeypatch.setattr(kms.Kms, "name", "here")
    try:
        with pytest.raises(Misconfigured, match="has the name 'here'"):
            rotation.rotate(kept_by(tenant, "tests.badges.kms:signer"), "ES256", by="operator")
    finally:
        while kms.MADE:
            kms.MADE.pop().end()
