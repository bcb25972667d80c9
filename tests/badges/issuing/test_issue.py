"""The step "issue" on a real store: one award, one badge, whatever happens how often and in which order."""

from __future__ import annotations

import json
import uuid
from typing import Any

import msgspec
import pytest

from badges.credentials import lists, records
from badges.credentials.status import bits_of, is_set
from badges.issuing import issue as step
from badges.issuing.issue import NotAccepted
from badges.keys.issuer import rename
from badges.proofs.sign import sign
from lrs.kernel.times import HOUR
from lrs.storage import Record, Walk
from lrs.tenancy.tenants import Tenant
from tests.audits import broken_at
from tests.badges.made import (
    AWARD,
    BODY,
    NOON,
    PERSON,
    STATEMENT,
    STATEMENT_2,
    again,
    badge_in,
    failed,
    list_in,
    put_award,
    run_issue,
    tenant_in,
    verdict_on,
)


def bit(tenant: Tenant, badge: dict[str, Any]) -> bool:
    entry = badge["credentialStatus"]
    name = entry["statusListCredential"].rpartition("/")[2]
    return is_set(bits_of(list_in(tenant, name), "revocation"), int(entry["statusListIndex"]))


def owed(tenant: Tenant) -> dict[str, int]:
    return {backlog.step: backlog.waiting for backlog in tenant.store.backlog() if backlog.waiting}


def test_an_award_gets_a_badge_that_verifies(tenant):
    put_award(tenant)

    run_issue(tenant)

    record, badge = badge_in(tenant)
    assert failed(verdict_on(tenant, badge)) == []
    assert badge["id"] == f"urn:uuid:{record.id}"
    assert badge["validFrom"] == "2026-11-21T12:00:00Z"
    assert (record.meta["state"], record.meta["person"]) == ("issued", PERSON)
    assert bit(tenant, badge) is False
    assert owed(tenant) == {}


def test_the_step_run_five_times_gives_one_badge_one_place_and_one_revision(tenant):
    put_award(tenant)

    for _ in range(5):
        assert run_issue(tenant) == 1
        again(tenant)

    record, _badge = badge_in(tenant)
    assert record.rev == 1
    assert tenant.store.count("status") == 1
    assert tenant.store.count("status-list") == 1
    assert tenant.store.count("achievement") == 1


def test_a_withdrawn_award_revokes_its_badge(tenant):
    put_award(tenant)
    run_issue(tenant)
    badge = badge_in(tenant)[1]

    put_award(tenant, state="withdrawn")
    run_issue(tenant)

    assert bit(tenant, badge) is True
    assert failed(verdict_on(tenant, badge)) == [("status", "revoked")]
    assert badge_in(tenant)[0].meta["state"] == "revoked"
    assert badge_in(tenant)[1] == badge
    assert sum(byte.bit_count() for byte in bits_of(list_in(tenant), "revocation")) == 1


@pytest.mark.mongo_in_soak
def test_each_badge_issued_issued_anew_or_revoked_and_a_new_name_is_one_entry_of_the_audit_chain(tenant):
    put_award(tenant)
    run_issue(tenant)
    again(tenant)
    run_issue(tenant)
    rename(tenant, "Centre", None)
    again(tenant)
    run_issue(tenant)
    put_award(tenant, state="withdrawn")
    run_issue(tenant)

    badge = {"badge": badge_in(tenant)[0].id, "award": AWARD}
    entries = [json.loads(record.body) for record in tenant.store.find(Walk("audit")).records]

    assert [(entry["by"], entry["action"], entry["about"]) for entry in entries] == [
        ("worker", "badge.issued", badge),
        ("operator", "issuer.named", {"issuer": "default"}),
        ("worker", "badge.issued", badge),
        ("worker", "badge.revoked", badge),
    ]
    assert broken_at(tenant.store) is None


def test_revoking_five_times_signs_the_list_once(tenant):
    put_award(tenant)
    run_issue(tenant)
    put_award(tenant, state="withdrawn")
    for _ in range(5):
        run_issue(tenant)
        again(tenant)

    listed = tenant.store.get("status-list", "revocation-1")
    assert listed is not None
    assert listed.rev == 2


