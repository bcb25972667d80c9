"""The list of learners: facets, order, files, whom a narrow reach shows, another tenant, and invitations to sign in."""

from __future__ import annotations

import csv
import io
import json
import re
from concurrent.futures import Future
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha1
from itertools import count

import msgspec
import pytest

from lrs.access import staff, staff_acts
from lrs.access.roles import Granted
from lrs.competency import list_owed, listed
from lrs.competency.listed import CalledBy, ListedLearner, ListedSkill
from lrs.composition.steps import drain
from lrs.kernel.errors import Refused
from lrs.matching import registry
from lrs.pages import learners_view
from lrs.pages.lacking import WantedLevel, lacks
from lrs.people import invite_table, joins
from lrs.people.search import somebody
from lrs.storage import Record, Stale, Walk, each
from lrs.web.listing import Asked, ListColumn, ListRow, chosen_rows, listing
from lrs.xapi.statements.validate import VOIDED
from tests.competency.world import ANN, ASEPTIC, GOWNING, statement, statement_id
from tests.pages.conftest import Browser, Site, text_of
from tests.rows import each_of

_numbers = count()
STEPS = ["refs", "match", "evaluate", "issue", "sync", "list"]
LIST = "/staff/learners"
MARKUP, LONG, ARABIC = "<b>Bo</b> \u202e& Co", "Wilhelmina " * 27, "عائشة بنت محمد"
PEOPLE = {
    "ann": ({"mbox": "mailto:ann@example.org", "name": "Ann Able"}, GOWNING, "vle"),
    "bo": ({"mbox": "mailto:bo@example.org", "name": MARKUP}, ASEPTIC, "centre"),
    "mina": ({"account": {"homePage": "https://vle.example", "name": "m-1"}, "name": LONG}, ASEPTIC, "centre"),
    "aisha": (
        {"account": {"homePage": "https://vle.example", "name": "a-7"}, "name": ARABIC},
        "https://x.example",
        "vle",
    ),
}


@pytest.fixture(scope="module")
def known(tmp_path_factory) -> Site:
    """A site with four learners, two of each source; its browser is that of an administrator's key."""
    made = Site(tmp_path_factory.mktemp("learners"))
    for name, (actor, activity, source) in PEOPLE.items():
        made.world.send(statement(name, actor, activity=activity), source=source)
    drain(made.tenant, STEPS)
    made.browser.sign_in(made.operator)
    yield made
    made.close()


def member(site, role, of="", *, base="", tenant=None):
    """A browser in which a member of staff with this role is signed in."""
    tenant = tenant or site.tenant
    email = f"{role}-{next(_numbers)}@example.org"
    made = staff_acts.invite(tenant, email, [Granted(role, of)], by="test", root="http://x.example")
    browser, path = Browser(site.app), f"{base}/invitation/{made.link.rpartition('/')[2]}"
    answer = browser.send(browser.get(path), path, name=role, password="four words in row", again="four words in row")
    assert answer.status_code == 303
    browser.id = made.id
    return browser


def person(site, who):
    return site.world.person(PEOPLE[who][0])


def named(browser, query=""):
    return {one["name"] for one in browser.get(f"{LIST}.json{query}").json()}


def test_the_list_says_what_each_holds_until_when_and_who_told_of_them(known):
    rows = {one["name"]: one for one in known.browser.get(f"{LIST}.json").json()}

    assert rows["Ann Able"] == {
        "name": "Ann Able",
        "known": ["ann@example.org"],
        "skill": ["GOWN Gowning"],
        "level": ["1 Awareness"],
        "until": None,
        "ends": "Later, or never",
        "provider": ["vle"],
        "lacks": [],
        "held": ["GOWN Gowning: 1 Awareness"],
    }
    assert (rows[MARKUP]["until"], rows[MARKUP]["ends"]) == ("2027-11-20", "Within a year")
    assert rows[ARABIC]["ends"] == "Holds nothing"


def test_it_is_chosen_by_facets_sorted_and_taken_away_as_a_table(known):
    page = known.browser.get(LIST)
    chosen = known.browser.get(f"{LIST}.csv?skill=ASEP+Aseptic+technique&provider=centre&sort=-name")
    table = list(csv.reader(io.StringIO(chosen.content.decode("utf-8-sig"))))

    assert 'href="/staff/learners?sort=name&amp;skill=ASEP+Aseptic+technique"' in page.text
    assert table[0][:8] == ["Name", "Known by", "Skills", "Level", "Next to end", "Ends", "Told by", "Lacks"]
    assert table[0][8:] == ["Each skill with its level and end"]
    assert [row[0] for row in table[1:]] == [LONG.strip() + " ", MARKUP]
    assert named(known.browser, "?level=2+Capable") == set()
    assert named(known.browser, "?ends=Holds+nothing") == {ARABIC}
    assert named(known.browser, "?provider=nobody") == set()


