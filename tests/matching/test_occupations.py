"""Occupations from the CSV files of ESCO: what is read, what is left out and why, and how one is found."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from lrs.cli import main
from lrs.competency.shapes import ProfileEntry
from lrs.kernel.errors import Refused
from lrs.matching import declared, occupations
from lrs.matching.declared import DeclaredSkill, SelfDeclared
from lrs.tenancy.tenants import Tenant
from tests.matching.world import held

ESCO = Path(__file__).parents[3] / "shared" / "data" / "esco"
OCCUPATIONS = """conceptType,conceptUri,preferredLabel,altLabels
Occupation,http://esco/o/1,brewer,"beer maker
master brewer"
Occupation,http://esco/o/2,baker,
Occupation,,nameless,
"""
SKILLS = """conceptUri,preferredLabel
http://esco/s/1,clean vessels
http://esco/s/2,keep records
http://esco/s/3,bake bread
"""
RELATIONS = """occupationUri,relationType,skillType,skillUri
http://esco/o/1,optional,skill,http://esco/s/2
http://esco/o/1,essential,skill,http://esco/s/1
http://esco/o/1,essential,skill,http://esco/s/1
http://esco/o/2,essential,skill,http://esco/s/9
http://esco/o/9,essential,skill,http://esco/s/3
http://esco/o/2,useful,skill,http://esco/s/3
"""


def write(folder: Path) -> Path:
    for name, text in (
        ("occupations_en.csv", OCCUPATIONS),
        ("skills_en.csv", SKILLS),
        ("occupationSkillRelations_en.csv", RELATIONS),
    ):
        (folder / name).write_text(text)
    return folder


def test_occupations_come_in_with_their_skills_and_each_row_that_is_left_out_is_said(tmp_path: Path) -> None:
    read = occupations.read_folder(write(tmp_path))

    brewer, baker = read.found
    assert (brewer.id, brewer.label, brewer.others) == ("http://esco/o/1", "brewer", ("beer maker", "master brewer"))
    assert [(one.label, one.essential) for one in brewer.skills] == [("clean vessels", True), ("keep records", False)]
    assert (baker.label, baker.skills) == ("baker", ())
    assert sorted(read.lost) == [
        ("occupationSkillRelations_en.csv", 5, "its skill is not in the table of skills"),
        ("occupationSkillRelations_en.csv", 6, "its occupation is not in the table of occupations"),
        ("occupationSkillRelations_en.csv", 7, "relationType must be essential or optional"),
        ("occupations_en.csv", 4, "conceptUri and preferredLabel must not be empty"),
    ]


def test_a_folder_that_lacks_a_table_is_refused_with_its_name(tmp_path: Path) -> None:
    (write(tmp_path) / "skills_en.csv").unlink()

    with pytest.raises(Refused, match=r"has no file skills\*\.csv"):
        occupations.read_folder(tmp_path)


def test_the_command_brings_them_in_once_and_lists_them(
    tenant: Tenant, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run, folder = CliRunner().invoke, ["--data", str(tenant.settings.data)]
    files = str(write(tmp_path_factory.mktemp("esco")))

    first, second = (run(main, ["occupations", "import", files, "--json", *folder]) for _ in range(2))
    listed = json.loads(run(main, ["occupations", "list", "--json", *folder]).stdout)
    empty = run(main, ["occupations", "import", str(tenant.settings.data), *folder])

    assert [json.loads(one.stdout)["occupations"]["http://esco/o/1"] for one in (first, second)] == ["new", "unchanged"]
    assert [first.exit_code, empty.exit_code] == [1, 1]  # rows were left out; there is nothing to read
    assert [one["name"] for one in listed] == ["brewer", "baker"]
    assert occupations.looked_for(tenant.store, "BEER", 20) == [("http://esco/o/1", "brewer")]
    assert [label for _, label in occupations.looked_for(tenant.store, "b", 20)] == ["baker", "brewer"]
    assert occupations.looked_for(tenant.store, "b", 1) == [("http://esco/o/2", "baker")]


@pytest.mark.skipif(not ESCO.exists(), reason="there is no ../shared/data/esco beside the checkout")
def test_the_subset_of_esco_is_read_whole() -> None:
    read = occupations.read_folder(ESCO)

    technician = next(one for one in read.found if one.label == "biotechnical technician")
    assert (len(read.found), sum(len(one.skills) for one in read.found), read.lost) == (15, 907, [])
    assert [sum(one.essential == kind for one in technician.skills) for kind in (True, False)] == [12, 23]


def test_what_is_proven_takes_the_place_of_what_somebody_says() -> None:
    told = (("gown", "Gowns"), ("x", "ABOUT asep"), ("reco", "Records"), ("y", "Brews"), ("late", "Late"))
    said = SelfDeclared("p", "o", "Brewer", tuple(DeclaredSkill(id, label) for id, label in told), 1)
    shown = [held("gown"), held("asep"), held("RECO"), held("late", state="expired")]
    proven = [msgspec.convert(one, ProfileEntry, strict=False) for one in shown]

    assert [one.label for one in declared.beside(said, proven)] == ["Brews", "Late"]
    assert declared.beside(None, proven) == ()
