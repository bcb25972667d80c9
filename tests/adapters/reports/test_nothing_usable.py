"""A file of which nothing could be used is no success, by command line or HTTP; one that is known already is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from adapters.reading.profile import MappingProfile
from adapters.reading.source import RowOutcome
from adapters.reports.report import Report
from lrs.kernel.errors import Refused
from lrs.ops.import_commands import adapter
from tests.adapters.conftest import importing
from tests.kernel.tables.opened import opened
from tests.served import Lrs, serving

HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status\n"
GOOD = "P-1,ST1406,1.0,E-1,K1,2025-11-03,accepted\n"
BAD = "P-2,ST1406,1.0,E-2,K1,2025-13-33,accepted\n"
DRAFT = "P-3,ST1406,1.0,E-3,K1,,draft\n"
EMPTY = "P-4,,,,,,\n"


def report_of(*rows: RowOutcome, notes: tuple[str, ...] = (), dry_run: bool = False) -> Report:
    """A report on *rows* of a file whose header is ``E-Mail, Criteria``."""
    table = opened(b"E-Mail,Criteria\na@x.example,K1\n", "email ksb_code")
    return Report("eportfolio", "north", "file.csv", "", dry_run, rows, notes, table, table)


@contextmanager
def server(folder: Path) -> Iterator[Lrs]:
    with (
        serving(folder, scopes=["import", "statements/write", "profile"]) as lrs,
        importing(lrs.app.tenants),
    ):
        yield lrs


def command(lrs: Lrs, path: Path, *more: str) -> tuple[int, str]:
    key, secret = lrs.auth
    shell = {"LRS_ENDPOINT": f"{lrs.address}/xapi", "LRS_KEY": key, "LRS_SECRET": secret}
    result = CliRunner().invoke(adapter, ["run", "eportfolio", str(path), *more], env=shell)
    return result.exit_code, result.output


def post(lrs: Lrs, content: bytes, **headers: str) -> httpx.Response:
    url = f"{lrs.address}/api/imports?wait=60&adapter=eportfolio"
    return lrs.clients[0].post(url, content=content, auth=lrs.auth, headers=headers, timeout=60)


def test_it_ends_with_status_1_in_a_dry_run_too_and_400_over_http(tmp_path):
    (tmp_path / "file.csv").write_text(HEADER + BAD + EMPTY)

    with server(tmp_path / "data") as lrs:
        code, text = command(lrs, tmp_path / "file.csv")
        dry, _ = command(lrs, tmp_path / "file.csv", "--dry-run")
        in_json, told = command(lrs, tmp_path / "file.csv", "--json")
        csv = post(lrs, (HEADER + BAD).encode())
        report = post(lrs, (HEADER + BAD).encode(), Accept="application/json")

    assert (code, dry, in_json) == (1, 1, 1)
    assert text.endswith("Nothing of this file could be used.\n")
    assert msgspec.json.decode(told)["usable"] is False
    assert (csv.status_code, csv.headers["content-type"]) == (400, "text/csv; charset=utf-8")
    assert csv.text.splitlines()[1].endswith(",quarantined,evidence_date: there is no such date")
    assert report.status_code == 400
    assert (report.json()["error"], report.json()["message"]) == (
        "nothing_usable",
        "Nothing of this file could be used.",
    )
    assert [row["code"] for row in report.json()["rows"]] == ["impossible_date"]


def test_what_is_known_already_or_does_not_count_yet_is_a_success(tmp_path):
    (tmp_path / "file.csv").write_text(HEADER + GOOD)
    (tmp_path / "draft.csv").write_text(HEADER + DRAFT)

    with server(tmp_path / "data") as lrs:
        first, again = command(lrs, tmp_path / "file.csv"), command(lrs, tmp_path / "file.csv")
        draft = command(lrs, tmp_path / "draft.csv")
        posted = post(lrs, (HEADER + GOOD + BAD).encode())

    assert (first[0], again[0], draft[0], posted.status_code) == (0, 0, 0, 200)
    assert again[1].splitlines()[0] == "file.csv: 1 unchanged"
    assert draft[1].splitlines() == [
        "draft.csv: 1 skipped",
        "  row 2: skipped not_yet: evidence is draft, not accepted",
    ]


@pytest.mark.parametrize(
    ("outcomes", "usable"),
    [
        ([], False),
        ([("skipped", "summary"), ("skipped", "nothing")], False),
        ([("quarantined", "no_email"), ("error", "store_400")], False),
        ([("quarantined", "no_email"), ("skipped", "repeated")], True),
        ([("skipped", "not_yet")], True),
        ([("unchanged", "")], True),
    ],
)
def test_a_report_knows_whether_anything_was_of_use(outcomes, usable):
    rows = [RowOutcome("", number, outcome, code) for number, (outcome, code) in enumerate(outcomes, 2)]

    assert report_of(*rows).usable is usable


def test_rows_with_the_same_reason_are_one_line_and_every_skipped_row_is_named():
    same = [RowOutcome("", number, "skipped", "summary", reason="a summary, not a learner") for number in (2, 3, 4, 9)]
    bad = [
        RowOutcome("Data", n, "quarantined", "no_email", "email", "xxx", "this is no e-mail address") for n in (7, 8)
    ]

    assert report_of(*same, *bad, notes=("read as utf-8",), dry_run=True).text() == (
        "file.csv: 4 skipped, 2 quarantined (dry run: nothing was written)\n"
        "  read as utf-8\n"
        "  Data rows 7-8: quarantined no_email: email (xxx): this is no e-mail address\n"
        "  rows 2-4, 9: skipped summary: a summary, not a learner\n"
        "Repair these rows and run the file again: what is in already will not change.\n"
        "Nothing of this file could be used."
    )


def test_a_report_of_very_many_reasons_says_how_many_rows_it_leaves_out():
    rows = [RowOutcome("", n, "quarantined", "no_email", "email", "x" * (n % 60), "no") for n in range(2, 122)]

    text = report_of(*rows).text().splitlines()

    assert len(text) == 1 + 50 + 1 + 2
    assert text[51] == "  … and 20 more rows: use --json for all"


def test_a_column_is_called_as_the_file_calls_it_and_ours_is_said_where_that_is_another(bring):
    profile = MappingProfile(headers={"ksb_code": ["Criteria"], "evidence_status": ["State"]})
    header = "Learner Ref;Standard Ref;Standard version;Evidence ID;Criteria;EvidenceDate;State\n"

    report = bring(
        "eportfolio", header + "P-1;ST1406;1.0;E-1;K;2025-11-03;ok\nP-1;ST1406;1.0;E-1;K1;x;accepted\n", profile=profile
    )

    lines = report.text().splitlines()
    assert lines[2].startswith(
        "  row 2: quarantined unknown_word: State [evidence_status] (xx): this word is not known"
    )
    assert lines[3] == "  row 3: quarantined impossible_date: EvidenceDate (x): there is no such date"


@pytest.mark.parametrize(
    ("adapter_name", "header", "told"),
    [
        ("eportfolio", "student_id\tevent_id\tevent_attended\n1\t2\t1\n", "the adapter training-centre knows more"),
        (
            "eportfolio",
            "record,email,attendance\nroster,a@x.example,present\n",
            "the adapter training-centre knows more",
        ),
        ("training-centre", "email,ksb_code,evidence_id\na@x.example,K1,1\n", "the adapter eportfolio knows more"),
        (
            "das",
            "uln,learner_ref,email,given_names,family_name,ksb_code,evidence_id\n,R1,a@x.example,A,B,K1,1\n",
            "the adapter eportfolio knows more",
        ),
    ],
)
def test_a_file_for_the_other_adapter_is_said_to_be_one(bring, adapter_name, header, told):
    try:
        said = bring(adapter_name, header).text()
    except Refused as refusal:
        said = refusal.message

    assert told in said
