"""A holder's name in their badge: put in by the holder, taken out again, never for somebody under age."""

from __future__ import annotations

import json

import pytest

from lrs.composition.steps import drain
from lrs.people import minors
from tests.pages.conftest import text_of
from tests.pages.test_badge_claim import HOLDER, accepted, ann, badge, link

__all__ = ["ann", "badge"]


def names_in(site, badge):
    held = json.loads(site.tenant.store.get("credential", badge.id).body)
    found = held["credentialSubject"].get("identifier", [])
    return [one["identityHash"] for one in found if one["identityType"] == "name"]


@pytest.fixture
def browser(site, badge):
    path = link(site, badge)
    return accepted(site, path), path


def test_a_name_is_in_the_badge_from_when_its_holder_says_so_until_they_take_it_out(site, badge, browser):
    browser, path = browser
    before = names_in(site, badge)

    page = browser.get(path)
    put = browser.send(page, path, act="name")
    drain(site.tenant)
    named = names_in(site, badge)
    told = text_of(browser.get(path))
    browser.send(browser.get(path), path, act="no-name")
    drain(site.tenant)

    assert before == []
    assert f"Put my name in: {HOLDER}" in text_of(page)
    assert put.status_code == 303
    assert named == [HOLDER]
    assert f"The badge names you as {HOLDER}" in told
    assert names_in(site, badge) == []
    actions = [action for action, _ in site.audit()]
    assert [one for one in actions if one.startswith("badge.name")] == ["badge.name_put_in", "badge.name_taken_out"]


def test_the_named_badge_keeps_its_id_and_its_place(site, badge, browser):
    browser, path = browser
    browser.send(browser.get(path), path, act="name")
    drain(site.tenant)

    was, now = json.loads(badge.body), json.loads(site.tenant.store.get("credential", badge.id).body)
    assert (now["id"], now["credentialStatus"]) == (was["id"], was["credentialStatus"])
    assert [one["hashed"] for one in now["credentialSubject"]["identifier"]] == [True, False]


def test_who_is_under_age_has_no_such_button_and_is_refused(site, badge, ann, browser):
    browser, path = browser
    page = browser.get(path)
    site.tenant.store.write(lambda tx: minors.note(tx, ann, None, by="test")).result()

    refused = browser.send(page, path, act="name")
    drain(site.tenant)

    assert refused.status_code == 403
    assert "under age" in text_of(refused)
    assert "Put my name in" not in text_of(browser.get(path))
    assert names_in(site, badge) == []
