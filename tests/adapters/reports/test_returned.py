"""What goes back to a provider, as it lies in a file until it is sent."""

import os
import re
import stat
import zipfile

import openpyxl
import pytest

from adapters.reports.returned import return_workbook, write_answers
from adapters.reports.workbooks import NumberedLine, WrittenSheet, write_workbook
from tests.kernel.tables.written import text
from tests.kernel.tables.written import workbook as by_hand

HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status,evidence_title"
ROW = "P-1,ST1406,1.0,E-1,K1,2025-11-03,accepted,Log"
FAULTY = "P-2,ST1406,1.0,E-1,K1,2025-13-33,accepted,Log"


def workbook(path):
    book = openpyxl.Workbook()
    for line in (HEADER, ROW, FAULTY):
        book.active.append(line.split(","))
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("sent", "media_type"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_all_of_it_is_for_its_owner_alone_whatever_the_umask(
    bring, portfolio_profile, tmp_path, request, sent, media_type
):
    content = workbook(tmp_path / "file.xlsx") if sent == "xlsx" else f"{HEADER}\n{ROW}\n{FAULTY}\n"
    report = bring("eportfolio", content, profile=portfolio_profile)
    before = os.umask(0)
    request.addfinalizer(lambda: os.umask(before))

    written = write_answers(report, "an-import", tmp_path)

    assert written.media_type == media_type
    assert written.names == ("report", "returned", "repairs", "shown")
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in written.names} == {0o600}


def test_a_cell_in_the_last_row_goes_back_without_the_million_rows_above_it(bring, portfolio_profile, tmp_path):
    cells = [[text(chr(65 + at), word) for at, word in enumerate(line.split(","))] for line in (HEADER, ROW)]
    head, row = ("".join(line).replace(' s="0"', "") for line in cells)
    sent = tmp_path / "far.xlsx"
    sent.write_bytes(by_hand(numbered(head, 1), after=f'<row r="1048576">{numbered(row, 1_048_576)}</row>'))
    report = bring("eportfolio", sent, profile=portfolio_profile)
    wrote = []

    return_workbook(report, tmp_path / "returned", wrote.append)

    assert [(one.row, one.outcome) for one in report.rows] == [(1_048_576, "new")]
    assert wrote == [1, 2]
    with zipfile.ZipFile(tmp_path / "returned") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert re.findall(r'<row r="(\d+)"', sheet) == ["1", "1048576"]
    assert re.search(r'<c r="I1048576"[^>]*><is><t[^>]*>new</t>', sheet)


def numbered(cells, row):
    return re.sub(r'r="([A-Z]+)"', rf'r="\g<1>{row}"', cells)


def test_a_written_workbook_says_to_others_what_was_written(tmp_path):
    strange = ' two  blanks \r\n<&"> é 😀 \x07'
    lines = [NumberedLine(1, ["a", "", strange]), NumberedLine(4, ["b"], hidden=True)]
    titles = ["A/B", "a:b", "", 'x"&' * 20, 'x"&' * 20]

    write_workbook(tmp_path / "made.xlsx", (WrittenSheet(one, lines, hidden=one == "a:b") for one in titles))

    book = openpyxl.load_workbook(tmp_path / "made.xlsx")
    assert book.sheetnames == ["A_B", "a_b1", "Sheet", ('x"&' * 20)[:31], ('x"&' * 20)[:30] + "1"]
    assert [one.sheet_state for one in book][:3] == ["visible", "hidden", "visible"]
    first = book["A_B"]
    assert next(first.iter_rows(values_only=True)) == ("a", None, ' two  blanks \r\n<&"> é 😀 ')
    assert (first.max_row, first["A4"].value) == (4, "b")
    assert (first.row_dimensions[1].hidden, first.row_dimensions[4].hidden) == (False, True)
