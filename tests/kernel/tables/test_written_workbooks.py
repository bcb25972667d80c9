"""What Excel and others write into a workbook beyond what openpyxl does."""

from __future__ import annotations

import pytest

from lrs.kernel.errors import Refused
from tests.kernel.tables.opened import opened
from tests.kernel.tables.written import formats, renamed, text, workbook


def faults(row) -> dict[str, str]:
    return {column: fault.code for column, fault in row.faults.items()}


def test_the_values_that_an_array_formula_puts_below_it_are_formulas_too():
    spilled = workbook(
        text("A1", "Name") + text("B1", "Hours"),
        '<c r="A2"><v>1</v></c><c r="B2" cm="1"><f t="array" ref="B2:B3">_xlfn.SORT(X2:X3)</f><v>2</v></c>',
        '<c r="A3"><v>1</v></c><c r="B3"><v>3</v></c>',
        '<c r="A4"><v>1</v></c><c r="B4"><v>4</v></c>',
    )

    rows = list(opened(spilled, "name hours").rows())

    assert [faults(row) for row in rows] == [{"hours": "formula"}, {"hours": "formula"}, {}]


def test_more_array_formulas_than_are_remembered_are_refused(monkeypatch):
    monkeypatch.setattr("lrs.kernel.tables.workbook.MAX_MERGED", 1)
    formulas = "".join(f'<c r="{at}2"><f t="array" ref="{at}2:{at}9">1</f><v>1</v></c>' for at in "AB")

    with pytest.raises(Refused, match="more than 1 array formulas"):
        opened(workbook(text("A1", "Name"), formulas), "name")


def test_the_formats_of_conditions_and_tables_are_not_those_of_cells_with_the_same_number():
    more = '<dxfs><dxf><numFmt numFmtId="164" formatCode="0%"/></dxf></dxfs>'
    table = workbook(text("A1", "Share"), '<c r="A2" s="1"><v>1</v></c>', styles=formats("0.00", more=more))

    (row,) = opened(table, "share").rows()

    assert row["share"] == "1.00"


def test_half_a_character_is_a_fault_and_two_halves_are_one():
    table = workbook(
        text("A1", "Half") + text("B1", "Whole"), text("A2", "a_xD83D_") + text("B2", "_xD83D__xDE00__x000D_\nb")
    )

    (row,) = opened(table, "half whole").rows()

    assert faults(row) == {"half": "encoding"}
    assert row["whole"] == "\U0001f600\r\nb"


@pytest.mark.parametrize("tag", ['<row x="{}"/>', "<!--{}-->"])
def test_a_tag_without_end_is_refused_before_it_is_read_again_and_again(tag):
    endless = workbook(text("A1", "Name"), after=tag.format("a" * 2_000_000))

    with pytest.raises(Refused, match="a tag or a comment of more than 1048576 bytes"):
        opened(endless, "name")


def test_a_date_written_out_is_read_by_the_format_of_its_cell():
    table = workbook(
        text("A1", "Day") + text("B1", "At") + text("C1", "Code") + text("D1", "Clock"),
        '<c r="A2" s="1" t="d"><v>2026-11-03T00:00:00</v></c><c r="B2" s="2" t="d"><v>2026-11-03T09:30:00.000</v></c>'
        '<c r="C2" s="3" t="d"><v>2026-11-03</v></c><c r="D2" t="d"><v>T02:30:00</v></c>',
        styles=formats("dd/mm/yyyy", "dd/mm/yyyy hh:mm", "d-mmm"),
    )

    (row,) = opened(table, "day at code clock").rows()

    assert dict(row.cells) == {
        "day": "2026-11-03",
        "at": "2026-11-03 09:30:00",
        "code": "2026-11-03",
        "clock": "02:30:00",
    }
    assert faults(row)["code"] == "number_format"


@pytest.mark.parametrize("code", ["&quot;K&quot;@", ";;;", "0;0;0;", "@&quot; h&quot;"])
def test_a_text_that_its_format_shows_otherwise_or_not_at_all_is_left_to_a_person(code):
    table = workbook(text("A1", "Code", 1), text("A2", "1", 1), styles=formats(code))

    (row,) = opened(table, "code").rows()

    assert (row["code"], faults(row)) == ("1", {"code": "number_format"})


@pytest.mark.parametrize(
    "code", ["_-* #,##0.00_-;-* #,##0.00_-;_-* &quot;-&quot;??_-;_-@_-", "0;-0;;@", "yyyy-mm-dd;@", ";;"]
)
def test_a_text_in_a_format_for_numbers_is_the_text(code):
    table = workbook(text("A1", "Code"), text("A2", "K1", 1), styles=formats(code))

    (row,) = opened(table, "code").rows()

    assert (row["code"], faults(row)) == ("K1", {})


def test_a_string_with_a_negative_number_is_damage():
    with pytest.raises(Refused, match="damaged"):
        opened(workbook(text("A1", "Name"), '<c r="A2" t="s"><v>-1</v></c>', strings="<si><t>Pat</t></si>"), "name")


def test_elements_that_stand_in_one_another_without_end_are_refused():
    with pytest.raises(Refused, match="more than 256 deep"):
        opened(workbook(text("A1", "Name"), after="<a>" * 300 + "</a>" * 300), "name")


def test_a_sheet_that_is_not_in_the_archive_is_damage_and_one_with_backslashes_in_its_name_is_there():
    table = workbook(text("A1", "Name"), text("A2", "Pat"))

    (row,) = opened(renamed(table, "xl/sheet.xml", "xl\\sheet.xml"), "name").rows()

    assert row["name"] == "Pat"
    assert [each["name"] for each in opened(renamed(table, "xl/sheet.xml", "XL/Sheet.XML"), "name").rows()] == ["Pat"]
    with pytest.raises(Refused, match="one of its sheets is missing"):
        opened(renamed(table, "xl/sheet.xml", ""), "name")


def test_a_cell_that_stands_twice_is_damage_and_not_the_second_of_the_two():
    with pytest.raises(Refused, match="the sheet S cannot be read"):
        opened(workbook(text("A1", "Name"), text("A2", "Pat") + text("A2", "Sam")), "name")


def test_more_shared_texts_than_memory_is_meant_for_are_refused(monkeypatch):
    monkeypatch.setattr("lrs.kernel.tables.package.MAX_TEXTS", 1_000)
    many = workbook(text("A1", "Name"), strings="<si><t>a</t></si>" * 20)

    with pytest.raises(Refused, match="too much text: split it"):
        opened(many, "name")


def test_of_a_text_of_megabytes_only_so_much_is_kept_that_it_is_known_to_be_too_long():
    table = workbook(text("A1", "Name"), text("A2", "a" * 2_000_000))

    (row,) = opened(table, "name").rows()

    assert faults(row) == {"name": "cell_too_long"}
    assert len(row["name"]) < 400_000


def test_a_shared_string_of_several_parts_is_one_and_those_behind_it_keep_their_numbers():
    shared = (
        "<si>\n<r><t>Ki</t></r> <r><t xml:space='preserve'>m </t></r><r><t>B</t></r>\n</si>"
        "<si><t>Pat</t><rPh><t>no</t></rPh></si><si/><si><t>Sam</t></si>"
    )
    cells = [f'<c r="A{row}" t="s"><v>{number}</v></c>' for row, number in ((2, 0), (3, 1), (4, 3))]

    table = opened(workbook(text("A1", "Name"), *cells, strings=shared), "name")

    assert [row["name"] for row in table.rows()] == ["Kim B", "Pat", "Sam"]
