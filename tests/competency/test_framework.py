"""Frameworks from spreadsheets: rows, codes, tiers, versions and the report of what changed."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from lrs.competency.frameworks.framework import VersionChange, from_json, item_id, succeed, to_json
from lrs.competency.frameworks.frameworks import keep, publish, published, versions
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.tables import read_table
from lrs.kernel.errors import Refused
from lrs.storage import open_store
from tests.competency.world import SHEET, URI

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "case" / "opensalt-spreadsheet_import_sample.xlsx"


def read(content):
    content = content.encode() if isinstance(content, str) else content
    return framework_from_sheet(content, uri=URI, title="Advanced therapies", scale=PRESETS["tiers"])


def rows_of(framework):
    codes = {item.id: item.code for item in framework.items}
    return [(item.sort, item.code, codes.get(item.parent), item.order, item.level) for item in framework.items]


def workbook(*rows):
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(stream)
    return stream.getvalue()


def test_a_sheet_becomes_a_tree_with_empty_cells_meaning_as_above():
    framework, faults = read(SHEET)

    assert faults == ()
    assert rows_of(framework) == [
        ("domain", "D1", None, 1, None),
        ("capability", "GOWN", "D1", 1, None),
        ("statement", "GOWN-1", "GOWN", 1, 1),
        ("statement", "GOWN-2", "GOWN", 2, 2),
        ("capability", "ASEP", "D1", 2, None),
        ("statement", "ASEP-1", "ASEP", 1, 1),
    ]


def test_the_same_sheet_as_a_workbook_gives_the_same_framework():
    rows = [[cell or None for cell in line.split(",")] for line in SHEET.splitlines()]
    for row in rows[1:]:
        row[-1] = float(row[-1])

    assert read(workbook(*rows))[0] == read(SHEET)[0]


def test_a_sheet_in_windows_1252_with_semicolons_a_mark_and_blank_lines_is_read():
    text = (
        "\n# made by Zoë\n Domain ; Capability Title;STATEMENT;Tier Level\n\nHygiène;Habillage;S'habille;Tier 2\n;;\n"
    )

    framework, faults = read(text.encode("cp1252"))

    assert faults == ()
    assert [(item.label, item.code, item.level) for item in framework.items] == [
        ("Hygiène", "hygi-ne", None),
        ("Habillage", "hygi-ne/habillage", None),
        ("S'habille", "hygi-ne/habillage/s-habille", 2),
    ]


def test_a_byte_order_mark_is_not_part_of_the_first_header():
    assert read(("\ufeff" + SHEET).encode())[0] == read(SHEET)[0]


def test_each_bad_row_is_named_with_its_column_and_the_rest_goes_in():
    framework, faults = read(
        "domain,capability,capability code,statement,statement code,tier\n"
        ",Orphan,O,,,\n"
        "Clean,Gowning,GOWN,Gowns,G1,1\n"
        ",,,Sees,G2,Tier 9\n"
        ",,,=A1+1,G3,1\n"
        ",,,Gowns again,G1,1\n"
        ",,,,,2\n"
        ",Other,GOWN,Stands,G4,1\n"
    )

    assert [(fault.row, fault.column, fault.reason) for fault in faults] == [
        (2, "domain", "the capability stands under no domain"),
        (4, "tier", "'Tier 9' is no level of the scale 'Skills for Health tiers'"),
        (5, "statement", "the cell holds a formula, not a value: paste its value over it"),
        (6, "statement code", "'G1' is statement 'Gowns' already"),
        (7, None, "names no domain, capability or statement"),
        (8, "capability code", "'GOWN' is capability 'Gowning' already"),
    ]
    assert [item.code for item in framework.items] == ["clean", "GOWN", "G1"]


def test_a_domain_and_a_capability_may_stand_in_every_row():
    framework, faults = read(
        "domain,domain code,capability,capability code,statement,statement code,tier\n"
        "Clean,D,Gowning,GOWN,Gowns,G1,1\n"
        "Clean,D,Gowning,GOWN,Sees,G2,2\n"
        "Clean,D,,,Trains,G3,3\n"
        "Other,O,,,Floats,F1,1\n"
    )

    assert rows_of(framework) == [
        ("domain", "D", None, 1, None),
        ("capability", "GOWN", "D", 1, None),
        ("statement", "G1", "GOWN", 1, 1),
        ("statement", "G2", "GOWN", 2, 2),
        ("statement", "G3", "GOWN", 3, 3),
    ]
    assert [str(fault) for fault in faults] == ["row 5, capability: the statement stands under no capability"]


def test_the_row_number_is_the_one_a_spreadsheet_shows_also_after_a_cell_of_several_lines_and_a_blank_one():
    _, faults = read('domain,capability,statement,tier\nClean,Gowning,"Gowns\nwith care",1\n\n,,Sees,9\n')

    assert [fault.row for fault in faults] == [4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"colour,size\nred,4\n", "no header is known"),
        (b"domain,Domain Name\nx,y\n", "'domain' twice"),
        (b"PK\x03\x04broken", "damaged or was cut off"),
        (b"domain\x00\x00", "holds no framework: it has no rows"),
        (b"domain,capability\n", "holds no framework"),
        (b'domain,capability\nClean,"Gowning\nClean,Care\n', "row 2: a quotation mark is never closed"),
    ],
)
def test_a_file_that_is_no_framework_is_refused_with_the_reason(content, message):
    with pytest.raises(Refused, match=message):
        read(content)


def test_a_file_that_is_too_large_is_refused_unread(monkeypatch):
    monkeypatch.setattr("lrs.kernel.tables.file.MAX_BYTES", 10)

    with pytest.raises(Refused, match="the limit is 10: split it") as refusal:
        read_table(b"domain,capability", {"domain": ()})

    assert refusal.value.status == 413


def changed(content: bytes, change) -> bytes:
    """A workbook with its first sheet changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    members["xl/worksheets/sheet1.xml"] = change(members["xl/worksheets/sheet1.xml"])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, member in members.items():
            packed.writestr(name, member)
    return made.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml[:-40],
        lambda xml: xml.replace(b'r="2"', b'r="two"'),
        lambda xml: xml.replace(b'r="2"', b'r="99999999"'),
    ],
    ids=["XML that ends early", "a row number that is none", "more rows than there can be"],
)
def test_a_workbook_that_is_damaged_inside_is_refused_by_the_name_of_its_sheet(change):
    with pytest.raises(Refused, match=r"the sheet Sheet .* damaged"):
        read(changed(workbook(["domain", "capability"], ["Clean", "Gowning"]), change))


