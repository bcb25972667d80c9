"""Planning: what is wanted comes in by file, what people can do is counted by a step, and planners see both."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from adapters.planning import counting, demand, figures, report
from adapters.planning.counts import Count, Counted
from adapters.planning.demand import Demand
from adapters.planning.figures import KeptShown, Planning, ShownPlanning
from adapters.planning.report import ReportLine
from adapters.reading.people import mailbox
from adapters.reading.vocabulary import COMPLETED, EXTENSIONS, REGISTERED, STANDARD, TIMETABLED, iri
from adapters.training_centre import learner_routes
from lrs.access.source_names import put_name
from lrs.composition.steps import drain
from lrs.kernel.times import DAY
from lrs.matching import outcomes, registry, services
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Grant, Subject
from lrs.matching.outcomes import WhatCameOfIt
from lrs.matching.roles import roles
from lrs.storage import Record
from lrs.web.listing import SIZE
from tests.adapters.training_centre.made import Centre
from tests.competency.world import ASEPTIC, World, statement
from tests.pages.conftest import Browser, Site, forms_of, text_of
from tests.pages.members import signed_in

ROLES = b"""role,role_label,competency,framework
op,Operator,GOWN,https://example.org/frameworks/atmp
op,Operator,ASEP,https://example.org/frameworks/atmp
"""
DISTRICTS = b"district,region\nSG1,East\nsg2,East\nLS1,North\n"
DEMAND = b"role,region,year,headcount,source\nop,East,2028,40,Survey\nop,North,2028,12,Survey\n"
BAD = """role,region,year,headcount,source
op,East,2028,-3,Survey
op,Atlantis,2028,3,Survey
pilot,East,2028,3,Survey
op,East,28,3,Survey
op,East,2028,many,Survey
op,North,2029,7,Survey
"""


def learner(place):
    return {"mbox": f"mailto:learner{place}@example.org"}


def started(place, district):
    told = {"extensions": {EXTENSIONS + "delivery-district": district}}
    about = {"id": iri("standards", "ST1406", "1.0"), "definition": {"type": STANDARD}}
    return statement(f"starts {place}", learner(place), verb=REGISTERED, context=told) | {"object": about}


def populate(world):
    """Twelve learners: seven in the East hold the role, three in the North do, two are on track; eleven began."""
    sent = [started(place, "SG1" if place < 7 else "LS1") for place in range(11)]
    sent += [statement(f"gown {place}", learner(place)) for place in range(12)]
    sent += [statement(f"asep {place}", learner(place), activity=ASEPTIC) for place in range(10)]
    exam = {"id": iri("standards", "ST1406", "1.0"), "definition": {"type": STANDARD}}
    sent += [statement(f"done {place}", learner(place), verb=COMPLETED) | {"object": exam} for place in range(6)]
    world.send_all(sent)
    world.work()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("site"))
    populate(made.world)
    store = made.tenant.store
    found, _ = roles.read_roles(ROLES)
    store.write(lambda tx: [roles.keep(tx, one) for one in found]).result()
    demand.take_regions(store, DISTRICTS, "test")
    demand.take(store, DEMAND, "test")
    for place in range(6):
        told = {"route": "graduate" if place < 3 else "apprentice"}
        who = mailbox(f"learner{place}@example.org")
        store.write(lambda tx, who=who, told=told: learner_routes.keep(tx, "north", who, told, 1, "test")).result()
    store.write(lambda tx: figures.ask(tx, "test")).result()
    assert drain(made.tenant, (figures.STEP,)) == 1
    yield made
    made.close()


@pytest.fixture(scope="module")
def planner(site):
    return signed_in(site, "planner")


def counted(site):
    """What would be counted now."""
    return {one.what: one.number for one in counting.count(site.tenant).counts}


def test_people_are_counted_by_role_region_route_and_funding_stream_and_from_start_to_completion(site):
    found = counted(site)

    def held(*split):
        return found.get(Count("supply", "op", "held", *split), 0)

    assert (held(), held("region", "East"), held("region", "North")) == (10, 7, 3)
    assert (held("route", "Graduate"), held("route", "Apprentice"), held("route", "Not known")) == (3, 3, 4)
    assert (held("funding", "Apprenticeship"), held("funding", "Not known")) == (10, 0)
    assert found[Count("supply", "op", "on track")] == 2
    assert found[Count("supply", "op", "on track", "region", "Not known")] == 1
    assert found[Count("path", "", "starts")] == 11
    assert found[Count("path", "", "completions")] == 6


def test_a_role_that_has_ended_is_no_supply_and_one_that_begins_later_is(site):
    head = b"role,role_label,competency,framework,valid_from,valid_until\n"
    lines = b"old,Old,GOWN,https://example.org/frameworks/atmp,,2020-12-31\n"
    lines += b"new,New,GOWN,https://example.org/frameworks/atmp,2099-01-01,\n"
    found, _ = roles.read_roles(head + lines)
    store = site.tenant.store
    store.write(lambda tx: [roles.keep(tx, one) for one in found]).result()

    supply = {of: counted(site).get(Count("supply", of, "held")) for of in ("old", "new")}

    store.write(lambda tx: [tx.delete(roles.KIND, one.id) for one in found]).result()
    wanted = [Demand("old", "East", 2028, 9, "Survey"), Demand("new", "East", 2028, 9, "Survey")]
    known = report.ReportNames({one.id: one for one in found}, date(2026, 11, 3))
    told = report.lines(
        {Count("supply", "new", "held"): 5, Count("supply", "new", "held", year="2028"): 0}, wanted, known
    )
    assert supply == {"old": None, "new": 12}
    assert [(one.of, one.measure, one.number) for one in told if not one.split] == [
        ("New (from 1 January 2099)", "held", 5),
        ("New (from 1 January 2099)", "held", 0),
        ("New (from 1 January 2099)", "wanted", 9),
        ("New (from 1 January 2099)", "still missing", 9),
        ("New (from 1 January 2099)", "missing if all renew", 4),
        ("Old (ended 31 December 2020)", "wanted", 9),
    ]


def test_a_statement_that_was_voided_counts_no_start(site):
    site.world.send(started(99, "SG1"))
    site.world.work()
    before = counted(site)[Count("path", "", "starts")]

    site.world.void(started(99, "SG1")["id"])

    after = counted(site)[Count("path", "", "starts")]
    assert (before, after) == (12, 11)


def test_a_job_counts_for_who_was_hired_once_and_while_they_agree_and_is_kept_back_if_few_have_one(site):
    tenant = site.tenant
    scopes = ("profiles:read", "outcomes:write")
    registry.register(tenant, "Matches", webhook=None, scopes=scopes, purpose="To suggest jobs that fit you", by="test")
    people = [site.world.person(learner(place)) for place in range(6)]
    for person in people:
        given = Grant(Subject(person=person), "matches", scopes, "To suggest jobs that fit you", "operator", "test")
        site.world.write(lambda tx, given=given: consent.give(tx, given))
    drain(tenant, ("sync",))

    def tell(called, person, word):
        what = WhatCameOfIt(word, date(2026, 11, 3), "op")
        outcomes.tell(tenant, "matches", called, services.pairwise(tenant, "matches", person), what)

    for place, person in enumerate(people):
        tell(f"first-{place}", person, "hired" if place < 5 else "shortlisted")
        tell(f"second-{place}", person, "hired" if place < 5 else "shortlisted")
    jobs = Count("path", "", "jobs")
    five = counted(site)
    site.world.write(lambda tx: consent.withdraw(tx, [Subject(person=people[0])], by="test", scope="outcomes:write"))
    four = counted(site)
    outcomes.withdraw(tenant, "matches", "first-1", by="test")
    outcomes.withdraw(tenant, "matches", "second-1", by="test")

    assert (five[jobs], four[jobs], counted(site)[jobs]) == (5, 4, 3)
    assert figures.shown(Planning(counts=(Counted(jobs, 5),))).counts[jobs] == 5
    assert figures.shown(Planning(counts=(Counted(jobs, 4),))).counts[jobs] is None


def test_the_step_is_owed_again_for_the_next_day(site):
    due = site.tenant.store.next_due([figures.STEP])

    assert figures.now(site.tenant.store).at + counting.EVERY == due


def test_page_csv_and_json_show_the_same_numbers_and_none_that_is_small(planner):
    as_json = planner.get("/planning.json").json()
    text = planner.get("/planning.csv").text.removeprefix("\ufeff")
    as_csv = list(csv.DictReader(io.StringIO(text)))
    page = text_of(planner.get("/planning?by=Region"))

    assert [str(one["number"] if one["number"] is not None else "") for one in as_json] == [
        one["People"] for one in as_csv
    ]
    numbers = {(one["measure"], one["by"], one["value"], one["year"]): one["number"] for one in as_json}
    assert numbers["held", "In all", "", "today"] == 10
    assert numbers["held", "Region", "North", "today"] is None
    assert numbers["held", "Region", "East", "today"] is None
    assert numbers["wanted", "Region", "East", "2028"] == 40
    assert numbers["held", "In all", "", "2028"] == 0
    assert numbers["still missing", "In all", "", "2028"] == 52
    assert numbers["missing if all renew", "In all", "", "2028"] == 42
    assert numbers["still missing", "Region", "East", "2028"] is None
    assert "kept back" in page
    assert "wanted" in page
    report = urlencode({"part": as_json[0]["part"]})
    assert report in planner.get("/planning").text
    assert {one["part"] for one in planner.get(f"/planning.json?{report}").json()} == {as_json[0]["part"]}


def test_a_centre_stands_under_its_shown_name_on_the_page_in_charts_and_in_files(site):
    kept, administrator = figures.now(site.tenant.store), signed_in(site, "administrator")
    told = [Count("seats", "north", "seats"), Count("ending", "south", "qualifications that end", "when", "soon")]
    write = site.tenant.store.write
    write(lambda tx: figures.put(tx, ShownPlanning(at=1, counts=dict.fromkeys(told, 20)))).result()
    write(lambda tx: put_name(tx, "north", "Northern Centre", by="test")).result()

    as_csv, as_json = administrator.get("/planning.csv").text, administrator.get("/planning.json").json()
    page = text_of(administrator.get("/planning"))

    write(lambda tx: put_name(tx, "north", "", by="test")).result()
    write(lambda tx: figures.put(tx, kept)).result()
    assert "Seats of sessions to come,Northern Centre,seats," in as_csv
    assert "Qualifications that end,south," in as_csv
    assert [one["of"] for one in as_json if one["measure"] == "seats"] == ["Northern Centre"]
    assert "Northern Centre, seats" in page
    assert "north" not in page.split()


def test_what_is_shown_is_read_once_until_it_is_counted_again_and_apart_for_each_tenant(site, monkeypatch):
    kept, worked_out = KeptShown(), []
    monkeypatch.setattr(figures, "shown", worked_out.append)
    alike = SimpleNamespace(id="another", store=site.tenant.store)

    first, again = (figures.shown_now(site.tenant, kept) for _ in range(2))
    other = figures.shown_now(alike, kept)

    assert first is again
    assert other is not first
    assert other == first == figures.now(site.tenant.store)
    assert worked_out == []


def test_the_record_has_what_is_shown_and_no_small_count(site):
    site.tenant.store.write(lambda tx: figures.ask(tx, "test")).result()
    drain(site.tenant, (figures.STEP,))
    kept, exact = figures.now(site.tenant.store), counted(site)
    body = site.tenant.store.get(figures.KIND, figures.ID).body

    assert kept.counts == figures.shown(counting.count(site.tenant)).counts
    assert {number for what, number in kept.counts.items() if what.part == "supply" and number} == {10}
    assert 0 < min(number for number in exact.values() if number) < 5
    assert len(body) < 30 * len(kept.counts)


def test_counts_of_the_first_form_are_not_shown_and_counted_anew_with_their_smallest_number(site):
    """Until 0.3 the record had exact counts, from which nothing can be worked out that is proved."""
    write, store = site.tenant.store.write, site.tenant.store
    old = b'{"k":7,"at":5,"counts":[{"what":{"part":"path","of":"","measure":"starts"},"number":3}],"v":1}'
    write(lambda tx: tx.put(Record(figures.KIND, figures.ID, old, rev=tx.get(figures.KIND, figures.ID).rev))).result()

    before = figures.now(store)
    write(lambda tx: figures.ask(tx, "test")).result()
    drain(site.tenant, (figures.STEP,))
    after = figures.now(store)

    write(lambda tx: figures.set_k(tx, "5", "test")).result()
    emptied = figures.now(store)
    drain(site.tenant, (figures.STEP,))
    assert (before.k, before.at, before.counts) == (7, 0, {})
    assert (after.k, after.counts[Count("path", "", "starts")]) == (7, 10)
    assert (emptied.k, emptied.at, emptied.counts) == (5, 0, {})
    assert figures.now(store).counts[Count("path", "", "starts")] == 10


def test_what_was_counted_by_another_smallest_number_is_not_kept(site):
    stale = figures.shown(counting.count(site.tenant))

    site.tenant.store.write(lambda tx: (figures.set_k(tx, "6", "test"), figures.put(tx, stale))).result()

    assert figures.now(site.tenant.store).counts == {}
    site.tenant.store.write(lambda tx: figures.set_k(tx, "5", "test")).result()
    drain(site.tenant, (figures.STEP,))


def test_the_page_has_charts_with_their_tables_and_what_is_kept_back_is_said(planner):
    answer = planner.get("/planning")

    assert answer.text.count("<svg") >= 2
    assert answer.text.count("The same as a table") == answer.text.count('<svg class="chart"')
    assert "wanted: Operator" in answer.text
    assert "Supply today, and wanted in 2028, by role" in text_of(answer)
    assert "rounded to the nearest 5" in text_of(answer)


def test_what_is_missing_stands_by_role_and_region_and_can_be_narrowed_to_one(planner):
    whole, north = (text_of(planner.get(f"/planning?wanted_in=2028{more}")) for more in ("", "&living_in=North"))

    assert "Operator All regions 52 10 0 kept back 52 if all renew: 42" in whole
    assert "Operator East 40 kept back kept back" in whole
    assert "Operator North 12 kept back" in whole
    assert "Operator East 40" not in north
    assert "Operator North 12" in north
    told = planner.get("/planning.csv?by=Region&year=2028").text
    assert 'href="/planning.csv?by=Region&amp;year=2028"' in planner.get("/planning?wanted_in=2028").text
    assert [line.split(",")[1:6:4] for line in told.splitlines()[1:] if "still missing" in line] == [
        ["Operator", "East"],
        ["Operator", "North"],
    ]
    assert "Operator ( op )" in whole
    assert "Regions: East , North" in whole


def test_the_year_of_supply_and_demand_narrows_no_list_and_the_year_of_the_list_nothing_else(planner):
    def looked_at(query):
        page = planner.get(f"/planning?{query}").text
        rows = page.count("<tr", page.index('id="table"'))
        return "What is missing in 2028" in page, rows, '<details class="fold" id="table" open>' in page

    chosen, facet, both = looked_at("wanted_in=2028"), looked_at("year=today"), looked_at("wanted_in=2028&year=today")

    assert (chosen[0], facet[0], both[0]) == (True, True, True)
    assert chosen[1] > facet[1] == both[1]
    assert (chosen[2], facet[2], both[2]) == (False, True, True)
    assert "wanted_in=2028&amp;" in planner.get("/planning?wanted_in=2028").text.partition('id="table"')[2]


def test_what_is_missing_in_a_year_counts_those_who_then_hold_the_role_and_says_where_that_is_not_known():
    wanted = [Demand("op", "East", 2027, 40), Demand("op", "East", 2028, 50), Demand("new", "East", 2028, 7)]
    held = Count("supply", "op", "held")
    shown = {
        held: 30,
        Count("supply", "op", "held", year="2027"): 10,
        Count("supply", "op", "held", "region", "East"): 30,
    }

    told = report.lines(shown, wanted, report.ReportNames({}, date(2026, 11, 3)))

    def said(year, role="op"):
        line = next(one for one in report.by_region(told, year) if (one.role, one.region) == (role, "East"))
        return [line.now("held"), *map(line.then, ("held", "still missing", "missing if all renew"))]

    assert said("2027") == ["30", "0", "40", "10"]  # nobody is shown for the East in 2027, so there is nobody
    assert said("2028") == ["30", "", "", "20"]
    assert said("2028", "new") == ["", "", "", ""]
    assert report.years(told, date(2027, 5, 1)) == ["2027", "2028"]
    assert report.years(told, date(2028, 1, 1)) == ["2028"]


def test_whatever_is_asked_of_page_csv_and_json_is_a_part_of_the_whole_report(planner):
    whole = planner.get("/planning.json").json()
    asked = [{name: row[name]} for name in ("part", "of", "measure", "year", "by") for row in whole]
    asked += [one | other for one, other in zip(asked, reversed(asked), strict=True)]
    for query in sorted({urlencode(one) for one in asked})[::3]:
        rows = planner.get(f"/planning.json?{query}").json()
        text = planner.get(f"/planning.csv?{query}").text.removeprefix("\ufeff")
        page = planner.get(f"/planning?{query}").text.partition('id="table"')[2]
        hidden = sum(one["number"] is None for one in rows[:SIZE])

        assert [one for one in rows if one not in whole] == []
        numbers = [one["People"] for one in csv.DictReader(io.StringIO(text))]
        assert numbers == [str(one["number"] if one["number"] is not None else "") for one in rows]
        assert page.count("kept back") == hidden, query


def test_a_later_year_says_nothing_of_what_is_kept_back_before():
    def counted(east, north, year):
        parts = (("East", east), ("North", north))
        total = Counted(Count("supply", "op", "held", year=year), east + north)
        return [total, *(Counted(Count("supply", "op", "held", "region", name, year), n) for name, n in parts)]

    def shown(*counts):
        found = figures.shown(figures.Planning(counts=counts)).counts
        return {(one.value, one.year): number for one, number in found.items()}

    alone = shown(*counted(6, 0, ""))
    both = shown(*counted(6, 1, ""), *counted(6, 0, "2028"))

    # 7 are shown as 5, which is 5 to 7. If the East were shown for 2028, the North could have 2 at most.
    assert alone == {("", ""): 5, ("East", ""): 5, ("North", ""): 0}
    assert both == {("", ""): 5, ("", "2028"): 5} | dict.fromkeys(
        (name, year) for name in ("East", "North") for year in ("", "2028")
    )


@pytest.mark.parametrize(
    ("k", "now", "later", "shown"),
    [(5, 15, 10, 10), (7, 10, 7, None), (8, 15, 10, 10), (9, 15, 10, None), (10, 15, 14, 15), (10, 30, 10, 10)],
)
def test_a_later_year_is_kept_back_where_it_would_prove_that_a_few_count_no_more(k, now, later, shown):
    counts = (Counted(Count("supply", "op", "held"), now), Counted(Count("supply", "op", "held", year="2028"), later))

    found = figures.shown(Planning(counts=counts, k=k)).counts

    assert list(found.values()) == [now, shown]


def test_whose_levels_end_before_a_year_does_is_no_supply_of_it(site):
    wanted = [Demand("op", "East", year, 1, "Test") for year in (2025, 2026, 2027)]
    store = site.tenant.store
    store.write(lambda tx: demand.keep(tx, wanted, "test")).result()

    found = counted(site)

    store.write(lambda tx: [tx.delete(demand.KIND, one.id) for one in wanted]).result()
    held = [found.get(Count("supply", "op", "held", year=str(year))) for year in (2025, 2026, 2027)]
    assert held == [None, 10, 0]
    assert found[Count("supply", "op", "held", "region", "East", "2026")] == 7


def send(browser, what, content):
    place = {"demand": "/planning/files", "regions": "/planning/regions"}[what]
    token = forms_of(browser.get("/planning").text)[0]["fields"]["form"]
    file = {"file": ("table.csv", content, "text/csv")}
    return browser.ask("POST", place, data={"form": token}, files=file)


def test_a_demand_file_with_rows_that_cannot_be_is_taken_without_them_and_each_is_named(site, planner):
    before = len(list(demand.everything(site.tenant.store)))

    answer = send(planner, "demand", BAD.encode())

    told = text_of(answer)
    assert answer.status_code == 200
    assert "Row 2: headcount: nobody can want fewer than 0 people" in told
    assert "Row 3: region: no postcode district is in this region" in told
    assert "Row 4: role: there is no such role here" in told
    assert "Row 5: year: write a year" in told
    assert "Row 6: headcount: write a whole number" in told
    assert len(list(demand.everything(site.tenant.store))) == before + 1
    assert Demand("op", "North", 2029, 7, "Survey") in list(demand.everything(site.tenant.store))


@pytest.mark.parametrize(
    ("what", "content", "told"),
    [
        ("demand", b"", "The file is empty: its first row must name the columns"),
        ("demand", b"role,region,year,headcount\n", "has no rows"),
        ("demand", b"role,region,year\nop,East,2028\n", "needs a column headcount"),
        ("demand", b"role,region,year,headcount\nop,East,2028,-1\n", "No row of this file can be used"),
        ("regions", b"district,region\nStevenage,East\n", "write the first half of a postcode"),
        ("demand", b"\x00\x01\x02", ""),
    ],
)
def test_a_file_of_which_nothing_can_be_used_changes_nothing(site, what, content, told):
    before = (list(demand.everything(site.tenant.store)), demand.regions_of(site.tenant.store))

    answer = send(signed_in(site, "administrator"), what, content)

    assert answer.status_code == 400
    assert told in text_of(answer)
    assert (list(demand.everything(site.tenant.store)), demand.regions_of(site.tenant.store)) == before


def test_the_smallest_number_shown_is_five_or_more_and_no_planner_changes_it_or_the_regions(site, planner):
    administrator = signed_in(site, "administrator")
    token = forms_of(administrator.get("/planning").text)[0]["fields"]["form"]

    refused = administrator.ask("POST", "/planning/smallest", data={"form": token, "k": "4"})
    kept = administrator.ask("POST", "/planning/smallest", data={"form": token, "k": "11"})
    meanwhile = planner.get("/planning.json").json()
    drain(site.tenant, (figures.STEP,))

    assert {one["part"] for one in meanwhile} == {"Supply and demand"}
    assert {one["measure"] for one in meanwhile} == {"wanted"}
    assert (refused.status_code, kept.headers["location"]) == (400, "/planning?done=planning_k")
    numbers = {(one["measure"], one["by"]): one["number"] for one in planner.get("/planning.json").json()}
    assert numbers["held", "In all"] is None
    assert numbers["starts", "In all"] is None  # 11, of which 10 would be shown, which is below 11
    administrator.ask("POST", "/planning/smallest", data={"form": token, "k": "5"})
    drain(site.tenant, (figures.STEP,))
    own = forms_of(planner.get("/planning").text)[0]["fields"]["form"]
    assert planner.ask("POST", "/planning/smallest", data={"form": own, "k": "6"}).status_code == 403
    assert send(planner, "regions", DISTRICTS).status_code == 403
    assert "smallest" not in planner.get("/planning").text
    assert send(administrator, "regions", DISTRICTS).headers["location"] == "/planning?done=planning_taken"


def test_only_planners_and_administrators_plan(site):
    assert signed_in(site, "steward").get("/planning").status_code == 403
    assert signed_in(site, "administrator").get("/planning").status_code == 200
    assert Browser(site.app).get("/planning").status_code == 303


def test_the_first_page_says_what_a_planner_has_to_bring_in_and_nothing_to_administrators(site, planner):
    kept, store = list(demand.everything(site.tenant.store)), site.tenant.store
    before = text_of(planner.get("/staff"))
    store.write(lambda tx: [tx.delete(demand.KIND, one.id) for one in kept]).result()
    after, others = (text_of(one.get("/staff")) for one in (planner, signed_in(site, "administrator")))
    store.write(lambda tx: demand.keep(tx, kept, "test")).result()

    assert "Nothing needs you." in before
    assert "Planning : 1 to bring in or to have worked out" in after
    assert "to bring in" not in others


def test_the_same_file_again_changes_nothing_and_another_number_takes_the_place(site):
    store = site.tenant.store

    assert demand.take(store, DEMAND, "test").outcomes == {"new": 0, "updated": 0, "unchanged": 2}
    changed = demand.take(store, DEMAND.replace(b"40", b"41"), "test").outcomes
    assert changed == {"new": 0, "updated": 1, "unchanged": 1}
    demand.take(store, DEMAND, "test")


def test_a_number_that_seats_alone_would_give_away_is_kept_back_even_if_it_is_0():
    counts = [Counted(Count("seats", of, "seats"), seats) for of, seats in (("north", 1), ("south", 4), ("west", 5))]
    counts += [
        Counted(Count("seats", of, "bookings"), booked) for of, booked in (("north", 1), ("south", 0), ("west", 0))
    ]

    seen = figures.shown(Planning(counts=tuple(counts))).counts

    assert {one.of: number for one, number in seen.items() if one.measure == "bookings"} == {
        "north": None,
        "south": None,
        "west": 0,
    }


def test_qualifications_that_end_are_counted_by_who_proved_them_and_when_they_end(site):
    before = site.world.clock.now
    site.world.clock.set("2027-09-01T12:00:00Z")
    found = counted(site)
    site.world.clock.now = before

    assert found[Count("ending", "vle", "qualifications that end")] == 10
    assert found[Count("ending", "vle", "qualifications that end", "when", "in 61 to 90 days")] == 10
    assert not [one for one in counted(site) if one.part == "ending"]


def test_seats_stand_as_they_are_and_bookings_are_counted_as_people(site):
    day = datetime.fromtimestamp((site.tenant.clock() + 30 * DAY) // 1_000_000, UTC).date()
    told = {"number": "seats", "date": f"{day}", "starts": "09:00", "ends": "17:00", "seats": "4", "opened": "yes"}
    centre = Centre(site.tenant, [site.tenant.clock()])
    session = centre.session(None, "Zoe Zadok, zoe@example.org", **told)
    past = datetime.fromtimestamp((site.tenant.clock() - DAY) // 1_000_000, UTC).date()
    centre.session(None, "Yan Yu, yan@example.org", **told | {"number": "past", "date": f"{past}", "seats": "9"})

    found = counted(site)
    seen = figures.shown(counting.count(site.tenant)).counts

    assert session.seats == 4
    assert (found[Count("seats", "north", "seats")], found[Count("seats", "north", "bookings")]) == (4, 1)
    assert (seen[Count("seats", "north", "seats")], seen[Count("seats", "north", "bookings")]) == (4, None)


def test_where_a_roster_says_somebody_lives_counts_before_where_they_learn(tmp_path):
    world = World(tmp_path)
    session = {"id": iri("centres", "north", "sessions", "S1"), "definition": {"type": TIMETABLED}}
    home = {"extensions": {EXTENSIONS + "home-district": "SG1"}}
    world.send(started(0, "LS1"))
    world.send(statement("home", learner(0), verb=REGISTERED, context=home) | {"object": session}, source="north")
    world.send_all([statement("gown", learner(0)), statement("asep", learner(0), activity=ASEPTIC)])
    world.work()
    found, _ = roles.read_roles(ROLES)
    world.write(lambda tx: [roles.keep(tx, one) for one in found])
    demand.take_regions(world.store, DISTRICTS, "test")

    held = {one.what.value: one.number for one in counting.count(world.tenant).counts if one.what.split == "region"}

    assert held == {"East": 1}
    world.close()


def test_the_newest_route_that_a_centre_was_told_counts_and_the_source_that_proved_a_qualification_last(tmp_path):
    world, who = World(tmp_path), mailbox("learner0@example.org")
    world.send_all([statement("gown", learner(0)), statement("asep", learner(0), activity=ASEPTIC)])
    later = statement("again", learner(0), activity=ASEPTIC, timestamp="2026-11-20T11:00:00Z")
    world.send(later, source="centre")
    world.work()
    found, _ = roles.read_roles(ROLES)
    world.write(lambda tx: [roles.keep(tx, one) for one in found])
    for at, centre, route in ((1, "north", "placement"), (3, "west", "graduate"), (2, "south", "apprentice")):
        world.write(lambda tx, at=at, c=centre, r=route: learner_routes.keep(tx, c, who, {"route": r}, at, "test"))
    world.clock.set("2027-09-01T12:00:00Z")

    counts = {one.what: one.number for one in counting.count(world.tenant).counts}

    assert [one.value for one in counts if one.split == "route"] == ["Graduate"]
    assert {(one.of, one.value) for one in counts if one.part == "ending"} == {
        ("centre", ""),
        ("centre", "in 61 to 90 days"),
    }
    world.close()


def test_a_region_in_which_people_are_wanted_and_nobody_lives_is_said():
    lines = [
        ReportLine("supply", "Operator", "held", None, "region", "East"),
        ReportLine("supply", "Operator", "wanted", 20, "region", "East", "2028"),
        ReportLine("supply", "Operator", "wanted", 20, "region", "Scotland", "2028"),
        ReportLine("supply", "Operator", "wanted", 40, "", "", "2028"),
    ]

    assert report.unpeopled(lines) == ["Scotland"]


def test_what_is_missing_is_never_fewer_than_nobody_and_a_chart_shows_the_roles_that_are_wanted_most():
    wanted = [Demand(f"r{n}", "East", 2028, 10 * n) for n in range(1, 11)] + [Demand("r9", "East", 2029, 500)]
    held = {Count("supply", f"r{n}", "held", year="2028"): 55 for n in range(1, 11)}
    held[Count("supply", "r7", "held", year="2028")] = None

    told = report.lines(held, wanted, report.ReportNames({}, date(2026, 11, 3)))

    missing = {
        one.of: one.number for one in told if (one.measure, one.split, one.year) == ("still missing", "", "2028")
    }
    assert missing == {"r10": 45, "r9": 35, "r8": 25, "r7": None, "r6": 5} | {f"r{n}": 0 for n in range(1, 6)}
    bars = report.supply_chart(told, "2028").bars
    assert [(bar.whole, bar.text) for bar in bars if bar.whole.startswith("wanted")] == [
        (f"wanted: r{n}", str(10 * n)) for n in range(10, 2, -1)
    ]


def test_what_ends_within_90_days_counts_from_the_last_day_on_which_it_holds():
    today = date(2026, 11, 30)
    within, after, later = (words for _, words in counting.WINDOWS)
    told = {-1: "", 0: within, 30: within, 31: after, 60: after, 61: later, 90: later, 91: ""}

    assert {days: counting.window(today + timedelta(days=days), today) for days in told} == told
    assert counting.window(None, today) == ""