def test_those_who_lack_a_level_are_listed_and_taken_away_as_a_table(known):
    page = known.browser.get(f"{LIST}?lacks=ASEP+Aseptic+technique%3A+2+Practitioner")
    table = known.browser.get(f"{LIST}.csv?lacks=GOWN+Gowning%3A+1+Awareness").text

    offered = re.findall(r'<option value="([^"]+)"', page.text)
    assert offered == ["ASEP Aseptic technique: 2 Practitioner", "GOWN Gowning: 1 Awareness"]
    assert "who do not hold <strong>ASEP Aseptic technique: 2 Practitioner</strong>, or a higher level" in page.text
    assert named(known.browser, "?lacks=ASEP+Aseptic+technique%3A+2+Practitioner") == {"Ann Able", ARABIC}
    assert ("Ann Able" in table, ARABIC in table) == (False, True)
    assert named(known.browser, "?lacks=nothing+like+that") == set()


def test_a_narrow_reach_is_told_that_only_its_own_sources_count_for_who_lacks_a_level(known):
    narrow = member(known, "provider", "vle")

    page = narrow.get(f"{LIST}?lacks=ASEP+Aseptic+technique%3A+2+Practitioner")

    assert named(narrow, "?lacks=ASEP+Aseptic+technique%3A+2+Practitioner") == {"Ann Able", ARABIC}
    assert "What other sources proved is not looked at" in page.text


@pytest.mark.parametrize(
    ("level", "state", "until", "is_lacking"),
    [
        ("2 Capable", "held", None, False),
        ("3 Expert", "held", None, False),
        ("1 Aware", "held", None, True),
        ("2 Capable", "expired", date(2026, 1, 1), True),
        ("2 Capable", "expiring", date(2026, 11, 20), True),
        ("2 Capable", "expiring", date(2026, 11, 21), False),
    ],
)
def test_a_level_is_lacking_unless_it_or_a_higher_one_is_held_today(level, state, until, is_lacking):
    skills = [ListedSkill("GOWN Gowning", level, state, until), ListedSkill("ASEP Aseptic", "3 Expert", "held")]

    assert lacks(skills, WantedLevel("GOWN Gowning", 2), date(2026, 11, 21)) is is_lacking


def test_a_skill_ends_within_so_many_days_with_the_last_of_them():
    days = [None, -1, 0, 30, 31, 90, 91, 365, 366]
    today = date(2026, 11, 21)
    skills = [ListedSkill("GOWN", "1", "held", day if day is None else today + timedelta(day)) for day in days]
    found = [("p", ListedLearner(skills=(one,))) for one in skills]

    rows = learners_view.rows(found, today=today, root="", sources=None, chosen={})

    never, year = "Later, or never", "Within a year"
    told = [never, "Over already", *["Within 30 days"] * 2, *["Within 90 days"] * 2, year, year, never]
    assert [row.values["ends"] for row in rows] == told


def test_names_are_text_whatever_they_are(known):
    page = known.browser.get(LIST)

    assert "&lt;b&gt;Bo&lt;/b&gt;" in page.text
    assert "<b>Bo" not in page.text
    assert ARABIC in page.text
    assert LONG.strip() in page.text


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("able ann", "ann"), ("BO@example.org", "bo"), ("https://vle.example|m-1", "mina"), ("a-7", "aisha")],
)
def test_one_is_found_by_a_part_of_a_name_an_address_an_account_and_its_name(known, wanted, found):
    page = known.browser.get(LIST)

    answer = known.browser.send(page, LIST, who=wanted)

    assert answer.headers["location"] == f"{LIST}/{person(known, found)}"


