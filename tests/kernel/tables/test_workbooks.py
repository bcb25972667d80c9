from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from adapters.reports.report import Report
from adapters.reports.returned import return_workbook
from lrs.kernel.errors import Refused
from lrs.kernel.tables.notes import notes_on
from tests.kernel.tables.opened import opened

SHEET = "xl/worksheets/sheet1.xml"


def test_cells_are_what_they_show_and_dates_are_iso_also_with_the_1904_base(tmp_path):
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append(["Day", "At", "Clock", "Number", "Half", "Flag", "Long"])
    values = [date(2026, 11, 2), datetime(2026, 11, 2, 9, 30), time(9, 5), 3.0, 2.05, False, 1061484016]  # noqa: DTZ001
    book.active.append(values)
    book.save(tmp_path / "file")

    (row,) = opened(tmp_path / "file", "day at clock number half flag long").rows()

    assert dict(row.cells) == {
        "day": "2026-11-02",
        "at": "2026-11-02 09:30:00",
        "clock": "09:05:00",
        "number": "3",
        "half": "2.05",
        "flag": "FALSE",
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

    table = opened(tmp_path / "file.xlsx", "a b c")

    assert table.columns == ("a", "b", "c")
    assert [(row.place.sheet, row.place.row, dict(row.cells)) for row in table.rows()] == [
        ("One", 4, {"a": "1"}),
        ("Two", 2, {"b": "2", "c": "3"}),
    ]
    assert notes_on(table.first_sheet()) == (
        "read sheet One with its header in row 2",
        "sheets whose headers are not those of this table are not read: Empty",
        "only one sheet is read; these have such a header too: Two",
    )


def test_an_empty_workbook_is_refused(tmp_path):
    openpyxl.Workbook().save(tmp_path / "file.xlsx")

    with pytest.raises(Refused, match="no header is known"):
        opened(tmp_path / "file.xlsx", "a")


def test_an_archive_that_grows_too_large_is_refused_before_it_is_unpacked(tmp_path):
    archive = zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("[Content_Types].xml", "w", force_zip64=True) as member:
        for _ in range(513):
            member.write(b"\0" * 1024 * 1024)

    assert (tmp_path / "bomb.xlsx").stat().st_size < 4_000_000
    with pytest.raises(Refused, match="unpacks to 537919488 bytes") as refusal:
        opened(tmp_path / "bomb.xlsx", "a")
    assert refusal.value.status == 413


def broken(path: Path, change: Callable[[bytes], bytes], rows: int = 1) -> None:
    """A workbook with a header and *rows* whose sheet is changed afterwards."""
    book = openpyxl.Workbook()
    for line in ["a"] + ["1"] * rows:
        book.active.append([line])
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[SHEET] = change(members[SHEET])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml[:-40],
        lambda xml: xml.replace(b'r="2"', b'r="two"'),
        lambda xml: xml.replace(b't="inlineStr"><is><t>1</t></is>', b't="s"><v>9</v>'),
        lambda xml: xml.replace(b'r="2"', b'r="99999999"'),
    ],
    ids=["XML that ends early", "a row number that is none", "a text that is not there", "more rows than there can be"],
)
def test_a_sheet_that_is_damaged_inside_is_refused_by_name(tmp_path, change):
    broken(tmp_path / "file.xlsx", change)

    with pytest.raises(Refused, match=r"the sheet Sheet .* damaged") as refusal:
        list(opened(tmp_path / "file.xlsx", "a").rows())

    assert (refusal.value.status, refusal.value.error) == (400, "bad_workbook")


def test_a_sheet_whose_bytes_were_changed_is_refused(tmp_path):
    broken(tmp_path / "file.xlsx", lambda xml: xml, rows=5_000)
    content = (tmp_path / "file.xlsx").read_bytes()
    (tmp_path / "file.xlsx").write_bytes(
        content.replace(b'r="A5001" t="inlineStr"><is><t>1<', b'r="A5001" t="inlineStr"><is><t>2<')
    )

    with pytest.raises(Refused, match="the sheet Sheet cannot be read: it is damaged"):
        list(opened(tmp_path / "file.xlsx", "a").rows())


def test_a_workbook_with_more_rows_than_the_limit_in_all_its_sheets_is_refused_whole(tmp_path, monkeypatch):
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet("Two")):
        for line in (["a"], ["1"], ["2"]):
            sheet.append(line)
    book.save(tmp_path / "file.xlsx")

    monkeypatch.setattr("lrs.kernel.tables.opening.MAX_ROWS", 4)
    assert len(list(opened(tmp_path / "file.xlsx", "a").rows())) == 4
    monkeypatch.setattr("lrs.kernel.tables.opening.MAX_ROWS", 3)
    with pytest.raises(Refused, match="more than 3 rows: split it") as refusal:
        opened(tmp_path / "file.xlsx", "a")

    assert (refusal.value.status, refusal.value.error) == (413, "file_too_large")