def test_rows_beyond_the_size_that_a_sheet_claims_are_read():
    rows = workbook(["domain", "capability"], ["Clean", "Gowning"], ["Clean", "Care"])

    framework, _ = read(changed(rows, lambda xml: xml.replace(b'ref="A1:B3"', b'ref="A1:B2"')))

    assert [item.label for item in framework.items] == ["Clean", "Gowning", "Care"]


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr("lrs.kernel.tables.package.MAX_UNPACKED", 100)

    with pytest.raises(Refused, match="unpacks"):
        read(workbook(["domain"], ["x"]))


def test_json_keeps_everything():
    framework, _ = read(SHEET)

    assert from_json(to_json(framework)) == framework


def test_an_item_s_id_follows_from_the_framework_and_the_code_alone():
    framework, _ = read(SHEET)

    assert framework.item_named("gown").id == item_id(URI, "GOWN")
    assert item_id(URI, "GOWN") != item_id("urn:other", "GOWN")


@pytest.mark.parametrize("text", ["2", "Tier 2", "tier 2", "Level 2", " practitioner "])
def test_a_level_is_found_by_number_code_or_label(text):
    assert PRESETS["tiers"].named(text).ordinal == 2


def test_a_level_that_is_not_on_the_scale_is_not_found():
    assert PRESETS["tiers"].named("4") is None


def test_importing_the_same_again_changes_nothing(world):
    again = world.framework()

    kept, changes = world.write(lambda tx: keep(tx, again))

    assert (kept.version, kept.status, changes) == (1, "published", ())
    assert len(versions(world.store, URI)) == 1


def test_a_published_version_gets_a_successor_and_a_report_and_stays_as_it_was(world):
    (before,) = versions(world.store, URI)
    changed = SHEET.replace("Gowns without touching the outside", "Gowns cleanly").replace(
        ",,Aseptic technique,ASEP,Works in a laminar flow cabinet,ASEP-1,1", ",,,,Trains others,GOWN-3,3"
    )

    kept, changes = world.write(lambda tx: keep(tx, world.framework(changed)))

    assert (kept.version, kept.status) == (2, "draft")
    assert changes == (
        VersionChange("removed", "ASEP", before="Aseptic technique"),
        VersionChange("removed", "ASEP-1", before="Works in a laminar flow cabinet"),
        VersionChange("text changed", "GOWN-1", "Gowns without touching the outside", "Gowns cleanly"),
        VersionChange("added", "GOWN-3", after="Trains others"),
    )
    assert versions(world.store, URI)[0] == before
    assert {item.code: item.since for item in kept.items} == {"D1": 1, "GOWN": 1, "GOWN-1": 2, "GOWN-2": 1, "GOWN-3": 2}


def test_a_draft_is_replaced_and_what_is_put_back_means_what_it_did(world):
    world.write(lambda tx: keep(tx, world.framework(SHEET.replace("Gowning", "Dressing"))))

    kept, changes = world.write(lambda tx: keep(tx, world.framework(SHEET)))

    assert (kept.version, kept.status, changes) == (2, "draft", ())
    assert {item.since for item in kept.items} == {1}
    assert [one.version for one in published(world.store)] == [1]


def test_moved_items_and_another_tier_are_reported():
    before, _ = read(SHEET)
    after, _ = read(SHEET.replace("GOWN-2,2", "GOWN-2,3").replace("\n,,Aseptic", "\nOther,D2,Aseptic"))

    _, changes = succeed([before], after)

    assert changes == (
        VersionChange("level changed", "GOWN-2", "2", "3"),
        VersionChange("added", "D2", after="Other"),
        VersionChange("moved", "ASEP", "D1", "D2"),
    )


def test_publishing_twice_is_publishing_once_and_an_unknown_one_is_refused(world):
    assert world.write(lambda tx: publish(tx, URI, "test")).version == 1

    with pytest.raises(Refused, match="no framework"):
        world.write(lambda tx: publish(tx, "urn:other", "test"))


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample data is not beside this checkout")
def test_a_workbook_of_another_tool_is_refused_with_the_headers_we_know():
    with pytest.raises(Refused, match="domain"):
        read(SAMPLE.read_bytes())


def test_a_control_character_in_a_framework_is_refused_with_its_place(tmp_path):
    sheet = b"domain,capability,statement,statement code,tier\nA,B,Gow\x07ning,K1,1\n"
    draft, _ = read(sheet)
    store = open_store(f"sqlite:///{tmp_path}/store.db")

    with pytest.raises(Refused, match=r"the text of 'K1' has the control character \\x07"):
        store.write(lambda tx: keep(tx, draft)).result()

    assert versions(store, URI) == []
    store.close()
