"""What a badge says, word for word, and that both published schemas take it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from badges.achievements.wording import OwnWords
from badges.achievements.words import words
from badges.content.attainment import of_award
from badges.content.awards import credential_of, credential_uuid, read_award, recipient_of
from badges.content.compose import Achievement, Alignment, Credential, Recipient, StatusEntry, achievement_json, compose
from tests.badges.made import AWARD, BODY, badge_in, put_award, run_issue, tenant_in

SCHEMAS = Path(__file__).parents[3].parent / "shared" / "data" / "badges"
ISSUER = {"id": "did:web:example.org", "type": ["Profile"], "name": "Example Training"}
STATUS = StatusEntry("https://example.org/t/default/status/revocation-1", 94_567)
SECRET = b"\x01" * 32


def body(**changes: Any) -> Any:
    return read_award(json.dumps({**BODY, **changes}).encode())


def about(**changes: Any) -> dict[str, Any]:
    return {**BODY["competency"], **changes}


def composed(**changes: Any) -> dict[str, Any]:
    recipient = Recipient(kind="emailAddress", identity="ada@example.org", salt="salt")
    award = body(**changes)
    credential = credential_of(AWARD, award, recipient, achievement_for(award), zone="Europe/London")
    return compose(credential, ISSUER, "2026-11-21T12:00:00Z", STATUS)


def achievement_for(award: Any) -> dict[str, Any]:
    """The first version of what the award is for, of a framework that is not here."""
    attainment = of_award(award)
    said = words(attainment, None, OwnWords())
    about = award.competency
    return achievement_json(
        Achievement(
            f"https://example.org/achievements/{attainment.id}",
            said.name,
            said.description,
            said.criteria,
            award.level,
            award.scale.levels,
            Alignment(about.id, about.label, about.framework, about.code),
        )
    )


def test_a_badge_says_what_the_golden_file_says():
    golden = json.loads(Path(__file__).with_name("gowning.json").read_text())

    assert composed() == golden


def test_the_level_reached_is_one_of_the_levels_described():
    badge = composed()
    described = badge["credentialSubject"]["achievement"]["resultDescription"][0]
    result = badge["credentialSubject"]["result"][0]

    assert result["resultDescription"] == described["id"]
    assert result["achievedLevel"] == described["requiredLevel"]
    assert [level["name"] for level in described["rubricCriterionLevel"] if level["id"] == result["achievedLevel"]] == [
        "Practitioner"
    ]


def test_a_recipient_can_prove_the_address_that_the_hash_stands_for():
    identity = composed()["credentialSubject"]["identifier"][0]

    assert identity["identityHash"] == "sha256$" + hashlib.sha256(b"ada@example.orgsalt").hexdigest()
    assert (identity["hashed"], identity["salt"], identity["identityType"]) == (True, "salt", "emailAddress")


def test_a_bare_achievement_has_neither_null_nor_empty_array():
    bare = Credential(
        id="urn:uuid:1",
        achievement=achievement_json(Achievement("urn:uuid:2", "Gowning", "Gowns", "Observed")),
        recipient=Recipient(id="urn:uuid:3"),
        awarded="2026-06-01T00:00:00+01:00",
    )

    assert compose(bare, ISSUER, "2026-11-21T12:00:00Z", STATUS)["credentialSubject"] == {
        "id": "urn:uuid:3",
        "type": ["AchievementSubject"],
        "achievement": {
            "id": "urn:uuid:2",
            "type": ["Achievement"],
            "achievementType": "Competency",
            "name": "Gowning",
            "description": "Gowns",
            "criteria": {"narrative": "Observed"},
        },
    }


def test_a_badge_begins_and_ends_with_its_days_in_the_zone_of_the_centre():
    badge = composed(held_from="2026-12-01", valid_until="2027-06-30")

    assert badge["awardedDate"] == "2026-12-01T00:00:00+00:00"
    assert badge["validUntil"] == "2027-06-30T23:59:59+01:00"


def test_an_award_without_end_makes_a_badge_without_end():
    assert "validUntil" not in composed(valid_until=None)


def test_a_framework_is_named_with_its_version_and_another_version_is_another_achievement():
    third = about(framework="https://example.org/gmp", version=3)

    achievement = composed(competency=third)["credentialSubject"]["achievement"]

    assert achievement["criteria"]["narrative"].endswith("From https://example.org/gmp, version 3.")
    assert achievement["id"] != composed(competency={**third, "version": 4})["credentialSubject"]["achievement"]["id"]


def test_two_awards_have_two_badges_and_one_achievement():
    other = "f" + AWARD[1:]

    assert credential_uuid(AWARD) == credential_uuid(AWARD) != credential_uuid(other)
    assert (
        composed()["credentialSubject"]["achievement"]["id"]
        == (composed(person="00000000-0000-4000-8000-000000000001")["credentialSubject"]["achievement"]["id"])
    )


def test_a_badge_names_an_e_mail_address_before_an_account_and_an_account_before_nobody():
    account = {"account": {"homePage": "https://lms.example.org", "name": "ada7"}}
    mail = {"mbox": "mailto:ada@example.org"}

    first = recipient_of([account, mail], AWARD, SECRET)
    second = recipient_of([{"openid": "https://ada.example.org"}, account], AWARD, SECRET)
    third = recipient_of([], AWARD, SECRET)

    assert (first.kind, first.identity, first.id) == ("emailAddress", "ada@example.org", None)
    assert (second.kind, second.identity, second.id) == ("accountId", "https://lms.example.org ada7", None)
    assert third.kind is None
    assert third.id is not None
    assert third.id.startswith("urn:uuid:")


def test_two_badges_of_one_person_share_neither_salt_nor_id():
    other = "f" + AWARD[1:]
    mail = [{"mbox": "mailto:ada@example.org"}]

    assert recipient_of(mail, AWARD, SECRET).salt != recipient_of(mail, other, SECRET).salt
    assert recipient_of([], AWARD, SECRET).id != recipient_of([], other, SECRET).id
    assert recipient_of(mail, AWARD, SECRET) == recipient_of(mail, AWARD, SECRET)


@pytest.mark.parametrize("changes", [{"v": 2}, {"held_from": "2026-02-30"}, {"level": {"ordinal": "2"}}, {"state": 1}])
def test_an_award_of_another_shape_is_refused(changes):
    with pytest.raises(ValueError, match=r"."):
        body(**changes)


@pytest.mark.parametrize(
    "edition", ["ob_v3p0_achievementcredential_schema.json", "ob_v3p0_achievementcredential_schema.2025-11.json"]
)
@pytest.mark.parametrize("identifiers", [[{"mbox": "mailto:ada@example.org"}], []])
def test_a_signed_badge_is_valid_under_both_published_schemas(tmp_path, edition, identifiers):
    if not SCHEMAS.exists():
        pytest.skip(f"the schemas are not in {SCHEMAS}")
    tenant = tenant_in(tmp_path)
    put_award(tenant)
    run_issue(tenant, identifiers)
    schema = json.loads((SCHEMAS / edition).read_text())
    badge = badge_in(tenant)[1]
    tenant.store.close()

    validator = jsonschema.Draft201909Validator(schema, format_checker=jsonschema.FormatChecker())

    assert [error.message for error in validator.iter_errors(badge)] == []
    assert [error.message for error in validator.iter_errors({**badge, "validFrom": 7})] != []


def test_evidence_of_which_nothing_more_is_known_is_named_by_its_day_and_who_recorded_it():
    evidence = composed()["evidence"]

    assert evidence == [
        {
            "id": "urn:uuid:12345678-1234-5678-1234-567812345678",
            "type": ["Evidence"],
            "name": "Learning record of 1 June 2026",
            "description": "Recorded by centre-1, 1 June 2026.",
        }
    ]


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-06-30T23:00:00Z", "Learning record of 1 July 2026"),
        ("2026-11-03T00:30:00+02:00", "Learning record of 2 November 2026"),
        ("2026-11-03T23:30:00Z", "Learning record of 3 November 2026"),
        ("", "Learning record"),
    ],
)
def test_the_day_of_evidence_is_that_of_the_centres_zone_as_the_awards_is(timestamp, expected):
    evidence = [{"statement": "12345678-1234-5678-1234-567812345678", "source": "centre-1", "timestamp": timestamp}]

    assert [one["name"] for one in composed(evidence=evidence)["evidence"]] == [expected]