def test_the_sheets_of_a_workbook_unpack_to_so_many_bytes_together(tmp_path, monkeypatch):
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet("Two"), book.create_sheet("Three")):
        for line in (["a"], *[["1"]] * 200):
            sheet.append(line)
    book.save(tmp_path / "file.xlsx")
    with zipfile.ZipFile(tmp_path / "file.xlsx") as archive:
        size = sum(part.file_size for part in archive.infolist())

    monkeypatch.setattr("lrs.kernel.tables.package.MAX_UNPACKED", size)
    assert len(list(opened(tmp_path / "file.xlsx", "a").rows())) == 600
    monkeypatch.setattr("lrs.kernel.tables.package.MAX_UNPACKED", size - 1)
    with pytest.raises(Refused, match=f"unpacks to {size} bytes: split it") as refusal:
        opened(tmp_path / "file.xlsx", "a")

    assert (refusal.value.status, refusal.value.error) == (413, "file_too_large")


def test_rows_beyond_the_size_that_a_sheet_claims_are_read(tmp_path):
    broken(tmp_path / "file.xlsx", lambda xml: xml.replace(b'<dimension ref="A1:A2"', b'<dimension ref="A1:A1"'))

    assert [dict(row.cells) for row in opened(tmp_path / "file.xlsx", "a").rows()] == [{"a": "1"}]


def test_an_archive_that_is_no_workbook_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as archive:
        archive.writestr("hello.txt", "hello")

    with pytest.raises(Refused, match="zip archive without a workbook: unpack it"):
        opened(tmp_path / "other.xlsx", "a")


def test_an_archive_packed_in_a_way_that_cannot_be_undone_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "file.xlsx", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("[Content_Types].xml", b"x" * 10_000)
    data = bytearray((tmp_path / "file.xlsx").read_bytes())
    data[70:90] = bytes(20)
    (tmp_path / "file.xlsx").write_bytes(data)

    with pytest.raises(Refused, match="damaged"):
        opened(tmp_path / "file.xlsx", "a")


