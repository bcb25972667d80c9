"""The pages of stewards about codes for events, about issuers that are trusted, and the endorsement of one badge."""

from __future__ import annotations

import re

import pytest

from badges.claims import event_codes
from badges.prior import trusted
from lrs.composition.steps import drain
from tests.badges.made import badge_in, put_award
from tests.pages import members
from tests.pages.conftest import Site, text_of

CODES, ISSUERS = "/staff/event-codes", "/staff/issuers"
COLLEGE = "did:web:college.example.org"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("stewards"), public_url="https://lrs.example.org", pages_url="http://lrs.test")
    assert made.browser.sign_in(made.operator).status_code == 303
    put_award(made.tenant)
    drain(made.tenant, ["issue"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def steward(site):
    return members.signed_in(site, "steward")


def made(browser, **given):
    told = {"title": "Open day", "activity": "https://centre.example.org/events/open-day", "until": "2027-03-31"}
    return browser.send(browser.get(CODES), CODES, **{**told, "most": "", **given})


def test_a_steward_makes_a_code_projects_it_and_ends_it(site, steward):
    page = made(steward, most="12")
    code = re.search(r"<strong>([A-Z2-9]{4}-[A-Z2-9]{4})</strong>", page.text)[1]
    (row,) = steward.get(f"{CODES}.json").json()
    listed = steward.get(CODES)
    ended = steward.send(listed, f"{CODES}/end", code=row["number"])

    assert page.status_code == 200
    assert "http://lrs.test/me/code" in text_of(page)
    assert "QR code of the page for codes" in page.text
    assert "It can be used until the end of 31 March 2027." in text_of(page)
    assert "At most 12 people can use it." in text_of(page)
    assert code not in listed.text
    assert (row["event"], row["state"], row["used"]) == ("Open day", "open", 0)
    assert ended.headers["location"] == f"{CODES}?done=code_ended"
    assert steward.get(f"{CODES}.json").json()[0]["state"] == "ended"
    ((id, kept),) = event_codes.everyone(site.tenant.store)
    assert (id, kept.most, kept.until) == (row["number"], 12, 1_806_534_000_000_000)  # the end of the day in London
    assert [action for action, _ in site.audit() if action.startswith("event-code")] == [
        "event-code.made",
        "event-code.ended",
    ]


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({"title": " "}, "title", "takes 1 to 200 characters"),
        ({"activity": "open day"}, "activity", "write it like https://"),
        ({"until": "31.3.2027"}, "until", "Write the day like"),
        ({"until": "2020-01-01"}, "until", "would have ended already"),
        ({"until": "9999-12-31"}, "until", "too far away"),
        ({"most": "0"}, "most", "from 1 to 100,000"),
        ({"most": "many"}, "most", "from 1 to 100,000"),
    ],
)
def test_a_code_that_cannot_be_is_refused_at_its_field_and_nothing_is_made(site, steward, given, field, why):
    before = len(list(event_codes.everyone(site.tenant.store)))

    page = made(steward, **given)

    assert page.status_code == 400
    assert f'href="#{field}"' in page.text
    assert why in text_of(page)
    assert len(list(event_codes.everyone(site.tenant.store))) == before


def test_a_steward_trusts_an_issuer_and_trusts_it_no_more(site, steward):
    added = steward.send(steward.get(ISSUERS), ISSUERS, id=COLLEGE, name="College", url="https://college.example.org")
    page = steward.get(ISSUERS)
    removed = steward.send(page, f"{ISSUERS}/remove", issuer=COLLEGE)
    again = steward.send(page, f"{ISSUERS}/remove", issuer=COLLEGE)

    assert added.headers["location"] == f"{ISSUERS}?done=issuer_trusted"
    assert COLLEGE in text_of(page)
    assert removed.headers["location"] == f"{ISSUERS}?done=issuer_distrusted"
    assert again.status_code == 404
    assert trusted.trusted(site.tenant.store) == []
    actions = [action for action, _ in site.audit() if action.startswith("issuer.")]
    assert actions == ["issuer.trusted", "issuer.distrusted"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"id": "College"}, "id"),
        ({"name": ""}, "name"),
        ({"name": "Coll\x07ege"}, "name"),
        ({"url": "college"}, "url"),
    ],
)
def test_an_issuer_that_cannot_be_one_is_refused_at_its_field(site, steward, given, field):
    told = {"id": COLLEGE, "name": "College", "url": ""} | given

    page = steward.send(steward.get(ISSUERS), ISSUERS, **told)

    assert page.status_code == 400
    assert f'href="#{field}"' in page.text
    assert trusted.trusted(site.tenant.store) == []


@pytest.mark.parametrize("role", ["planner", "auditor"])
def test_nobody_else_makes_codes_or_trusts_issuers(site, role):
    browser = members.signed_in(site, role)

    assert [browser.get(place).status_code for place in (CODES, ISSUERS)] == [403, 403]


def test_one_badge_is_endorsed_on_its_page_and_the_endorsement_is_taken_away(site):
    badge = badge_in(site.tenant)[0].id
    place = f"/staff/badge/{badge}"
    given = site.browser.send(site.browser.get(place), f"{place}/endorse", comment="We employ people with this")
    drain(site.tenant)
    page = site.browser.get(place)
    double = site.browser.send(page, f"{place}/endorse", remove="", comment="We employ people with this")
    inside = badge_in(site.tenant)[1]["endorsement"]
    site.browser.send(page, f"{place}/endorse", remove=re.search(r'name="remove" value="([^"]+)"', page.text)[1])
    drain(site.tenant)
    empty = site.browser.send(site.browser.get(place), f"{place}/endorse", comment=" ")

    assert given.headers["location"] == f"{place}?done=badge_endorsed"
    assert "We employ people with this" in text_of(page)
    assert double.status_code == 409
    assert "The same issuer says the same of it already" in text_of(double)
    assert [one["credentialSubject"]["endorsementComment"] for one in inside] == ["We employ people with this"]
    assert "endorsement" not in badge_in(site.tenant)[1]
    assert empty.status_code == 400
    assert "The comment takes 1 to 1000 characters" in text_of(empty)
