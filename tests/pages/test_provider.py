"""The page of a provider: what its own files brought, and its own learners; nothing of another provider."""

from __future__ import annotations

import csv
import io

import pytest

from lrs.access import staff_acts
from lrs.access.roles import granted
from lrs.competency.rules.applying import ruleset_in
from lrs.composition.steps import drain
from tests.competency.world import RULES, statement
from tests.pages.conftest import Site, forms_of, text_of
from tests.pages.members import signed_in
from tests.pages.test_imports import FILE, bring, checked

ANA = {"name": "Ana Ruiz", "mbox": "mailto:ana@example.org"}
BEN = {"name": "Ben Secret", "mbox": "mailto:ben@example.org"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Two providers: north's Ana holds gowning, south's Ben does, too; each has sent a file with a row to repair."""
    made = Site(tmp_path_factory.mktemp("provider"))
    made.world.apply(RULES.replace(",,vle\n", ",,vle|north|south\n"))
    made.world.send(statement("ana", ANA), source="north")
    made.world.send(statement("ben", BEN), source="south")
    drain(made.tenant)
    for name in ("north", "south"):
        browser = signed_in(made, f"provider:{name}")
        bring(made, browser, checked(made, browser, FILE.replace("P-1", f"{name}-1"), f"{name}.csv"))
    drain(made.tenant)
    yield made
    made.close()


@pytest.fixture
def north(site):
    return signed_in(site, "provider:north", name="Nora")


def test_it_shows_what_the_files_brought_and_what_the_learners_have_reached(north):
    page, start = text_of(north.get("/provider")), text_of(north.get("/staff"))

    assert "Your files : 1 row to repair" in start.replace("files:", "files :")
    assert "For north ." in page
    assert "One row needs repair." in page
    assert "north.csv In, with rows to repair" in page
    assert "Ana Ruiz" in page
    assert "GOWN Gowning" in page


def test_nothing_of_another_provider_is_in_page_or_files(north, site):
    both = signed_in(site, "provider:north", "provider:south")

    for ending in ("", ".csv", ".json"):
        text = north.get(f"/provider{ending}").text
        assert "north.csv" in text
        assert "south" not in text
        assert "Ben Secret" not in text
        assert "south.csv" in both.get(f"/provider{ending}").text
    assert "Ben Secret" in both.get("/provider").text
    rows = list(csv.reader(io.StringIO(north.get("/provider.csv").content.decode("utf-8-sig"))))
    assert rows[0] == ["File", "State", "Sent", "Rows in", "Known already", "To repair", "Left out"]
    assert [(row[0], row[3], row[5]) for row in rows[1:]] == [("north.csv", "1", "1")]


def test_another_organisation_of_the_same_name_sees_nothing(site):
    other = signed_in(site, "provider:north", tenant=site.other)

    text = text_of(other.get("/t/other/provider"))

    assert "north.csv" not in text
    assert "Ana Ruiz" not in text
    assert "No file yet" in text
    assert "No learner yet" in text


def test_a_file_that_is_sent_here_is_checked_and_is_the_provider_s(site):
    third = signed_in(site, "provider:third")
    token = next(form for form in forms_of(third.get("/provider").text) if "file" in form["fields"])["fields"]["form"]

    answer = third.ask("POST", "/staff/imports", data={"form": token}, files={"file": ("second.csv", FILE.encode())})
    drain(site.tenant, ("import",))

    assert "Checked, not brought in third" in text_of(third.get(answer.headers["location"]))


def test_a_provider_who_signs_in_starts_there_and_no_other_role_may_see_it(site, north):
    assert north.get("/provider").status_code == 200
    assert 'href="/provider"' in north.get("/staff/imports").text
    for role in ("administrator", "steward", "trainer:north"):
        assert signed_in(site, role).get("/provider").status_code == 403


def test_a_file_that_was_only_checked_has_no_rows_that_wait_for_repair(site):
    east = signed_in(site, "provider:east")
    bring(site, east, checked(site, east, FILE.replace("P-1", "east-1"), "east.csv"))
    checked(site, east, FILE.replace("E-1", "E-9").replace("P-2", "P-9"), "never.csv")

    page = text_of(east.get("/provider"))

    assert "never.csv Checked, not brought in" in page
    assert "One row needs repair." in page


def test_a_provider_without_a_key_is_among_the_sources_once_a_file_of_it_came_in(site):
    west, far = signed_in(site, "provider:west"), signed_in(site, "provider:far")
    bring(site, west, checked(site, west, FILE.replace("P-1", "west-1").replace("P-2", "west-2"), "west.csv"))
    checked(site, far, FILE, "far.csv")
    drain(site.tenant)
    staff = signed_in(site, "administrator", "steward")

    for path, there in {
        "/staff/members": '<option value="{}">',
        "/staff/imports": '<option value="{}">',
        "/connect": 'href="/connect/sources/{}"',
        "/arrivals?verb=urn:none": "source={}",
    }.items():
        page = staff.get(path).text
        assert [there.format(one) in page for one in ("west", "far")] == [True, False], path
    _, faults = ruleset_in(site.tenant, (RULES.replace(",,vle\n", ",,west|far\n")).encode())
    told = "no key is called {!r}, and nothing came from it"
    assert [told.format(one) in {fault.reason for fault in faults} for one in ("west", "far")] == [False, True]


def test_files_have_one_place_in_the_menu_and_every_page_of_theirs_leads_back_there(site, north):
    pages = {
        path: north.get(path).text for path in ("/staff", "/provider", "/staff/columns", "/staff/missing-learners")
    }
    both = signed_in(site, "provider:north", "steward").get("/staff/columns").text
    steward = signed_in(site, "steward").get("/staff/columns").text

    assert [path for path, page in pages.items() if 'href="/staff/imports"' in page] == []
    assert '<a href="/provider" aria-current="page">' in pages["/staff/columns"]
    assert '<a href="/provider">Your files</a>' in pages["/staff/columns"]
    assert 'href="/staff/columns"' in pages["/provider"]
    assert [page.count('<a href="/staff/imports" aria-current="page">') for page in (both, steward)] == [1, 1]


def test_a_role_taken_away_while_the_page_is_open_ends_it(site, north):
    assert north.get("/provider.json").status_code == 200
    staff_acts.set_roles(site.tenant, north.member, [granted("provider:south")], by="test")

    assert north.get("/provider.json").headers["location"].startswith("/sign-in")