@pytest.mark.parametrize("role", ["provider", "assessor", "trainer"])
def test_a_narrow_reach_shows_only_learners_of_the_own_source(known, role):
    narrow = member(known, role, "centre")
    other = person(known, "ann")

    page = narrow.get(LIST)
    asked = narrow.send(page, LIST, who="ann@example.org")
    alone = narrow.get(f"{LIST}/{person(known, 'bo')}")

    assert named(narrow) == {MARKUP, LONG.strip() + " "}
    assert "ann@example.org" not in narrow.get(f"{LIST}.csv").text
    assert "Ann Able" not in page.text
    assert (asked.status_code, "Nobody is known by that name" in asked.text) == (404, True)
    assert narrow.get(f"{LIST}/{other}").status_code == 404
    assert narrow.get(f"{LIST}/{other}").text.count("Ann") == 0
    assert narrow.get(f"{LIST}?provider=vle").text.count("Ann Able") == 0
    assert alone.status_code == 200
    assert "Who has access" not in alone.text
    assert "Invite to sign in" not in alone.text
    assert narrow.get("/staff/invitations").status_code == 403


def test_a_narrow_reach_sees_no_identifier_by_which_others_know_the_learner(site, browser):
    both = {"mbox": "mailto:both@example.org", "name": "Both"}
    account = {"account": {"homePage": "https://vle.example", "name": "both-1"}}
    site.world.send(statement("both vle", account, activity="https://y.example"), source="vle")
    site.world.send(statement("both centre", both, activity="https://y.example"), source="centre")
    drain(site.tenant, STEPS)
    one, other = (site.world.person(actor) for actor in (both, account))
    site.world.write(lambda tx: joins.merge(tx, one, other, "test"))
    drain(site.tenant, STEPS)
    narrow = member(site, "provider", "centre")

    page, everything = narrow.get(f"{LIST}/{one}"), browser.get(f"{LIST}/{one}")
    rows = [row["known"] for row in narrow.get(f"{LIST}.json").json() if row["name"] == "Both"]

    assert "both-1" in everything.text
    assert "both@example.org" in page.text
    assert "both-1" not in page.text
    assert rows == [["both@example.org"]]


def test_a_narrow_reach_sees_no_name_that_only_others_told(site, browser):
    mailbox = {"mbox": "mailto:sam@example.org"}
    former, now = mailbox | {"name": "Samuel Former"}, mailbox | {"name": "Sam"}
    site.world.send(statement("as vle says", former, activity="https://y.example"), source="vle")
    site.world.send(statement("as centre says", now, activity="https://y.example"), source="centre")
    site.world.send(statement("nameless", mailbox, activity="https://y.example"), source="south")
    drain(site.tenant, STEPS)
    sam = site.world.person(mailbox)
    vle, centre, south = (member(site, "provider", source) for source in ("vle", "centre", "south"))

    told = {one: text_of(one.get(f"{LIST}/{sam}")) + one.get(f"{LIST}.csv").text for one in (vle, centre, south)}
    asked = vle.send(vle.get(LIST), LIST, who="sam")
    by_others = south.send(south.get(LIST), LIST, who="Samuel")

    assert [("Samuel Former" in told[one], "Sam," in told[one]) for one in (vle, centre, south)] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert re.search(r"\bSam(uel)?\b", told[south]) is None
    assert asked.headers["location"] == f"{LIST}/{sam}"
    assert (by_others.status_code, "Nobody is known by that name" in by_others.text) == (404, True)
    assert browser.get(f"{LIST}.json").json()[0]["name"] == "Sam"


def test_where_not_all_can_be_written_together_the_step_ends_when_each_was_and_raises_what_failed(site):
    for name in ("Ann", "Bea"):
        actor = {"mbox": f"mailto:{name}@example.org", "name": name}
        site.world.send(statement(name, actor, activity="https://y.example"))
    drain(site.tenant, ["match"])
    claims = site.tenant.store.claim(["list"], limit=9, lease=60_000_000)
    waited = []
    together, one, other = futures = [Waited(waited) for _ in range(3)]
    together.set_exception(Stale("lease"))
    one.set_exception(OSError("the disk went"))
    other.set_result(None)

    with pytest.raises(OSError, match="the disk went"):
        listed.list_learners(replace(site.tenant, store=Settling(site.tenant.store, list(futures))), claims)

    assert waited == futures


class Waited(Future):
    """A future that says that somebody waited for it."""

    def __init__(self, waited):
        super().__init__()
        self._waited = waited

    def exception(self, timeout=None):
        self._waited.append(self)
        return super().exception(timeout)


class Settling:
    """A store that settles with the futures that it was given."""

    def __init__(self, store, futures):
        self._store, self._futures = store, futures

    def __getattr__(self, name):
        return getattr(self._store, name)

    def settle(self, *_, **__):
        return self._futures.pop(0)


