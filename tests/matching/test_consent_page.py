"""The page a learner decides on: what it says, what it needs, and that each link decides once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any

import httpx
import msgspec
import pytest

from lrs.matching import services
from lrs.matching.consent import answers, consent, links
from lrs.matching.consent.answers import ConsentAnswer, Posted
from lrs.matching.consent.consent import Grant, Subject
from lrs.matching.consent.links import Wish
from lrs.matching.registry import Registered
from lrs.tenancy.tenants import Tenant, open_tenant
from tests.matching.world import (
    HOUR,
    PURPOSE,
    Clock,
    answer_form,
    bearer,
    identifier,
    put_person,
    put_service,
    run_sync,
    settings_in,
)

ANA = {"mbox": "mailto:ana@example.org"}


def ask(client: httpx.Client, made: Registered, **wish: Any) -> httpx.Response:
    return client.post("/api/links", headers=bearer(client, made), json={"reference": "17", "learner": ANA, **wish})


def consents(tenant: Tenant) -> list[tuple[str, bool]]:
    return [(one.scope, one.withdrawn is None) for one in consent.everything(tenant.store)]


class Outline(HTMLParser):
    """What a screen reader goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))


def test_the_page_says_who_wants_what_for_what_and_for_how_long(made: Registered, client: httpx.Client) -> None:
    link = ask(client, made, scopes=["profiles:read"], consentDays=30).json()["link"]

    page = client.get(link)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for words in (
        "Career Converter",
        PURPOSE,
        "which badges there are",
        "Until 18 December 2026; then it ends by itself",
    ):
        assert words in page.text
    assert "missing for a role" not in page.text


def test_the_page_is_plain_accessible_and_needs_nothing_from_outside(made: Registered, client: httpx.Client) -> None:
    page = client.get(ask(client, made).json()["link"])
    outline = Outline()
    outline.feed(page.text)
    by_tag = dict(outline.attributes)

    assert by_tag["html"]["lang"] == "en"
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in outline.attributes
    assert outline.tags.count("h1") == outline.tags.count("main") == outline.tags.count("title") == 1
    assert not {"img", "iframe", "object"} & set(outline.tags)
    loaded = [told.get("src") or told["href"] for tag, told in outline.attributes if tag in {"script", "link"}]
    assert all(address.startswith("/static/") for address in loaded)
    assert "http" not in page.text
    assert outline.tags.count("button") == 2
    first, second = [told for tag, told in outline.attributes if tag == "button"]
    assert (first["value"], second["value"]) == ("agree", "refuse")
    assert first.get("class") == second.get("class")  # neither is easier to press


def test_the_page_cannot_be_framed_kept_or_leaked(made: Registered, client: httpx.Client) -> None:
    page = client.get(ask(client, made).json()["link"])

    policy = page.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce
    assert f'nonce="{nonce[1]}"' in page.text
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie  # so that a second tab, opened from the service, keeps it


def test_what_a_service_calls_itself_is_text_and_not_markup(tenant: Tenant, client: httpx.Client) -> None:
    rude = put_service(tenant, name="<script>alert(1)</script>")

    page = client.get(ask(client, rude).json()["link"])

    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


