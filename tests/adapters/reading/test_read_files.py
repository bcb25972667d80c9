"""Providers' files as people send them, made after public reports: what is read of each, and what is said about it.

The files stand in ``faults``; everybody in them is made up.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from adapters.reading.profile import MappingProfile
from lrs.kernel.errors import Refused
from lrs.ops.import_commands import adapter
from tests.adapters.conftest import importing
from tests.served import serving

FAULTS = Path(__file__).parents[1] / "faults"
EXTENSIONS = "https://w3id.org/engraft/extensions/"


def outcomes(report) -> list[tuple[int, str, str]]:
    return [(row.row, row.outcome, row.code) for row in report.rows]


def titles(endpoint) -> list[str]:
    shown = [one for one in endpoint.valid() if one["verb"]["id"].endswith("/demonstrated")]
    return [one["context"]["extensions"][EXTENSIONS + "evidence-title"] for one in shown]


@pytest.mark.parametrize(("name", "verb"), [("percent-cell-100.xlsx", "failed"), ("percent-cell-80.xlsx", "failed")])
def test_a_checklist_that_asks_for_100_or_80_per_cent_is_not_passed_by_one_step_of_four(bring, endpoint, name, verb):
    report = bring("training-centre", FAULTS / name)

    assert [row.outcome for row in report.rows] == ["new"] * 5
    assert [one["verb"]["id"].rpartition("/")[2] for one in endpoint.valid()] == [verb]


def test_versions_and_references_are_what_their_cells_show(bring, endpoint):
    report = bring("eportfolio", FAULTS / "number-formats.xlsx")

    assert {row.outcome for row in report.rows} == {"new"}
    assert [
        (one["actor"]["account"]["name"], one["object"]["id"].removeprefix("https://w3id.org/engraft/standards/"))
        for one in endpoint.valid()
        if one["verb"]["id"].endswith("/demonstrated")
    ] == [
        ("V1", "ST1406/1.0/ksb/S4"),
        ("V2", "ST1406/1.1/ksb/S4"),
        ("V3", "ST1406/1.10/ksb/S4"),
        ("V4", "ST1406/1.0/ksb/S4"),
        ("V5", "ST1406/1/ksb/S4"),
        ("0012", "ST1406/1.0/ksb/S4"),
    ]


@pytest.mark.parametrize(
    ("name", "row", "note"),
    [
        ("blank-line-first.csv", 3, "read as utf-8, semicolon between cells, header in row 2"),
        ("header-cell-with-line-break.csv", 2, "read as utf-8, semicolon between cells, header in row 1"),
        ("title-lines-above-header.csv", 5, "read as utf-8, comma between cells, header in row 4"),
    ],
)
def test_the_header_is_found_wherever_it_stands_and_whatever_stands_between_its_words(bring, name, row, note):
    report = bring("eportfolio", FAULTS / name)

    assert outcomes(report) == [(row, "new", "")]
    assert report.notes[0] == note


def test_rows_above_the_header_are_counted(bring):
    report = bring("eportfolio", FAULTS / "title-lines-above-header.csv")

    assert report.notes[1:] == ("2 rows above the header not read",)


@pytest.mark.parametrize(
    ("name", "what"),
    [("html-named.xls", r"a web page \(HTML\)"), ("pdf-named.csv", "a PDF: ask for the table itself")],
)
def test_files_of_another_sort_are_refused_by_name(bring, endpoint, name, what):
    with pytest.raises(Refused, match=what) as refused:
        bring("eportfolio", FAULTS / name)

    assert (refused.value.status, refused.value.error) == (400, "no_table")
    assert endpoint.is_empty()


def test_a_file_that_ends_in_zero_bytes_is_read_and_they_are_said(bring):
    report = bring("eportfolio", FAULTS / "padded-with-nul.csv")

    assert outcomes(report) == [(2, "new", ""), (3, "new", "")]
    assert report.notes[1].startswith("the file ends in zero bytes")


def test_a_hidden_sheet_is_left_out_and_said(bring, endpoint):
    report = bring("training-centre", FAULTS / "hidden-attendance-sheet.xlsx")

    assert {row.sheet for row in report.rows} == {"sessions", "roster"}
    assert report.notes[1] == "hidden sheets are not read: attendance"
    assert [one["actor"]["mbox"] for one in endpoint.valid()] == ["mailto:pat@learner.example"]


def test_one_foreign_byte_costs_its_own_row_only(bring, endpoint):
    report = bring("eportfolio", FAULTS / "one-foreign-byte.csv")

    assert outcomes(report) == [(2, "new", ""), (3, "new", ""), (4, "quarantined", "encoding")]
    assert [title for title in titles(endpoint) if title != "x"] == ["Café"]


def test_headers_are_found_however_their_words_are_joined_and_unknown_ones_are_named(bring):
    known = {"standard_ref": ["Std Code"], "email": ["EmailAddress"], "learner_ref": ["provider ref"]}

    report = bring("eportfolio", FAULTS / "camel-case-headers.csv", profile=MappingProfile(headers=known))

    assert outcomes(report) == [(2, "new", "")]
    assert report.notes[1] == (
        "headers that are not known here, so their columns are not read: CohortRef, AgreementId, DateOfBirth, EndDate,"
        " TotalPrice, EPAOrgID, RecognisePriorLearning, DurationReducedBy, PriceReducedBy"
    )


def test_free_text_is_text_and_formulas_and_error_values_are_left_aside(bring, endpoint):
    report = bring("eportfolio", FAULTS / "titles-like-formulas.csv")

    assert [(row, code) for row, outcome, code in outcomes(report) if outcome != "new"] == [
        (5, "formula"),
        (9, "error_value"),
    ]
    assert {"-2(a) check", "+44(0) call", "@home task", "#1 batch record", "-K1!", "@x|y"} <= set(titles(endpoint))


def saved(path: Path, *rows: list[object]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return book


SCOPES = ("import", "statements/write", "profile")
HEADER = ["learner_ref", "standard_ref", "start_date"]


def test_a_hidden_row_is_left_to_a_person_and_comes_back_hidden(tmp_path):
    book = saved(tmp_path / "a.xlsx", HEADER, ["A", "ST1406", "2025-09-01"], ["B", "ST1406", "2025-09-01"])
    book.active.row_dimensions[3].hidden = True
    book.create_sheet("Old").append(HEADER)
    book["Old"].sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")

    with (
        serving(tmp_path / "data", scopes=("import", "statements/write", "profile")) as lrs,
        importing(lrs.app.tenants),
    ):
        answer = lrs.clients[0].post(
            f"{lrs.address}/api/imports?wait=60&adapter=eportfolio",
            content=(tmp_path / "a.xlsx").read_bytes(),
            auth=lrs.auth,
            timeout=60,
        )

    (tmp_path / "b.xlsx").write_bytes(answer.content)
    returned = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert [row[3] for row in returned.active.iter_rows(values_only=True)] == ["outcome", "new", "quarantined"]
    assert returned.active.row_dimensions[3].hidden
    assert returned["Old"].sheet_state == "hidden"


@pytest.mark.parametrize("name", ["html-named.xls", "pdf-named.csv"])
def test_the_server_and_the_command_line_refuse_another_sort_of_file(tmp_path, name):
    with (
        serving(tmp_path / "data", scopes=("import", "statements/write", "profile")) as lrs,
        importing(lrs.app.tenants),
    ):
        answer = lrs.clients[0].post(
            f"{lrs.address}/api/imports?wait=60&adapter=eportfolio",
            content=(FAULTS / name).read_bytes(),
            auth=lrs.auth,
            timeout=60,
        )
        shell = {"LRS_ENDPOINT": f"{lrs.address}/xapi", "LRS_KEY": lrs.auth[0], "LRS_SECRET": lrs.auth[1]}
        run = CliRunner().invoke(adapter, ["run", "eportfolio", str(FAULTS / name)], env=shell)

    assert (answer.status_code, answer.json()["error"]) == (400, "no_table")
    assert run.exit_code == 1
    assert run.stderr.splitlines()[-1].startswith("Error: the file is a ")


def test_the_report_as_json_has_the_notes(tmp_path):
    with (
        serving(tmp_path / "data", scopes=("import", "statements/write", "profile")) as lrs,
        importing(lrs.app.tenants),
    ):
        shell = {"LRS_ENDPOINT": f"{lrs.address}/xapi", "LRS_KEY": lrs.auth[0], "LRS_SECRET": lrs.auth[1]}
        path = str(FAULTS / "title-lines-above-header.csv")
        run = CliRunner().invoke(adapter, ["run", "eportfolio", path, "--json"], env=shell)

    assert json.loads(run.stdout)["notes"] == [
        "read as utf-8, comma between cells, header in row 4",
        "2 rows above the header not read",
    ]


def test_a_reference_that_the_spreadsheet_has_made_a_date_of_names_nobody(bring, tmp_path):
    rows = [["learner_ref", "standard_ref", "start_date"], [date(2026, 2, 1), "ST1406", date(2025, 9, 1)]]
    saved(tmp_path / "a.xlsx", *rows)

    report = bring("eportfolio", tmp_path / "a.xlsx")

    assert [(row.code, row.column) for row in report.rows] == [("date_value", "learner_ref")]
