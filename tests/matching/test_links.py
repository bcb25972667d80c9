"""Links over HTTP: what a service may ask, and whom a link is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lrs.matching.consent import consent, links
from lrs.matching.registry import Registered
from lrs.storage import Walk
from lrs.tenancy.tenants import Tenant
from tests.matching.world import (
    Clock,
    answer_form,
    bearer,
    held,
    put_person,
    put_profile,
    put_service,
    receiver,
    run_all,
    tenant_in,
    web,
)

ANA = {"mbox": "mailto:ana@example.org"}


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Registered]]:
    """A client and its service, for all tests of what is refused: it changes nothing."""
    with tenant_in(tmp_path_factory.mktemp("refusing"), Clock()) as tenant:
        made = put_service(tenant)
        with web(tenant) as opened:
            yield opened, made


def ask(client: httpx.Client, made: Registered, **wish: Any) -> httpx.Response:
    return client.post("/api/links", headers=bearer(client, made), json={"reference": "17", "learner": ANA, **wish})


def test_the_answer_is_the_same_whether_or_not_anybody_of_that_name_is_known(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person, held("gown"))

    known = ask(client, made)
    unknown = ask(client, made, learner={"mbox": "mailto:nobody@example.org"})
    pages = [client.get(answer.json()["link"]).text for answer in (known, unknown)]
    said = [answer_form(client, answer.json()["link"]).text for answer in (known, unknown)]

    assert known.status_code == unknown.status_code == 201
    assert set(known.json()) == set(unknown.json()) == {"link", "id", "expires"}
    assert len(known.json()["link"]) == len(unknown.json()["link"])
    assert without_nonces(pages[0]) == without_nonces(pages[1])
    assert without_nonces(said[0]) == without_nonces(said[1])


def without_nonces(html: str) -> str:
    html = re.sub(r"<code>[A-Z2-7]{4}-[A-Z2-7]{4}</code>|\?then=[^\"]+", "", html)  # other links, with other receipts
    return re.sub(r'(nonce|name="form" value)="[^"]+"', "", html)


@pytest.mark.parametrize(
    ("wish", "pointer"),
    [
        ({"reference": ""}, "/reference"),
        ({"reference": "x" * 201}, "/reference"),
        ({"reference": None}, "/reference"),
        ({"learner": {}}, "/learner"),
        ({"learner": {**ANA, "account": {"homePage": "https://a.test", "name": "x"}}}, "/learner"),
        ({"learner": {"mbox": "ana@example.org"}}, "/learner/mbox"),
        ({"learner": {"account": {"homePage": "https://a.test"}}}, "/learner/account/name"),
        (
            {"learner": {"account": {"homePage": "https://www.gov.uk/uln", "name": "9999999999"}}},
            "/learner/account/name",
        ),
        ({"scopes": "profiles:read"}, "/scopes"),
        ({"consentDays": 0}, "/consentDays"),
        ({"purpose": "To sell you things"}, "/purpose"),
        ({"person": "someone"}, "/person"),
    ],
)
def test_a_wish_that_is_wrong_is_400_and_says_where(
    refusing: tuple[httpx.Client, Registered], wish: dict[str, Any], pointer: str
) -> None:
    answer = ask(*refusing, **wish)

    assert answer.status_code == 400, answer.text
    assert answer.json()["pointer"] == pointer


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"reference":"a","reference":"b"}', b"\xff", b"NaN", b'"\\ud800"']
)
def test_a_body_that_is_no_proper_json_object_is_400(refusing: tuple[httpx.Client, Registered], body: bytes) -> None:
    client, made = refusing

    answer = client.post("/api/links", headers=bearer(client, made), content=body)

    assert answer.status_code == 400
    assert set(answer.json()) >= {"error", "message"}


def test_a_body_beyond_64_kib_is_413_whatever_is_asked(refusing: tuple[httpx.Client, Registered]) -> None:
    client, made = refusing

    for asked in ("", "?most=1000000"):
        answer = client.post(f"/api/links{asked}", headers=bearer(client, made), content=b" " * 70_000)

        assert answer.status_code == 413, asked


@pytest.mark.parametrize("scopes", [["roles:read"], ["profiles:read.evidence"], ["admin"]])
def test_scopes_that_are_no_learners_to_give_are_refused(
    refusing: tuple[httpx.Client, Registered], scopes: list[str]
) -> None:
    answer = ask(*refusing, scopes=scopes)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_a_service_cannot_ask_for_more_than_it_is_registered_for(tenant: Tenant, client: httpx.Client) -> None:
    narrow = put_service(tenant, name="Narrow", scopes=("profiles:read",))

    answer = ask(client, narrow, scopes=["profiles:read", "gap:read"])

    assert answer.json()["message"] == "this service can ask a learner for: profiles:read"


def test_without_a_token_there_is_no_link(client: httpx.Client) -> None:
    assert client.post("/api/links", json={"reference": "17", "learner": ANA}).status_code == 401


def test_consent_waits_under_the_identifier_until_there_is_a_person(tenant: Tenant, client: httpx.Client) -> None:
    with receiver() as inbox:
        made = put_service(tenant, inbox.url, name="Receiving")
        page = answer_form(client, ask(client, made).json()["link"])
        run_all(tenant)
        before = list(inbox.events)
        person = put_person(tenant, "mailto:ana@example.org")
        put_profile(tenant, person, held("gown"))
        run_all(tenant)

        assert "If there is no record under this name or address yet" in page.text
        assert before == []
        assert sorted(inbox.events) == ["consent.given", "profile.updated"]
        assert inbox.of("consent.given")[0].json["data"]["reference"] == "17"
    assert {one.subject.person for one in consent.everything(tenant.store)} == {person}


def test_consent_of_a_known_learner_reaches_the_service_by_its_own_reference(
    tenant: Tenant, client: httpx.Client
) -> None:
    with receiver() as inbox:
        made = put_service(tenant, inbox.url, name="Receiving")
        person = put_person(tenant, "mailto:ana@example.org")
        put_profile(tenant, person, held("gown"))
        page = answer_form(client, ask(client, made, reference="applicant 99").json()["link"])
        run_all(tenant)

        # Whoever guesses addresses reads the same here as of somebody unknown.
        assert "If there is no record under this name or address yet" in page.text
        assert sorted(inbox.events) == ["consent.given", "profile.updated"]
        assert inbox.of("consent.given")[0].json["data"]["reference"] == "applicant 99"


def test_the_link_record_holds_no_address_of_the_learner(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    ask(client, made)

    (record,) = tenant.store.find(Walk(links.KIND)).records
    assert b"ana" not in record.body
    assert b"@" not in record.body
