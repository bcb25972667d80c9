"""Rows to repair go back as a file of their own, and come in once they are repaired: they, and no other row."""

from __future__ import annotations

import csv
import io
import json

import openpyxl
import pytest
from msgspec.structs import replace

from adapters.imports import job as jobs
from adapters.imports.here import job_here
from adapters.imports.run import Order
from adapters.reading.profile import MappingProfile
from adapters.reports.mended import ROW_OF, own_headers
from lrs.composition.steps import drain
from lrs.storage import each
from tests.adapters.conftest import Kept

HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status,evidence_title"
GOOD = "P-1,ST1406,1.0,E-1,K1,2025-11-03,accepted,Log"
BAD = "P-2,ST1406,1.0,E-2,K1,2025-13-33,accepted,'-2(a) check"


@pytest.fixture
def send(tenant, tmp_path):
    """The import of a file, once it is over, with adapter and columns found as by the pages, or with *profile*."""

    def run(content, name="file.csv", provider="north", profile=None):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        made = job_here(tenant, Order("eportfolio", provider, path, name, profile or MappingProfile()))
        if profile is None:
            record = tenant.store.get("import", made.id)
            asked = jobs.record_of(replace(made, guess=True, adapter=""), record.rev, record.seq)
            tenant.store.write(lambda tx: tx.replace(asked)).result()
        drain(tenant, ("import",))
        return jobs.find(tenant.store, made.id)

    return run


def blob(tenant, job, name):
    return b"".join(tenant.store.blobs.open(job.blobs[name]))


def counts(job):
    return {name: count for name, count in job.told.counts.items() if count}


def test_rows_to_repair_go_back_alone_and_only_they_come_in(tenant, send):
    first = send(f"{HEADER}\n{GOOD}\n{BAD}\n")

    text = blob(tenant, first, "repairs").decode()
    lines = list(csv.reader(io.StringIO(text)))
    assert lines[0] == [*HEADER.split(","), f"{ROW_OF}{first.id}", "outcome", "reason"]
    assert [line[:1] + line[-4:] for line in lines[1:]] == [
        ["P-2", "'-2(a) check", "3", "quarantined", "evidence_date: there is no such date"]
    ]
    second = send(text.replace("2025-13-33", "2025-12-03"))
    assert (second.adapter, second.mends, counts(second)) == ("eportfolio", first.id, {"new": 1, "unchanged": 1})
    assert len(Kept(tenant).valid()) == 2
    assert "repairs" not in second.blobs


def test_a_header_or_a_cell_that_a_spreadsheet_would_run_goes_back_as_text(tenant, send):
    first = send(f"{HEADER},=1+1,@note\n{GOOD},a,b\n{BAD},=2+2,+3\n")

    lines = list(csv.reader(io.StringIO(blob(tenant, first, "repairs").decode())))

    assert [line[8:10] for line in lines] == [["'=1+1", "'@note"], ["'=2+2", "'+3"]]


def test_a_row_that_is_still_wrong_goes_back_again_with_the_number_it_had_at_first(tenant, send):
    first = send("\n".join([HEADER, GOOD, BAD, BAD.replace("P-2", "P-3")]))
    second = send(blob(tenant, first, "repairs").decode().replace("2025-13-33", "2025-12-03", 1))

    third = blob(tenant, second, "repairs").decode()
    last = send(third.replace("2025-13-33", "2025-12-04"))

    assert [(one["row"], one["who"]) for one in json.loads(blob(tenant, second, "shown"))] == [(4, "P-3")]
    assert counts(second) == {"new": 1, "unchanged": 1, "quarantined": 1}
    assert counts(last) == {"new": 1, "unchanged": 2}
    assert last.bases[0] == first.blobs["file"]


def test_a_row_that_contradicts_another_does_not_come_in_because_it_comes_alone(tenant, send):
    first = send("\n".join([HEADER, GOOD, GOOD.replace("2025-11-03", "2025-11-04")]))
    assert counts(first) == {"new": 1, "quarantined": 1}

    second = send(blob(tenant, first, "repairs"))

    assert counts(second) == {"unchanged": 1, "quarantined": 1}


