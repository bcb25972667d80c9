"""Staff suspend, resume and revoke badges in the browser, one or many, and see before what follows."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from badges.achievements.counts import achievement_of
from badges.held import certificates, stops
from lrs.composition.steps import drain
from lrs.storage import each
from tests.pages.conftest import Site, text_of
from tests.pages.members import signed_in
from tests.pages.test_me import lived
from tests.pages.test_me import signed_in as as_learner

WHY = "Nobody supervised the assessment"
MANY = "/staff/revoke-badges"


@pytest.fixture
def badges(site):
    lived(site)
    return list(each(site.tenant.store, "credential"))


@pytest.fixture
def steward(site):
    return signed_in(site, "steward", name="Sam Steward")


def stopped(site):
    return {record.id: json.loads(record.body)["state"] for record in each(site.tenant.store, "badge-stop")}


def states(site):
    return [record.meta["state"] for record in each(site.tenant.store, "credential")]


def done_by(site, browser):
    acts = [action for action, by in site.audit() if by == f"staff {browser.member}"]
    return [action for action in acts if action != "session.opened"]


def test_a_badge_is_suspended_and_resumed_from_the_learners_page_and_each_says_what_follows(site, badges, steward):
    badge = badges[0]
    learner, place = f"/staff/learners/{badge.meta['person']}", f"/staff/badge/{badge.id}"

    asked = steward.send(steward.get(learner), place, act="suspend", reason=WHY)
    before = stopped(site)
    done = steward.send(asked, place, act="suspend", reason=WHY, sure="yes")
    drain(site.tenant)
    page, suspended = text_of(steward.get(done.headers["location"])), states(site)
    shown = text_of(steward.get(learner))
    resumed = steward.send(steward.get(learner), place, act="resume")
    waits = text_of(steward.get(resumed.headers["location"]))
    drain(site.tenant)

    assert "The badge is being issued anew, if its level is held." in waits
    assert "If its level is held, the badge is issued anew in a moment" in waits
    assert "not held any more" not in waits
    assert "Suspend this badge?" in text_of(asked)
    assert "not valid until somebody resumes it" in text_of(asked)
    assert before == {}
    assert "The badge is suspended." in page
    assert f"State Suspended Why {WHY} Sam Steward" in page, page
    assert sorted(suspended) == ["issued", "revoked"]
    assert "Suspended" in shown
    assert (states(site), stopped(site)) == (["issued", "issued"], {})
    assert done_by(site, steward) == ["badge.suspended_by_hand", "badge.resumed"]


def test_a_badge_is_revoked_with_a_reason_and_issued_again(site, badges, steward):
    place = f"/staff/badge/{badges[0].id}"

    without = steward.send(steward.get(place), place, act="revoke", reason="  ")
    steward.send(steward.get(place), place, act="revoke", reason=WHY, sure="yes")
    drain(site.tenant)
    page = steward.get(place)
    revoked = stopped(site)
    again = steward.send(page, place, act="issue")
    drain(site.tenant)

    assert without.status_code == 400
    assert "The reason takes 1 to 500 characters: say in a sentence why." in text_of(without)
    assert 'id="reason-error"' in without.text
    assert revoked == {badges[0].id: "revoked"}
    assert again.headers["location"] == f"{place}?done=badge_again"
    assert states(site) == ["issued", "issued"]


def test_an_act_that_does_not_fit_is_refused_on_the_page(site, badges, steward):
    place = f"/staff/badge/{badges[0].id}"

    answers = {act: steward.send(steward.get(place), place, act=act).status_code for act in ("resume", "delete", "")}

    assert answers == {"resume": 409, "delete": 400, "": 400}
    assert stopped(site) == {}


def test_only_stewards_and_administrators_stop_badges(site, badges):
    place, learner = f"/staff/badge/{badges[0].id}", f"/staff/learners/{badges[0].meta['person']}"
    for role in ("trainer:vle", "provider:vle", "auditor"):
        browser = signed_in(site, role)

        assert browser.get(place).status_code == browser.get(MANY).status_code == 403
        assert f'action="{place}"' not in browser.get(learner).text


def test_all_badges_of_a_kind_are_revoked_once_their_number_is_typed(site, badges, steward):
    wanted = {"achievement": achievement_of(badges[0]), "ids": "", "reason": WHY}
    gone = replace(badges[0], id="7d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a02", meta=badges[0].meta | {"state": "revoked"})
    site.tenant.store.write(lambda tx: tx.put(replace(gone, seq=0, rev=0))).result()

    looked = steward.send(steward.get(MANY), MANY, act="look", **wanted)
    wrong = steward.send(looked, MANY, act="revoke", expected="2")
    words = steward.send(looked, MANY, act="revoke", expected="all")
    before = stopped(site)
    done = steward.send(looked, MANY, act="revoke", expected="1")
    nothing = steward.send(steward.get(MANY), MANY, act="look", **wanted)

    assert "1 badge would be revoked Ann Smith" in text_of(looked), text_of(looked)
    assert "And " not in text_of(looked)
    assert (wrong.status_code, words.status_code, done.status_code) == (409, 400, 303)
    assert "It is about 1 badge, and 2 was typed. Nothing was done" in text_of(wrong)
    assert before == {}
    assert stopped(site) == {badges[0].id: "revoked"}
    assert "there is no badge among them that is not revoked yet" in text_of(nothing)
    assert done_by(site, steward) == ["badge.revoked_by_hand"]


def test_badges_that_the_page_did_not_show_are_not_revoked_though_their_number_is_right(site, badges, steward):
    looked = steward.send(steward.get(MANY), MANY, act="look", achievement="", ids=badges[0].id, reason=WHY)

    other = steward.send(looked, MANY, act="revoke", expected="1", ids=badges[1].id)

    assert other.status_code == 409
    assert "Other badges would be revoked than the page showed. Nothing was done" in text_of(other)
    assert stopped(site) == {}


def test_more_badges_than_the_page_names_are_revoked_once_their_number_is_typed(site, badges, steward, monkeypatch):
    monkeypatch.setattr("badges.pages.stopping_view.SHOWN", 1)
    ids = [one.id for one in badges]

    looked = steward.send(steward.get(MANY), MANY, act="look", achievement="", ids="\n".join(ids), reason=WHY)
    done = steward.send(looked, MANY, act="revoke", expected="2")

    assert "And 1 more" in text_of(looked)
    assert done.status_code == 303
    assert stopped(site) == dict.fromkeys(ids, "revoked")


def test_badges_are_revoked_by_their_numbers_and_none_if_one_is_not_there(site, badges, steward):
    ids = [f"urn:uuid:{one.id}" for one in badges]
    gone = "7d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a02"

    def send(ids, **more):
        return steward.send(steward.get(MANY), MANY, achievement="", ids="\n".join(ids), reason=WHY, **more)

    answers = [send([*ids, gone], act="look"), send(["mine"], act="look"), send([], act="look")]
    answers.append(send([*ids, gone], act="revoke", expected="2"))
    before = stopped(site)
    done = steward.send(send(ids, act="look"), MANY, act="revoke", expected="2")

    assert [one.status_code for one in answers] == [400] * 4
    assert f"There is no badge {gone} here." in text_of(answers[0])
    assert "'mine' is not the number of a badge." in text_of(answers[1])
    assert "one of both" in text_of(answers[2])
    assert before == {}
    assert done.status_code == 303
    assert stopped(site) == dict.fromkeys([one.id for one in badges], "revoked")


def test_a_learner_makes_the_codes_of_a_badge_that_was_taken_back_void(tmp_path):
    site = Site(tmp_path, pages_url="http://lrs.test")
    ann = lived(site)
    badge = next(each(site.tenant.store, "credential"))
    stops.stop(site.tenant, [badge.id], "revoked", reason=WHY, by="test")
    address = f"/t/default/check/{certificates.code_of(site.tenant, badge.id)}"
    learner = as_learner(site, ann)

    before = learner.get(address)
    done = learner.send(learner.get("/me"), f"/me/badges/{badge.id}/take", act="void", back="me")
    said, after = text_of(learner.get(done.headers["location"])), learner.get(address)
    taken = learner.get(f"/me/badges/{badge.id}/take")
    site.close()

    assert (before.status_code, "does not count any more" in text_of(before)) == (200, True)
    assert done.headers["location"] == "/me?done=badge_codes_void"
    assert "they lead nowhere now" in said
    assert (after.status_code, taken.status_code) == (404, 410)
