"""Persons that may be one: the list, the two side by side with what speaks for and against, and the acts with undo."""

from __future__ import annotations

import re

import pytest

from lrs.competency.listed import CalledBy, ListedLearner
from lrs.composition.steps import drain
from lrs.pages import same_person_view
from lrs.people import joins
from lrs.people.ids import identified, ids_of
from lrs.people.persons import members_of, minter
from tests.competency.world import ASEPTIC, statement
from tests.pages.conftest import Site, text_of
from tests.pages.test_learners import STEPS, member
from tests.rows import each_of

LIST = "/staff/same-person"
HOME = {"mbox": "mailto:ann@home.example", "name": "Ann <i>Able</i>"}
WORK = {"account": {"homePage": "https://vle.example", "name": "ann"}, "name": "ann <I>able</I>"}
NUMBERS = [{"account": {"homePage": "https://www.gov.uk/uln", "name": name}} for name in ("1000001376", "1000002119")]


def suggest(site, one, other, source="roster"):
    mint = minter(site.tenant.secret("person-ids"))
    pair = [identified(each, ids_of(site.tenant)) for each in (one, other)]
    return site.world.write(lambda tx: joins.link(tx, *pair, source=source, mint=mint))


@each_of(
    ("here", "there", "against"),
    [
        (["Ann Able"], ["ann  ABLE"], []),
        (["Ann Able", "A. Able"], ["Zoe", "Anna Able"], ["One is called Ann Able, the other Zoe"]),
        (["Zo\u00eb"], ["Zoe"], []),
        (["Ann Able"], [], []),
        (["Ann Able", "A. Able"], ["Zoe", "a. able"], []),
    ],
)
def test_two_who_have_no_name_in_common_are_said_to_be_called_otherwise(here, there, against):
    one, other = (ListedLearner(tuple(CalledBy(name, ()) for name in names)) for names in (here, there))

    assert same_person_view.against_it(one, other, None) == against
    assert same_person_view.against_it(one, other, "both have another x") == ["Both have another x", *against]


@pytest.fixture
def two(site: Site) -> tuple[str, str]:
    """Two persons, of whom a file says that they are one."""
    site.world.send(statement("home", HOME))
    site.world.send(statement("work", WORK, activity=ASEPTIC), source="centre")
    suggest(site, HOME, WORK)
    drain(site.tenant, STEPS)
    return site.world.person(HOME), site.world.person(WORK)


def test_two_whom_nothing_suggests_are_put_side_by_side_by_what_they_are_known_by(site, browser):
    site.world.send(statement("home", HOME))
    site.world.send(statement("work", WORK, activity=ASEPTIC))
    drain(site.tenant, STEPS)
    one, other = site.world.person(HOME), site.world.person(WORK)

    led = browser.send(browser.get(LIST), LIST, one="ann@home.example", other="https://vle.example|ann")
    nobody = browser.send(browser.get(LIST), LIST, one="ann@home.example", other="bea@home.example")
    several = browser.send(browser.get(LIST), LIST, one="able", other="ann@home.example")
    same = browser.send(browser.get(LIST), LIST, one="ann@home.example", other="ann@home.example")

    assert (led.status_code, led.headers["location"]) == (303, f"{LIST}/{one}/{other}")
    assert "Nobody is known by that" in text_of(nobody)
    assert "Several are known by that" in text_of(several)
    assert "Both are one learner already" in text_of(same)
    assert [each.status_code for each in (nobody, several, same)] == [400, 400, 400]
    assert 'value="ann@home.example"' in nobody.text
    kept = browser.send(browser.get(f"{LIST}/{one}/{other}"), f"{LIST}/{one}/{other}", act="apart")
    apart = browser.get(f"{LIST}.json?kept=apart").json()
    assert kept.headers["location"] == f"{LIST}?done=apart"
    assert [(row["reason"], row["source"]) for row in apart] == [("kept apart by hand", "")]
    assert "Somebody decided that they are two persons." in text_of(browser.get(f"{LIST}/{one}/{other}"))
    assert browser.send(browser.get(f"{LIST}/{one}/{other}"), f"{LIST}/{one}/{other}", act="join").status_code == 303