@pytest.mark.mongo_in_soak
def test_of_several_badges_of_one_round_each_is_signed_once_and_so_is_the_list_for_all_that_are_revoked(
    tenant, monkeypatch
):
    awards = [str(uuid.uuid4()) for _ in range(4)]
    for award in awards:
        put_award(tenant, award)
    signed = []
    for module in (records, lists):
        monkeypatch.setattr(
            module, "sign", lambda document, *rest: signed.append(document["id"]) or sign(document, *rest)
        )

    assert run_issue(tenant) == 4

    # The first badge brings the list and the achievement along; the other three need neither.
    assert len(signed) == 5
    assert tenant.store.count("credential") == tenant.store.count("status") == 4
    signed.clear()
    for award in awards:
        put_award(tenant, award, state="withdrawn")

    assert run_issue(tenant) == 4

    assert signed == [list_in(tenant)["id"]]
    assert sum(byte.bit_count() for byte in bits_of(list_in(tenant), "revocation")) == 4


MORE = {"statement": STATEMENT_2, "source": "lms", "timestamp": "2026-11-20T10:00:00Z"}


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize(
    "changes",
    [
        {"evidence": [*BODY["evidence"], MORE]},
        {"evidence": [*BODY["evidence"], MORE], "evidence_count": 10_000},
        {"evidence": []},
        {"rule": {"item": "gowning", "version": 4}},
        {"review": {"until": NOON + HOUR, "rules": 4}},
    ],
)
def test_neither_more_evidence_nor_a_review_nor_another_version_of_the_rule_signs_a_badge_anew(tenant, changes):
    put_award(tenant)
    run_issue(tenant)
    first = badge_in(tenant)
    tenant.clock.now += HOUR

    put_award(tenant, **changes)
    run_issue(tenant)

    assert badge_in(tenant) == first


def test_another_period_issues_the_badge_anew_under_its_id_and_place_with_the_evidence_of_now(tenant):
    put_award(tenant)
    run_issue(tenant)
    first = badge_in(tenant)[1]
    tenant.clock.now += HOUR

    longer = {"valid_until": "2027-11-20", "evidence": [*BODY["evidence"], MORE], "evidence_count": 10_000}
    put_award(tenant, **longer)
    run_issue(tenant)

    record, second = badge_in(tenant)
    assert (second["id"], second["credentialStatus"]) == (first["id"], first["credentialStatus"])
    assert second["validFrom"] == "2026-11-21T13:00:00Z"
    assert second["evidence"] == [
        {
            "id": f"urn:uuid:{STATEMENT}",
            "type": ["Evidence"],
            "name": "Learning record of 1 June 2026",
            "description": "Recorded by centre-1, 1 June 2026.",
        },
        {
            "id": f"urn:uuid:{STATEMENT_2}",
            "type": ["Evidence"],
            "name": "Learning record of 20 November 2026",
            "description": "Recorded by lms, 20 November 2026.",
        },
        {"type": ["Evidence"], "name": "10000 learning records in all; 2 of them are named here"},
    ]
    assert failed(verdict_on(tenant, first)) == failed(verdict_on(tenant, second)) == []
    assert record.rev == 2


@pytest.mark.mongo_in_soak
def test_a_badge_that_names_a_voided_statement_is_issued_anew_without_it_and_one_that_does_not_is_left(tenant):
    for id in (STATEMENT, STATEMENT_2):
        tenant.store.write(lambda tx, id=id: tx.insert(Record("statement", id, meta={"voided": True}))).result()
    put_award(tenant)
    run_issue(tenant)
    first = badge_in(tenant)

    again(tenant)
    run_issue(tenant)
    unevaluated = badge_in(tenant)
    put_award(tenant, evidence=[{**MORE, "statement": AWARD}])
    run_issue(tenant)

    assert unevaluated == first
    record, badge = badge_in(tenant)
    assert [item["id"] for item in badge["evidence"]] == [f"urn:uuid:{AWARD}"]
    assert badge["credentialStatus"] == first[1]["credentialStatus"]
    again(tenant)
    run_issue(tenant)
    assert badge_in(tenant) == (record, badge)