def test_a_row_of_a_roster_is_repaired_without_its_session_and_in_a_workbook(tenant, send, tmp_path):
    book = openpyxl.Workbook()
    for row in (
        ["session_id", "title", "starts_at", "ends_at"],
        ["S-1", "Gown", "2026-11-02T09:00", "2026-11-02T12:00"],
    ):
        book.active.append(row)
    book.active.title = "session"
    roster = book.create_sheet("roster")
    for row in (["session_id", "learner_ref", "attendance"], ["S-1", "P-1", "present"], ["S-1", "P-2", "maybe"]):
        roster.append(row)
    book.save(tmp_path / "sent.xlsx")
    first = send((tmp_path / "sent.xlsx").read_bytes(), "sent.xlsx")

    again = openpyxl.load_workbook(io.BytesIO(blob(tenant, first, "repairs")))
    assert again.sheetnames == ["roster"]
    assert [cell.value for cell in again["roster"][2]][:5] == ["S-1", "P-2", "maybe", "3", "quarantined"]
    again["roster"]["C2"] = "late"
    again.save(tmp_path / "repaired.xlsx")
    second = send((tmp_path / "repaired.xlsx").read_bytes(), "repaired.xlsx")

    assert (first.adapter, counts(first)) == ("training-centre", {"new": 2, "quarantined": 1})
    assert counts(second) == {"new": 1, "unchanged": 2}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text, _: text.replace(",3,quarantined", ",7,quarantined"), "there is no row 7"),
        (lambda text, _: text.replace(",3,quarantined", ",,quarantined"), "is missing or is no number"),
        (lambda text, id: text.replace(id, "0" * 32), "did not send"),
    ],
    ids=["another number", "no number", "another import"],
)
def test_a_file_of_repaired_rows_whose_numbers_were_changed_is_refused(tenant, send, change, says):
    first = send(f"{HEADER}\n{GOOD}\n{BAD}\n")

    second = send(change(blob(tenant, first, "repairs").decode(), first.id))

    assert second.state == "refused"
    assert says in second.problem.message


def test_another_provider_cannot_repair_the_rows(tenant, send):
    first = send(f"{HEADER}\n{GOOD}\n{BAD}\n")

    second = send(blob(tenant, first, "repairs"), provider="south")

    assert second.problem.error == "bad_repairs"
    stored = [json.loads(record.body) for record in each(tenant.store, "statement")]
    assert {one["authority"]["name"] for one in stored} == {"north"}


def test_rows_of_json_come_in_and_those_to_repair_go_back_as_csv_and_come_in_again(tenant, send):
    names = HEADER.split(",")
    records = [dict(zip(names, row.split(","), strict=True)) for row in (GOOD, BAD.replace("'-2(a) check", "Log"))]
    first = send(json.dumps({"export": "2026-11-01", "evidence": records}), "evidence.json")

    text = blob(tenant, first, "repairs").decode()
    lines = list(csv.reader(io.StringIO(text)))
    second = send(text.replace("2025-13-33", "2025-12-03"))

    assert counts(first) == {"new": 1, "quarantined": 1}
    assert [line[-3:] for line in lines] == [
        [f"{ROW_OF}{first.id}", "outcome", "reason"],
        ["2", "quarantined", "evidence_date: there is no such date"],
    ]
    returned = list(csv.reader(io.StringIO(blob(tenant, first, "returned").decode())))
    assert [line[-2] for line in returned] == ["outcome", "new", "quarantined"]
    assert counts(second) == {"new": 1, "unchanged": 1}


def test_a_file_with_an_outcome_of_its_own_gets_columns_of_other_names_and_comes_in_again(tenant, send):
    theirs = MappingProfile(headers={"evidence_status": ["Outcome"], "evidence_title": ["Reason"]})
    header = HEADER.replace("evidence_status", "Outcome").replace("evidence_title", "Reason")
    first = send(f"{header}\n{GOOD}\n{BAD}\n", profile=theirs)

    text = blob(tenant, first, "repairs").decode()
    second = send(text.replace("2025-13-33", "2025-12-03"))

    assert next(csv.reader(io.StringIO(text)))[-3:] == [f"{ROW_OF}{first.id}", "import outcome", "import reason"]
    assert counts(first) == {"new": 1, "quarantined": 1}
    assert counts(second) == {"new": 1, "unchanged": 1}


def test_an_outcome_that_stands_before_other_columns_is_the_provider_s():
    assert own_headers(["Outcome", "Reason", "uln"]) == ("Outcome", "Reason", "uln")
    assert own_headers(["uln", f"{ROW_OF}{'0' * 32}", "Import outcome", "import reason"]) == ("uln",)
    assert own_headers(["uln", "outcome", "reason"]) == ("uln",)


def test_what_is_said_of_a_column_that_a_spreadsheet_would_compute_goes_back_as_text(tenant, send):
    header, profile = HEADER.replace("evidence_date", "=day"), MappingProfile(headers={"evidence_date": ["=day"]})
    job = send(f"{header}\n{GOOD}\n{BAD}", profile=profile)

    said = [list(csv.reader(io.StringIO(blob(tenant, job, one).decode())))[-1][-1] for one in ("returned", "repairs")]

    assert said == ["'=day [evidence_date]: there is no such date"] * 2
