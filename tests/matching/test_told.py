"""What learners are told of who asks and who keeps the record: purposes that say something, contacts, notices."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lrs.cli import main
from lrs.kernel.contacts import checked_contact, contact_link
from lrs.kernel.errors import Refused
from lrs.matching.purposes import checked_purpose
from tests.rows import each_of

PURPOSE = "To suggest jobs that fit what you can do"


def run(folder: Path, *words: str):
    return CliRunner().invoke(main, [*words, "--data", str(folder)])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with one service, of which nothing is known but its purpose."""
    folder = tmp_path_factory.mktemp("told")
    assert run(folder, "tenants", "create", "default").exit_code == 0
    added = run(folder, "services", "add", "Careers", "--scopes", "profiles:read", "--purpose", PURPOSE)
    assert added.exit_code == 0, added.output
    return folder


@pytest.mark.parametrize(
    "purpose",
    [
        PURPOSE,
        "Suggest jobs",
        "Career chats",
        "Advertising",
        "Awgrymu swyddi sy'n addas i chi",
        "为您推荐合适的工作",
        "To find <b>roles</b>",
    ],
)
def test_a_purpose_that_says_something_is_taken(purpose: str) -> None:
    assert checked_purpose(f"  {purpose}\n", "Career Converter") == purpose


@each_of(
    "purpose",
    [
        "x",
        "Why",
        "jobs",
        "test",
        "data",
        "Test data for testing",
        "To process your data",
        "Career Converter",
        "1234567890",
        "The Career Converter service",
        "............",
        "to use your profile in our app",
        "skill matching",
    ],
)
def test_a_purpose_that_says_nothing_is_refused_and_the_rule_is_said(purpose: str) -> None:
    with pytest.raises(Refused, match=r"^This .* says nothing.* fewer than 8 letters.* To suggest jobs") as refused:
        checked_purpose(purpose, "Career Converter")

    assert refused.value.error == "bad_purpose"


@pytest.mark.parametrize(
    ("given", "contact", "link"),
    [
        (" Help@Example.ORG ", "Help@example.org", "mailto:Help@example.org"),
        ("https://example.org/help", "https://example.org/help", "https://example.org/help"),
        ("+44 20 7946 0000", "+44 20 7946 0000", ""),
    ],
)
def test_a_contact_leads_to_where_it_can(given: str, contact: str, link: str) -> None:
    assert checked_contact(given) == contact
    assert contact_link(contact) == link


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--contact", "nobody@", "no e-mail address"),
        ("--contact", "x" * 201, "1 to 200 characters"),
        ("--privacy-notice", "example.org/privacy", "no address of a page"),
        ("--privacy-notice", "http://example.org/privacy", "must be an https address"),
        ("--privacy-notice", "javascript:alert(1)", "no address of a page"),
        ("--return-url", "https://user:pass@example.org/", "no user name or password"),
        ("--return-url", "https://example.org/#there", "no part after #"),
    ],
)
def test_what_leads_nowhere_is_refused(made: Path, option: str, value: str, says: str) -> None:
    answer = run(made, "services", "set", "careers", option, value)

    assert answer.exit_code == 1
    assert says in answer.output


def test_doctor_says_what_learners_are_not_told_until_it_is_set(made: Path) -> None:
    def told() -> list[str]:
        findings = json.loads(run(made, "doctor", "--json").stdout)["findings"]
        return [one["message"] for one in findings if one["check"].startswith("consent")]

    before = told()
    notice = ("--contact", "dpo@example.org", "--privacy-notice", "https://example.org/privacy")
    set_one = run(made, "services", "set", "careers", *notice, "--return-url", "https://careers.example/back")
    set_all = run(
        made, "tenants", "set", "default", "--name", "The network", *notice[:2], "--privacy-notice", notice[3]
    )
    after = told()
    (service,) = json.loads(run(made, "services", "list", "--json").stdout)
    tenant = json.loads(run(made, "tenants", "show", "default", "--json").stdout)

    assert before == [
        "learners are not told the organisation's name and contact and privacy notice: lrs tenants set default sets it",
        "learners are not told its contact and privacy notice: lrs services set careers sets it",
    ]
    assert (set_one.exit_code, set_all.exit_code, after) == (0, 0, [])
    assert (service["contact"], service["return_urls"]) == ("dpo@example.org", ["https://careers.example/back"])
    assert (tenant["contact"], tenant["privacy_notice"]) == ("dpo@example.org", "https://example.org/privacy")


def test_an_organisation_decides_from_which_age_learners_decide_alone(made: Path) -> None:
    set_age = run(made, "tenants", "set", "default", "--consent-age", "16", "--no-guardian")
    shown = json.loads(run(made, "tenants", "show", "default", "--json").stdout)
    undone = run(made, "tenants", "set", "default", "--default", "consent_age", "--default", "guardian")
    after = json.loads(run(made, "tenants", "show", "default", "--json").stdout)

    assert (set_age.exit_code, undone.exit_code) == (0, 0)
    assert (shown["consent_age"], shown["guardian"]) == (16, False)
    assert (after["consent_age"], after["guardian"]) == (None, None)