def test_a_pair_is_listed_with_its_reason_and_stands_side_by_side(browser, two):
    one, other = two
    path = f"{LIST}/{one}/{other}"

    rows = browser.get(f"{LIST}.json").json()
    page, start = browser.get(path), browser.get("/staff")
    text = text_of(page)

    assert "<button>Join them" in page.text
    assert [(row["reason"], row["source"], row["against"]) for row in rows] == [
        ("one row carries both", "roster", "Nothing")
    ]
    # which of them is the first follows from their ids, which are others in each store
    assert [{row["one"], row["other"]} for row in rows] == [
        {"Ann <i>Able</i>, ann@home.example E-mail", "ann <I>able</I>, ann Account at https://vle.example"}
    ]
    assert f'href="{LIST}/' in browser.get(LIST).text
    assert "ann@home.example" in browser.get(f"{LIST}.csv?source=roster").text
    assert "for it one row carries both (from roster) both are called ann <i>able</i>" in text.lower()
    assert "Against it Nothing that is known" in text
    assert "GOWN Gowning: 1 Awareness" in text
    assert "ASEP Aseptic technique: 2 Skilled" in text or "ASEP Aseptic technique: 2" in text
    assert "<i>Able" not in page.text
    assert "Same person? : 1 to decide" in text_of(start)


def test_each_side_is_the_whole_person(site, browser, two):
    further = {"mbox": "mailto:further@home.example", "name": "Ann of the Lab"}
    site.world.send(statement("further", further, activity=ASEPTIC))
    drain(site.tenant, STEPS)
    joined = site.world.person(further)
    site.world.write(lambda tx: joins.merge(tx, two[0], joined, "test"))
    drain(site.tenant, STEPS)

    first = text_of(browser.get(f"{LIST}/{two[0]}/{two[1]}")).partition("Consents that hold")[0]

    assert "ann@home.example" in first
    assert "further@home.example" in first
    assert "GOWN Gowning" in first
    assert "ASEP Aseptic" in first


def test_they_are_joined_and_taken_apart_again(site, browser, two):
    one, other = two
    path = f"{LIST}/{one}/{other}"

    joined = browser.send(browser.get(path), path, act="join")
    together = members_of(site.tenant.store, one)
    after = browser.get(path)
    listed_after = browser.get(f"{LIST}.json").json()
    parted = browser.send(after, path, act="part")

    assert (joined.headers["location"], set(together)) == (f"{path}?done=joined", {one, other})
    assert "They are one person" in text_of(after)
    assert listed_after == []
    assert parted.headers["location"] == f"{path}?done=parted"
    assert members_of(site.tenant.store, one) == (one,)
    by = f"key {site.operator.key}"
    assert [entry for entry in site.audit() if entry[0].startswith("persons.")] == [
        ("persons.merged", by),
        ("persons.unmerged", by),
    ]


def test_they_are_kept_apart_and_that_is_taken_back(browser, two):
    one, other = two
    path = f"{LIST}/{one}/{other}"

    browser.send(browser.get(path), path, act="apart")
    waiting, apart = browser.get(f"{LIST}.json").json(), browser.get(f"{LIST}?kept=apart")
    browser.send(browser.get(path), path, act="back")

    assert waiting == []
    assert "One row carries both" in apart.text
    assert len(browser.get(f"{LIST}.json").json()) == 1


def test_two_that_contradict_each_other_are_joined_only_if_somebody_says_so(site, browser):
    for name, actor in zip("ab", NUMBERS, strict=True):
        site.world.send(statement(name, actor))
    drain(site.tenant, STEPS)
    suggest(site, *NUMBERS)
    one, other = map(site.world.person, NUMBERS)
    path = f"{LIST}/{one}/{other}"
    page = browser.get(path)

    refused = browser.send(page, path, act="join", despite="")
    still = members_of(site.tenant.store, one)
    browser.ask("POST", path, data={"form": form_in(page), "act": "join", "despite": "yes"})

    assert refused.status_code == 409
    assert "contradict each other" in text_of(refused)
    assert "Against it Both have another" in text_of(page)
    assert '<button class="second">Join them' in page.text
    assert (still, len(members_of(site.tenant.store, one))) == ((one,), 2)
    assert browser.get(f"{LIST}.json").json() == []