def test_a_search_tells_nobody_whose_an_address_is_that_only_others_know(site, browser):
    known, private = "ann@provider.example", "secret-private@home.example"
    for source, address in (("north", known), ("vle", private)):
        actor = {"mbox": f"mailto:{address}"}
        site.world.send(statement(source, actor, activity="https://y.example"), source=source)
    drain(site.tenant, STEPS)
    one, other = (site.world.person({"mbox": f"mailto:{address}"}) for address in (known, private))
    site.world.write(lambda tx: joins.merge(tx, one, other, "test"))
    drain(site.tenant, STEPS)
    north = member(site, "provider", "north")
    hashed = sha1(f"mailto:{private}".encode(), usedforsecurity=False).hexdigest()

    asked = [
        north.send(north.get(LIST), LIST, who=who) for who in (private, f"mailto:{private}", hashed, "nobody@x.example")
    ]

    assert [answer.status_code for answer in asked] == [404] * 4
    assert north.send(north.get(LIST), LIST, who=known).headers["location"] == f"{LIST}/{one}"
    assert browser.send(browser.get(LIST), LIST, who=private).status_code == 303


VICTIM = {"mbox": "mailto:victim@vle.example"}


def test_a_statement_about_somebody_shows_its_source_nothing_that_others_proved(site, browser):
    north = member(site, "provider", "north")
    site.world.send(statement("of the vle", VICTIM, timestamp="2026-11-19T10:00:00Z"), source="vle")
    site.world.send(statement("any", VICTIM, activity="https://north.example/x"), source="north")
    drain(site.tenant, STEPS)
    victim = site.world.person(VICTIM)
    hidden = ("GOWN", "Awareness", GOWNING, statement_id("of the vle"), "90")
    everything = browser.get(f"{LIST}/{victim}").text

    places = (f"{LIST}/{victim}", LIST, f"{LIST}.csv", f"{LIST}.json", "/provider")
    pages = [north.get(place).text for place in places]
    (row,) = north.get(f"{LIST}.json").json()

    assert [one for one in hidden if one not in everything] == []
    assert [one for text in pages for one in hidden[:4] if one in text] == []
    assert "Badges (0)" in pages[0]
    assert (row["known"], row["skill"], row["level"], row["ends"]) == (["victim@vle.example"], [], [], "Holds nothing")
    assert north.get(f"{LIST}.json?skill=GOWN+Gowning").json() == []


def test_a_narrow_reach_shows_the_level_the_badge_and_the_evidence_that_its_own_source_proved(site):
    centre, vle = (member(site, "provider", source) for source in ("centre", "vle"))
    site.world.send(statement("gown", ANN), source="vle")
    site.world.send(statement("asep", ANN, activity=ASEPTIC), source="centre")
    site.world.send(statement("asep too", ANN, activity=ASEPTIC), source="vle")
    drain(site.tenant, STEPS)

    page = text_of(centre.get(f"{LIST}/{site.world.person(ANN)}"))
    (row,) = centre.get(f"{LIST}.json").json()

    assert "Skills (1)" in page
    assert "Badges (1)" in page
    assert "1 piece of evidence" in page
    assert statement_id("asep") in page
    assert [one for one in ("GOWN", statement_id("gown"), statement_id("asep too")) if one in page] == []
    assert row["skill"] == ["ASEP Aseptic technique"]
    assert "ASEP Aseptic technique" in vle.get(f"{LIST}.json").json()[0]["skill"]  # both have proved it


def test_a_role_that_is_taken_away_closes_the_page_that_is_open(known):
    narrow = member(known, "provider", "south")
    page = narrow.get(LIST)

    staff_acts.set_roles(known.tenant, narrow.id, [Granted("planner")], by="test")

    assert narrow.send(page, LIST, who="ann").headers["location"].startswith("/sign-in")
    assert narrow.get(f"{LIST}.json").headers["location"].startswith("/sign-in")


def test_another_organisation_sees_none_of_them(known):
    there = member(known, "administrator", base="/t/other", tenant=known.other)

    listed_there = there.get(f"/t/other{LIST}.json")
    alone = there.get(f"/t/other{LIST}/{person(known, 'ann')}")

    assert (listed_there.json(), alone.status_code) == ([], 404)
    assert there.get(LIST).headers["location"].startswith("/sign-in")


