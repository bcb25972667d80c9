"""A holder's name in their badge: put in by the holder, taken out again, never for somebody under age."""

from __future__ import annotations

import json

import pytest

from lrs.composition.steps import drain
from lrs.people import joins, minors
from tests.competency.world import statement
from tests.pages.conftest import text_of
from tests.pages.test_badge_claim import HOLDER, accepted, ann, badge, link
from tests.pages.test_me import ANN, lived

__all__ = ["ann", "badge"]


def names_in(site, badge):
    held = json.loads(site.tenant.store.get("credential", badge.id).body)
    found = held["credentialSubject"].get("identifier", [])
    return [one["identityHash"] for one in found if one["identityType"] == "name"]


@pytest.fixture
def browser(site, badge):
    site.tenant.store.write(lambda tx: joins.trust(tx, "vle", "test")).result()
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
    browser.send(browser.get(path), path, act="share")
    shared = text_of(browser.get(path))
    browser.send(browser.get(path), path, act="stop")
    browser.send(browser.get(path), path, act="no-name")
    drain(site.tenant)

    assert before == []
    assert f"Put my name in: {HOLDER}" in text_of(page)
    assert put.status_code == 303
    assert named == [HOLDER]
    assert f"The badge names you as {HOLDER}" in told
    assert f"The badge itself names you as {HOLDER}." in told
    assert "Your name is not shown there." not in shared
    assert f"whoever has the address reads {HOLDER} in the picture and in the signed badge" in shared
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


def test_a_name_counts_only_from_an_identity_authority_and_the_page_says_from_which(site, badge):
    path = link(site, badge)
    browser = accepted(site, path)
    unknown = text_of(browser.get(path))
    site.tenant.store.write(lambda tx: joins.trust(tx, "registry", "test")).result()
    mouse = {**ANN, "name": "Mickey Mouse"}
    site.world.send(statement("typed by a trainer", mouse), source="centre")
    still = text_of(browser.get(path))
    site.world.send(statement("enrolled", {**ANN, "name": HOLDER}), source="registry")
    site.world.send(statement("typed again", mouse), source="centre")
    told = text_of(browser.get(path))

    assert "Put my name in" not in unknown
    assert "Put my name in" not in still
    assert f"Put my name in: {HOLDER}" in told
    assert f"Show my name there, too: {HOLDER}" in told
    assert "The name is as registry gave it." in told


def test_a_name_is_taken_out_of_the_badge_when_its_holder_is_noted_as_under_age(site, badge, ann, browser):
    browser, path = browser
    browser.send(browser.get(path), path, act="name")
    drain(site.tenant)
    named = names_in(site, badge)

    site.tenant.store.write(lambda tx: minors.note(tx, ann, None, by="test")).result()
    drain(site.tenant)

    assert named == [HOLDER]
    assert names_in(site, badge) == []
    assert "The badge names you as" not in text_of(browser.get(path))


def test_a_name_is_taken_out_of_the_badge_while_its_holder_is_one_with_somebody_under_age(site, badge, ann, browser):
    def named(act):
        site.tenant.store.write(act).result()
        drain(site.tenant)
        return names_in(site, badge)

    browser, path = browser
    young = lived(site, {"mbox": "mailto:ann@school.example"}, "Ann")
    browser.send(browser.get(path), path, act="name")
    alone = named(lambda tx: minors.note(tx, young, None, by="test"))
    joined = named(lambda tx: joins.merge(tx, ann, young, "test"))
    parted = named(lambda tx: joins.unmerge(tx, young, "test"))
    again = named(lambda tx: joins.merge(tx, ann, young, "test"))
    of_age = named(lambda tx: minors.clear(tx, ann, by="test"))
    noted = named(lambda tx: minors.note(tx, young, None, by="test"))
    apart = named(lambda tx: joins.unmerge(tx, young, "test"))

    assert (alone, joined, parted, again) == ([HOLDER], [], [HOLDER], [])
    assert (of_age, noted, apart) == ([HOLDER], [], [])
