"""Keys that change: what is published, what signs, and which badges stay valid."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jwk, jws

from badges.issuing import rotation
from badges.keys.issuer import Issuer, issuer_of
from badges.keys.ring import Key, ring_of
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.settings import Settings
from lrs.kernel.times import HOUR
from lrs.storage import Record, Stale, each
from lrs.tenancy import audit, signing_keys
from lrs.tenancy.signers import HERE, Sealing, SignerAway
from lrs.tenancy.signing_keys import ALGORITHMS, FIRST, FIRST_JWT, SigningKey
from lrs.tenancy.tenants import Tenant
from tests.badges.made import (
    AWARD,
    again,
    badge_in,
    failed,
    list_in,
    put_award,
    run_issue,
    run_publish,
    tenant_in,
    verdict_on,
)

pytestmark = pytest.mark.mongo_in_soak

OTHER = "7d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a02"
SECOND = "badge-signing-key/2"
STEPS = {"rotate": rotation.take_over, "reissue": rotation.reissue}


def work(tenant: Tenant) -> None:
    """Does what is owed until nothing is due."""
    while any([*(run(tenant, step) for step in STEPS), run_issue(tenant), run_publish(tenant)]):
        pass


def run(tenant: Tenant, step: str) -> int:
    claims = tenant.store.claim([step], limit=1, lease=HOUR)
    STEPS[step](tenant, claims)
    return len(claims)


def states(tenant: Tenant) -> list[tuple[str, str]]:
    """Of all keys but the first one for JWTs, which every tenant has."""
    return [(key.algorithm, key.state) for key in ring_of(tenant).keys if key.id != FIRST_JWT]


def signed_by(document: dict[str, Any]) -> str:
    return str(document["proof"][0]["verificationMethod"])


def key_named(tenant: Tenant, id: str) -> Key:
    return next(key for key in ring_of(tenant).keys if key.id == id)


def method(tenant: Tenant, id: str) -> str:
    return issuer_of(tenant).method_of(key_named(tenant, id))


def test_a_next_key_is_published_at_once_and_signs_when_its_wait_is_over(tenant):
    put_award(tenant)
    run_issue(tenant)

    rotation.rotate(tenant, "Ed25519", by="operator")
    work(tenant)
    before = issuer_of(tenant)
    tenant.clock.now += 24 * HOUR
    work(tenant)
    after = issuer_of(tenant)

    listed = [method(tenant, id) for id in (FIRST, FIRST_JWT, SECOND)]
    assert before.did_document()["assertionMethod"] == after.did_document()["assertionMethod"] == listed
    assert (before.key.id, after.key.id) == (FIRST, SECOND)
    assert states(tenant) == [("Ed25519", "retired"), ("Ed25519", "active")]
    assert (key_named(tenant, FIRST).until, key_named(tenant, SECOND).since) == (tenant.clock(), tenant.clock())


def test_a_new_key_issues_no_badge_anew_and_signs_the_next_one_and_the_next_list(tenant):
    put_award(tenant)
    run_issue(tenant)
    first = badge_in(tenant)
    rotation.rotate(tenant, "Ed25519", wait=0, by="operator")
    work(tenant)

    again(tenant)
    run_issue(tenant)
    unchanged = badge_in(tenant)
    put_award(tenant, OTHER)
    run_issue(tenant)
    put_award(tenant, OTHER, state="withdrawn")
    run_issue(tenant)

    assert unchanged == first
    second = json.loads(tenant.store.get("credential", _of(tenant, first[0].id)).body)
    assert [signed_by(one) for one in (first[1], second, list_in(tenant))] == [
        method(tenant, FIRST),
        method(tenant, SECOND),
        method(tenant, SECOND),
    ]
    assert second["credentialStatus"]["statusListCredential"] == first[1]["credentialStatus"]["statusListCredential"]
    assert failed(verdict_on(tenant, first[1])) == []
    assert failed(verdict_on(tenant, second)) == [("status", "revoked")]

    rotation.compromise(tenant, SECOND, by="operator")
    work(tenant)

    assert tenant.store.get("credential", first[0].id) == first[0]
    assert failed(verdict_on(tenant, first[1])) == []


def _of(tenant: Tenant, other: str) -> str:
    (found,) = {record.id for record in each(tenant.store, "credential")} - {other}
    return found


def test_what_a_compromised_key_signed_is_valid_nowhere_and_is_issued_anew_under_its_id(tenant):
    put_award(tenant)
    put_award(tenant, OTHER)
    run_issue(tenant)
    put_award(tenant, OTHER, state="withdrawn")
    run_issue(tenant)
    old = json.loads(tenant.store.get("credential", _issued(tenant)).body)
    tenant.clock.now += HOUR

    heir = rotation.compromise(tenant, FIRST, by="operator")
    at_once = [failed(verdict_on(tenant, old)), issuer_of(tenant).did_document()["assertionMethod"]]
    work(tenant)

    record = tenant.store.get("credential", _issued(tenant))
    new = json.loads(record.body)
    assert heir == SECOND
    assert at_once[1] == [method(tenant, FIRST_JWT), method(tenant, SECOND)]
    assert at_once[0][0] == ("signature", "the issuer does not list this key as its assertionMethod")
    assert states(tenant) == [("Ed25519", "compromised"), ("Ed25519", "active")]
    assert (new["id"], new["credentialStatus"]) == (old["id"], old["credentialStatus"])
    assert record.meta["replaces"] == key_named(tenant, FIRST).fragment
    assert failed(verdict_on(tenant, new)) == []
    assert failed(verdict_on(tenant, old)) == [
        ("signature", "the issuer does not list this key as its assertionMethod"),
        ("status", "not asked for, because the signature does not hold"),
    ]
    assert signed_by(list_in(tenant)) == method(tenant, SECOND)
    assert tenant.store.get("signing-key", FIRST).meta == {"badges": 1}
    assert [backlog.step for backlog in tenant.store.backlog() if backlog.waiting or backlog.parked] == []


def _issued(tenant: Tenant) -> str:
    (found,) = (r.id for r in each(tenant.store, "credential") if r.meta["state"] == "issued")
    return found


def test_when_the_active_key_is_given_up_the_next_one_signs_at_once_and_its_wait_changes_nothing_later(tenant):
    rotation.rotate(tenant, "Ed25519", by="operator")

    heir = rotation.compromise(tenant, FIRST, by="operator")
    tenant.clock.now += 48 * HOUR
    work(tenant)

    assert heir == SECOND
    assert states(tenant) == [("Ed25519", "compromised"), ("Ed25519", "active")]


def test_a_next_key_that_is_given_up_never_signs_and_the_active_one_goes_on(tenant):
    rotation.rotate(tenant, "Ed25519", by="operator")

    assert rotation.compromise(tenant, SECOND, by="operator") is None
    tenant.clock.now += 48 * HOUR
    work(tenant)

    assert states(tenant) == [("Ed25519", "active"), ("Ed25519", "compromised")]
    assert issuer_of(tenant).key.id == FIRST


def test_a_badge_that_was_signed_while_its_key_was_given_up_is_not_stored(tenant):
    put_award(tenant)
    given_up: list[str | None] = []

    def identifiers_of(_reader: Any, _person: str) -> list[dict[str, Any]]:
        if not given_up:
            given_up.append(rotation.compromise(tenant, FIRST, by="operator"))
        return [{"mbox": "mailto:ada@example.org"}]

    from badges.issuing.issue import issue  # noqa: PLC0415 (so that made.run_issue does not publish in between)

    issue(tenant, tenant.store.claim(["issue"], limit=1, lease=HOUR), identifiers_of=identifiers_of)

    assert signed_by(badge_in(tenant)[1]) == method(tenant, SECOND)
    assert signed_by(list_in(tenant)) == method(tenant, SECOND)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_what_a_key_for_jwts_signs_verifies_with_the_published_key(tenant, algorithm):
    rotation.rotate(tenant, algorithm, wait=0, by="operator")
    work(tenant)
    issuer = issuer_of(tenant)
    key = issuer.ring.active(algorithm)
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).decode().rstrip("=")
    signature = base64.urlsafe_b64encode(key.sign(f"{header}.e30".encode())).decode().rstrip("=")

    entry = issuer.did_document()["verificationMethod"][-1]
    in_set = issuer.jwks()["keys"][-1]

    assert (entry["id"], entry["type"], entry["controller"]) == (issuer.method_of(key), "JsonWebKey", issuer.id)
    assert (in_set["iss"], in_set["kid"], in_set["alg"]) == (issuer.id, issuer.method_of(key), algorithm)
    for public in (entry["publicKeyJwk"], in_set):
        assert not {"d", "p", "q"} & public.keys()
        imported = jwk.import_key({name: public[name] for name in public if name not in {"iss", "use", "kid"}})
        assert jws.deserialize_compact(f"{header}.e30.{signature}", imported, algorithms=[algorithm]).payload == b"{}"
    assert issuer.did_document()["@context"] == [
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/multikey/v1",
        "https://w3id.org/security/jwk/v1",
    ]
    assert key.sign(b"x") == key.sign(b"x")


def test_the_first_key_of_an_algorithm_signs_at_once(tenant):
    rotation.rotate(tenant, "RS256", by="operator")

    assert issuer_of(tenant).ring.active("RS256").id == SECOND


def test_every_tenant_has_a_key_for_jwts_that_stays_the_same_and_can_be_given_up(tenant):
    before = [ring_of(tenant).active("ES256") for _ in range(2)]

    heir = rotation.compromise(tenant, FIRST_JWT, by="operator")

    assert before[0] == before[1] == replace(key_named(tenant, FIRST_JWT), state="active", since=0, until=None)
    assert issuer_of(tenant).ring.active("ES256").id == heir == SECOND


def test_the_key_for_jwts_is_as_old_as_the_first_though_its_record_is_made_later(tenant):
    kept = SigningKey(1, "Ed25519", key_named(tenant, FIRST).public, 7, "active")
    record = Record("signing-key", FIRST, msgspec.json.encode(kept))
    tenant.store.write(lambda tx: tx.put(record)).result()

    rotation.rotate(tenant, "RS256", by="operator")

    assert key_named(tenant, FIRST_JWT).since == 7


def test_an_ed25519_key_stands_in_the_jwk_set_as_rfc_8037_says(tenant):
    found, _ = issuer_of(tenant).jwks()["keys"]

    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(found["x"] + "="))
    public.verify(issuer_of(tenant).key.sign(b"x"), b"x")
    assert (found["kty"], found["crv"], found["iss"]) == ("OKP", "Ed25519", "did:web:skills.example.org:t:default")


@pytest.mark.parametrize("act", ["rotate", "compromise"])
def test_a_demonstration_says_that_it_cannot_change_its_key(tmp_path, act):
    tenant = tenant_in(tmp_path, None)

    with pytest.raises(Refused, match=r"demonstration: its key is its identity.*Set LRS_PUBLIC_URL") as refused:
        rotation.rotate(tenant, "Ed25519", by="x") if act == "rotate" else rotation.compromise(tenant, FIRST, by="x")

    assert refused.value.status == 409
    assert states(tenant) == [("Ed25519", "active")]
    tenant.store.close()


def test_what_cannot_be_done_with_keys_is_refused_and_changes_nothing(tenant):
    rotation.rotate(tenant, "Ed25519", by="operator")
    with pytest.raises(Refused, match=r"badge-signing-key/2 is the next Ed25519 key already"):
        rotation.rotate(tenant, "Ed25519", by="operator")
    with pytest.raises(Refused, match="there is no key badge-signing-key/9"):
        rotation.compromise(tenant, "badge-signing-key/9", by="operator")
    rotation.compromise(tenant, SECOND, by="operator")
    with pytest.raises(Refused, match="marked as compromised already"):
        rotation.compromise(tenant, SECOND, by="operator")

    assert states(tenant) == [("Ed25519", "active"), ("Ed25519", "compromised")]
    assert [entry.action for entry in audit.newest(tenant.store, 9)] == ["badge-key.compromised", "badge-key.made"]


def test_of_two_who_rotate_at_once_one_is_told_to_look(tenant, monkeypatch):
    rotation.rotate(tenant, "ES256", by="operator")
    monkeypatch.setattr(signing_keys, "next_id", lambda _reader: SECOND)

    with pytest.raises(Stale, match="made by somebody else meanwhile"):
        rotation.rotate(tenant, "Ed25519", by="operator")


def test_a_private_part_is_not_in_the_store_and_no_other_key_opens_it(tenant):
    rotation.rotate(tenant, "ES256", by="operator")
    record = tenant.store.get("kept-key", SECOND)
    kept = json.loads(record.body)

    sealing = Sealing(tenant.secrets)
    assert kept["signer"] == HERE
    assert b"PRIVATE" not in base64.b64decode(kept["kept"])
    assert len(sealing.sign(SECOND, kept["kept"], b"x")) == 64
    with pytest.raises(Misconfigured, match="'badge-signing-key/3' cannot be opened"):
        sealing.sign("badge-signing-key/3", kept["kept"], b"x")


def test_a_key_whose_private_part_is_gone_says_which(tenant):
    rotation.rotate(tenant, "ES256", by="operator")
    tenant.store.write(lambda tx: tx.delete("kept-key", SECOND)).result()

    with pytest.raises(SignerAway, match=f"private part of the key {SECOND}"):
        key_named(tenant, SECOND).sign(b"x")


def test_a_badge_of_a_former_demonstration_key_can_be_revoked_after_the_key_was_rotated(tenant):
    old = replace(tenant, settings=Settings(data=tenant.settings.data, public_url=None))
    put_award(old)
    run_issue(old)
    badge = badge_in(tenant)[1]
    rotation.rotate(tenant, "Ed25519", wait=0, by="operator")
    work(tenant)

    put_award(tenant, AWARD, state="withdrawn")
    run_issue(tenant)

    assert failed(verdict_on(tenant, badge)) == [("status", "revoked")]


def test_the_badges_of_a_key_that_is_given_up_are_issued_anew_page_by_page(tenant, monkeypatch):
    monkeypatch.setattr(rotation, "PAGE", 3)
    for number in range(7):
        put_award(tenant, f"6d2f3c1a-0c64-5b3e-8a52-{number:012d}")
    while run_issue(tenant):
        pass
    rotation.compromise(tenant, FIRST, by="operator")

    pages = 0
    while run(tenant, "reissue"):
        pages += 1
    work(tenant)

    assert pages == 3
    assert tenant.store.get("signing-key", FIRST).meta == {"badges": 7}
    issuer: Issuer = issuer_of(tenant)
    found = [json.loads(record.body) for record in each(tenant.store, "credential")]
    assert {signed_by(one) for one in found} == {issuer.method}


def test_each_algorithm_has_keys_of_its_own(tenant):
    for algorithm in ALGORITHMS:
        rotation.rotate(tenant, algorithm, wait=0, by="operator")
    work(tenant)

    assert states(tenant) == [("Ed25519", "retired"), ("Ed25519", "active"), ("ES256", "active"), ("RS256", "active")]


def test_a_number_is_never_given_twice(tenant):
    tenant.store.write(lambda tx: tx.insert(Record("signing-key", "badge-signing-key/7", _body()))).result()

    assert signing_keys.next_id(tenant.store) == "badge-signing-key/8"


def _body() -> bytes:
    return json.dumps({"v": 1, "algorithm": "ES256", "public": "x", "created": 1, "state": "retired"}).encode()