def test_the_first_page_has_what_the_role_may_see(known):
    provider, planner, employer = (
        member(known, *role) for role in (("provider", "centre"), ("planner",), ("employer",))
    )

    assert "/staff/learners" in provider.get("/staff").text
    assert "/planning" in planner.get("/staff").text
    assert "/employer" in employer.get("/staff").text
    assert provider.get("/staff/members").status_code == 403


def test_the_list_follows_joins_new_names_and_new_sources(site, browser):
    account = {"account": {"homePage": "https://vle.example", "name": "ann"}}
    site.world.send(statement("one", ANN))
    site.world.send(statement("two", account, activity=ASEPTIC))
    drain(site.tenant, STEPS)
    ann, other = site.world.person(ANN), site.world.person(account)

    site.world.write(lambda tx: joins.merge(tx, ann, other, "test"))
    drain(site.tenant, STEPS)
    joined = browser.get(f"{LIST}.json").json()
    site.world.send(statement("three", {**ANN, "name": "Ann"}, activity="https://x.example"), source="centre")
    drain(site.tenant, STEPS)
    renamed = browser.get(f"{LIST}.json").json()
    site.world.write(lambda tx: joins.unmerge(tx, other, "test"))
    drain(site.tenant, STEPS)
    parted = browser.get(f"{LIST}.json").json()

    assert [(one["name"], one["skill"]) for one in joined] == [(None, ["ASEP Aseptic technique", "GOWN Gowning"])]
    assert [(one["name"], one["provider"]) for one in renamed] == [("Ann", ["centre", "vle"])]
    assert {(one["name"], *one["provider"]) for one in parted} == {("Ann", "centre", "vle"), (None, "vle")}


@pytest.mark.parametrize("older", ["account", "mbox"])
def test_who_was_joined_has_one_name_in_the_list_on_their_page_and_on_their_own(site, browser, older):
    account = {"account": {"homePage": "https://vle.example", "name": "ann"}, "name": "Annie"}
    mailbox = {**ANN, "name": "Ann Arden"}
    first, second = (account, mailbox) if older == "account" else (mailbox, account)
    site.world.send(statement("one", first))
    site.world.send(statement("two", second))
    drain(site.tenant, STEPS)
    one, other = site.world.person(first), site.world.person(second)
    site.world.write(lambda tx: joins.merge(tx, one, other, "test"))
    drain(site.tenant, STEPS)

    (listed,) = browser.get(f"{LIST}.json").json()

    assert listed["name"] == second["name"]  # the newest
    assert f"<h1>{second['name']}</h1>" in browser.get(f"{LIST}/{one}").text
    assert somebody(site.tenant.store, one).name == second["name"]


def test_who_is_parted_from_somebody_keeps_no_name_of_theirs(site):
    other = {"mbox": "mailto:ben@example.org", "name": "Ben"}
    site.world.send(statement("one", {**ANN, "name": "Ann"}))
    site.world.send(statement("two", other))
    drain(site.tenant, STEPS)
    ann, ben = site.world.person(ANN), site.world.person(other)
    site.world.write(lambda tx: joins.merge(tx, ann, ben, "test"))
    drain(site.tenant, STEPS)
    joined = names_of(site, ann)

    site.world.write(lambda tx: joins.unmerge(tx, ben, "test"))
    drain(site.tenant, STEPS)

    assert sorted(joined) == ["Ann", "Ben"]
    assert (names_of(site, ann), names_of(site, ben)) == (("Ann",), ("Ben",))


def names_of(site, person):
    return listed.read(site.tenant.store.get(listed.KIND, person)).names


def test_statements_of_somebody_known_owe_the_list_nothing(site):
    site.world.send(statement("one", {**ANN, "name": "Ann"}))
    drain(site.tenant, STEPS)
    site.world.send(statement("two", {**ANN, "name": "Ann"}, activity="https://x.example"))

    drain(site.tenant, ["match"])

    assert [one for one in site.tenant.store.backlog() if one.step == "list"] == []


