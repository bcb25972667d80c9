"""``lrs consent``: what an operator writes down for a learner."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from lrs.access.learners import SUBJECT, open_account
from lrs.access.sessions import open_session
from lrs.cli import main
from lrs.matching import services
from lrs.matching.consent.commands import consent
from lrs.matching.consent.consent import Grant, Subject, give
from lrs.people import joins
from lrs.storage import each
from lrs.tenancy.tenants import Tenant
from tests.audits import broken_at
from tests.matching.world import (
    PURPOSE,
    Clock,
    answer_form,
    held,
    put_person,
    put_profile,
    put_service,
    tenant_in,
    web,
)


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with tenant_in(tmp_path, Clock()) as opened:
        put_service(opened)
        yield opened


def run(tenant: Tenant, *words: str, **environment: str) -> Result:
    return CliRunner().invoke(consent, [*words, "--data", str(tenant.settings.data)], env=environment)


def listed(tenant: Tenant, *words: str) -> list[tuple[str, str]]:
    return [(row["scope"], row["state"]) for row in json.loads(run(tenant, "list", *words, "--json").stdout)]


def test_consent_given_by_e_mail_address_is_listed_and_withdrawn_by_it(tenant: Tenant) -> None:
    put_person(tenant, "mailto:ana@example.org")

    given = run(tenant, "give", "ana@example.org", "career-converter", "--scopes", "profiles:read,gap:read")
    before = listed(tenant, "ana@example.org")
    gone = run(tenant, "withdraw", "ana@example.org", "--scope", "gap:read")
    after = listed(tenant, "ana@example.org")

    assert given.output == "career-converter may use: profiles:read, gap:read\n"
    assert sorted(before) == [("gap:read", "given"), ("profiles:read", "given")]
    assert gone.output == "withdrawn: career-converter gap:read\n"
    assert sorted(after) == [("gap:read", "withdrawn"), ("profiles:read", "given")]


def test_consents_for_a_service_that_is_not_there_are_refused(tenant: Tenant) -> None:
    answer = run(tenant, "list", "--service", "carer-converter", "--json")

    assert (answer.exit_code, answer.output) == (1, "Error: there is no service carer-converter\n")


def test_with_profiles_read_everything_goes_that_the_same_service_sees(tenant: Tenant) -> None:
    put_person(tenant, "mailto:ana@example.org")
    put_service(tenant, name="Other")
    run(tenant, "give", "ana@example.org", "career-converter", "--scopes", "profiles:read,gap:read")
    run(tenant, "give", "ana@example.org", "other", "--scopes", "profiles:read,gap:read")

    gone = run(tenant, "withdraw", "ana@example.org", "--service", "career-converter", "--scope", "profiles:read")

    assert sorted(gone.output.splitlines()) == [
        "withdrawn: career-converter gap:read",
        "withdrawn: career-converter profiles:read",
    ]
    assert listed(tenant, "--service", "other") == [("profiles:read", "given"), ("gap:read", "given")]


def test_consent_of_somebody_nobody_knows_yet_waits_and_can_be_withdrawn_also_after_they_appear(
    tenant: Tenant,
) -> None:
    run(tenant, "give", "new@example.org", "career-converter", "--scopes", "profiles:read")
    put_person(tenant, "mailto:new@example.org")

    gone = run(tenant, "withdraw", "new@example.org")

    assert gone.output == "withdrawn: career-converter profiles:read\n"
    assert listed(tenant) == [("profiles:read", "withdrawn")]


def test_withdrawing_reaches_everybody_who_is_the_same_person(tenant: Tenant) -> None:
    one = put_person(tenant, "mailto:ana@example.org")
    other = put_person(tenant, "mailto:ana@college.example")
    run(tenant, "give", "ana@college.example", "career-converter", "--scopes", "profiles:read")
    tenant.store.write(lambda tx: joins.merge(tx, one, other, "test")).result()

    gone = run(tenant, "withdraw", one)

    assert gone.output == "withdrawn: career-converter profiles:read\n"


def test_consent_until_a_day_holds_to_the_end_of_that_day_in_the_operators_zone(tenant: Tenant) -> None:
    run(tenant, "give", "ana@example.org", "career-converter", "--scopes", "profiles:read", "--until", "2027-06-30")

    (row,) = json.loads(run(tenant, "list", "--json").stdout)

    # 30 June 2027, 23:59:59.999999 in London is one hour earlier in UTC.
    assert row["expires"] == 1_814_396_399_999_999
    assert row["expires_at"] == "2027-06-30T22:59:59Z"
    assert row["how"] == "operator"


def test_a_consent_whose_time_is_over_is_listed_as_expired(tenant: Tenant) -> None:
    grant = Grant(Subject(identifier="ana"), "career-converter", ("profiles:read",), PURPOSE, "link", "test", expires=1)
    tenant.store.write(lambda tx: give(tx, grant)).result()

    assert listed(tenant) == [("profiles:read", "expired")]


def test_consent_until_a_day_that_has_passed_is_refused_and_leaves_what_was_given(tenant: Tenant) -> None:
    give = ("give", "ana@example.org", "career-converter", "--scopes", "profiles:read")
    run(tenant, *give)

    refused = run(tenant, *give, "--until", "2020-01-31")

    assert refused.exit_code == 1
    assert "--until 2020-01-31 has passed: name today or a later day" in refused.output
    assert listed(tenant) == [("profiles:read", "given")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("give", "ana@example.org", "nobody"), "there is no service nobody"),
        (
            ("give", "ana@example.org", "career-converter", "--scopes", "roles:read"),
            "this service can ask a learner for",
        ),
        (("give", "ana@example.org", "career-converter", "--scopes", "all"), "unknown scope all"),
        (("give", "somebody", "career-converter"), "name the learner by id, e-mail address"),
        (("withdraw", "ana@example.org"), "there was nothing to withdraw"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(tenant: Tenant, words: tuple[str, ...], message: str) -> None:
    result = run(tenant, *words)

    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_list_names_who_what_and_whether_it_holds(tenant: Tenant) -> None:
    person = put_person(tenant, "mailto:ana@example.org")
    run(tenant, "give", person, "career-converter", "--scopes", "profiles:read")

    heading, row = run(tenant, "list").output.splitlines()
    assert heading.split() == ["LEARNER", "SERVICE", "SCOPE", "STATE", "GIVEN", "UNTIL"]
    assert re.fullmatch(rf"{person}  career-converter  profiles:read  given  20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ  -", row)


def test_a_link_from_the_operator_lets_the_learner_decide(tenant: Tenant) -> None:
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person, held("gown"))
    printed = run(tenant, "link", person, "career-converter", LRS_PUBLIC_URL="https://lrs.example")

    with web(tenant) as client:
        path = httpx.URL(printed.output.strip()).path
        unknown = client.get(path).text
        tenant.store.write(lambda tx: open_account(tx, person, address="ana@example.org", by="test")).result()
        client.cookies.set("engraft.default", open_session(tenant, SUBJECT + person))
        answer = answer_form(client, path)

    assert printed.output.startswith("https://lrs.example/links/")
    assert "To answer, sign in first" in unknown
    assert answer.status_code == 200
    assert sorted(listed(tenant, person)) == [
        ("badges:read", "given"),
        ("gap:read", "given"),
        ("profiles:read", "given"),
        ("profiles:read.evidence", "given"),
    ]


def test_giving_and_withdrawing_stand_in_the_audit_chain_without_an_address(tenant: Tenant) -> None:
    run(tenant, "give", "ana@example.org", "career-converter", "--scopes", "profiles:read")
    run(tenant, "withdraw", "ana@example.org")

    entries = [json.loads(record.body) for record in each(tenant.store, "audit")]
    assert [entry["action"] for entry in entries[-2:]] == ["consent.given", "consent.withdrawn"]
    assert all("@" not in json.dumps(entry) for entry in entries)
    assert broken_at(tenant.store) is None


def test_a_name_is_confirmed_shown_and_taken_back_by_commands(tenant: Tenant) -> None:
    put_person(tenant, "mailto:ana@example.org")

    def persons(*words: str) -> Result:
        return CliRunner().invoke(main, ["persons", *words, "--data", str(tenant.settings.data)])

    told = persons("confirm-name", "ana@example.org", "Ana Silva", "--seen", "passport")
    shown = json.loads(persons("show", "ana@example.org", "--json").stdout)
    back, again = (persons("confirm-name", "ana@example.org", "--withdraw") for _ in range(2))
    unsaid = persons("confirm-name", "ana@example.org", "Ana Silva")

    assert told.output.endswith("is confirmed as Ana Silva: the learner may put this name into badges\n")
    assert shown["confirmed_name"] == "Ana Silva"
    assert (back.exit_code, again.exit_code, unsaid.exit_code) == (0, 1, 2)
    assert again.output.endswith("is confirmed\n")


def test_no_link_is_made_for_a_service_that_is_stopped(tenant: Tenant) -> None:
    put_person(tenant, "mailto:ana@example.org")
    tenant.store.write(lambda tx: services.disable(tx, "career-converter", "so", by="test")).result()

    answer = run(tenant, "link", "ana@example.org", "career-converter")

    assert (answer.exit_code, answer.output) == (1, "Error: the service is stopped: make it active again first\n")