@pytest.mark.mongo_in_soak
def test_a_badge_of_an_earlier_version_that_names_more_evidence_is_not_issued_anew(tenant):
    put_award(tenant, evidence=[{**MORE, "statement": str(uuid.uuid5(uuid.NAMESPACE_URL, str(n)))} for n in range(50)])
    run_issue(tenant)
    first = badge_in(tenant)
    tenant.store.write(
        lambda tx: tx.replace(msgspec.structs.replace(first[0], meta={**first[0].meta, "basis": "of the time"}))
    ).result()
    before = badge_in(tenant)

    put_award(tenant)
    run_issue(tenant)

    assert badge_in(tenant) == before


@pytest.mark.mongo_in_soak
def test_a_second_issue_within_the_second_is_still_the_newer_one(tenant):
    put_award(tenant)
    run_issue(tenant)

    put_award(tenant, valid_until=None)
    run_issue(tenant)

    assert badge_in(tenant)[1]["validFrom"] == "2026-11-21T12:00:00.001Z"


@pytest.mark.mongo_in_soak
def test_a_list_that_was_signed_while_the_clock_was_ahead_is_signed_again_with_the_next_badge(tenant, clock):
    clock.now = NOON + 24 * HOUR
    put_award(tenant)
    run_issue(tenant)
    assert list_in(tenant)["validFrom"] == "2026-11-22T12:00:00Z"
    clock.now = NOON
    other = f"{AWARD[:-1]}2"

    put_award(tenant, other)
    run_issue(tenant)

    assert list_in(tenant)["validFrom"] == "2026-11-21T12:00:00Z"
    signed = [record.body for record in tenant.store.find(Walk("credential")).records]
    checked = [failed(verdict_on(tenant, body)) for body in signed]
    assert sorted(checked) == [[], [("dates", "not valid before 2026-11-22T12:00:00Z")]]


@pytest.mark.mongo_in_soak
def test_valid_from_is_floored_to_a_second_that_has_passed(tenant):
    tenant.clock.now = NOON + 999_999
    put_award(tenant)

    run_issue(tenant)

    assert badge_in(tenant)[1]["validFrom"] == "2026-11-21T12:00:00Z"


@pytest.mark.mongo_in_soak
def test_a_longer_award_keeps_its_place_and_a_shorter_one_revokes_the_badge_that_promises_more(tenant):
    put_award(tenant)
    run_issue(tenant)
    first = badge_in(tenant)[1]
    tenant.clock.now += HOUR

    put_award(tenant, valid_until=None)
    run_issue(tenant)
    longer = badge_in(tenant)[1]
    tenant.clock.now += HOUR
    put_award(tenant, valid_until="2027-01-31")
    run_issue(tenant)
    shorter = badge_in(tenant)[1]

    assert longer["credentialStatus"] == first["credentialStatus"] != shorter["credentialStatus"]
    assert {first["id"], longer["id"]} == {shorter["id"]}
    assert failed(verdict_on(tenant, first)) == failed(verdict_on(tenant, longer)) == [("status", "revoked")]
    assert failed(verdict_on(tenant, shorter)) == []


def test_an_award_that_is_held_again_gets_a_new_place_and_the_old_copy_stays_revoked(tenant):
    put_award(tenant)
    run_issue(tenant)
    first = badge_in(tenant)[1]
    put_award(tenant, state="withdrawn")
    run_issue(tenant)
    tenant.clock.now += HOUR

    put_award(tenant)
    run_issue(tenant)

    record, second = badge_in(tenant)
    assert second["id"] == first["id"]
    assert record.meta["state"] == "issued"
    assert failed(verdict_on(tenant, first)) == [("status", "revoked")]
    assert failed(verdict_on(tenant, second)) == []


@pytest.mark.mongo_in_soak
def test_an_award_that_ran_out_as_its_badge_says_needs_no_revocation(tenant):
    put_award(tenant)
    run_issue(tenant)
    badge = badge_in(tenant)[1]
    tenant.clock.now += 365 * 24 * HOUR

    put_award(tenant, state="expired")
    run_issue(tenant)

    assert failed(verdict_on(tenant, badge)) == [("dates", "expired at 2027-05-31T23:59:59+01:00")]
    assert bit(tenant, badge) is False