def test_a_sheet_whose_name_others_allow_and_we_cannot_write_is_returned(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "A-B"
    book.active.append(["Code"])
    book.active.append(["1"])
    book.save(tmp_path / "made.xlsx")
    with zipfile.ZipFile(tmp_path / "made.xlsx") as made, zipfile.ZipFile(tmp_path / "sent.xlsx", "w") as sent:
        for member in made.infolist():
            sent.writestr(member, made.read(member).replace(b"A-B", b"A/B"))
    table = opened(tmp_path / "sent.xlsx", "code")
    report = Report(
        "training-centre", "north", "sent.xlsx", "", dry_run=False, rows=(), notes=(), read=table, table=table
    )

    return_workbook(report, tmp_path / "returned.xlsx")

    assert openpyxl.load_workbook(tmp_path / "returned.xlsx").sheetnames == ["A_B"]


def edited(path: Path, change: Callable[[str], str], *rows: list[object]) -> Path:
    """A workbook with *rows* whose sheet's XML is changed afterwards."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[SHEET] = change(members[SHEET].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def faults(row) -> dict[str, str]:
    return {column: fault.code for column, fault in row.faults.items()}


def test_a_formula_shows_the_value_that_was_saved_with_it_and_is_still_a_fault(tmp_path):
    path = edited(
        tmp_path / "file.xlsx",
        lambda xml: re.sub(r"(<f>1\+1</f>)<v */?>(</v>)?", r"\1<v>2</v>", xml),
        ["a", "b"],
        ["=1+1", "=B1"],
    )

    (row,) = opened(path, "a b").rows()

    assert (row["a"], row["b"]) == ("2", "=B1")
    assert faults(row) == {"a": "formula", "b": "formula"}
    assert "saved without its value" in row.faults["b"].message


def test_a_formula_that_shows_nothing_is_an_empty_cell_and_a_row_of_them_is_blank(tmp_path):
    path = edited(
        tmp_path / "file.xlsx",
        lambda xml: xml.replace('t="inlineStr"><is><t>gone</t></is>', 't="str"><f>IF(1,"")</f><v></v>'),
        ["a"],
        ["1"],
        ["gone"],
    )

    assert [row["a"] for row in opened(path, "a").rows()] == ["1"]


def test_error_values_are_faults_whatever_made_them(tmp_path):
    path = edited(
        tmp_path / "file.xlsx",
        lambda xml: xml.replace('t="inlineStr"><is><t>gone</t></is>', 't="e"><f>VLOOKUP(1)</f><v>#N/A</v>'),
        ["a", "b"],
        ["gone", "#REF!"],
    )

    (row,) = opened(path, "a b").rows()

    assert faults(row) == {"a": "error_value", "b": "error_value"}


def test_hidden_columns_are_read_and_said_and_cells_beside_the_table_are_said(tmp_path):
    book = openpyxl.Workbook()
    for row in (["a", "b"], ["1", "2"], ["3", "4", "a note"]):
        book.active.append(row)
    book.active.column_dimensions["B"].hidden = True
    book.save(tmp_path / "file.xlsx")

    table = opened(tmp_path / "file.xlsx", "a b")

    assert [dict(row.cells) for row in table.rows()] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert notes_on(table)[1:] == (
        "sheet Sheet: cells right of the header not read in 1 row",
        "sheet Sheet: hidden columns are read like any other: B",
    )


def test_a_cover_on_which_one_word_happens_to_be_a_header_is_no_sheet_of_the_table(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Cover"
    for row in (["Title", "b"], ["Made by", "us"]):
        book.active.append(row)
    book.create_sheet("Data")
    for row in (["a", "b", "c"], ["1", "2", "3"]):
        book["Data"].append(row)
    book.save(tmp_path / "file.xlsx")

    table = opened(tmp_path / "file.xlsx", "a b c")

    assert [found.title for found in table.sheets] == ["Data"]
    assert notes_on(table)[1] == "sheets whose headers are not those of this table are not read: Cover"


def test_phonetic_readings_and_rich_text_and_escapes_are_one_text(tmp_path):
    rich = "<is>\n <r><t>Zo</t> of no text</r>\n <r><t>ë_x000D_</t></r><rPh><t>no</t></rPh>\n</is>"
    path = edited(tmp_path / "file.xlsx", lambda xml: xml.replace("<is><t>gone</t></is>", rich), ["a"], ["gone"])

    assert [row["a"] for row in opened(path, "a").rows()] == ["Zoë"]


def test_a_document_type_is_refused(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "1">]>'
    path = edited(tmp_path / "file.xlsx", lambda xml: bomb + xml, ["a"], ["1"])

    with pytest.raises(Refused, match="a document type"):
        opened(path, "a")


def test_strict_workbooks_and_prefixes_are_read(tmp_path):
    def strict(xml: str) -> str:
        return xml.replace("<", "<x:").replace("<x:/", "</x:").replace('xmlns="', 'xmlns:x="')

    path = edited(tmp_path / "file.xlsx", strict, ["a"], ["1"])

    assert [row["a"] for row in opened(path, "a").rows()] == ["1"]


def test_many_sheets_that_are_one_part_are_refused(tmp_path, monkeypatch):
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.create_sheet("Two").append(["a"])
    book.save(tmp_path / "file.xlsx")
    monkeypatch.setattr("lrs.kernel.tables.package.MAX_SHEETS", 1)

    with pytest.raises(Refused, match="more than 1 sheets"):
        opened(tmp_path / "file.xlsx", "a")


def test_a_sheet_that_the_workbook_names_and_does_not_have_is_damage(tmp_path):
    path = edited(tmp_path / "file.xlsx", lambda xml: xml, ["a"], ["1"])
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["xl/workbook.xml"] = members["xl/workbook.xml"].replace(b'"rId1"', b'"rId9"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)

    with pytest.raises(Refused, match="one of its sheets is missing"):
        opened(path, "a")


def test_more_merged_cells_than_are_remembered_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("lrs.kernel.tables.workbook.MAX_MERGED", 1)
    book = openpyxl.Workbook()
    for row in (["a", "b"], ["1"], ["2"]):
        book.active.append(row)
    book.active.merge_cells("A2:B2")
    book.active.merge_cells("A3:B3")
    book.save(tmp_path / "file.xlsx")

    with pytest.raises(Refused, match="more than 1 merged cells: unmerge them"):
        opened(tmp_path / "file.xlsx", "a b")


def test_of_a_workbook_without_a_known_header_the_sheets_that_are_hidden_are_named(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["other"])
    book.create_sheet("Secret").append(["a"])
    book["Secret"].sheet_state = "hidden"
    book.save(tmp_path / "file.xlsx")

    with pytest.raises(Refused) as refused:
        opened(tmp_path / "file.xlsx", "a b")

    assert refused.value.error == "no_header"
    assert refused.value.message.endswith("expected some of: a, b; hidden sheets are not read: Secret")
