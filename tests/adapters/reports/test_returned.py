"""What goes back to a provider, as it lies in a file until it is sent."""

import os
import stat

import openpyxl
import pytest

from adapters.reports.returned import write_answers

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
