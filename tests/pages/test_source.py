"""The page of a source with its switches, and the pages of the quarantine."""

import re

import pytest

from lrs.access.keys import create_key
from lrs.access.switches import switches_of
from lrs.kernel.admission import Admission
from lrs.ops.child import Deaths
from lrs.ops.metrics import Metrics
from lrs.web.counting import Requests
from lrs.xapi.statements.quarantine import newest
from tests.pages.conftest import text_of
from tests.pages.people import member
from tests.pages.test_connect import refuse
from tests.served import new_id, statement
from tests.xapi.statements.switched import send, sender

PLACE = "/connect/sources/open%20edx"
QUARANTINE = "/arrivals/quarantine"
GROUP = {"objectType": "GroupActivity", "id": "https://lms.example/group"}
EMPTY = {"score": {"min": 0, "max": 0}, "completion": True}


@pytest.fixture
def sent(site):
    """The ids of four statements of the source "open edx" that are in quarantine, after it got a key."""
    create_key(site.tenant, "open edx", ["statements/write"])
    create_key(site.tenant, "other", ["statements/write"])
    batch = [statement(object=GROUP), statement(object=GROUP), statement(result=EMPTY)]
    ids = send(site.tenant, *batch, statement(object=GROUP, result=EMPTY), who=sender("open edx"))
    return [*ids, *send(site.tenant, statement(object=GROUP), who=sender("other"))]


@pytest.mark.usefixtures("sent")
def test_the_page_of_a_source_turns_its_switches_on_and_off(site, browser):
    page = browser.get(PLACE)
    on = browser.send(page, PLACE, deduplicate="yes", quarantine="yes")
    shown = browser.get(on.headers["location"])
    was = switches_of(site.tenant.store, "open edx")
    off = browser.ask("POST", PLACE, data={"form": _token(shown), "deduplicate": "yes"})

    assert 'name="deduplicate" value="yes" checked' not in page.text
    assert (on.status_code, on.headers["location"]) == (303, f"{PLACE}?done=switched")
    assert text_of(shown).count("Saved. It holds for what comes from now on") == 1
    assert re.search(r'name="quarantine" value="yes" checked', shown.text)
    assert was == {"deduplicate", "quarantine"}
    assert off.status_code == 303
    assert switches_of(site.tenant.store, "open edx") == {"deduplicate"}
    assert [entry for entry in site.audit() if entry[0] == "source.switched"] == [
        ("source.switched", f"key {site.operator.key}")
    ] * 2


@pytest.mark.usefixtures("sent")
def test_it_says_what_was_refused_last_and_how_much_waits(site, browser):
    refuse(site, "open edx")

    page = text_of(browser.get(PLACE))

    assert "4 statements wait. See them, and store them mended . After 30 days each is deleted." in page
    assert "A statement is not as xAPI wants it." in page
    assert "rule: xAPI 1.0.3 Data 2.4" in page
    assert "All that was refused to this source: 1 so far" in page
    other = text_of(browser.get("/connect/sources/other"))
    assert "1 statement waits." in other
    assert "Nothing was refused" in other


@pytest.mark.usefixtures("sent")
def test_connect_lists_each_source_with_its_switches_and_its_last_refusal(site, browser):
    refuse(site, "other")
    browser.ask("POST", PLACE, data={"form": _token(browser.get(PLACE)), "quarantine": "yes", "deduplicate": "yes"})

    page = browser.get("/connect")
    author = member(site, ("author", "other")).get("/connect")

    assert f'href="{PLACE}"' in page.text
    assert "Source If sent again If it has a known fault Refused last" in text_of(page)
    assert "open edx Stored once Kept aside 4 wait Nothing" in text_of(page)
    assert "other Stored each time Refused 1 waits 21 November 2026, 13:00 GMT: A statement is not" in text_of(page)
    assert "open edx" not in text_of(author)
    assert "other Stored each time" in text_of(author)


def test_an_author_has_the_page_and_the_quarantine_of_their_own_source_alone(site, sent):
    author = member(site, ("author", "other"))

    page, listed = author.get("/connect/sources/other"), author.get(QUARANTINE)

    assert page.status_code == 200
    assert sent[4] in listed.text
    assert not any(id in listed.text for id in sent[:4])
    assert author.get(f"{QUARANTINE}/{sent[4]}").status_code == 200
    assert author.get(PLACE).status_code == 404
    assert author.get(f"{QUARANTINE}/{sent[0]}").status_code == 404
    own = author.send(listed, QUARANTINE, source="other")
    assert own.status_code == 303
    foreign = author.send(page, "/connect/sources/other", quarantine="yes")
    assert foreign.status_code == 303
    forged = author.ask("POST", PLACE, data={"form": _token(page), "quarantine": "yes"})
    assert forged.status_code == 404
    assert switches_of(site.tenant.store, "open edx") == frozenset()