def test_everybody_of_before_is_listed_once(site, browser):
    site.world.send(statement("one", {**ANN, "name": "Ann"}))
    drain(site.tenant, STEPS)
    store = site.tenant.store
    for kind in ("learner", "learner-list"):
        for record in store.find(Walk(kind)).records:
            store.write(lambda tx, kind=kind, id=record.id: tx.delete(kind, id)).result()
    before = browser.get(f"{LIST}.json").json()

    list_owed.list_those_before(site.tenant)
    drain(site.tenant, ["list"])
    revision = store.get(*listed.MARK).rev
    list_owed.list_those_before(site.tenant)

    assert before == []
    assert [one["provider"] for one in browser.get(f"{LIST}.json").json()] == [["vle"]]
    assert store.get(*listed.MARK).rev == revision


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"skill": "A1", "level": "2"}, ["Ann"]),
        ({"skill": "A1", "level": "1"}, ["Jo"]),
        ({"level": "2"}, ["Ann", "Jo"]),
        ({"skill": "A1"}, ["Ann", "Jo"]),
    ],
)
def test_a_skill_and_a_level_are_asked_of_the_same_entry(query, found):
    held = {"Ann": (("A1", "2"), ("B1", "1")), "Jo": (("A1", "1"), ("B1", "2"))}
    people = [
        (name, ListedLearner((CalledBy(name, ()),), (), tuple(ListedSkill(*one, "held") for one in skills)))
        for name, skills in held.items()
    ]
    rows = learners_view.rows(people, today=date(2026, 11, 20), root="", sources=None, chosen=query)
    asked = Asked("", learners_view.COLUMNS, query, "", descending=False, part=1)

    assert [row.values["name"] for row in chosen_rows(asked, rows)] == found


def test_whoever_only_voids_is_no_learner(site, browser):
    staff = {"account": {"homePage": "https://lrs.example", "name": "staff 1"}}
    sent = {"verb": VOIDED, "object": {"objectType": "StatementRef", "id": statement_id("one")}}
    site.world.send(statement("one", {**ANN, "name": "Ann"}))
    site.world.send(statement("void", {**staff, "name": "Stella Steward"}, **sent))
    drain(site.tenant, STEPS)

    assert [one["name"] for one in browser.get(f"{LIST}.json").json()] == ["Ann"]
    with pytest.raises(AssertionError, match="nobody is known"):
        site.world.person(staff)


def test_whoever_was_listed_and_only_voids_leaves_the_list(site, browser, monkeypatch):
    staff = {"account": {"homePage": "https://lrs.example", "name": "staff 1"}, "name": "Stella Steward"}
    both = {"account": {"homePage": "https://lrs.example", "name": "both"}, "name": "Bo"}
    joined = {"account": {"homePage": "https://lrs.example", "name": "staff 2"}}
    sent = {"verb": VOIDED, "object": {"objectType": "StatementRef", "id": statement_id("one")}}
    with monkeypatch.context() as before:
        before.setattr("lrs.competency.evidence.VOIDED", "nothing")
        before.setattr("lrs.competency.listed.only_voids", lambda *_: False)
        site.world.send(statement("one", both))
        site.world.send(statement("learned", {**ANN, "name": "Ann"}))
        for name, actor in (("void", staff), ("void too", both), ("void as well", joined)):
            site.world.send(statement(name, actor, **sent))
        drain(site.tenant, STEPS)
        site.world.write(lambda tx: joins.merge(tx, site.world.person(ANN), site.world.person(joined), "test"))
        drain(site.tenant, STEPS)
    listed_before = sorted(one["name"] for one in browser.get(f"{LIST}.json").json())
    site.world.write(lambda tx: tx.delete(*listed.MARK))

    list_owed.list_those_before(site.tenant)
    drain(site.tenant, STEPS)

    assert listed_before == ["Ann", "Bo", "Stella Steward"]
    assert sorted(one["name"] for one in browser.get(f"{LIST}.json").json()) == ["Ann", "Bo"]


def test_whoever_was_said_to_do_something_stays_listed_though_that_was_voided_and_they_void_too(site, browser):
    sent = {"verb": VOIDED, "object": {"objectType": "StatementRef", "id": statement_id("another's")}}
    bo, group = {"mbox": "mailto:bo@example.org", "name": "Bo"}, {"objectType": "Group", "member": [ANN, BOTH]}
    for name, actor in (("bo's", bo), ("together", group)):
        site.world.send(statement(name, actor))
    site.world.send(statement("by both", BOTH, verb="http://adlnet.gov/expapi/verbs/experienced"))
    drain(site.tenant, STEPS)
    for name, actor in (("void", bo), ("void too", BOTH)):
        site.world.send(statement(name, actor, **sent))
    for name in ("bo's", "together", "by both"):
        site.world.void(statement_id(name))
    site.world.write(lambda tx: tx.delete(*listed.MARK))

    list_owed.list_those_before(site.tenant)
    drain(site.tenant, STEPS)

    assert {"Bo", "Cy"} <= {one["name"] for one in browser.get(f"{LIST}.json").json()}


