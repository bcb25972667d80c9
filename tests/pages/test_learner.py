"""The page about a learner: what is held, why, badges, who has access, and identifiers; and taking a consent back."""

from __future__ import annotations

import json
import re

import pytest
from msgspec.structs import replace

from lrs.competency.rules.rulesets import applied
from lrs.competency.rules.walk import read_again
from lrs.composition.steps import drain
from lrs.matching import registry
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Grant, Subject
from lrs.people import joins, nobody
from lrs.people import search as searching
from lrs.people.identifiers import NOBODY
from lrs.people.ids import identified, ids_of
from lrs.people.persons import minter
from lrs.storage import Walk
from lrs.web.dates import written_moment
from tests.competency.world import ANN, ANN_ACCOUNT, RULES, statement, statement_id
from tests.pages.conftest import text_of
from tests.pages.test_learners import member

EVIL = {"account": {"homePage": "https://vle.example", "name": "<script>alert('held')</script>"}}
TEMPORARY = {"account": {"homePage": "https://www.gov.uk/uln", "name": "9999999999"}}


def work(site):
    drain(site.tenant, ["refs", "match", "evaluate", "issue", "sync", "list"])


def find(browser, who):
    return browser.send(browser.get("/staff/learners"), "/staff/learners", who=who)


def page_of(site, browser, actor=ANN):
    return browser.get(f"/staff/learners/{site.world.person(actor)}")


def service_for(site, person, *scopes):
    registry.register(
        site.tenant,
        "Career Converter",
        webhook=None,
        scopes=["profiles:read", "gap:read"],
        purpose="To find <b>roles</b>",
        by="test",
    )
    grant = Grant(Subject(person=person), "career-converter", scopes, "To find <b>roles</b>", "operator", "test")
    site.world.write(lambda tx: consent.give(tx, grant))


def test_a_learner_is_found_by_address_account_and_id(site, browser):
    site.world.send(statement("one"))
    site.world.send(statement("two", ANN_ACCOUNT))
    work(site)
    ann, account = site.world.person(ANN), site.world.person(ANN_ACCOUNT)

    found = {
        who: find(browser, who)
        for who in ("ann@example.org", " mailto:ann@example.org ", "https://vle.example|ann", account)
    }

    assert {who: answer.headers.get("location") for who, answer in found.items()} == {
        "ann@example.org": f"/staff/learners/{ann}",
        " mailto:ann@example.org ": f"/staff/learners/{ann}",
        "https://vle.example|ann": f"/staff/learners/{account}",
        account: f"/staff/learners/{account}",
    }


def test_what_arrived_stands_there_with_the_reason_why_nothing_counts(site, browser):
    site.world.send(statement("low", score={"raw": 40, "min": 0, "max": 100}))
    site.world.send(statement("no rule", activity="https://vle.example/<i>other</i>"), source="north")
    work(site)
    person = site.world.person(ANN)
    north = member(site, "provider", "north")

    everything, own = text_of(page_of(site, browser)), north.get(f"/staff/learners/{person}")

    assert "What arrived (2)" in everything
    assert "Does not count for GOWN Gowning: Awareness (below threshold)" in everything
    assert "No rule is about it" in text_of(own)
    assert "other" in text_of(own)
    assert "<i>other" not in own.text
    assert ("GOWN" in own.text, statement_id("low") in own.text) == (False, False)


def test_a_learner_is_found_by_name_and_several_are_listed(site, browser):
    for number, name in enumerate(["Zoë <b>Müller</b>", "Anna Smith", "Joanna Smithson"]):
        site.world.send(
            statement(name, {"account": {"homePage": "https://vle.example", "name": str(number)}, "name": name})
        )
    work(site)
    anna, joanna, zoe = (
        site.world.person({"account": {"homePage": "https://vle.example", "name": number}}) for number in "120"
    )

    one, several, nobody = find(browser, "muller"), find(browser, "smith"), find(browser, "brown")

    assert one.headers["location"] == f"/staff/learners/{zoe}"
    assert "<h1>Zoë &lt;b&gt;Müller&lt;/b&gt;</h1>" in browser.get(f"/staff/learners/{zoe}").text
    assert several.status_code == 200
    assert f'<a href="/staff/learners/{anna}"><bdi>Anna Smith</bdi></a>' in several.text
    assert f'<a href="/staff/learners/{joanna}"><bdi>Joanna Smithson</bdi></a>' in several.text
    assert "Anna Smith 1 GOWN Gowning: 1 Awareness vle Joanna Smithson 2" in text_of(several)
    assert (nobody.status_code, "Nobody is known by that name." in nobody.text) == (404, True)