def test_agreeing_gives_consent_to_what_was_asked_for_and_refusing_gives_none(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    no = answer_form(client, ask(client, made).json()["link"], "refuse")
    after_no = consents(tenant)
    yes = answer_form(client, ask(client, made, scopes=["profiles:read", "gap:read"]).json()["link"])

    assert (no.status_code, after_no) == (200, [])
    assert yes.status_code == 200
    assert consents(tenant) == [("profiles:read", True), ("gap:read", True)]


def test_an_earlier_agreement_is_told_before_and_after_a_refusal_and_can_be_stopped_there(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    answer_form(client, ask(client, made).json()["link"])
    link = ask(client, made).json()["link"]

    question = client.get(link)
    refused = answer_form(client, link, "refuse")
    stopped = answer_form(client, link, "stop")

    assert "Career Converter</bdi> of 18 November 2026 stands. If you do not agree now, it goes on" in question.text
    assert "<h1>You did not agree</h1>" in refused.text
    assert "The earlier agreement, of 18 November 2026, goes on" in refused.text
    assert "sees nothing because of this link" not in refused.text
    assert "<h1>You did not agree</h1>" in stopped.text
    assert "sees nothing because of this link" in stopped.text
    assert {held for _, held in consents(tenant)} == {False}
    assert "stands" not in client.get(ask(client, made).json()["link"]).text


def test_who_is_not_signed_in_is_not_told_of_an_agreement_under_another_name(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    person = Subject(person=put_person(tenant, ANA["mbox"]))
    grant = Grant(person, made.service.id, ("profiles:read",), PURPOSE, "operator", "test")
    tenant.store.write(lambda tx: consent.give(tx, grant)).result()
    link = ask(client, made).json()["link"]

    pages = [client.get(link), answer_form(client, link, "refuse")]

    assert [page for page in pages if "18 November 2026" in page.text] == []


def form_in(page: httpx.Response) -> str:
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    assert form, page.text
    return form[1]


@pytest.mark.parametrize(("first", "told"), [("agree", "You agreed"), ("refuse", "You did not agree")])
def test_a_link_decides_once_and_says_what_was_decided(
    tenant: Tenant, made: Registered, client: httpx.Client, first: str, told: str
) -> None:
    link = ask(client, made).json()["link"]
    form = form_in(client.get(link))
    client.post(link, data={"form": form, "answer": first})
    before = consents(tenant)

    clicked_twice = client.post(link, data={"form": form, "answer": first})
    other_answer = client.post(link, data={"form": form, "answer": "refuse" if first == "agree" else "agree"})
    reloaded = client.get(link)

    assert [(one.status_code, one.headers["location"]) for one in (clicked_twice, other_answer)] == [
        (303, link.rpartition("/")[2])
    ] * 2
    assert (reloaded.status_code, f"<h1>{told}</h1>" in reloaded.text) == (200, True)
    assert consents(tenant) == before


def test_a_second_tab_does_not_spoil_the_first_ones_form(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    link = ask(client, made).json()["link"]
    first, second = form_in(client.get(link)), form_in(client.get(link))

    ticked = ["profiles:read.evidence", "gap:read", "roles:read", "everything"]
    decided = client.post(link, data={"form": first, "answer": "agree", "scope": ticked}, follow_redirects=True)
    late = client.post(link, data={"form": second, "answer": "refuse"}, follow_redirects=True)

    assert decided.status_code == late.status_code == 200
    assert "<h1>You agreed</h1>" in decided.text
    assert "<h1>You agreed</h1>" in late.text
    assert consents(tenant) == [("profiles:read", True), ("profiles:read.evidence", True), ("gap:read", True)]


def test_what_was_decided_is_told_after_the_link_has_ended_and_the_service_is_gone(
    tenant: Tenant, made: Registered, client: httpx.Client, clock: Clock
) -> None:
    link = ask(client, made).json()["link"]
    answer_form(client, link)
    clock.now += 48 * HOUR
    tenant.store.write(lambda tx: services.disable(tx, "career-converter", "test", by="test")).result()

    page = client.get(link)

    assert page.status_code == 200
    assert "<h1>You agreed, and that has ended</h1>" in page.text
    assert "Career Converter</bdi> sees nothing because of this link" in page.text


@pytest.mark.parametrize("bound", [False, True], ids=["nobody known yet", "a person"])
def test_what_was_agreed_to_and_withdrawn_or_has_ended_is_not_said_to_be_seen(
    tenant: Tenant, made: Registered, client: httpx.Client, clock: Clock, bound: bool
) -> None:
    if bound:
        put_person(tenant, ANA["mbox"])
    link = ask(client, made, consentDays=1).json()["link"]
    answer_form(client, link)
    run_sync(tenant)

    holds = client.get(link)
    clock.now += 25 * HOUR
    over = client.get(link)
    again = ask(client, made).json()["link"]
    answer_form(client, again)
    run_sync(tenant)
    anew = client.get(again)
    (given,) = {one.subject for one in consent.everything(tenant.store)}
    tenant.store.write(lambda tx: consent.withdraw(tx, [given], by="test")).result()
    withdrawn = client.get(again)

    for page in (holds, anew):
        assert "<h1>You agreed</h1>" in page.text
    assert "<h1>You agreed, and that has ended</h1>" in over.text
    assert "<h1>Stopped</h1>" in withdrawn.text
    assert "Stopped on 19 November 2026, " in withdrawn.text


def test_a_form_that_was_sent_after_the_end_says_so_and_decides_nothing(
    tenant: Tenant, made: Registered, client: httpx.Client, clock: Clock
) -> None:
    link = ask(client, made).json()["link"]
    form = form_in(client.get(link))
    clock.now += 24 * HOUR

    late = client.post(link, data={"form": form, "answer": "agree"})

    assert late.status_code == 410
    assert "good for 24 hours" in late.text
    assert consents(tenant) == []


@pytest.mark.parametrize(("scopes", "joined"), [(["profiles:read"], False), (["profiles:read", "badges:read"], True)])
def test_the_page_says_when_a_badge_can_join_what_two_services_know(
    made: Registered, client: httpx.Client, scopes: list[str], joined: bool
) -> None:
    page = client.get(ask(client, made, scopes=scopes).json()["link"]).text

    assert ("The badges themselves" in page) is joined
    assert ("the same person" in page) is joined


def test_of_many_that_answer_at_once_one_decides(tenant: Tenant, made: Registered) -> None:
    wish = Wish(Subject(identifier=identifier(tenant, ANA).id), reference="17")
    link = links.mint(tenant, made.service, wish, id="race", by="service race")
    token = links.address(tenant, link, "").rpartition("/")[2]

    def answer(number: int) -> str:
        try:
            answer = ConsentAnswer(number % 2 == 0, services.SCOPES)
            return answers.decide(tenant, token, answer, Posted("", "en")).state
        except Exception as error:  # noqa: BLE001 (counted below)
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(answer, range(16)))

    assert len(set(found)) == 1
    assert len(consents(tenant)) == {"agreed": 4, "refused": 0}[found[0]]


def test_a_link_ends_after_24_hours(tenant: Tenant, made: Registered, client: httpx.Client, clock: Clock) -> None:
    link = ask(client, made).json()["link"]
    clock.now += 24 * HOUR - 1
    before = client.get(link)
    clock.now += 1
    after = client.get(link)

    assert (before.status_code, after.status_code) == (200, 410)
    assert "good for 24 hours" in after.text
    assert consents(tenant) == []


def test_a_link_that_was_changed_or_made_up_or_is_another_tenants_is_404(
    tenant: Tenant, made: Registered, client: httpx.Client, clock: Clock
) -> None:
    link = ask(client, made).json()["link"]
    start, token = link.rpartition("/")[::2]
    foreign_tenant = open_tenant(settings_in(tenant.settings.data), "elsewhere", clock=clock)
    foreign = links.mint(
        foreign_tenant, made.service, Wish(Subject(identifier="x")), id=token_id(tenant, token), by="test"
    )
    foreign_token = links.address(foreign_tenant, foreign, "").rpartition("/")[2]
    foreign_tenant.store.close()
    changed = token[:10] + ("A" if token[10] != "A" else "B") + token[11:]

    pages = [client.get(f"{start}/{text}") for text in (changed, token[:-2], "x", foreign_token, "A" * 5_000)]

    assert [page.status_code for page in pages] == [404] * 5
    assert all("This link is not known." in page.text for page in pages)


def token_id(tenant: Tenant, token: str) -> str:
    return links.opened(tenant, token)[0].id


def test_an_answer_that_did_not_come_from_the_page_counts_for_nothing(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    link, other = ask(client, made).json()["link"], ask(client, made).json()["link"]
    form = form_in(client.get(link))
    client.cookies.clear()
    no_cookie = client.post(link, data={"form": form, "answer": "agree"})
    client.get(link)
    other_browsers = client.post(link, data={"form": form, "answer": "agree"})
    client.get(other)
    crossed = client.post(other, data={"form": form, "answer": "agree"})
    nothing = client.post(link, content=b"\xff" * 100)
    made_up = client.post(link, data={"form": "made up", "answer": "agree"})

    assert [answer.status_code for answer in (no_cookie, other_browsers, crossed, nothing, made_up)] == [400] * 5
    assert "<h1>Your answer was not taken</h1>" in no_cookie.text
    assert consents(tenant) == []
    assert client.get(link).status_code == 200


def test_a_service_that_is_gone_or_has_another_purpose_now_cannot_be_agreed_to(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    link = ask(client, made).json()["link"]
    other_purpose = msgspec.structs.replace(made.service, purpose="To advertise training")
    pages = []
    for now in (other_purpose, msgspec.structs.replace(made.service, state="disabled")):
        tenant.store.write(lambda tx, now=now: services.change(tx, now.id, lambda _: now)).result()
        pages.append(client.get(link))

    assert [page.status_code for page in pages] == [410, 410]
    assert all("no longer connected" in page.text for page in pages)