BOTH = {"mbox": "mailto:cy@example.org", "name": "Cy"}


def test_somebody_who_is_not_in_the_list_yet_is_found_all_the_same(site, browser):
    for number in range(2):
        actor = {"mbox": f"mailto:zoe{number}@example.org", "name": f"Zoe Yates {number}"}
        site.world.send(statement(f"zoe {number}", actor))
    drain(site.tenant, ("match", "evaluate"))
    zoe = site.world.person({"mbox": "mailto:zoe1@example.org"})

    several = browser.send(browser.get(LIST), LIST, who="Yates")
    one = browser.send(browser.get(LIST), LIST, who="yates 1")
    none = browser.send(browser.get(LIST), LIST, who="Xerxes")

    assert browser.get(f"{LIST}.json").json() == []
    assert f'href="{LIST}/{zoe}"' in several.text
    assert "Zoe Yates 0" in text_of(several)
    assert one.headers["location"] == f"{LIST}/{zoe}"
    assert (none.status_code, "Nobody is known by that name." in text_of(none)) == (404, True)


def test_more_learners_than_a_page_looks_at_are_said_to_be_more(known, monkeypatch):
    monkeypatch.setattr(listed.chosen, "__kwdefaults__", {"sources": None, "keys": (), "most": 2})

    page = known.browser.get(LIST)

    assert "1 to 2 of 2, and there are more: choose less" in text_of(page)


# -- invitations ----------------------------------------------------------------------------------------------------


@each_of(
    ("table", "rows"),
    [
        (b"learner,email\n1000000027,ann@example.org\nbo@example.org,\n", 2),
        (b"ULN,E-mail\n1000000027,ann@example.org\n", 1),
        (b"name,email\nAnn,ann@example.org\n", "the file needs a column learner"),
        (b"learner,email\na,\nb,\nc,\n", "the list has more than 2 rows: send it in parts"),
    ],
)
def test_a_list_of_learners_to_invite_is_taken_whole_or_not_at_all(monkeypatch, table, rows):
    monkeypatch.setattr(invite_table, "MOST", 2)

    if isinstance(rows, int):
        assert len(invite_table.rows_in(table)) == rows
    else:
        with pytest.raises(Refused, match=rows) as refused:
            invite_table.rows_in(table)
        assert refused.value.error == "bad_file"


def test_a_learner_is_invited_by_a_link_that_is_shown_once(known):
    path = f"{LIST}/{person(known, 'ann')}"

    answer = known.browser.send(known.browser.get(path), f"{path}/invite", email="ann@example.org")
    link = re.search(r'<code id="link">([^<]+)</code>', answer.text)[1]
    again = known.browser.get(path)

    assert "/invitation/" in link
    assert link not in again.text
    assert Browser(known.app).get("/invitation/" + link.rpartition("/")[2]).status_code == 200
    assert known.audit()[-1] == ("learner.invited", f"key {known.operator.key}")


def test_staff_make_a_consent_link_for_a_learner_in_the_browser(site, browser):
    site.world.send(statement("one", ANN))
    site.world.work()
    path = f"{LIST}/{site.world.person(ANN)}"
    none = text_of(browser.get(path))
    registry.register(
        site.tenant, "Finder", webhook=None, scopes=["profiles:read"], purpose="To find a job near you", by="test"
    )

    unsaid = browser.send(browser.get(path), f"{path}/ask", service="")
    answer = browser.send(browser.get(path), f"{path}/ask", service="finder")
    link = re.search(r'<code id="consent-link">([^<]+)</code>', answer.text)[1]
    asked = Browser(site.app).get("/links/" + link.rpartition("/")[2])

    assert "No service that could ask is connected." in none
    assert (unsaid.status_code, 'id="service-error"' in unsaid.text) == (400, True)
    assert link not in browser.get(path).text
    assert "Finder" in text_of(asked)
    assert ("consent.asked", f"key {site.operator.key}") in site.audit()
    assert json.loads(next(each(site.tenant.store, "consent-link")).body)["by"] == f"key {site.operator.key}"