def test_what_guests_were_awarded_is_revoked_once_their_name_is_one_for_nobody(site, browser):
    guest = {"account": {"homePage": "https://vle.example", "name": "guest"}}
    site.world.write(lambda tx: nobody.put_names(tx, "vle", [], "test"))
    site.world.send(statement("one", guest))
    site.world.send(statement("two", guest))
    work(site)
    held = [record.meta["state"] for record in site.world.store.find(Walk("credential")).records]

    site.world.write(lambda tx: (nobody.put_names(tx, "vle", NOBODY, "test"), read_again(tx, "vle")))
    work(site)

    assert held == ["issued"]
    assert [record.meta["state"] for record in site.world.store.find(Walk("credential")).records] == ["revoked"]
    assert "Does not count: guest is a name for nobody" in text_of(page_of(site, browser, guest))


def test_a_search_for_a_guest_says_that_guests_are_nobody(site, browser):
    site.world.send(statement("one", {"account": {"homePage": "https://vle.example", "name": ""}}))
    work(site)

    text = text_of(find(browser, "https://vle.example|"))

    assert "stands for no person (a temporary or impossible learner number, or a name for nobody" in text
    assert "Does not count: an account without a name stands for nobody" in text


def test_a_learner_is_found_by_learner_number(site, browser):
    number = {"account": {"homePage": "https://www.gov.uk/uln", "name": "1000001376"}}
    site.world.send(statement("one", number))
    work(site)

    answer = find(browser, "1000001376")

    assert answer.headers["location"] == f"/staff/learners/{site.world.person(number)}"
    assert "1000001376 Learner number (ULN)" in text_of(page_of(site, browser, number))


@pytest.mark.parametrize(
    ("actor", "shown"),
    [
        ({"mbox_sha1sum": "a" * 40}, f"{'a' * 40} E-mail (only its hash is known)"),
        ({"openid": "https://ann.example/"}, "https://ann.example/ OpenID"),
        (ANN_ACCOUNT, "ann Account at https://vle.example"),
        (ANN, "ann@example.org E-mail"),
    ],
)
def test_each_sort_of_identifier_is_named(site, browser, actor, shown):
    site.world.send(statement("one", actor))
    work(site)

    assert shown in text_of(page_of(site, browser, actor))


@pytest.mark.parametrize("who", ["nobody@example.org", '"><script>alert(1)</script>', "", "https://vle.example|", "|"])
def test_somebody_unknown_is_said_to_be_so_in_plain_words(quiet, who):
    answer = find(quiet.browser, who)

    assert answer.status_code == 404
    assert "Nobody is known by that name. Check the spelling" in text_of(answer)
    assert "<script>" not in answer.text


def test_a_page_reads_no_more_names_than_its_limit_for_any_person(site, browser, monkeypatch):
    for number in range(4):
        site.world.send(statement(f"{number}", {"name": f"Kit {number}", "mbox": f"mailto:{number}@example.org"}))
    work(site)
    looked = []
    monkeypatch.setattr(searching, "LOOKED_THROUGH", 2)
    monkeypatch.setattr(searching, "name_of", lambda _, ifi: looked.append(ifi))

    answer = find(browser, "nobody")
    shown = browser.get("/staff/learners/nobody")

    assert (answer.status_code, shown.status_code, len(looked)) == (404, 404, 2)
    assert "Nobody among the learners who were seen last is known by that name" in text_of(answer)


def test_the_page_says_what_is_held_and_why(site, browser):
    site.world.send(statement("enough", score={"raw": 90, "min": 0, "max": 100}))
    site.world.send(statement("too little", score={"raw": 50, "min": 0, "max": 100}))
    site.world.send(statement("from a browser"), source="scorm-content")
    work(site)

    text = text_of(page_of(site, browser))

    assert "GOWN Gowning 1 Awareness Held 20 November 2026 No end 1 piece of evidence" in text
    assert "GOWN Gowning: level 1 Awareness Held: from 20 November 2026, no end" in text
    assert "Evidence, newest first; 1 of 3 counts" in text
    about = "https://vle.example/gowning"
    enough, little, browsed = (statement_id(name) for name in ("enough", "too little", "from a browser"))
    assert f"20 November 2026, 10:00 GMT vle {about} {enough} 90 % (asked: 80 %) Counts" in text
    assert f"vle {about} {little} 50 % (asked: 80 %) Does not count: below threshold" in text
    assert f"scorm-content {about} {browsed} 90 % (asked: 80 %) Does not count: source not trusted" in text


