"""A name that staff confirmed: who may, what is kept, what the learner is offered, what goes when it is taken back."""

from __future__ import annotations

import pytest

from lrs.composition.steps import drain
from lrs.people import confirmed_names, joins
from lrs.people.confirmed_names import ConfirmedName
from lrs.people.search import search
from tests.competency.world import statement
from tests.pages.conftest import text_of
from tests.pages.members import signed_in
from tests.pages.test_badge_claim import accepted, ann, badge, link, shared_path
from tests.pages.test_badge_names import names_in
from tests.pages.test_me import ANN
from tests.pages.test_me import signed_in as learner_in

__all__ = ["ann", "badge"]
GIVEN = {"act": "confirm", "name": "Ann  Mary Smith", "how": "passport, at the centre", "sure": "yes"}


@pytest.fixture
def steward(site):
    return signed_in(site, "steward", name="Sam Steward")


def confirm(steward, ann, **told):
    page = steward.get(f"/staff/learners/{ann}")
    return steward.send(page, f"/staff/learners/{ann}/name", **{**GIVEN, **told})


def test_a_confirmed_name_is_offered_put_in_and_taken_out_when_it_is_taken_back(site, badge, ann, steward):
    browser, path = accepted(site, link(site, badge)), f"/staff/learners/{ann}"
    own = link(site, badge)
    browser = accepted(site, own)
    before = text_of(browser.get(own))

    assert confirm(steward, ann).headers["location"] == f"{path}?done=name_confirmed"
    offered = text_of(browser.get(own))
    unasked = names_in(site, badge)
    browser.send(browser.get(own), own, act="name")
    browser.send(browser.get(own), own, act="share", name="yes")
    drain(site.tenant)
    named, told = names_in(site, badge), text_of(steward.get(path))
    shown = text_of(browser.get(shared_path(browser.get(own))))
    steward.send(steward.get(path), f"{path}/name", act="withdraw")
    drain(site.tenant)

    assert "Put my name in" not in before
    assert "Put my name in: Ann Mary Smith" in offered
    assert "Your organisation confirmed the name on " in offered
    assert ", from a proof of who you are." in offered
    assert unasked == []
    assert named == ["Ann Mary Smith"]
    assert "Ann Mary Smith" in shown
    assert "Confirmed name Ann Mary Smith How it was seen passport, at the centre By whom, when Sam Steward , " in told
    assert names_in(site, badge) == []
    assert "Ann Mary Smith" not in text_of(browser.get(own))
    assert "Ann Mary Smith" not in text_of(browser.get(shared_path(browser.get(own))))
    mine = [action for action, by in site.audit() if by == f"staff {steward.member}"]
    assert mine == ["session.opened", "person.name-confirmed", "person.name-withdrawn"]


def test_no_statement_renames_somebody_whose_name_is_confirmed(site, ann, steward):
    path, own = f"/staff/learners/{ann}", learner_in(site, ann)
    confirm(steward, ann)
    site.world.send(statement("later", {**ANN, "name": "Annie"}))
    site.world.work()
    drain(site.tenant)
    named = [text_of(steward.get(page)) for page in (path, "/staff/learners")]
    named.append(text_of(own.get("/me")))
    found = [one.name for one in search(site.tenant, "mary").found]
    steward.send(steward.get(path), f"{path}/name", act="withdraw")
    drain(site.tenant)
    after = [text_of(steward.get(page)) for page in (path, "/staff/learners")] + [text_of(own.get("/me"))]

    assert ["Ann Mary Smith" in page for page in named] == [True] * 3
    assert found == ["Ann Mary Smith"]
    assert [("Annie" in page, "Ann Mary Smith" in page) for page in after] == [(True, False)] * 3


def test_what_staff_confirm_comes_before_what_an_identity_authority_sends(site, ann):
    store = site.tenant.store
    store.write(lambda tx: joins.trust(tx, "registry", "test")).result()
    site.world.send(statement("enrolled", {**ANN, "name": "A. Smith"}), source="registry")
    sent = confirmed_names.vouched_name(store, ann)
    seen = ConfirmedName("Ann Smith", "passport", 7, "staff 1")
    store.write(lambda tx: confirmed_names.confirm(tx, ann, seen)).result()
    confirmed = confirmed_names.vouched_name(store, ann)
    store.write(lambda tx: confirmed_names.withdraw(tx, ann, by="staff 1")).result()

    assert (sent.text, sent.source, sent.is_confirmed) == ("A. Smith", "registry", False)
    assert (confirmed.text, confirmed.at, confirmed.is_confirmed) == ("Ann Smith", 7, True)
    assert confirmed_names.vouched_name(store, ann) == sent