def test_an_address_that_is_none_invites_nobody(known):
    path = f"{LIST}/{person(known, 'ann')}"
    before = len(known.audit())

    answer = known.browser.send(known.browser.get(path), f"{path}/invite", email="ann at example")

    assert answer.status_code == 400
    assert "This is no e-mail address" in text_of(answer)
    assert len(known.audit()) == before


@pytest.mark.parametrize(
    "pasted",
    [
        "ann@example.org, ann@example.org\nhttps://vle.example|m-1\nnobody@example.org",
        "Learner;E-mail\nann@example.org;ann@example.org\nhttps://vle.example|m-1;\nnobody@example.org;",
        "learner\temail\nann@example.org\tann@example.org\nhttps://vle.example|m-1\t\nnobody@example.org\t",
    ],
    ids=["as typed", "with semicolons", "from a spreadsheet"],
)
def test_a_whole_list_is_invited_and_who_is_not_known_is_said(known, pasted):
    answer = known.browser.send(known.browser.get("/staff/invitations"), "/staff/invitations", list=pasted)
    links = re.findall(r"http://[^,\s<]+/invitation/[\w-]+", answer.text)

    assert (answer.status_code, len(set(links))) == (200, 2)
    assert "2 links are made. One is also sent by mail." in text_of(answer)
    assert "nobody@example.org Nobody is known as" in text_of(answer)
    assert re.search(r"<textarea[^>]*>\s*nobody@example.org\s*</textarea>", answer.text)  # to be put right there


@pytest.mark.parametrize("pasted", ["", " \n ", "x\n" * 501], ids=["nothing", "blanks", "too many"])
def test_a_list_that_cannot_be_invited_is_said_to_be_so(known, pasted):
    before = len(known.audit())

    answer = known.browser.send(known.browser.get("/staff/invitations"), "/staff/invitations", list=pasted)

    assert answer.status_code == 400
    assert 'class="error"' in answer.text
    assert len(known.audit()) == before


def test_those_who_were_chosen_stand_in_the_form_already(known):
    page = known.browser.get("/staff/invitations?provider=centre")

    assert f"{person(known, 'bo')},bo@example.org" in page.text
    assert person(known, "ann") not in page.text


def put_many(store, size):
    """Writes *size* learners to the list as the step does."""

    def decide(tx):
        for number in range(size):
            known_by = listed.KnownBy(f"i-{number}", {"mbox": f"mailto:l{number}@example.org"}, ("vle",))
            skills = tuple(
                listed.ListedSkill(f"S{one} Skill {one}", "1 Awareness", "held") for one in range(number % 5)
            )
            called = listed.CalledBy(f"Learner {number}", ("vle",))
            body = msgspec.json.encode(listed.ListedLearner((called,), (known_by,), skills))
            keys = (listed.listed_key("source", "vle"), *(listed.listed_key("skill", one.text) for one in skills))
            tx.insert(Record("learner", f"p-{number}", body, {"members": [f"p-{number}"]}, keys))

    store.write(decide, weight=size).result()


def test_a_skill_is_chosen_by_its_index_without_reading_the_others(site, browser, monkeypatch):
    put_many(site.tenant.store, 200)
    read = []
    usual = listed.read
    monkeypatch.setattr(listed, "read", lambda record: read.append(record.id) or usual(record))

    found = browser.get(f"{LIST}.json?skill=S3+Skill+3").json()

    assert len(found) == len(read) == 40
    assert staff.everyone(site.tenant.store) == []


def test_a_facet_calls_an_empty_value_not_told_and_a_single_value_parts_nothing():
    columns = (ListColumn("name", "Name"), ListColumn("tongue", "Language", facet=True))
    columns = (*columns, ListColumn("run", "Run by", facet=True))
    rows = [ListRow({"name": name, "tongue": tongue, "run": ""}) for name, tongue in (("a", "en"), ("b", ""))]

    shown = listing(Asked("/x", columns, {}, "", False, 1, ""), rows)
    kept = chosen_rows(Asked("/x", columns, {"tongue": "Not told"}, "", False, 1, ""), rows)

    assert [one["label"] for one in shown["facets"]] == ["Language"]
    choices = [(one["text"], one["chosen"], one["address"]) for one in shown["facets"][0]["choices"]]
    assert choices[0][:2] == ("All", True)
    assert choices[1:] == [("en", False, "/x?tongue=en"), ("Not told", False, "/x?tongue=Not+told")]
    assert [row.values["name"] for row in kept] == ["b"]