def test_a_level_in_review_is_shown_as_held_with_the_time_and_the_reason_and_its_badge_as_valid(site, browser):
    site.world.send(statement("one"))
    work(site)
    site.world.apply(RULES.replace(",80,", ",95,"), review=24)
    work(site)

    shown = text_of(page_of(site, browser))

    until = written_moment(applied(site.world.store)[-1].until, "Europe/London")
    assert f"Held; may change or end after {until}" in shown
    because = "because in rules version 2 the rule on https://vle.example/gowning asks for 95 % instead of 80 %"
    told = f"no end. So until {until}; after that it may change or end, {because}"
    assert f"Held, in review: from 20 November 2026, {told}" in shown
    assert "Valid" in shown
    assert "Revoked" not in shown


def test_of_a_person_with_very_many_badges_the_newest_hundred_are_listed(site, browser):
    site.world.send(statement("one"))
    work(site)
    (badge,) = site.world.store.find(Walk("credential")).records
    other = "1" if badge.id[-3] == "0" else "0"
    more = [replace(badge, id=f"{badge.id[:-3]}{other}{number:02d}", seq=0, rev=0) for number in range(100)]
    site.world.store.write(lambda tx: [tx.insert(one) for one in more]).result()

    page = page_of(site, browser)

    links = re.findall(r'href="/pages/badges/([0-9a-f-]{36})"', page.text)
    assert len(links) == 100
    assert more[-1].id in links
    assert badge.id not in links
    assert "the newest 100 at most" in text_of(page)


def test_the_badge_on_the_page_is_the_signed_one(site, browser):
    site.world.send(statement("one"))
    work(site)

    page = page_of(site, browser)
    link = re.search(r'href="(/pages/badges/[0-9a-f-]{36})"', page.text)[1]
    badge = browser.get(link)

    assert "Gowning: Awareness Valid" in text_of(page)
    assert badge.headers["content-type"] == "application/json"
    assert badge.json()["proof"][0]["cryptosuite"] == "eddsa-rdfc-2022"
    assert badge.json()["credentialSubject"]["achievement"]["name"] == "Gowning: Awareness"


def test_a_badge_whose_evidence_is_void_is_shown_as_revoked(site, browser):
    site.world.send(statement("one"))
    work(site)
    site.world.void(statement_id("one"))
    work(site)

    text = text_of(page_of(site, browser))

    assert "Gowning: Awareness Revoked" in text
    assert "Nothing yet. A level is held once evidence of a trusted source meets a rule" in text


def test_a_badge_that_does_not_exist_is_not_found(browser):
    assert browser.get("/pages/badges/nothing").status_code == 404


def test_a_learner_named_like_markup_is_only_text(site, browser):
    site.world.send(statement("one", EVIL, activity="https://vle.example/gowning"), source="vle")
    work(site)
    person = site.world.person(EVIL)
    service_for(site, person, "profiles:read")

    page = browser.get(f"/staff/learners/{person}")

    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "<b>" not in page.text
    assert "<h1>&lt;script&gt;alert(&#39;held&#39;)&lt;/script&gt;</h1>" in page.text
    assert "To find &lt;b&gt;roles&lt;/b&gt;" in page.text


def test_a_consent_is_shown_and_taken_back_with_the_name_of_the_key(site, browser):
    site.world.send(statement("one"))
    work(site)
    person = site.world.person(ANN)
    service_for(site, person, "profiles:read", "gap:read")
    page = browser.get(f"/staff/learners/{person}")

    answer = browser.send(page, f"/staff/learners/{person}/withdraw", service="career-converter", scope="gap:read")
    after = browser.get(answer.headers["location"])

    assert "Career Converter What is missing for a role gap:read" in text_of(page)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/staff/learners/{person}?done=withdrawn")
    assert "The consent is withdrawn." in text_of(after)
    kept = {one.scope: one.withdrawn is None for one in consent.of_subject(site.tenant.store, Subject(person=person))}
    assert kept == {"profiles:read": True, "gap:read": False}
    assert site.audit()[-1] == ("consent.withdrawn", f"key {site.operator.key}")


