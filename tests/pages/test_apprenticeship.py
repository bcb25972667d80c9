"""The pages about apprenticeships, from real files: a return and an e-portfolio of one learner, and a standard."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from adapters.apprenticeship import overview, progress_read
from adapters.apprenticeship.standard_records import keep, read_standards
from adapters.catalogue.entries import offered_by_course
from adapters.reading.vocabulary import BASE, DEMONSTRATED, EXTENSIONS, REGISTERED
from lrs.composition.steps import drain
from lrs.people.identifiers import ULN_HOME_PAGE
from tests.adapters.apprenticeship.returns import aim, learner, made, uln
from tests.adapters.apprenticeship.standard_files import record
from tests.competency.world import statement
from tests.pages.conftest import Site, text_of
from tests.pages.members import signed_in
from tests.pages.test_imports import bring, checked
from tests.pages.test_me import signed_in as learner_in

ULN = uln(1)
HEADER = (
    "uln,standard_ref,standard_version,start_date,evidence_id,ksb_code,evidence_date,evidence_status,otj_date,otj_hours"
)
PORTFOLIO = "\n".join(
    [
        HEADER,
        f"{ULN},ST1406,1.0,2025-09-15,,,,,,",
        f"{ULN},ST1406,1.0,,E-1,k1; S2,2026-02-03,accepted,2026-02-02,6.5",
        f"{ULN},ST1406,1.0,,E-2,B1,2026-02-03,submitted,,",
        f"{ULN},ST1406,1.1,,E-3,K2,2026-02-04,accepted,,",
        f"{ULN},ST1406,1.0,,E-4,K99,2026-02-04,accepted,,",
        "",
    ]
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """North's Ama Osei is in a return and an e-portfolio; south has nobody on a standard."""
    made_site = Site(tmp_path_factory.mktemp("apprentices"))
    (standard,), _ = read_standards(json.dumps(record()).encode())
    made_site.tenant.store.write(lambda tx: keep(tx, standard, by="test")).result()
    browser = signed_in(made_site, "provider:north")
    bring(made_site, browser, checked(made_site, browser, made([learner("L1", ULN, aim())]), "return.xml"))
    bring(made_site, browser, checked(made_site, browser, PORTFOLIO, "portfolio.csv"))
    made_site.world.send(statement("bea", {"mbox": "mailto:bea@example.org"}), source="south")
    drain(made_site.tenant)
    yield made_site
    made_site.close()


@pytest.fixture(scope="module")
def ama(site):
    return site.world.person({"account": {"homePage": ULN_HOME_PAGE, "name": ULN}})


def test_a_learner_sees_what_is_evidenced_how_many_hours_are_done_and_what_the_gateway_waits_for(site, ama):
    page = learner_in(site, ama).get("/me/apprenticeship")

    text = text_of(page)
    assert page.status_code == 200
    assert "Science manufacturing technician (ST1406, version 1.0)" in text
    assert "Began on 15 September 2025; planned to end on 14 March 2027." in text
    assert (
        "Not ready yet What is missing: accepted evidence for 4 parts of the standard 180.5 hours of off-the-job"
        in text
    )
    assert "6.5 of 187 hours" in text
    assert "Planned 400 hours At least 187 hours" in text
    assert "This version of the standard has no K99: evidence for it counts for nothing here." in text
    assert "Evidence for K2 of version 1.1 counts for nothing here. A code means something else" in text
    assert "2 of 6 have accepted evidence" in text
    assert "Knowledge 1 of 3 K1 Evidenced 3 February 2026 Knows thing 1 K2 Missing Knows thing 2" in text
    assert "Behaviours 0 of 1 B1 Missing Takes care" in text


def test_the_page_is_in_welsh_for_who_wants_it_and_the_words_of_the_standard_stay(site, ama):
    page = learner_in(site, ama).get("/me/apprenticeship?lang=cy")

    text = text_of(page)
    assert "Fy mhrentisiaeth" in text
    assert "Mae gan 2 o 6 dystiolaeth a dderbyniwyd" in text
    assert '<bdi lang="en">Knows thing 1</bdi>' in page.text


def test_a_provider_sees_its_apprentices_and_each_of_them_and_another_provider_sees_nothing(site, ama):
    north, south = signed_in(site, "provider:north"), signed_in(site, "provider:south")

    rows = text_of(north.get("/provider/apprentices"))
    assert (
        "14 March 2027 4 of 6 some evidence has a code that the standard has not; some evidence is of another version"
        " 6.5 of 187 Not ready" in rows
    )
    assert "6.5 of 187 hours" in text_of(north.get(f"/staff/learners/{ama}/apprenticeship"))
    assert "/provider/apprentices" in north.get("/provider").text
    assert "Your apprentices" in text_of(north.get("/staff"))
    assert f"/staff/learners/{ama}/apprenticeship" in north.get(f"/staff/learners/{ama}").text
    assert "No apprentice yet" in text_of(south.get("/provider/apprentices"))
    assert south.get(f"/staff/learners/{ama}/apprenticeship").status_code == 404


