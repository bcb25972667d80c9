"""Our badges before verifiers nobody here wrote: Digital Bazaar's, and the one inside Learner Credential Wallet."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from badges.content.awards import credential_uuid
from badges.endorsing import endorsing
from badges.issuing import rotation
from badges.keys import multikey
from badges.keys.issuer import did_url, issuer_of
from badges.verifying.lookup import resolver, status_lists
from badges.verifying.verify import verify
from lrs.composition.steps import drain
from lrs.tenancy.tenants import Tenant
from tests.badges.made import Clock, badge_in, list_in, put_award, run_issue, tenant_in
from tests.badges.world import issued_of_framework

MINUTE = 60_000_000
pytestmark = pytest.mark.timeout(300)  # the first test may install the npm packages


def tenant_today(folder: Path, public_url: str | None) -> Tenant:
    """A tenant with one badge, without end, issued a minute ago by the real clock, which the other side looks at."""
    opened = tenant_in(folder, public_url, Clock(time.time_ns() // 1_000 - MINUTE))
    put_award(opened, valid_until=None, evidence_count=10_000)
    run_issue(opened)
    return opened


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    opened = tenant_today(tmp_path, "https://skills.example.org")
    yield opened
    opened.store.close()


def published(tenant: Tenant) -> dict[str, Any]:
    """What our public addresses answer, by address and by DID."""
    issuer, listed = issuer_of(tenant), list_in(tenant)
    did = issuer.did_document()
    addresses = {} if issuer.demonstration else {did_url(issuer.id): did}
    return {listed["id"]: listed, issuer.id: did, **addresses}


def asked(tenant: Tenant, run: Any, credential: dict[str, Any] | None = None) -> dict[str, Any]:
    said: dict[str, Any] = run({"credential": credential or badge_in(tenant)[1], "documents": published(tenant)})
    return said


@pytest.fixture
def digitalbazaar(node: Any) -> Any:
    return partial(node, "digitalbazaar")


@pytest.fixture
def wallet(node: Any) -> Any:
    return partial(node, "verifier-core")


def test_digital_bazaars_verifier_accepts_our_badge(tenant, digitalbazaar):
    assert asked(tenant, digitalbazaar) == {"verified": True, "revoked": False, "errors": []}


def test_both_verifiers_accept_a_badge_with_all_that_it_can_say(tmp_path, digitalbazaar, wallet):
    opened = tenant_in(tmp_path, clock=Clock(time.time_ns() // 1_000 - MINUTE))
    issued_of_framework(opened, valid_until=None)

    said = asked(opened, digitalbazaar), asked(opened, wallet)
    opened.store.close()

    assert said[0] == {"verified": True, "revoked": False, "errors": []}
    assert (said[1]["steps"]["valid_signature"], said[1]["errors"]) == (True, [])


def test_an_endorsement_of_ours_and_one_that_digital_bazaar_signed_verify_alone_and_inside_the_badge(
    tenant, node, digitalbazaar, wallet
):
    thing = endorsing.thing_named(tenant, badge_in(tenant)[0].id)
    drafted = endorsing.drafted(tenant, thing, id="25555555-5555-4555-8555-555555555555")
    signed = node("digitalbazaar-sign", drafted)
    endorsing.take_in(tenant, thing, json.dumps(signed).encode(), None, by="test")
    endorsing.endorse(tenant, thing, "Seen here", id="15555555-5555-4555-8555-555555555555", by="test")
    tenant.clock.now += 1_000_000
    run_issue(tenant)
    badge = badge_in(tenant)[1]
    theirs, ours = badge["endorsement"]
    key = signed["issuer"]["id"].removeprefix("did:key:")
    documents = published(tenant) | {signed["issuer"]["id"]: multikey.did_document(signed["issuer"]["id"], key)}

    told = [digitalbazaar({"credential": one, "documents": documents}) for one in (badge, theirs, ours)]
    changed = {**badge, "endorsement": [{**ours, "name": "Endorsement of all they do"}]}
    of_changed = digitalbazaar({"credential": changed, "documents": documents})
    of_wallet = asked(tenant, wallet)

    assert theirs == signed
    assert told == [{"verified": True, "revoked": False, "errors": []}] * 3
    assert of_changed["verified"] is False
    assert of_wallet["steps"]["valid_signature"] is True


def test_digital_bazaars_verifier_accepts_a_demonstration_badge_that_has_no_public_address(tmp_path, digitalbazaar):
    tenant = tenant_today(tmp_path, None)

    said = asked(tenant, digitalbazaar)
    tenant.store.close()

    assert said == {"verified": True, "revoked": False, "errors": []}


def test_digital_bazaars_verifier_refuses_our_badge_when_the_level_was_changed(tenant, digitalbazaar):
    badge = badge_in(tenant)[1]
    result = badge["credentialSubject"]["result"][0]
    result["achievedLevel"] = result["achievedLevel"].replace("#level-2", "#level-3")

    said = asked(tenant, digitalbazaar, badge)

    assert said == {"verified": False, "revoked": False, "errors": ["Error: Invalid signature."]}


def test_digital_bazaars_verifier_sees_that_our_badge_is_revoked(tenant, digitalbazaar):
    put_award(tenant, state="withdrawn")
    run_issue(tenant)

    said = asked(tenant, digitalbazaar)

    assert said["revoked"] is True  # "verified" stays true: it says that the list could be read


def test_digital_bazaars_verifier_refuses_a_status_list_with_the_bit_taken_out_again(tenant, digitalbazaar):
    before = list_in(tenant)["credentialSubject"]["encodedList"]
    put_award(tenant, state="withdrawn")
    run_issue(tenant)
    documents = published(tenant)
    list_url = list_in(tenant)["id"]
    documents[list_url]["credentialSubject"]["encodedList"] = before

    said = digitalbazaar({"credential": badge_in(tenant)[1], "documents": documents})

    assert said["verified"] is False
    assert said["revoked"] is False


@pytest.mark.parametrize(
    "public_url", ["https://skills.example.org", "https://example.org:8443/lrs", "http://127.0.0.1:8080"]
)
def test_the_wallets_verifier_accepts_our_badge_and_sees_it_revoked(tmp_path, wallet, public_url):
    tenant = tenant_today(tmp_path, public_url)

    before = asked(tenant, wallet)
    put_award(tenant, state="withdrawn", valid_until=None)
    run_issue(tenant)
    after = asked(tenant, wallet)
    tenant.store.close()

    assert before == {
        "steps": {
            "valid_signature": True,
            "expiration": True,
            "revocation_status": True,
            "registered_issuer": False,
        },
        "errors": [],
    }
    assert after["steps"]["revocation_status"] is False


def test_the_wallets_verifier_refuses_our_badge_when_the_name_was_changed(tenant, wallet):
    badge = {**badge_in(tenant)[1], "name": "Aseptic gowning: Expert"}

    said = asked(tenant, wallet, badge)

    assert said == {"steps": {}, "errors": ["invalid_signature"]}


def test_verifiers_accept_badges_of_a_retired_key_and_what_is_issued_anew_and_nothing_of_a_compromised_key(
    tenant, digitalbazaar, wallet
):
    first = badge_in(tenant)[1]
    awards = {number: f"7d2f3c1a-0c64-5b3e-8a52-{number:012d}" for number in (2, 3)}
    for award in awards.values():
        rotation.rotate(tenant, "Ed25519", wait=0, by="test")
        drain(tenant, ["rotate"])
        put_award(tenant, award, valid_until=None)
        run_issue(tenant)
    second = badge_of(tenant, awards[2])
    rotation.compromise(tenant, "badge-signing-key/2", by="test")
    drain(tenant, ["reissue", "issue", "publish"])

    valid = [first, badge_of(tenant, awards[2]), badge_of(tenant, awards[3])]
    told = [asked(tenant, digitalbazaar, badge) for badge in valid]
    of_compromised = asked(tenant, digitalbazaar, second)
    of_wallet = [asked(tenant, wallet, badge) for badge in (first, second)]

    assert len({badge["proof"][0]["verificationMethod"] for badge in [*valid, second]}) == 3
    assert second["id"] == valid[1]["id"]
    assert told == [{"verified": True, "revoked": False, "errors": []}] * 3
    assert of_compromised["verified"] is False
    assert of_wallet[0]["steps"]["valid_signature"] is True
    assert of_wallet[1]["steps"].get("valid_signature") is not True


def badge_of(tenant: Tenant, award: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tenant.store.get("credential", credential_uuid(award)).body)
    return found


def test_a_badge_that_digital_bazaar_signed_is_valid_here_and_not_valid_once_changed(tenant, node):
    badge = {name: value for name, value in badge_in(tenant)[1].items() if name not in {"proof", "credentialStatus"}}
    foreign = node("digitalbazaar-sign", badge)
    changed = {**foreign, "name": "Aseptic gowning: Expert"}

    verdicts = [
        verify(
            json.dumps(badge).encode(),
            at=tenant.clock() + 60_000_000,
            resolve=resolver(tenant, None),
            fetch=status_lists(tenant, None),
        )
        for badge in (foreign, changed)
    ]

    assert [verdict.valid for verdict in verdicts] == [True, False]
    assert [check.name for check in verdicts[1].checks if not check.ok] == ["signature"]
