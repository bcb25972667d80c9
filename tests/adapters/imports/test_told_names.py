"""Names in files: kept for staff as they were told, seen within reach, and in nothing that leaves."""

import pytest

from adapters.imports.run import Order
from lrs.competency import listed
from lrs.composition.steps import drain
from lrs.pages.arrivals.names import all_told
from lrs.pages.learners_view import called, named
from lrs.people import told_names
from lrs.people.search import search
from lrs.storage import each
from tests.adapters.conftest import by_job

HEAD = "record,session_id,learner_ref,email,given_names,family_name,attendance,title,starts_at,ends_at"
SESSION = "session,S1,,,,,,Gowning,2026-11-02 09:00,2026-11-02 12:00"
ADA = "roster,S1,L1,,Ada,Byrne,present,,,"


@pytest.fixture
def send(tenant, tmp_path):
    """Brings rows in as *provider*'s file, and lets the list of learners follow."""

    def sent(*rows, provider="north", steps=("import",), **more):
        path = tmp_path / "file.csv"
        path.write_text("\n".join((HEAD, SESSION, *rows)))
        job = by_job(tenant, Order("training-centre", provider, path, "file.csv", **more), steps)
        drain(tenant, ["match", "list"])
        return job

    return sent


def learners(tenant):
    found, _ = listed.chosen(tenant.store)
    return [learner for _, learner in found]


def kept(tenant):
    return sorted(one.text for one in told(tenant))


def told(tenant):
    return [told_names.read(record) for record in each(tenant.store, told_names.KIND)]


def test_a_learner_is_listed_and_found_by_the_name_in_a_file(tenant, send):
    send(ADA)

    [ada] = learners(tenant)
    assert called(ada, None) == "Ada Byrne"
    assert [one.name for one in search(tenant, "byrne").found] == ["Ada Byrne"]


def test_a_name_is_shown_to_the_source_that_told_it_and_to_no_other_with_a_narrow_reach(tenant, send):
    send(ADA, "roster,S1,L2,mo@example.org,Mo,Idris,present,,,")
    send("roster,S1,,mo@example.org,,,present,,,", provider="south")

    found = listed.chosen(tenant.store)[0]

    assert {one for learner in learners(tenant) for one in [called(learner, {"south"})]} >= {"mo@example.org"}
    assert len(named(found, "Idris", {"north"})) == 1
    assert named(found, "Idris", {"south"}) == []


def test_the_list_of_arrivals_shows_the_name_that_the_same_source_told(tenant, send):
    send(ADA)
    send("roster,S1,L2,mo@example.org,Mo,Idris,present,,,")
    send("roster,S1,,mo@example.org,,,present,,,", provider="south")

    said = all_told(tenant.store, list(each(tenant.store, "statement"))).values()

    assert {(one.who, one.known) for one in said} >= {("Ada Byrne", "L1"), ("Mo Idris", "L2")}
    assert {one.who for one in said if one.known == "mo@example.org"} == {"mo@example.org"}


def test_a_name_stands_in_no_statement_and_in_no_record_but_its_own_and_the_list(tenant, send):
    send(ADA)

    kinds = {
        kind
        for kind in ("statement", "agent_name", "evidence", "profile", "delivery", "credential", "import-row", "audit")
        for record in each(tenant.store, kind)
        if b"Byrne" in record.body
    }

    assert kinds == set()
    assert kept(tenant) == ["Ada Byrne"]


def test_the_name_of_a_later_file_takes_the_place_of_the_former_one(tenant, send):
    send(ADA)
    send(ADA.replace("Byrne", "Quinn"))

    assert kept(tenant) == ["Ada Quinn"]
    [ada] = learners(tenant)
    assert ada.names == ("Ada Quinn", "Ada Byrne")


def test_a_file_of_before_names_were_kept_brings_them_when_it_is_sent_again(tenant, send):
    send(ADA.replace("Ada,Byrne", ","))
    assert called(learners(tenant)[0], None) == "L1"

    job = send(ADA)

    assert job.told.counts["unchanged"] == 2
    assert called(learners(tenant)[0], None) == "Ada Byrne"


def test_a_name_written_in_two_ways_in_one_file_repairs_no_row_and_the_last_one_stands(tenant, send):
    job = send(ADA, ADA.replace("S1", "S2").replace("Ada", "Adah"), SESSION.replace("S1", "S2"))

    assert job.told.counts["quarantined"] == 0
    assert kept(tenant) == ["Adah Byrne"]


@pytest.mark.parametrize(
    ("given", "family", "name"),
    [("Ada", "", "Ada"), ("", "Byrne", "Byrne"), (" Ada ", "  van  Byrne ", "Ada van Byrne"), ("x" * 201, "", "")],
)
def test_a_name_is_both_cells_on_one_line_and_nothing_if_it_is_longer_than_200_characters(given, family, name):
    assert told_names.full_name(given, family) == name


def test_a_dry_run_keeps_no_name(tenant, bring):
    report = bring("training-centre", f"{HEAD}\n{SESSION}\n{ADA}", dry_run=True)

    assert report.counts["new"] == 2
    assert kept(tenant) == []


def test_a_row_that_is_not_used_gives_no_name(tenant, send):
    send(ADA.replace("present", "perhaps"))

    assert kept(tenant) == []


def test_names_are_kept_once_although_the_file_is_worked_through_twice(tenant, send):
    send(ADA)
    [first] = each(tenant.store, told_names.KIND)
    send(ADA)

    [second] = each(tenant.store, told_names.KIND)
    assert second == first
