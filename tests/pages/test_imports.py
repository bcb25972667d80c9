"""Imports in a browser: a file is sent, what would go in is seen, corrected, brought in; and nobody sees another's."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import openpyxl
import pytest

from adapters.apprenticeship.facts import Standard
from adapters.imports import job as jobs
from adapters.imports import mappings
from adapters.imports.here import job_here
from adapters.imports.run import Order
from adapters.pages import acts, view
from adapters.reading.profile import MappingProfile
from lrs.access import staff_acts
from lrs.access.roles import granted
from lrs.competency.rules.rules import Rule, Ruleset
from lrs.composition.steps import drain
from lrs.storage import each
from tests.pages.conftest import forms_of, text_of
from tests.pages.members import signed_in

PLACE = "/staff/imports"
DATA = Path(__file__).parents[3] / "shared" / "data"
HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status,evidence_title"
GOOD = "P-1,ST1406,1.0,E-1,K1,2025-11-03,accepted,Log"
BAD = "P-2,ST1406,1.0,E-2,K1,2025-13-33,accepted,Log"
FILE = f"{HEADER}\n{GOOD}\n{BAD}\n"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not beside this checkout")


def send(browser, content, name="file.csv", provider="", place=PLACE):
    """Sends a file by the form on *place*; the answer."""
    page = browser.get(place)
    form = next(form for form in forms_of(page.text) if "file" in form["fields"])
    body = content if isinstance(content, bytes) else content.encode()
    fields = {"form": form["fields"]["form"], "provider": provider or form["fields"].get("provider", "")}
    return browser.ask("POST", form["action"], data=fields, files={"file": (name, body)})


def checked(site, browser, content, name="file.csv", provider="", tenant=None):
    """The address of the page of a file that was sent and checked."""
    answer = send(browser, content, name, provider)
    assert answer.status_code == 303, text_of(answer)
    drain(tenant or site.tenant, ("import",))
    return answer.headers["location"].partition("?")[0]


def stored(tenant):
    return len(list(each(tenant.store, "statement"))) + len(list(each(tenant.store, "import-row")))


def began(site):
    """How many imports were begun, by the record of actions."""
    return [action for action, _ in site.audit()].count("import.begun")


def bring(site, browser, place):
    answer = browser.send(browser.get(place), f"{place}/bring")
    drain(site.tenant, ("import",))
    return answer.headers["location"].partition("?")[0]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    from tests.pages.conftest import Site  # noqa: PLC0415 (one site for all tests here, each with its own provider)

    made = Site(tmp_path_factory.mktemp("imports"))
    yield made
    made.close()


@pytest.fixture
def steward(shared):
    return signed_in(shared, "steward")


def test_a_file_is_checked_brought_in_and_its_rows_to_repair_come_back_and_in(shared, steward):
    before, begun = stored(shared.tenant), began(shared)
    place = checked(shared, steward, FILE, provider="whole-story")

    plan = text_of(steward.get(place))
    assert stored(shared.tenant) == before
    assert "What would go in New 1" in plan
    assert "To repair 1" in plan
    assert "3 P-2 Evidence: day 2025-13-33 There is no such date. To repair" in plan

    done = bring(shared, steward, place)
    assert "What went in New 1" in text_of(steward.get(done))
    repairs = steward.get(f"{done}/repairs")
    assert repairs.headers["content-disposition"] == 'attachment; filename="file, to repair.csv"'

    mended = repairs.text.replace("2025-13-33", "2025-12-03")
    again = checked(shared, steward, mended, "file, to repair.csv", "whole-story")
    assert "New 1 Would change what is known 0 Known already 1" in text_of(steward.get(again))
    last = bring(shared, steward, again)
    assert "What went in New 1" in text_of(steward.get(last))
    assert stored(shared.tenant) == before + 4
    rows = steward.get(f"{PLACE}.json?provider=whole-story&sort=state").json()
    assert [(one["state"], one["in"], one["repair"]) for one in rows] == [
        ("In", 1, 0),
        ("In, repaired by a later file", 1, 0),
    ]
    assert began(shared) == begun + 2


def test_cells_are_repaired_on_the_page_and_their_rows_come_in_with_the_others(shared, steward):
    place = checked(shared, steward, FILE, provider="cells")
    page = steward.get(place)
    cells = f"{place}/cells"

    same = steward.send(page, cells)
    answer = steward.send(page, cells, **{"cell-0": "2025-12-03"})
    drain(shared.tenant, ("import",))
    again = answer.headers["location"].partition("?")[0]

    assert "row 3, P-2: Evidence: day There is no such date." in text_of(page)
    assert (same.status_code, "Nothing is changed: write into a cell" in text_of(same)) == (400, True)
    assert "New 2 Would change what is known 0 Known already 0" in text_of(steward.get(again))
    assert "What went in New 2" in text_of(steward.get(bring(shared, steward, again)))
    listed = steward.get(f"{PLACE}.json?provider=cells").json()
    assert [(one["file"], one["state"], one["repair"]) for one in listed] == [("file, repaired.csv", "In", 0)]


REGISTER = "STUDENT_ID,EVENT_ID,EVENT_NAME,START_TIME,END_TIME,EVENT_ATTENDED,ATTENDANCE_LATE\n" + "".join(
    f"S-{at},E-{on},Text,2017-{on}-12T14:00:00,2017-{on}-12T16:00:00,1,\n" for at in (1, 2) for on in (10, 13, 25)
)


def answered(site, browser, place, order):
    """The page after an answer to what is asked of the dates of the file."""
    answer = browser.send(browser.get(place), f"{place}/columns", order=order)
    drain(site.tenant, ("import",))
    return browser.get(answer.headers["location"].partition("?")[0])


def test_dates_that_may_be_swapped_wait_until_somebody_says_once_how_they_are_read(shared, steward):
    place = checked(shared, steward, REGISTER, "register.csv", "swapped")
    page = text_of(steward.get(place))
    kept, turned = (answered(shared, steward, place, order) for order in ("same", "other"))
    seen = text_of(turned)

    assert (
        "Days seem to come before months in START_TIME and END_TIME (4 rows can be read in no other way):"
        " read the columns so?"
    ) in page
    assert page.count("Days seem to come") == 1
    assert "New 0" in page
    assert "To repair 6" in page
    assert "New 2" in text_of(kept)
    assert "To repair 4" in text_of(kept)
    assert "New 6" in seen
    assert "To repair 0" in seen
    assert "Days seem to come" not in seen
    assert '<option value="%Y-%d-%m" selected>' in turned.text
    done = bring(shared, steward, str(turned.url.path))
    to_learners, to_arrivals = (
        '<a href="/staff/learners">the learners</a>',
        '<a href="/arrivals?source=swapped&amp;from=',
    )
    told = {role: signed_in(shared, role).get(done).text for role in ("steward", "administrator")}
    assert {role: (to_learners in page, to_arrivals in page) for role, page in told.items()} == {
        "steward": (True, False),
        "administrator": (True, True),
    }
    days = {one.body for one in each(shared.tenant.store, "statement") if b"/event/E-13" in one.body}
    assert days
    assert all(b"2017-12-13T14:00:00" in one for one in days)


def test_a_stopped_file_is_asked_for_and_read_whole_by_one_answer(shared, steward):
    text = FILE.replace("2025-11-03", "03/04/2026").replace("2025-13-33", "03/14/2026")
    place = checked(shared, steward, text, provider="stopped")
    page = steward.get(place)

    assert "Months seem to come before days in evidence_date (1 row can be read in no other way)" in text_of(page)
    assert "No: those rows are wrong" not in page.text
    assert "New 2" in text_of(answered(shared, steward, place, "other"))


def test_all_faults_of_a_row_are_repaired_at_once_and_those_alike_by_one_cell(shared, steward):
    text = REGISTER.replace("2017-13-12", "2017-13-33").replace("2017-25-12", "2017-12-25")
    text = text.replace("S-2,E-25,Text,2017-12-25T14:00:00,2017-12-25T16:00:00,1", "S-2,E-25,Text,2017,2017-12-40,here")
    place = checked(shared, steward, text, provider="all faults")
    page = steward.get(place)
    words = text_of(page)

    answer = steward.send(
        page,
        f"{place}/cells",
        **{"cell-0": "2017-12-13T14:00:00", "cell-1": "2017-12-13T16:00:00", "cell-2": "2017-12-25T14:00:00"},
        **{"cell-3": "2017-12-25T16:00:00", "cell-4": "1"},
    )
    drain(shared.tenant, ("import",))
    again = steward.get(answer.headers["location"].partition("?")[0])

    assert "row 3, S-1, and 1 more row: " in words
    assert "To repair 3" in words
    assert "New 6" in text_of(again)
    assert "To repair 0" in text_of(again)


@pytest.mark.parametrize(
    ("file", "called"),
    [
        ("x.tsv", "x, repaired.tsv"),
        ("x, repaired.tsv", "x, repaired 2.tsv"),
        ("x, repaired 9.tsv", "x, repaired 10.tsv"),
        ("x, repaired again", "x, repaired again, repaired"),
    ],
)
def test_a_repaired_file_is_called_so_once(file, called):
    assert acts.repaired_name(file) == called


HOURS = """given_names,learner_ref,standard_ref,standard_version,otj_date,otj_hours,otj_category
Ana,P-1,ST1406,1.0,2025-11-03,2:00,College
Bea,P-2,ST1406,1.0,2025-11-03,2:00,College
"""
ASSESSED = """given_names,learner_ref,standard_ref,standard_version,assessment_date,assessment_outcome
Ana,P-1,ST1406,1.0,2026-05-04,fail
"""


@pytest.mark.parametrize("sort", ["csv", "workbook"])
def test_which_of_two_files_is_right_is_chosen_for_each_row_on_the_page(shared, steward, sort):
    def sent(text, name):
        content = workbook(*(line.split(",") for line in text.splitlines())) if sort == "workbook" else text
        return checked(shared, steward, content, f"{name}.{'xlsx' if sort == 'workbook' else 'csv'}", f"hours {sort}")

    bring(shared, steward, sent(HOURS, "first"))
    page = steward.get(sent(HOURS.replace("2:00", "2:30"), "second"))
    cells = str(page.url.path) + "/cells"

    nothing = steward.send(page, cells, **{"decided-0": "", "decided-1": "7"})
    answer = steward.send(page, cells, **{"decided-0": "1", "decided-1": ""})
    drain(shared.tenant, ("import",))
    again = answer.headers["location"].partition("?")[0]

    said = "An earlier file told something else of this (120 min there, 150 min here)"
    assert said in text_of(page)
    assert "Leave the row out It puts right what was told before" in text_of(page)
    assert nothing.status_code == 400
    assert "New 0 Would change what is known 1 Known already 0 Left out, with a reason 0 To repair 1" in text_of(
        steward.get(again)
    )
    assert "Changed what was known 1" in text_of(steward.get(bring(shared, steward, again)))


def test_an_assessment_of_another_day_is_chosen_to_be_the_first_put_right_or_a_resit(shared, steward):
    bring(shared, steward, checked(shared, steward, ASSESSED, provider="assessed"))
    page = steward.get(checked(shared, steward, ASSESSED.replace("05-04", "06-01"), provider="assessed"))
    answers = [steward.send(page, f"{page.url.path}/cells", **{"decided-0": chosen}) for chosen in ("1", "2")]
    drain(shared.tenant, ("import",))
    seen = [text_of(steward.get(one.headers["location"].partition("?")[0])) for one in answers]

    assert "(of 2026-05-04 there, of 2026-06-01 here)" in text_of(page)
    assert "New 0 Would change what is known 1" in seen[0]
    assert "New 1 Would change what is known 0" in seen[1]


@pytest.mark.parametrize("sort", ["workbook", "cp1252"])
def test_cells_of_a_workbook_or_of_another_encoding_are_repaired_too(shared, steward, sort):
    rows = [line.split(",") for line in FILE.splitlines()]
    content = workbook(*rows) if sort == "workbook" else FILE.replace("P-2", "Zoë").encode("cp1252")
    place = checked(shared, steward, content, "a.xlsx" if sort == "workbook" else "a.csv", f"cells {sort}")
    page = steward.get(place)

    foreign = steward.send(page, f"{place}/cells", **{"cell-0": "Ł"})
    answer = steward.send(page, f"{place}/cells", **{"cell-0": "2025-12-03"})
    drain(shared.tenant, ("import",))

    assert foreign.status_code == (303 if sort == "workbook" else 400)
    assert "To repair 0" in text_of(steward.get(answer.headers["location"]))


@pytest.mark.parametrize("sort", ["workbook", "csv"])
def test_cells_of_a_file_that_came_by_a_command_are_repaired_on_its_page(shared, steward, tmp_path, sort):
    lines = FILE.replace("evidence_date", "Day of proof").splitlines()
    path = tmp_path / ("a.xlsx" if sort == "workbook" else "a.csv")
    path.write_bytes(
        workbook(*(line.split(",") for line in lines)) if sort == "workbook" else "\n".join(lines).encode()
    )
    profile = MappingProfile(headers={"evidence_date": ["Day of proof"]})
    job = job_here(shared.tenant, Order("eportfolio", f"command {sort}", path, path.name, profile))
    drain(shared.tenant, ("import",))
    page = steward.get(f"{PLACE}/{job.id}")

    answer = steward.send(page, f"{PLACE}/{job.id}/cells", **{"cell-0": "2025-12-03"})
    drain(shared.tenant, ("import",))
    again = answer.headers["location"].partition("?")[0]

    assert "row 3, P-2: Day of proof There is no such date." in text_of(page).replace("sheet Sheet, ", "")
    assert "New 1 Would change what is known 0 Known already 1 Left out, with a reason 0 To repair 0" in text_of(
        steward.get(again)
    )
    bring(shared, steward, again)
    listed = steward.get(f"{PLACE}.json?provider=command {sort}").json()
    assert {one["file"]: one["state"] for one in listed} == {
        path.name: "In, repaired by a later file",
        f"a, repaired{path.suffix}": "In",
    }


def test_two_tabs_bring_it_in_once_and_an_older_check_is_not_brought_in_after_another_file(shared, steward):
    first = checked(shared, steward, FILE, provider="two-tabs")
    other = checked(shared, steward, FILE.replace("E-1", "E-9"), provider="two-tabs")
    tab = steward.get(first)

    done = [steward.send(tab, f"{first}/bring").headers["location"].partition("?")[0] for _ in range(2)]
    drain(shared.tenant, ("import",))
    late = steward.send(steward.get(other), f"{other}/bring")

    assert done[0] == done[1]
    assert late.status_code == 409
    assert "Another file of this provider came in since" in text_of(late)


def test_columns_are_guessed_corrected_and_saved_for_the_next_file(shared, steward):
    text = "Learner ID,Std,Date of evidence,Criteria,Ref no,Sign off\nP-1,ST1406,03/11/2025,K1,E-1,signed off\n"
    place = checked(shared, steward, text, provider="columns")
    page = steward.get(place)
    assert "guessed" in text_of(page)
    assert "such as ST1406" in text_of(page)

    headers = text.partition("\n")[0].split(",")
    meant = {"Std": "standard_ref", "Ref no": "evidence_id", "Sign off": "evidence_status"}
    chosen = dict(re.findall(r'<select name="(c\d+)" aria-label="([^"]+)"', page.text))
    picked = {name: meant.get(header) or selected(page.text, name) for name, header in chosen.items()}
    assert set(chosen.values()) == set(headers)
    told = {"form": forms_of(page.text)[-1]["fields"]["form"], "kind": "eportfolio", "name": "Our export"}
    constant = {"constant": "standard_version", "value": "1.0"}
    answer = steward.ask("POST", f"{place}/columns", data=told | picked | constant)
    assert answer.status_code == 303
    drain(shared.tenant, ("import",))
    now = steward.get(answer.headers["location"].partition("?")[0])
    assert "New 1" in text_of(now)
    assert "such as ST1406" in text_of(now)

    later = checked(shared, steward, text.replace("E-1", "E-2"), provider="columns")
    assert "Read with the columns saved as Our export" in text_of(steward.get(later))
    assert "New 1" in text_of(steward.get(later))
    owner, stranger = signed_in(shared, "provider:columns"), signed_in(shared, "provider:another")
    assert [one["name"] for one in owner.get("/staff/columns.json").json()] == ["Our export"]
    assert "Our export" not in stranger.get("/staff/columns").text
    token = forms_of(stranger.get(PLACE).text)[0]["fields"]["form"]
    asked = {"form": token, "provider": "columns", "name": "Our export"}
    assert stranger.ask("POST", "/staff/columns", data=asked).status_code == 404
    owner.send(owner.get("/staff/columns"), "/staff/columns", name="Our export", provider="columns")
    assert owner.get("/staff/columns.json").json() == []
    elsewhere = checked(shared, steward, text, provider="columns-of-others")
    assert "Our export" not in text_of(steward.get(elsewhere))


def test_hours_that_may_be_hours_and_minutes_are_said_until_somebody_chooses(shared, steward):
    text = "Learner ID,Standard Ref,Standard Version,Start date,OTJ date,OTJ hours,OTJ category\n"
    text += "P-1,ST1406,1.0,08/09/2025,12/11/2025,7.00,Workshop\nP-1,ST1406,1.0,08/09/2025,13/11/2025,6.30,Workshop\n"
    place = checked(shared, steward, text, provider="hours")
    page = steward.get(place)
    told = {"form": forms_of(page.text)[-1]["fields"]["form"], "kind": "eportfolio"}
    told |= {name: selected(page.text, name) for name in re.findall(r'<select name="(c\d+)"', page.text)}

    silent, clock = (steward.ask("POST", f"{place}/columns", data=told | {"hours": one}) for one in ("", "h.mm"))
    drain(shared.tenant, ("import",))

    doubt = "Hours such as 6.30 (row 3) are read as decimal: 6 h 18 min. If 6 h 30 min is meant, choose “2.30 is two"
    assert "Look at the columns, or correct them" not in text_of(page)  # they stand open
    said = [text_of(steward.get(one.headers["location"])) for one in (silent, clock)]
    assert [doubt in one for one in (text_of(page), *said)] == [True, True, False]


def test_the_sort_that_somebody_chose_stays_through_the_checks(shared, steward):
    centre = "record,session_id,title,starts_at\nsession,S-1,Gown,2026-11-02T09:00\n"
    place = checked(shared, steward, centre, provider="chosen-sort")
    first, told = selected(steward.get(place).text, "kind"), []
    for _ in range(2):
        page = steward.get(place)
        form = forms_of(page.text)[-1]["fields"]["form"]
        picked = {one: selected(page.text, one) for one in re.findall(r'<select name="(c\d+)"', page.text)}
        answer = steward.ask("POST", f"{place}/columns", data={"form": form, "kind": "eportfolio"} | picked)
        drain(shared.tenant, ("import",))
        place = answer.headers["location"].partition("?")[0]
        told.append(selected(steward.get(place).text, "kind"))

    assert (first, told) == ("training-centre", ["eportfolio", "eportfolio"])


def test_a_check_says_what_no_rule_knows_before_anything_comes_in(shared, steward, monkeypatch):
    activity = Standard("ST1406", "1.0").iri("ksb", "K1")
    rule = Rule("r", 1, "activity", activity, ("http://id.tincanapi.com/verb/demonstrated",), "c", 1)
    monkeypatch.setattr("adapters.imports.walk.current", lambda _: Ruleset(1, (rule,)))
    text = f"{HEADER}\n{GOOD}\n{GOOD.replace('1.0', '1').replace('E-1', 'E-2')}\n"

    told = text_of(steward.get(checked(shared, steward, text, provider="no-rule")))

    assert "New 2" in told
    assert "No rule knows version 1 of ST1406: it comes in, and counts once a rule does. Known are 1.0 (1 row)" in told


def test_a_provider_has_so_many_saved_columns_and_the_page_says_what_to_do(shared, steward, monkeypatch):
    monkeypatch.setattr(mappings, "MOST", 2)
    place = checked(shared, steward, FILE, provider="many")

    def save(name):
        page = steward.get(place)
        form = forms_of(page.text)[-1]["fields"]["form"]
        picked = {one: selected(page.text, one) for one in re.findall(r'<select name="(c\d+)"', page.text)}
        told = {"form": form, "kind": "eportfolio", "name": name} | picked
        return steward.ask("POST", f"{place}/columns", data=told)

    fits = [save(name).status_code for name in ("One", "Two", "Two")]
    begun = len(list(each(shared.tenant.store, jobs.KIND)))
    answer = save("Three")

    assert fits == [303, 303, 303]
    assert answer.status_code == 409
    assert (
        "The provider many has 2 names of saved columns, as many as there can be. Remove one under Saved columns"
        in text_of(answer)
    )
    assert len(list(each(shared.tenant.store, jobs.KIND))) == begun
    names = [one["name"] for one in steward.get("/staff/columns.json?provider=many").json()]
    assert sorted(names) == ["One", "Two"]


def selected(text, name):
    inside = re.search(rf'<select [^>]*name="{name}".*?</select>', text, re.DOTALL)[0]
    found = re.search(r'value="([^"]*)" selected', inside)
    return found[1] if found else ""


def test_two_headers_for_one_column_are_refused_with_their_names(shared, steward):
    place = checked(shared, steward, "Learner ID,Ref,KSB\nP-1,E-1,K1\n", provider="twice")

    page = steward.get(place)
    answer = steward.send(page, f"{place}/columns", kind="eportfolio", c0="learner_ref", c1="learner_ref")

    assert answer.status_code == 400
    assert "“Learner ID” and “Ref” cannot both be" in text_of(answer)


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


PROTECTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"%PDF-1.7 and so on", "the file is a PDF: ask for the table itself"),
        (PROTECTED, "a workbook with a password: save it without the password"),
        (b"PK\x03\x04cut off", "it is damaged or was cut off"),
        (b"one,two\n1,2\n", "no header is known"),
    ],
    ids=["empty", "pdf", "password", "cut off", "other columns"],
)
def test_a_file_that_cannot_be_used_has_a_page_that_says_why_and_nothing_goes_in(shared, steward, content, says):
    before = stored(shared.tenant)
    place = checked(shared, steward, content, "a.xlsx", "faulty")

    page = text_of(steward.get(place))

    assert says.casefold() in page.casefold()
    assert "Nothing went in." in page
    assert stored(shared.tenant) == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'<?xml version="1.0"?><Message xmlns="ESFA/ILR/2023-24"/>', "an ILR return of another year"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Message xmlns="ILR/2026-27">&b;</Message>', "document type"),
        (b"<a><b/></a>", "no ILR return"),
    ],
)
def test_xml_that_is_no_return_is_refused_on_the_page_and_nothing_of_it_is_kept(shared, steward, content, says):
    before = set(shared.tenant.settings.data.rglob("*"))

    answer = send(steward, content, "return.xml", "north")

    assert answer.status_code == 400
    assert says in text_of(answer)
    assert {path for path in shared.tenant.settings.data.rglob("*") if "blobs" in str(path)} <= before


@pytest.mark.parametrize(
    "headers",
    [{}, {"content-type": "text/plain"}, {"content-type": "multipart/form-data"}, {"content-type": "application/xml"}],
)
def test_a_body_that_is_no_form_with_a_file_is_refused(steward, headers):
    answer = steward.ask("POST", PLACE, content=b"<a/>", headers=headers)

    assert 400 <= answer.status_code < 500


def test_a_formula_is_to_repair_a_name_in_hebrew_stays_and_cp1252_is_read(shared, steward):
    rows = [HEADER.split(","), GOOD.split(","), ["P-3", "ST1406", "1.0", "E-3", "K1", "=TODAY()", "accepted", "x"]]
    formula = text_of(steward.get(checked(shared, steward, workbook(*rows), "f.xlsx", "formulas")))
    named = f"given_names,family_name,{HEADER}\nדנה,כהן,{BAD}\n"
    hebrew = steward.get(checked(shared, steward, named, provider="hebrew"))
    western = f"given_names,{HEADER}\nZoë,{BAD}\n".encode("cp1252")
    read = text_of(steward.get(checked(shared, steward, western, provider="western")))

    assert "formula" in formula
    assert "To repair 1" in formula
    assert "דנה כהן" in text_of(hebrew)
    assert "Zoë" in read
    assert "windows-1252" in read


def test_no_file_and_no_name_are_said_beside_the_form(steward):
    page = steward.get(PLACE)
    token = forms_of(page.text)[1]["fields"]["form"]

    empty = steward.ask("POST", PLACE, data={"form": token, "provider": "north"}, files={"file": ("", b"")})
    nobody = send(steward, FILE, provider="../x")
    foreign = steward.ask("POST", PLACE, data={"form": "x"}, files={"file": ("a.csv", b"a")})

    assert (empty.status_code, nobody.status_code, foreign.status_code) == (400, 400, 403)
    assert "Choose a file first." in text_of(empty)
    assert "Say whose file it is" in text_of(nobody)


def test_a_provider_sees_and_changes_only_what_its_own_source_sent(shared, steward):
    north, south = signed_in(shared, "provider:north-x"), signed_in(shared, "provider:south-x")
    place = checked(shared, north, FILE.replace("P-1", "Secret-1"))
    done = bring(shared, north, place)

    for at in (place, done):
        for ending in ("", "/rows", "/rows.csv", "/rows.json", "/file", "/repairs"):
            assert north.get(at + ending).status_code == (404 if at == place and ending == "x" else 200)
            assert south.get(at + ending).status_code == 404
    for ending in ("", ".csv", ".json"):
        assert "file.csv" in north.get(PLACE + ending).text
        assert "north-x" not in south.get(PLACE + ending).text
    token = forms_of(south.get(PLACE).text)[0]["fields"]["form"]
    for act in ("bring", "columns"):
        assert south.ask("POST", f"{place}/{act}", data={"form": token}).status_code == 404
    assert send(south, FILE, provider="north-x").status_code == 403
    mended = north.get(f"{done}/repairs").text
    assert "did not send" in text_of(south.get(checked(shared, south, mended)))
    assert "file.csv" in steward.get(f"{PLACE}.json?provider=north-x").text


def test_another_organisation_sees_nothing_of_it(shared, steward):
    place = checked(shared, steward, FILE, provider="tenants")
    other = signed_in(shared, "administrator", tenant=shared.other)

    assert other.get(f"/t/other{place}").status_code == 404
    assert other.get(f"/t/other{place}/rows.json").status_code == 404
    assert other.get(f"/t/other{PLACE}.json").json() == []
    assert other.get(place).status_code == 303


def test_a_role_taken_away_while_the_page_is_open_brings_nothing_in(shared):
    browser = signed_in(shared, "steward")
    place = checked(shared, browser, FILE, provider="leaver")
    page = browser.get(place)
    staff_acts.set_roles(shared.tenant, browser.member, [granted("planner")], by="test")

    answer = browser.send(page, f"{place}/bring")

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert not [one for one in jobs.newest(shared.tenant.store) if one.provider == "leaver" and not one.dry_run]


def test_the_list_is_a_file_too(shared, steward):
    checked(shared, steward, FILE, "=cmd.csv", "list")

    rows = list(csv.reader(io.StringIO(steward.get(f"{PLACE}.csv?provider=list").content.decode("utf-8-sig"))))

    assert rows[0][:3] == ["File", "Whose", "State"]
    assert [row[0] for row in rows[1:]] == ["'=cmd.csv"]
    assert steward.get(f"{PLACE}.json?provider=list").json()[0]["repair"] == 1


def test_a_file_without_rows_to_repair_has_none_to_take_back(shared, steward):
    place = checked(shared, steward, f"{HEADER}\n{GOOD}\n", provider="all-good")

    assert steward.get(f"{place}/repairs").status_code == 404
    assert steward.get(f"{place}/rows.json").json() == []
    assert "The rows to repair" not in text_of(steward.get(place))


def test_progress_is_said_until_it_is_over(shared, steward):
    answer = send(steward, FILE, provider="progress")
    page = steward.get(answer.headers["location"])

    assert "The file is being read." in text_of(page)
    assert 'data-live="2"' in page.text
    drain(shared.tenant, ("import",))
    assert "data-live=" not in steward.get(answer.headers["location"]).text


@real
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("apprenticeship/das-bulk-upload-2017-sample.csv", "To repair 2"),
        ("attendance/jisc-attendance.tsv", "start_time and end_time (10 rows can be read in no other way)"),
        ("faults/title-lines-above-header.csv", "row 4"),
        ("faults/us-dates-among-uk.csv", "Nothing went in."),
        ("faults/html-named.xls", "the file is a web page"),
        ("faults/number-formats.xlsx", "To repair"),
        ("ilr/ILR-99999999-2526-20250108-094401.xml", "To repair 12"),
    ],
)
def test_real_files_are_read_or_say_why_not(shared, steward, name, says):
    path = DATA / name

    page = text_of(steward.get(checked(shared, steward, path.read_bytes(), path.name, "real")))

    assert says.casefold() in page.casefold()


def test_a_message_has_the_words_of_the_page_and_those_of_columns():
    told = 'not on the day of otj_date; say "hours": "minutes" in the mapping profile, ask kim_lee@x.example'

    said = view.in_words(told)

    choose = "choose “150 is two and a half hours” under “Hours are written”"
    assert said == f"not on the day of “Off the job: day”; {choose}, ask kim_lee@x.example"
