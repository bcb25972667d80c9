"""Small archives that unpack to long lists: each list has its limit while it is read, and is refused beyond it."""

import io
import zipfile

import pytest

from lrs.kernel.errors import Refused
from lrs.kernel.tables import opening, package
from lrs.kernel.tables.file import File
from lrs.kernel.tables.json_rows import JsonRows
from tests.kernel.tables.opened import opened
from tests.kernel.tables.written import text, workbook

ROWS = (text("A1", "name"), text("A2", "Ada"))
TOO_LONG = "its lists of sheets, relationships or styles are too long"


def with_part(content, name, part):
    """The workbook in *content* with another *part* of that *name*."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as after:
        for one in before.namelist():
            after.writestr(one, part if one == name else before.read(one))
    return changed.getvalue()


def refused(content):
    with pytest.raises(Refused) as error:
        opened(content, "name")
    return error.value.message


def test_sheets_are_counted_while_the_list_is_read():
    many = with_part(workbook(*ROWS), "xl/workbook.xml", f"<workbook>{'<sheet/>' * 257}</workbook>")

    assert "it has more than 256 sheets" in refused(many)


def test_more_styles_than_a_workbook_can_have_are_refused():
    assert TOO_LONG in refused(workbook(*ROWS, styles=f"<cellXfs>{'<xf/>' * 140_000}</cellXfs>"))
    assert opened(workbook(*ROWS, styles=f"<cellXfs>{'<xf/>' * 65_490}</cellXfs>"), "name")


def test_more_relationships_than_memory_is_meant_for_are_refused():
    many = "".join(f'<Relationship Id="{number}"/>' for number in range(140_000))

    assert TOO_LONG in refused(with_part(workbook(*ROWS), "_rels/.rels", f"<Relationships>{many}</Relationships>"))


def test_elements_of_no_meaning_are_counted_too(monkeypatch):
    monkeypatch.setattr(package, "MAX_ELEMENTS", 1_000)

    assert "more than 1000 elements" in refused(workbook(*ROWS, styles="<x/>" * 1_000))


def test_a_hidden_column_that_is_named_without_end_is_damage():
    assert "cannot be read" in refused(workbook(*ROWS, after='<col min="1" hidden="1"/>' * 16_385))


def test_an_archive_with_a_large_directory_is_refused_before_it_is_read():
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for number in range(20_000):
            archive.writestr(f"{number:08}", b"")

    assert "too many entries" in refused(many.getvalue())


def test_what_a_workbook_unpacks_to_follows_its_size_also_where_many_sheets_are_one_part(monkeypatch):
    monkeypatch.setattr(package, "UNPACKED_ANYWAY", 200_000)
    empty = workbook(*ROWS, after="<row><c/></row>" * 12_000)
    sheets = '<sheet name="S" r:id="sheet"/>' * 3
    thrice = with_part(empty, "xl/workbook.xml", f'<workbook xmlns:r="r"><sheets>{sheets}</sheets></workbook>')

    assert len(opened(empty, "name").sheets) == 1
    assert "more than 200 times its size: delete the empty rows" in refused(thrice)
    assert "more than 200 times its size" in refused(workbook(*ROWS, after="<row><c/></row>" * 40_000))


def test_cells_far_right_count_with_the_empty_ones_before_them(monkeypatch):
    monkeypatch.setattr(opening, "MAX_CELLS", 16_384 + 1)
    far = workbook(text("A1", "name"), text("XFD2", "x"))

    assert opened(far, "name").sheets[0].rows == 1
    assert "more than 16385 cells" in refused(workbook(text("A1", "name"), text("XFD2", "x"), text("A3", "Ada")))


def test_records_that_leave_most_members_out_are_as_short_as_what_they_say():
    wide = JsonRows(File(b'[{"a": 1, "b": 2, "c": 3}, {}, {"b": [{}]}]')).lines()

    assert [(line.cells, sorted(line.faults)) for line in wide][2:] == [([], []), (["", ""], [1])]