def form_in(page):
    return page.text.partition('name="form" value="')[2].partition('"')[0]


@pytest.fixture
def three(site: Site) -> list[str]:
    """A stranger, and two who are one person."""
    actors = [{"mbox": f"mailto:{name}@example.org"} for name in "abc"]
    for actor in actors:
        site.world.send(statement(actor["mbox"], actor))
    drain(site.tenant, STEPS)
    a, b, c = map(site.world.person, actors)
    site.world.write(lambda tx: joins.merge(tx, b, c, "test"))
    return [a, b, c]


def test_two_who_are_not_one_are_not_parted_from_others(site, browser, three):
    a, b, c = three
    before = len(site.audit())

    for members in ("", f"{b} {c}", f"{a} {b}"):
        form = {"form": form_in(browser.get(f"{LIST}/{a}/{b}")), "act": "part", "members": members}
        answer = browser.ask("POST", f"{LIST}/{a}/{b}", data=form)

        assert (answer.status_code, "These two are not one person" in text_of(answer)) == (409, True)

    assert members_of(site.tenant.store, b) == (b, c)
    assert len(site.audit()) == before


def test_who_leaves_is_shown_with_whom_they_were_one_and_leaves_unless_the_group_has_changed(site, browser, three):
    a, b, c = three
    path = f"{LIST}/{a}/{b}"
    pair = browser.get(f"{LIST}/{b}/{c}")
    site.world.write(lambda tx: joins.merge(tx, a, b, "test"))

    stale = browser.send(pair, f"{LIST}/{b}/{c}", act="part")
    together = members_of(site.tenant.store, a)
    page = browser.get(path)
    parted = browser.send(page, path, act="part")

    assert (stale.status_code, "has changed since this page was shown" in text_of(stale)) == (409, True)
    assert together == (a, b, c)
    assert leaving_in(stale) == ["c@example.org"]
    assert leaving_in(page) == ["b@example.org, c@example.org"]
    assert parted.headers["location"] == f"{path}?done=parted"
    assert [members_of(site.tenant.store, one) for one in three] == [(a,), (b, c), (b, c)]


def test_who_is_parted_from_somebody_by_others_leaves_alone(site, browser, three):
    a, b, c = three
    site.world.write(lambda tx: joins.merge(tx, a, b, "test"))
    path = f"{LIST}/{a}/{c}"

    page = browser.get(path)
    browser.send(page, path, act="part")

    assert leaving_in(page) == ["c@example.org"]
    assert [members_of(site.tenant.store, one) for one in three] == [(a, b), (a, b), (c,)]


def leaving_in(page):
    listed = page.text.partition('<ul id="leaving">')[2].partition("</ul>")[0]
    return [re.sub("<[^>]+>", "", line) for line in re.findall("<li>(.+?)</li>", listed)]


@pytest.mark.parametrize("act", ["", "delete", "part"])
def test_an_act_that_is_none_or_cannot_be_done_changes_nothing(site, browser, two, act):
    one, other = two
    path = f"{LIST}/{one}/{other}"
    before = len(site.audit())

    answer = browser.ask("POST", path, data={"form": form_in(browser.get(path)), "act": act})

    assert answer.status_code in {400, 409}
    assert 'role="alert"' in answer.text
    assert len(site.audit()) == before


def test_who_may_not_join_sees_no_pair_and_another_organisation_none_of_ours(site, two):
    one, other = two
    provider = member(site, "provider", "vle")
    there = member(site, "administrator", base="/t/other", tenant=site.other)

    assert [provider.get(path).status_code for path in (LIST, f"{LIST}.csv", f"{LIST}/{one}/{other}")] == [403] * 3
    assert there.get(f"/t/other{LIST}.json").json() == []
    assert there.get(f"/t/other{LIST}/{one}/{other}").status_code == 404