def test_names_confirmed_of_two_who_turn_out_to_be_one_give_way_together(site, ann):
    def confirmed(act):
        store.write(act).result()
        return [getattr(confirmed_names.vouched_name(store, one), "text", "") for one in (ann, bea)]

    site.world.send(statement("bea", {"mbox": "mailto:bea@example.org"}))
    site.world.work()
    store, bea = site.tenant.store, site.world.person({"mbox": "mailto:bea@example.org"})
    old, new, last = (ConfirmedName(name, "passport", at, "staff 1") for at, name in enumerate(("Ann", "Bea", "Eva")))
    confirmed(lambda tx: confirmed_names.confirm(tx, ann, old))
    two = confirmed(lambda tx: confirmed_names.confirm(tx, bea, new))
    one = confirmed(lambda tx: joins.merge(tx, ann, bea, "test"))
    gone = confirmed(lambda tx: confirmed_names.withdraw(tx, bea, by="staff 1"))
    confirmed(lambda tx: joins.unmerge(tx, bea, "test"))
    confirmed(lambda tx: confirmed_names.confirm(tx, bea, new))
    confirmed(lambda tx: joins.merge(tx, ann, bea, "test"))
    again = confirmed(lambda tx: confirmed_names.confirm(tx, bea, last))
    taken = confirmed(lambda tx: confirmed_names.withdraw(tx, ann, by="staff 1"))

    assert (two, one, gone) == (["Ann", "Bea"], ["Bea", "Bea"], ["", ""])
    assert (again, taken) == (["Eva", "Eva"], ["", ""])


def test_another_name_that_is_confirmed_is_in_no_badge_before_the_learner_says_so(site, badge, ann, steward):
    own = link(site, badge)
    browser = accepted(site, own)
    confirm(steward, ann)
    browser.send(browser.get(own), own, act="name")
    drain(site.tenant)

    confirm(steward, ann, name="Ann Jones")
    drain(site.tenant)

    assert names_in(site, badge) == []
    assert "Put my name in: Ann Jones" in text_of(browser.get(own))


FAULTS = (
    ({"name": " "}, "name", "The name is missing: write it in words."),
    ({"name": "12"}, "name", "The name is missing: write it in words."),
    ({"name": "A" * 101}, "name", "The name takes at most 100 characters."),
    ({"name": "Ann\u202egnp"}, "name", "a character in it that cannot be seen"),
    ({"name": "Ann\x07"}, "name", "a character in it that cannot be seen"),
    ({"how": ""}, "how", "How you saw it is missing: write it in words."),
    ({"sure": ""}, "sure", "Confirm that you saw the proof yourself."),
    ({"sure": "no"}, "sure", "Confirm that you saw the proof yourself."),
)


def test_what_cannot_be_confirmed_is_said_beside_its_field(site, ann, steward):
    for told, at, said in FAULTS:
        answer = confirm(steward, ann, **told)

        assert answer.status_code == 400
        assert f'id="{at}-error"' in answer.text
        assert said in text_of(answer)
    assert site.tenant.store.count("confirmed-name") == 0


def test_nobody_with_a_narrow_reach_confirms_or_reads_a_confirmed_name(site, ann, steward):
    confirm(steward, ann)
    for role in ("trainer:vle", "provider:vle", "auditor"):
        browser = signed_in(site, role)
        page = browser.get(f"/staff/learners/{ann}")

        refused = browser.ask("POST", f"/staff/learners/{ann}/name", data=GIVEN)
        rows = browser.get("/staff/learners.csv").text if role != "auditor" else ""

        assert refused.status_code == 403
        assert "passport" not in page.text
        assert "Mary" not in page.text + rows


def test_the_name_is_the_persons_after_a_join(site, ann):
    site.world.send(statement("one", {"mbox": "mailto:ann@home.example"}))
    site.world.work()
    other = site.world.person({"mbox": "mailto:ann@home.example"})
    store = site.tenant.store
    store.write(lambda tx: joins.merge(tx, ann, other, "test")).result()

    store.write(
        lambda tx: confirmed_names.confirm(tx, other, ConfirmedName("Ann Mary Smith", "passport", 7, "x"))
    ).result()

    assert confirmed_names.vouched_name(store, ann).text == "Ann Mary Smith"
    assert [one.id for one in store.get_many("confirmed-name", [ann, other]).values()] == [ann]


def test_where_no_name_is_confirmed_none_is_taken_back_and_nothing_is_put_down(site, ann, steward):
    before = site.audit()

    answer = confirm(steward, ann, act="withdraw")

    assert answer.headers["location"] == f"/staff/learners/{ann}?done=gone"
    assert site.audit() == before


def test_of_two_confirmed_names_of_persons_who_turn_out_to_be_one_the_newer_is_kept(site, ann):
    site.world.send(statement("one", {"mbox": "mailto:ann@home.example"}))
    site.world.work()
    other, store = site.world.person({"mbox": "mailto:ann@home.example"}), site.tenant.store
    for person, name, at in ((ann, "Ann One", 7), (other, "Ann Two", 9)):
        seen = ConfirmedName(name, "passport", at, "x")
        store.write(lambda tx, person=person, seen=seen: confirmed_names.confirm(tx, person, seen)).result()

    store.write(lambda tx: joins.merge(tx, ann, other, "test")).result()

    assert confirmed_names.vouched_name(store, ann).text == "Ann Two"
