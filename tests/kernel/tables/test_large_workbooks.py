"""Small archives that unpack to long lists: each list has its limit while it is read, and is refused beyond it."""

import io
import zipfile

import pytest

from lrs.kernel.errors import Refused
from lrs.kernel.tables import package
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