def test_staff_of_one_source_see_what_that_source_told_and_nothing_that_another_told_of_the_same_learner(site):
    evidence = {"verb": DEMONSTRATED, "activity": f"{BASE}standards/ST1406/1.0/ksb/K1"}
    site.world.send(start_of("gus"), source="coast")
    site.world.send(statement("gus-k1", {"mbox": "mailto:gus@example.org"}, **evidence), source="hills")
    drain(site.tenant)
    page = f"/staff/learners/{site.world.person({'mbox': 'mailto:gus@example.org'})}/apprenticeship"

    of_one, of_all = (text_of(signed_in(site, role).get(page)) for role in ("provider:coast", "administrator"))

    assert "0 of 6 have accepted evidence" in of_one
    assert "1 of 6 have accepted evidence" in of_all


def start_of(name, started="2026-01-05", end="2028-01-04"):
    """That somebody began ST1406 1.0, as a sender of xAPI tells it."""
    return statement(
        name,
        {"name": name.title(), "mbox": f"mailto:{name}@example.org"},
        verb=REGISTERED,
        activity=f"{BASE}standards/ST1406/1.0",
        timestamp=f"{started}T09:00:00Z",
        context={"extensions": {f"{EXTENSIONS}planned-end": end}},
    )


def test_the_list_is_ordered_by_start_or_by_what_is_missing_and_an_overdue_end_stands_out(site):
    west = signed_in(site, "provider:west")
    evidence = statement(
        "dan-k1",
        {"mbox": "mailto:dan@example.org"},
        verb=DEMONSTRATED,
        activity=f"{BASE}standards/ST1406/1.0/ksb/K1",
    )
    for told in (start_of("cara", "2024-01-08", "2026-01-07"), start_of("dan"), evidence):
        site.world.send(told, source="west")
    drain(site.tenant)

    by_start, by_missing = (
        [(one["name"], one["missing"]) for one in west.get(f"/provider/apprentices.json?sort={order}").json()]
        for order in ("start", "missing")
    )
    page = west.get("/provider/apprentices?gateway=Overdue")

    assert (by_start, by_missing) == ([("Cara", 6), ("Dan", 5)], [("Dan", 5), ("Cara", 6)])
    assert "Cara ST1406 1.0 8 January 2024 7 January 2026 6 of 6 0 Overdue" in text_of(page)
    assert "Dan" not in text_of(page)


def test_what_sources_tell_is_read_once_and_again_when_they_tell_more(site, monkeypatch):
    kept, reads = overview.KeptTold(), []
    read_of = overview._Reading.of  # noqa: SLF001 (how often it reads is what is looked at)
    monkeypatch.setattr(overview._Reading, "of", lambda self, names: reads.append(1) or read_of(self, names))  # noqa: SLF001

    for name in ("eve", "finn"):
        site.world.send(start_of(name), source="east")
        drain(site.tenant)
        some = [overview.apprentices(site.tenant, {"east"}, kept, offered_by_course) for _ in range(3)]
        assert [(len(one.found), one.whole) for one in some] == [(2 if name == "finn" else 1, True)] * 3

    assert len(reads) == 2
    overview.apprentices(replace(site.tenant, id="another"), {"east"}, kept, offered_by_course)
    overview.apprentices(site.tenant, {"east", "west"}, kept, offered_by_course)
    assert len(reads) == 4
    monkeypatch.setattr(overview, "MOST_BYTES", 10)
    assert not overview.apprentices(site.tenant, {"east"}, overview.KeptTold(), offered_by_course).whole


def test_somebody_on_no_standard_is_told_so(site):
    bea = site.world.person({"mbox": "mailto:bea@example.org"})
    staff = signed_in(site, "administrator")

    assert "No apprenticeship is known" in text_of(learner_in(site, bea).get("/me/apprenticeship"))
    assert "No apprenticeship is known" in text_of(staff.get(f"/staff/learners/{bea}/apprenticeship"))
    assert staff.get("/staff/learners/nobody/apprenticeship").status_code == 404


def test_what_is_read_of_one_learner_is_bounded_by_bytes_and_the_page_says_so(site, ama, monkeypatch):
    monkeypatch.setattr(progress_read, "MOST_BYTES", 1_000)

    page = text_of(learner_in(site, ama).get("/me/apprenticeship"))

    assert "There is more than this page can read: only the newest is counted." in page
