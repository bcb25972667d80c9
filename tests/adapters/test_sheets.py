from __future__ import annotations

import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from adapters.sheets import SheetTable
from lrs.errors import Refused


def test_cells_are_the_text_a_good_csv_would_have_also_with_the_1904_base(tmp_path):
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append(["Day", "At", "Clock", "Number", "Half", "Flag", "Long"])
    values = [date(2026, 11, 2), datetime(2026, 11, 2, 9, 30), time(9, 5), 3.0, 2.05, False, 1061484016]  # noqa: DTZ001
    book.active.append(values)
    book.save(tmp_path / "file")

    (row,) = SheetTable(tmp_path / "file").rows()

    assert dict(row.cells) == {
        "day": "2026-11-02 00:00:00",
        "at": "2026-11-02 09:30:00",
        "clock": "09:05:00",
        "number": "3",
        "half": "2.05",
        "flag": "no",
        "long": "1061484016",
    }


def test_every_sheet_has_its_own_header_and_blank_rows_count(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "One"
    for line in ([], ["A"], [], ["1"]):
        book.active.append(line)
    book.create_sheet("Two").append(["B", "C"])
    book["Two"].append(["2", "3"])
    book.create_sheet("Empty")
    book.save(tmp_path / "file.xlsx")

    table = SheetTable(tmp_path / "file.xlsx")

    assert table.columns == ("a", "b", "c")
    assert [(row.place.sheet, row.place.row, dict(row.cells)) for row in table.rows()] == [
        ("One", 4, {"a": "1"}),
        ("Two", 2, {"b": "2", "c": "3"}),
    ]


def test_an_empty_workbook_is_refused(tmp_path):
    openpyxl.Workbook().save(tmp_path / "file.xlsx")

    with pytest.raises(Refused, match="empty"):
        SheetTable(tmp_path / "file.xlsx")


def test_an_archive_that_grows_too_large_is_refused_before_it_is_unpacked(tmp_path):
    archive = zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
        for _ in range(513):
            member.write(b"\0" * 1024 * 1024)

    assert (tmp_path / "bomb.xlsx").stat().st_size < 1_000_000
    with pytest.raises(Refused, match="unpacks to 537919488 bytes") as refusal:
        SheetTable(tmp_path / "bomb.xlsx")
    assert refusal.value.status == 413


def test_an_archive_that_is_no_workbook_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as archive:
        archive.writestr("hello.txt", "hello")

    with pytest.raises(Refused, match="cannot be opened"):
        SheetTable(tmp_path / "other.xlsx")