@pytest.mark.mongo_in_soak
def test_an_award_that_ran_out_earlier_than_its_badge_says_revokes_it(tenant):
    put_award(tenant)
    run_issue(tenant)

    put_award(tenant, state="expired", valid_until="2026-10-31")
    run_issue(tenant)

    assert bit(tenant, badge_in(tenant)[1]) is True


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize(
    "changes",
    [{"state": "withdrawn"}, {"state": "expired"}, {"valid_until": "2026-11-20"}, {"valid_until": "2020-01-01"}],
)
def test_an_award_that_no_longer_holds_gets_no_badge(tenant, changes):
    put_award(tenant, **changes)

    run_issue(tenant)

    assert tenant.store.count("credential") == 0
    assert owed(tenant) == {}


@pytest.mark.mongo_in_soak
def test_a_new_name_of_the_issuer_shows_when_the_step_runs_next(tenant):
    put_award(tenant)
    run_issue(tenant)

    rename(tenant, "Example Training Centre", "https://centre.example.org")
    again(tenant)
    run_issue(tenant)

    assert badge_in(tenant)[1]["issuer"] == {
        "id": "did:web:skills.example.org:t:default",
        "type": ["Profile"],
        "name": "Example Training Centre",
        "url": "https://centre.example.org",
    }


@pytest.mark.mongo_in_soak
def test_a_profile_owes_sync_when_its_badge_was_issued_or_revoked_and_only_then(tenant):
    tenant.store.write(lambda tx: tx.insert(Record("profile", PERSON, b"{}"))).result()
    put_award(tenant)
    run_issue(tenant)
    after_issue = owed(tenant)
    tenant.store.settle(tenant.store.claim(["sync"], limit=1, lease=HOUR), lambda _tx: None).result()

    again(tenant)
    run_issue(tenant)

    assert after_issue == {"sync": 1}
    assert owed(tenant) == {}


@pytest.mark.mongo_in_soak
def test_a_composer_that_forgets_the_achievement_is_caught_before_anything_is_stored(tenant, monkeypatch):
    compose = step.records.compose

    def broken(*given: Any) -> dict[str, Any]:
        badge = compose(*given)
        del badge["credentialSubject"]["achievement"]["criteria"]
        return badge

    monkeypatch.setattr("badges.credentials.records.compose", broken)
    put_award(tenant)

    with pytest.raises(NotAccepted, match="badge: the achievement lacks"):
        run_issue(tenant)

    assert tenant.store.count("credential") == tenant.store.count("status") == 0


@pytest.mark.mongo_in_soak
def test_what_cannot_be_signed_or_turns_the_text_around_it_is_left_out_of_labels_and_the_badge_is_valid(tenant):
    bad = {"ordinal": 2, "code": "P", "label": "Practi\x07tioner \u202edlog} ]]>"}
    scale = {**BODY["scale"], "levels": [bad]}
    put_award(tenant, level=bad, scale=scale, competency={**BODY["competency"], "label": "Gowning\x1b[31m"})

    run_issue(tenant)

    badge = badge_in(tenant)[1]
    assert badge["name"] == "Gowning [31m: Practi tioner dlog} ]]>"
    assert [one["name"] for one in medal_levels(badge)] == ["Practi tioner dlog} ]]>"]
    assert failed(verdict_on(tenant, badge)) == []


def medal_levels(badge: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = badge["credentialSubject"]["achievement"]["resultDescription"][0][
        "rubricCriterionLevel"
    ]
    return found


def test_without_a_public_address_the_issuer_is_its_key_and_says_that_it_is_a_demonstration(tmp_path):
    tenant = tenant_in(tmp_path, public_url=None)
    put_award(tenant)
    run_issue(tenant)

    badge = badge_in(tenant)[1]
    verdict = verdict_on(tenant, badge)
    tenant.store.close()

    assert failed(verdict) == []
    assert badge["issuer"]["id"].startswith("did:key:z6Mk")
    assert badge["issuer"]["name"] == "Engraft, default (demonstration)"
    assert badge["credentialStatus"]["statusListCredential"].startswith("urn:uuid:")
    assert badge["credentialSubject"]["achievement"]["id"].startswith("urn:uuid:")
