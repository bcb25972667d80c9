"""The page of consent for who is signed in: the preview, whose link it is, the way back, and the language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import msgspec
import pytest

from lrs.access.learners import SUBJECT, open_account
from lrs.access.sessions import open_session
from lrs.matching import registry
from lrs.matching.consent import consent, links
from lrs.matching.consent import page as consent_page
from lrs.matching.consent.consent import Subject
from lrs.matching.consent.links import Wish
from lrs.matching.registry import AboutService, Registered
from lrs.storage import each
from lrs.tenancy import audit
from lrs.tenancy.control import open_control
from lrs.tenancy.tenants import Tenant
from tests.matching.world import (
    HOUR,
    Clock,
    answer_form,
    bearer,
    held,
    put_badge,
    put_person,
    put_profile,
    put_service,
    run_sync,
    tenant_in,
    web,
)
from tests.programs import until

ANA = {"mbox": "mailto:ana@example.org"}
BACK = "https://careers.example/back?from=engraft"


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    with tenant_in(tmp_path_factory.mktemp("seen"), Clock()) as opened:
        with closing(open_control(opened.settings, clock=opened.clock)) as control:
            told = {
                "name": "The network",
                "contact": "dpo@example.org",
                "privacy_notice": "https://example.org/privacy",
            }
            control.change("default", lambda record, _: msgspec.structs.replace(record, **told))
        yield opened


@pytest.fixture(scope="module")
def made(tenant: Tenant) -> Registered:
    made = put_service(tenant)
    about = AboutService("+44 20 7946 0000", "https://careers.example/privacy", (BACK, "https://careers.example/other"))
    registry.tell(tenant, made.service.id, about, by="test")
    return made


@pytest.fixture(scope="module")
def ana(tenant: Tenant) -> str:
    person = put_person(tenant, ANA["mbox"])
    put_profile(tenant, person, held("gown"), held("clean", state="expired"))
    put_badge(tenant, person, "b-1")
    return person


@pytest.fixture(scope="module")
def server(tenant: Tenant) -> Iterator[httpx.Client]:
    with web(tenant) as opened:
        yield opened


@pytest.fixture
def client(server: httpx.Client) -> httpx.Client:
    server.cookies.clear()
    return server


def ask(client: httpx.Client, made: Registered, **wish: Any) -> httpx.Response:
    body = {"reference": "17", "learner": ANA, **wish}
    headers = bearer(client, made) | wish.pop("headers", {})
    body.pop("headers", None)
    return client.post("/api/links", headers=headers, json=body)


def sign_in(client: httpx.Client, tenant: Tenant, person: str) -> None:
    tenant.store.write(lambda tx: open_account(tx, person, address=f"{person[:8]}@example.org", by="test")).result()
    client.cookies.set("engraft.default", open_session(tenant, SUBJECT + person))


def words_of(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def test_who_is_signed_in_sees_exactly_what_the_service_would_get(
    tenant: Tenant, ana: str, client: httpx.Client
) -> None:
    link = ask(client, put_service(tenant, name="Asks once")).json()["link"]
    unknown = client.get(link)
    sign_in(client, tenant, ana)
    page = client.get(link)

    assert "About gown" not in unknown.text
    assert "Sign in and see it" in unknown.text
    words = words_of(page)
    assert "Today it would get exactly this about you About gown Tier 2 until 30 September 2027" in words
    assert "About clean Tier 2 ended on 30 September 2027" in words
    assert "Today this would add: About gown : 3 results count · About clean : 3 results count" in words
    assert "Today this would add: Gowning" in words
    assert re.findall(r'name="scope" value="[^"]+"( checked)?', page.text) == ["", "", ""]


def test_the_page_says_who_asks_and_who_keeps_the_record(made: Registered, client: httpx.Client) -> None:
    page = client.get(ask(client, made).json()["link"])

    words = words_of(page)
    assert "Who asks Career Converter Contact: +44 20 7946 0000 Privacy notice" in words
    assert "Who keeps the record The network Contact: dpo@example.org Privacy notice" in words
    for leads_to in ("mailto:dpo@example.org", "https://example.org/privacy", "https://careers.example/privacy"):
        assert f'href="{leads_to}"' in page.text


def test_a_service_of_before_that_told_nothing_of_itself_still_asks(tenant: Tenant, client: httpx.Client) -> None:
    page = client.get(ask(client, put_service(tenant, name="Of before")).json()["link"])

    assert "Who asks Of before No contact was given. No privacy notice was given." in words_of(page)


@pytest.mark.usefixtures("ana")
def test_somebody_else_who_is_signed_in_cannot_answer(tenant: Tenant, made: Registered, client: httpx.Client) -> None:
    link = ask(client, made).json()["link"]
    form = re.search(r'name="form" value="([^"]+)"', client.get(link).text)
    assert form
    before = len(consent.everything(tenant.store))
    sign_in(client, tenant, put_person(tenant, "mailto:ben@example.org"))

    looks = client.get(link)
    answers = client.post(link, data={"form": form[1], "answer": "agree"})
    unknown = client.get(ask(client, made, learner={"mbox": "mailto:nobody@example.org"}).json()["link"])

    assert (looks.status_code, answers.status_code, unknown.status_code) == (403, 403, 403)
    assert "This is not your link" in looks.text
    assert "About gown" not in looks.text
    assert len(consent.everything(tenant.store)) == before
    assert re.sub("[0-9a-zA-Z_-]{16,}", "", looks.text) == re.sub("[0-9a-zA-Z_-]{16,}", "", unknown.text)


def test_a_link_of_the_staff_is_seen_answered_and_stopped_by_the_learner_signed_in_alone(
    tenant: Tenant, made: Registered, ana: str, client: httpx.Client
) -> None:
    earlier = {one.receipt for one in consent.everything(tenant.store)}
    link = links.mint(tenant, made.service, Wish(Subject(person=ana)), id="by-staff", by="staff s-1")
    address = links.address(tenant, link, str(client.base_url))

    def sent(answer: str) -> httpx.Response:
        client.get(address)
        form = consent_page.form_token(tenant, link.id, client.cookies["consent"])
        return client.post(address, data={"form": form, "answer": answer})

    def given() -> list[consent.Consent]:
        return [one for one in consent.everything(tenant.store) if one.receipt not in earlier]

    opened, forged = client.get(address), [sent(answer).status_code for answer in ("agree", "refuse", "show")]
    none = given()
    sign_in(client, tenant, ana)
    seen, agreed = client.get(address), answer_form(client, address, scope=[])
    client.cookies.delete("engraft.default")
    stranger, stopped = client.get(address), sent("stop").status_code
    held = given()
    sign_in(client, tenant, ana)
    own = sent("stop").status_code

    assert "About gown" not in opened.text
    assert 'value="agree"' not in opened.text
    assert (forged, none) == ([403, 403, 400], [])
    assert "About gown" in seen.text
    assert "<h1>You agreed</h1>" in agreed.text
    assert "<h1>This link was answered</h1>" in stranger.text
    assert "You agreed" not in stranger.text
    assert (stopped, own) == (403, 303)
    assert [one.withdrawn for one in held] == [None]
    assert [one.withdrawn is None for one in given()] == [False]
    assert ("consent.asked", "staff s-1") in {(one.action, one.by) for one in audit.newest(tenant.store, 99)}


def test_a_part_that_is_agreed_already_is_ticked_so_that_agreeing_again_ends_nothing(
    tenant: Tenant, ana: str, client: httpx.Client
) -> None:
    made = put_service(tenant, name="Asks twice")
    sign_in(client, tenant, ana)
    wish = Wish(Subject(person=ana), ("profiles:read", "badges:read", "gap:read"))
    first, second = (links.mint(tenant, made.service, wish, id=id, by="staff s-1") for id in ("first", "second"))
    answer_form(client, links.address(tenant, first, str(client.base_url)), scope=["badges:read"])

    again = client.get(links.address(tenant, second, str(client.base_url))).text

    assert 'value="badges:read" checked' in again
    assert 'value="gap:read" checked' not in again


@pytest.mark.usefixtures("ana")
def test_what_was_agreed_has_a_reference_a_way_to_stop_and_a_way_back(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    link = ask(client, made, consentDays=30).json()["link"]
    agreed = answer_form(client, link, scope=["badges:read"])
    run_sync(tenant)
    words = words_of(agreed)
    tenant.clock.now += 24 * HOUR
    next_day = words_of(client.get(link))
    tenant.clock.now -= 24 * HOUR
    receipt = re.search(r"<code>([A-Z2-7]{4}-[A-Z2-7]{4})</code>", agreed.text)
    assert receipt
    given = [one for one in consent.everything(tenant.store) if one.receipt == receipt[1]]
    stopped = answer_form(client, link, "stop")

    assert "What Skills and the names of badges The badges themselves Agreed on 18 November 2026" in words
    assert "Until when 18 December 2026" in words
    assert "Until when 18 December 2026" in next_day
    assert f'href="{BACK.replace("&", "&amp;")}"' in agreed.text
    assert sorted(one.scope for one in given) == ["badges:read", "profiles:read"]
    assert links.with_receipt(tenant.store, receipt[1]).state == "agreed"
    assert "<h1>Stopped</h1>" in stopped.text
    assert "is told to forget what it had" in stopped.text
    assert '<a href="../me">' in stopped.text


@pytest.mark.usefixtures("ana")
def test_who_answers_again_and_leaves_a_tick_out_takes_that_back(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    def held_now() -> set[str]:
        return {one.scope for one in consent.everything(tenant.store) if one.withdrawn is None}

    answer_form(client, ask(client, made).json()["link"], scope=["badges:read", "gap:read"])
    run_sync(tenant)
    first = held_now()
    narrower = ask(client, made, scopes=["profiles:read", "gap:read"]).json()["link"]
    page = answer_form(client, narrower, scope=[])
    run_sync(tenant)

    assert first == {"profiles:read", "badges:read", "gap:read"}
    assert held_now() == {"profiles:read", "badges:read"}  # which was not asked for this time
    assert "The badges themselves" in words_of(page)
    assert "missing for a role" not in words_of(page)


def test_a_learner_is_led_back_only_to_an_address_that_is_registered_letter_for_letter(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    other = ask(client, made, returnUrl="https://careers.example/other")
    link, service = links.found(tenant.store, other.json()["id"])
    refused = [
        ask(client, made, returnUrl=url)
        for url in (
            "https://evil.example/",
            BACK + "&x=1",
            "https://careers.example/other/",
            "//careers.example/other",
            "",
        )
    ]
    agreed = answer_form(client, other.json()["link"])

    assert [(one.status_code, one.json()["error"]) for one in refused] == [(400, "bad_return_url")] * 5
    assert 'href="https://careers.example/other"' in agreed.text
    assert BACK not in agreed.text
    assert service
    assert consent_page.back_to(link, msgspec.structs.replace(service, return_urls=(BACK,))) == BACK


def test_a_forged_host_is_in_no_link(made: Registered, client: httpx.Client) -> None:
    forged = ask(client, made, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})

    assert forged.json()["link"].startswith(f"http://127.0.0.1:{client.base_url.port}/links/")


def test_a_browser_without_cookies_is_told_so_and_decides_nothing(made: Registered, client: httpx.Client) -> None:
    link = ask(client, made).json()["link"]
    form = re.search(r'name="form" value="([^"]+)"', client.get(link).text)
    assert form
    client.cookies.clear()

    answer = client.post(link, data={"form": form[1], "answer": "agree"})

    assert answer.status_code == 400
    assert "Your browser kept no cookie of ours" in answer.text
    assert "Allow cookies for this site" in answer.text


# -- the language ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepts", "language"),
    [
        ("cy", "cy"),
        ("cy-GB, en;q=0.5", "cy"),
        ("en-GB, cy;q=0.5", "en"),
        ("fr, de", "en"),
        ("", "en"),
        ("cy;q=0", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_asks_for(
    made: Registered, client: httpx.Client, accepts: str, language: str
) -> None:
    page = client.get(ask(client, made, consentDays=1).json()["link"], headers={"Accept-Language": accepts})

    assert f'<html lang="{language}">' in page.text
    assert page.headers["content-language"] == language
    assert {"en": "Until 19 November 2026", "cy": "Tan 19 Tachwedd 2026"}[language] in page.text


def test_a_language_that_was_chosen_is_kept_on_the_pages_that_follow(made: Registered, client: httpx.Client) -> None:
    link = ask(client, made).json()["link"]

    chosen = client.get(f"{link}?lang=cy")
    decided = answer_form(client, link)
    elsewhere = client.get(ask(client, made).json()["link"])
    unknown = client.get(link[:-4])
    back = client.get(f"{link}?lang=en")

    for page in (chosen, decided, elsewhere, unknown):
        assert '<html lang="cy">' in page.text
    assert "<h1>Fe wnaethoch chi gytuno</h1>" in decided.text
    assert "Nid yw'r ddolen hon yn hysbys." in unknown.text.replace("&#39;", "'")
    assert '<html lang="en">' in back.text
    assert '<a href="?lang=en" lang="en" hreflang="en" aria-current="true">English</a>' in back.text


def test_a_language_that_there_is_not_is_not_kept(made: Registered, client: httpx.Client) -> None:
    page = client.get(ask(client, made).json()["link"] + "?lang=xx%0d%0aSet-Cookie:a=b")

    assert '<html lang="en">' in page.text
    assert "engraft.language" not in page.headers.get("set-cookie", "")


# -- signing in from there ------------------------------------------------------------------------------------------


def form_of(page: httpx.Response) -> dict[str, str]:
    return dict(re.findall(r'name="(form|proven)" value="([^"]+)"', page.text))


def sign_in_links(tenant: Tenant) -> list[str]:
    """The paths of the links that were mailed to sign in with."""
    owed = [msgspec.json.decode(one.body) for one in each(tenant.store, "delivery") if one.meta["channel"] == "email"]
    return [httpx.URL(mail["values"]["link"]).path for mail in owed if mail["template"] == "learner-sign-in"]


@pytest.mark.usefixtures("ana")
def test_who_signs_in_from_there_comes_back_and_sees_it(tenant: Tenant, made: Registered, client: httpx.Client) -> None:
    link = httpx.URL(ask(client, made).json()["link"]).path
    there = re.search(r'href="(/sign-in/learner\?then=[^"]+)"', client.get(link).text)
    assert there
    asked = client.get(there[1])

    sent = client.post("/sign-in/learner", data=form_of(asked) | {"email": "ana@example.org"})
    assert sent.status_code == 200, sent.text
    until(lambda: sign_in_links(tenant), "the mail")  # the server's own store commits it after it has answered
    (mailed,) = sign_in_links(tenant)
    opened = client.get(mailed)
    proven = client.post(mailed, data=form_of(opened))
    if proven.status_code == 200:  # it is said first what the address would show
        proven = client.post("/sign-in/learner/confirm", data=form_of(proven))
    back = client.get(proven.headers["location"])

    assert (proven.status_code, proven.headers["location"]) == (303, link)
    assert "About gown" in back.text


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example/",
        "//evil.example",
        "/links/x/../../evil",
        "/links/x?y",
        "/t/other/links/x",
        "/docs",
        "\\evil",
    ],
)
def test_nobody_is_led_elsewhere_after_signing_in(client: httpx.Client, then: str) -> None:
    asked = client.get("/sign-in/learner", params={"then": then})

    assert asked.status_code == 200
    assert ".then=" not in asked.headers.get("set-cookie", "")