def test_everything_can_be_taken_back_at_once(site, browser):
    site.world.send(statement("one"))
    work(site)
    person = site.world.person(ANN)
    service_for(site, person, "profiles:read", "gap:read")
    page = browser.get(f"/staff/learners/{person}")

    browser.send(page, f"/staff/learners/{person}/withdraw", service="", scope="")
    again = browser.send(page, f"/staff/learners/{person}/withdraw", service="", scope="")

    consents = consent.of_subject(site.tenant.store, Subject(person=person))
    assert [one.withdrawn is None for one in consents] == [False, False]
    assert again.headers["location"] == f"/staff/learners/{person}?done=gone"
    assert "it was done meanwhile" in text_of(browser.get(again.headers["location"]))


def test_withdrawing_for_nobody_is_not_found(browser):
    answer = browser.send(browser.get("/staff/learners"), "/staff/learners", who="x")
    token = re.search(r'name="form" value="([^"]+)"', answer.text)[1]

    answer = browser.ask("POST", "/staff/learners/nobody/withdraw", data={"form": token})

    assert (answer.status_code, "There is no such learner." in text_of(answer)) == (404, True)


def test_a_consent_that_waits_under_an_identifier_is_shown_and_can_be_taken_back(site, browser):
    site.world.send(statement("one"))
    work(site)
    person = site.world.person(ANN)
    registry.register(
        site.tenant, "Later", webhook=None, scopes=["profiles:read"], purpose="To suggest jobs", by="test"
    )
    grant = Grant(
        Subject(identifier=identified(ANN, ids_of(site.tenant)).id), "later", ("profiles:read",), "Why", "link", "test"
    )
    site.world.write(lambda tx: consent.give(tx, grant))

    page = browser.get(f"/staff/learners/{person}")
    answer = browser.send(page, f"/staff/learners/{person}/withdraw", service="later", scope="profiles:read")

    assert "Later Competencies, levels, dates and badges" in text_of(page)
    assert answer.headers["location"].endswith("?done=withdrawn")


def test_persons_that_are_one_and_those_that_may_be_are_told(site, browser):
    site.world.send(statement("one"))
    site.world.send(statement("two", ANN_ACCOUNT))
    site.world.send(statement("three", {"mbox": "mailto:ann@elsewhere.example"}))
    work(site)
    ann, account = site.world.person(ANN), site.world.person(ANN_ACCOUNT)
    site.world.write(lambda tx: joins.merge(tx, ann, account, "test"))
    mint = minter(site.tenant.secret("person-ids"))
    pair = [identified(one, ids_of(site.tenant)) for one in (ANN, {"mbox": "mailto:ann@elsewhere.example"})]
    site.world.write(lambda tx: joins.link(tx, *pair, source="some file", mint=mint))

    text = text_of(browser.get(f"/staff/learners/{account}"))

    holder, other = sorted((ann, account), key=lambda id: site.tenant.store.get("person", id).seq)
    assert "Several persons are one here." in text
    assert f"{other} merged into the first Take apart" in text
    assert f"{holder} merged" not in text
    assert "one row carries both (from some file)." in text
    assert "(from some file). Decide" in text


def test_what_arrived_under_a_temporary_number_is_shown_as_nobodys(site, browser):
    site.world.send(statement("one", TEMPORARY))
    work(site)

    answer = find(browser, "9999999999")

    assert answer.status_code == 200
    assert "This identifier stands for no person" in text_of(answer)
    assert "9999999999 is a temporary learner number and matches nobody" in text_of(answer)


def test_a_learner_of_whom_nothing_counts_is_told_what_to_do_next(site, browser):
    site.world.send(statement("one", activity="https://vle.example/other"))
    work(site)

    text = text_of(page_of(site, browser))

    assert "No evidence: nothing this learner did meets a rule." in text
    assert "No badge yet." in text
    assert "Nobody. A service sees a learner only once the learner agrees" in text
    assert "Nothing suggests that anybody else is the same person." in text


def test_a_long_history_is_cut_and_says_so(site, browser):
    for number in range(52):
        site.world.send(statement(f"n{number}", timestamp=f"2026-11-20T10:{number:02}:00Z"))
    work(site)

    page = page_of(site, browser)

    assert "52 of 52 count" in text_of(page)
    assert "And 2 older." in text_of(page)
    assert statement_id("n51") in page.text
    assert statement_id("n1") not in page.text


def test_the_page_of_one_tenants_learner_is_not_found_in_another(site, browser):
    site.world.send(statement("one"))
    work(site)
    person = site.world.person(ANN)

    assert json.loads(site.tenant.store.get("person", person).body) == {"v": 1}
    assert site.other.store.get("person", person) is None
    assert browser.get(f"/t/other/staff/learners/{person}").status_code == 303