def test_who_only_reads_what_a_source_sends_stores_nothing_from_its_quarantine(site, sent):
    both = member(site, ("author", "other"), ("trainer", "open edx"))
    place = f"{QUARANTINE}/{sent[0]}"
    listed, page = both.get(QUARANTINE), both.get(place)

    one = both.ask("POST", place, data={"form": _token(listed), "how": "mended"})
    given = {"form": _token(listed), "source": "open edx", "mends": "group-activity"}
    some = both.ask("POST", QUARANTINE, data=given)

    assert (sent[0] in listed.text, page.status_code) == (True, 200)
    assert (one.status_code, some.status_code) == (404, 404)
    assert "Store it mended" not in text_of(page)
    assert {each.id for each in newest(site.tenant.store, "open edx", 9)} == set(sent[:4])


def _token(page):
    return re.search(r'name="form" value="([^"]+)"', page.text)[1]


def test_the_quarantine_lists_what_waits_and_stores_some_of_it_together(site, browser, sent):
    page = browser.get(QUARANTINE)

    assert "open edx : group-activity 2 statements. The mend writes Activity in place of GroupActivity." in text_of(
        page
    )
    assert "5 statements wait in quarantine" in text_of(browser.get("/arrivals"))
    rows = browser.get(f"{QUARANTINE}.json?source=open+edx").json()
    assert [one["mends"] for one in rows] == [
        "group-activity empty-score-range",
        "empty-score-range",
        "group-activity",
        "group-activity",
    ]

    done = browser.send(page, QUARANTINE, source="open edx", mends="group-activity")

    assert done.headers["location"] == f"{QUARANTINE}?stored=2&refused=0"
    assert "Stored: 2. Refused: 0." in text_of(browser.get(done.headers["location"]))
    assert {one.id for one in newest(site.tenant.store, "open edx", 9)} == set(sent[2:4])
    assert all(site.tenant.store.get("statement", id) for id in sent[:2])
    again = browser.send(page, QUARANTINE, source="open edx", mends="group-activity")
    assert again.status_code == 404


def test_what_cannot_be_stored_is_counted_and_stays(site, browser, sent):
    send(site.tenant, statement(id=sent[0]), statement(id=sent[1]), who=sender("open edx"))

    done = browser.send(browser.get(QUARANTINE), QUARANTINE, source="open edx", mends="group-activity")

    assert done.headers["location"] == f"{QUARANTINE}?stored=0&refused=2"
    told = text_of(browser.get(done.headers["location"]))
    assert "Stored: 0. Refused: 2. What was refused is still here: open one to see why." in told
    assert {one.id for one in newest(site.tenant.store, "open edx", 9)} == set(sent[:4])
    assert "Stored:" not in browser.get(f"{QUARANTINE}?stored=x&refused=1").text


def test_one_statement_is_shown_with_what_is_wrong_and_stored_mended(browser, sent):
    place = f"{QUARANTINE}/{sent[3]}"
    page = browser.get(place)

    tried = browser.send(page, place, how="as-it-came")
    done = browser.send(page, place, how="mended")

    assert "The objectType must be one of" in text_of(page)
    assert "As it would be stored" in text_of(page)
    assert (tried.status_code, "It was not stored: The objectType must be" in text_of(tried)) == (400, True)
    assert done.headers["location"] == f"/arrivals/statements/{sent[3]}?done=replayed"
    assert "Stored. What follows from it follows within moments." in text_of(browser.get(done.headers["location"]))
    assert browser.get(place).status_code == 404
    assert browser.ask("POST", place, data={"form": _token(page), "how": "mended"}).status_code == 404


def test_how_it_is_stored_has_to_be_said(browser, sent):
    place = f"{QUARANTINE}/{sent[0]}"

    assert browser.ask("POST", place, data={"form": _token(browser.get(place))}).status_code == 400


def test_with_nothing_in_quarantine_the_page_says_where_it_is_turned_on(quiet):
    page = text_of(quiet.browser.get(QUARANTINE))

    assert "Nothing waits Only sources for which it was turned on have a quarantine" in page
    assert "wait in quarantine" not in text_of(quiet.browser.get("/arrivals"))
    assert quiet.browser.get(f"{QUARANTINE}/{new_id()}").status_code == 404
    assert quiet.browser.get("/connect/sources/nobody").status_code == 404


@pytest.mark.usefixtures("sent")
def test_metrics_and_console_count_what_waits(site, browser):
    rows = {one["source"]: one for one in browser.get("/console/sources.json").json()}
    metrics = Metrics(Requests(), Admission(), site.app.tenants, Deaths(), {}).exposition()[0].decode()

    assert (rows["open edx"]["quarantined"], rows["other"]["quarantined"]) == (4, 1)
    assert 'lrs_quarantined{source="open edx",tenant="default"} 4.0' in metrics
    assert 'lrs_quarantined_statements_total{source="other",tenant="default"} 1.0' in metrics
