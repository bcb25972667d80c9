"""What a badge says of what its holder can do: the framework's words, evidence for people, and whom it is for."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from badges.achievements.framework_words import words_of
from badges.content.attainment import Attainment
from badges.content.awards import recipient_of
from badges.content.compose import identities, is_for
from badges.content.medal import medal_of
from badges.keys.issuer import rename
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.shapes import AboutCompetency
from lrs.storage import Walk
from tests.badges.content.test_compose import SCHEMAS, SECRET
from tests.badges.made import (
    AWARD,
    STATEMENT,
    again,
    badge_in,
    failed,
    put_award,
    run_issue,
    tenant_in,
    verdict_on,
)
from tests.badges.world import SHEET, TIERS, URI, issued_of_framework, of_framework, put_framework

ROOT = "https://skills.example.org/t/default"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    opened = tenant_in(tmp_path_factory.mktemp("tenant"))
    issued_of_framework(opened)
    yield opened
    opened.store.close()


def achievement_in(tenant) -> dict[str, Any]:
    found: dict[str, Any] = badge_in(tenant)[1]["credentialSubject"]["achievement"]
    return found


def test_an_achievement_says_in_the_frameworks_words_what_its_holder_can_do(world):
    achievement = achievement_in(world)

    assert achievement["name"] == "Aseptic gowning: Practitioner"
    assert achievement["description"] == (
        "Aseptic gowning at the level Practitioner (2 of 3). The holder has shown this: Gowns without touching the"
        " outside; Keeps the order of gowning: hood, mask, gown, gloves."
    )
    assert achievement["criteria"]["narrative"] == (
        "**Practitioner (this level)**\n\n- Gowns without touching the outside\n"
        "- Keeps the order of gowning: hood, mask, gown, gloves\n\n"
        "**Awareness (included)**\n\n- Names the parts of a gown\n\n"
        "**At every level**\n\n- Reports what was contaminated\n\n\n"
        "It is shown by results that trusted people and systems recorded. The badge names some of them, and says how"
        " many there are.\n\nFrom ATMP skills framework, version 1."
    )
    assert (achievement["inLanguage"], achievement["version"]) == ("en", "1")
    assert achievement["tag"] == ["GOWN", "ATMP skills framework", "Clean working"]
    assert achievement["creator"] == badge_in(world)[1]["issuer"]


def test_the_words_are_of_the_newest_version_published_in_which_the_competency_means_what_was_reached():
    first, _ = framework_from_sheet(SHEET.encode(), uri=URI, title="ATMP skills framework", scale=TIERS)
    item = first.item_named("GOWN")
    other = tuple(replace(one, since=3) if one == item else one for one in first.items)
    versions = [
        replace(first, status="published"),
        replace(first, status="published", version=2),
        replace(first, status="published", version=3, items=other),
        replace(first, status="draft", version=4),
    ]
    about = AboutCompetency(item.id, item.label, URI, item.since, item.code)

    assert words_of(versions, Attainment(about, TIERS.levels[1], TIERS)).version == 2
    assert words_of(versions[2:], Attainment(about, TIERS.levels[1], TIERS)) is None


def test_all_that_an_achievement_points_to_is_an_address_of_ours(world):
    achievement = achievement_in(world)
    id = achievement["id"].removeprefix(f"{ROOT}/achievements/")

    assert achievement["criteria"]["id"] == f"{ROOT}/criteria/{id}"
    assert achievement["image"] == {
        "id": f"{ROOT}/achievements/{id}/image.png",
        "type": "Image",
        "caption": "Aseptic gowning: Practitioner",
    }
    (alignment,) = achievement["alignment"]
    assert alignment["targetUrl"].startswith(f"{ROOT}/competencies/")
    assert (alignment["targetType"], alignment["targetName"], alignment["targetCode"]) == (
        "CFItem",
        "Aseptic gowning",
        "GOWN",
    )
    assert alignment["targetFramework"] == "ATMP skills framework"


def test_without_a_public_address_nothing_points_to_a_name_that_answers_nobody(tmp_path):
    tenant = tenant_in(tmp_path, public_url=None)
    issued_of_framework(tenant)

    achievement = achievement_in(tenant)
    verdict = verdict_on(tenant, badge_in(tenant)[1])
    tenant.store.close()

    assert failed(verdict) == []
    assert {"image", "alignment"}.isdisjoint(achievement)
    assert "id" not in achievement["criteria"]


def test_evidence_says_what_it_was_who_saw_it_when_and_with_which_score(world):
    observed, passed = badge_in(world)[1]["evidence"]

    assert observed == {
        "id": f"urn:uuid:{STATEMENT}",
        "type": ["Evidence"],
        "name": "Gowning, observed in the clean room",
        "description": "Supervised: seen by Mary Jones. Score: 11 of 12. It took 1 h 30 min. Recorded by centre-1,"
        " 1 June 2026.",
        "genre": "Observation",
    }
    assert (passed["name"], passed["description"], passed["genre"]) == (
        "Gowning theory",
        "Score: 0.9. Recorded by lms, 2 June 2026.",
        "Assessment",
    )


def test_of_much_evidence_the_first_two_and_the_newest_three_are_named_and_all_counted(tmp_path):
    tenant = tenant_in(tmp_path)
    pieces = [
        {
            "statement": f"{n:08d}-1234-5678-1234-567812345678",
            "source": "lms",
            "timestamp": f"2026-06-{n:02d}T09:00:00Z",
        }
        for n in range(1, 21)
    ]
    put_award(tenant, evidence=pieces, evidence_count=345)
    run_issue(tenant)

    names = [one["name"] for one in badge_in(tenant)[1]["evidence"]]
    tenant.store.close()

    assert names == [
        *(f"Learning record of {day} June 2026" for day in (1, 2, 18, 19, 20)),
        "345 learning records in all; 5 of them are named here",
    ]


def test_the_level_reached_is_the_level_required_and_one_of_those_described(world):
    badge = badge_in(world)[1]
    (described,) = badge["credentialSubject"]["achievement"]["resultDescription"]
    (result,) = badge["credentialSubject"]["result"]

    assert result["resultDescription"] == described["id"]
    assert result["achievedLevel"] == described["requiredLevel"]
    assert [one["id"] for one in described["rubricCriterionLevel"]].count(result["achievedLevel"]) == 1
    assert medal_of(badge).level == "Practitioner"


@pytest.mark.parametrize(
    "edition", ["ob_v3p0_achievementcredential_schema.json", "ob_v3p0_achievementcredential_schema.2025-11.json"]
)
def test_all_of_it_is_valid_under_both_published_schemas(world, edition):
    if not SCHEMAS.exists():
        pytest.skip(f"the schemas are not in {SCHEMAS}")
    badge = badge_in(world)[1]
    validator = jsonschema.Draft201909Validator(json.loads((SCHEMAS / edition).read_text()))

    assert [error.message for error in validator.iter_errors(badge)] == []
    assert failed(verdict_on(world, badge)) == []


# -- whom it is for ---------------------------------------------------------------------------------------------------


def test_an_address_is_hashed_in_lower_case_and_an_account_with_its_home_page():
    mail = recipient_of([{"mbox": "mailto:Ada@Example.org"}], AWARD, SECRET)
    account = recipient_of([{"account": {"homePage": "https://lms.example.org", "name": "ada7"}}], AWARD, SECRET)

    expected = [
        "sha256$" + hashlib.sha256(text.encode() + one.salt.encode()).hexdigest()
        for text, one in (("ada@example.org", mail), ("https://lms.example.org ada7", account))
    ]
    assert [identities(one)[0]["identityHash"] for one in (mail, account)] == expected


@pytest.mark.parametrize("number", ["1234567890", "12 3456 7890", "0012"])
def test_a_number_that_can_be_found_by_trying_is_never_hashed(number):
    told = recipient_of([{"account": {"homePage": "https://uln.example", "name": number}}], AWARD, SECRET)

    assert (told.kind, identities(told)) == (None, [])
    assert told.id is not None
    assert told.id.startswith("urn:uuid:")


@pytest.mark.mongo_in_soak
def test_a_badge_that_names_its_holder_as_earlier_releases_did_is_left_as_it_is(tenant):
    mail = [{"mbox": "mailto:Ada@Example.org"}]
    put_award(tenant)
    run_issue(tenant, mail)
    recipient = recipient_of(mail, AWARD, tenant.secret("badge-recipient/1"))
    former = hashlib.sha256(f"Ada@Example.org{recipient.salt}".encode()).hexdigest()
    (now,) = badge_in(tenant)[1]["credentialSubject"]["identifier"]

    assert is_for([{**now, "identityHash": f"sha256${former}"}], recipient)
    assert not is_for([{**now, "identityHash": f"sha256${'0' * 64}"}], recipient)


# -- versions ---------------------------------------------------------------------------------------------------------


@pytest.mark.mongo_in_soak
def test_a_framework_that_says_something_else_changes_no_badge_and_no_version(tenant):
    issued_of_framework(tenant)
    before = badge_in(tenant)

    put_framework(tenant, SHEET.replace("Names the parts", "Knows the parts"))
    again(tenant)
    run_issue(tenant)

    assert badge_in(tenant) == before
    assert tenant.store.count("achievement") == 1


@pytest.mark.mongo_in_soak
def test_the_achievement_of_an_earlier_release_stays_and_the_words_of_now_are_its_second_version(tenant):
    framework = put_framework(tenant)
    put_award(tenant, **of_framework(framework))
    run_issue(tenant)
    (first,) = tenant.store.find(Walk("achievement")).records
    wording = first.meta["of"]
    old = json.dumps({"id": f"{ROOT}/achievements/{first.id}", "name": "Gowning", "criteria": {"narrative": "Old"}})
    tenant.store.write(lambda tx: tx.delete("achievement", first.id)).result()
    tenant.store.write(lambda tx: tx.delete("badge-wording", wording)).result()
    record = type(first)("achievement", first.id, old.encode())
    tenant.store.write(lambda tx: tx.insert(record)).result()

    again(tenant)
    run_issue(tenant)
    put_award(tenant, AWARD.replace("6d", "7d"), **of_framework(framework))
    run_issue(tenant)

    assert tenant.store.get("achievement", first.id).body == old.encode()
    badges = [json.loads(one.body) for one in tenant.store.find(Walk("credential")).records]
    told = [one["credentialSubject"]["achievement"] for one in badges]
    assert [one.get("version") for one in told] == ["1", "2"]  # the first badge is left as it is
    assert told[1]["related"] == [
        {"id": f"{ROOT}/achievements/{first.id}", "type": ["Related"], "version": "1"},
    ]


def test_a_new_address_of_the_server_makes_a_new_version_there(tmp_path):
    tenant = tenant_in(tmp_path, public_url=None)
    issued_of_framework(tenant)
    tenant.store.close()
    tenant = tenant_in(tmp_path)

    again(tenant)
    run_issue(tenant)

    achievement = achievement_in(tenant)
    tenant.store.close()
    assert (achievement["version"], achievement["id"].startswith(f"{ROOT}/achievements/")) == ("2", True)


@pytest.mark.mongo_in_soak
def test_another_name_of_the_issuer_issues_the_badge_anew_with_the_same_version(tenant):
    issued_of_framework(tenant)
    rename(tenant, "Centre", None)
    again(tenant)
    run_issue(tenant)

    assert badge_in(tenant)[1]["issuer"]["name"] == "Centre"
    assert tenant.store.count("achievement") == 1
