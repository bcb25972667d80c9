"""Roles from CSV: what is read, what is left out and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.matching.roles.commands import roles as command
from lrs.matching.roles.gap import Requirement, Role
from lrs.matching.roles.roles import RoleFault, everyone, read_roles, unknown
from lrs.tenancy.tenants import open_tenant
from tests.builders import store_in
from tests.competency.world import URI, World

SAMPLE = """role,role_label,competency,label,level,importance,weight
technician,GMP technician,gown,Gowning,2,essential,2
technician,GMP technician,fill,Filling,3,optional,0.50
analyst,QC analyst,test,Testing,,,
"""


def test_rows_of_one_role_become_its_requirements_in_their_order() -> None:
    found, problems = read_roles(SAMPLE.encode())

    assert problems == []
    assert found == [
        Role(
            "technician",
            "GMP technician",
            (
                Requirement("gown", "Gowning", level=2, essential=True, weight="2"),
                Requirement("fill", "Filling", level=3, essential=False, weight="0.5"),
            ),
        ),
        Role("analyst", "QC analyst", (Requirement("test", "Testing"),)),
    ]


def test_a_byte_order_mark_semicolons_and_capital_headers_are_fine() -> None:
    found, problems = read_roles("\ufeffRole;Competency;Level\r\ntech;gown;2\r\n;;\r\n".encode())

    assert problems == []
    assert found == [Role("tech", "tech", (Requirement("gown", level=2),))]


def test_each_bad_row_is_left_out_with_its_number_and_reason_and_its_role_with_it() -> None:
    text = (
        "role,competency,level,importance,weight\n"
        "cook,stir,1,,\n"
        "tech,gown,2,,\n"
        "tech,,2,,\n"
        "tech,a,0,,\n"
        "tech,b,2.5,,\n"
        "tech,c,1,vital,\n"
        "tech,d,1,,-1\n"
        "tech,e,1,,NaN\n"
        "tech,f,1,,much\n"
        "tech,gown,3,,\n"
        "tech,#N/A,3,,\n"
    )

    found, problems = read_roles(text.encode())

    assert found == [Role("cook", "cook", (Requirement("stir", level=1),))]
    left = "; the role tech is left as it was"
    assert problems == [
        RoleFault(4, f"competency is empty{left}"),
        RoleFault(5, f"level must be a whole number from 1 to 999{left}"),
        RoleFault(6, f"level must be a whole number from 1 to 999{left}"),
        RoleFault(7, f"importance must be essential or optional{left}"),
        RoleFault(8, f"weight must be above 0, at most 1000000, with at most 6 decimals{left}"),
        RoleFault(9, f"weight must be above 0, at most 1000000, with at most 6 decimals{left}"),
        RoleFault(10, f"weight must be a number{left}"),
        RoleFault(11, f"the role asks for gown twice{left}"),
        RoleFault(12, f"the cell shows #N/A: a formula failed there{left}"),
    ]


@pytest.mark.parametrize("role", ["", "#REF!"])
def test_a_row_of_which_nobody_knows_the_role_leaves_all_roles_as_they_were(role: str) -> None:
    found, problems = read_roles(f"role,competency\ncook,stir\n{role},gown\n".encode())

    assert found == []
    assert [problem.row for problem in problems] == [3]
    assert problems[0].reason.endswith("; nobody knows of which role it is, so all are left")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the file is empty"),
        ("name,level\nx,1\n", "needs a column role"),
        ("role,role,competency\na,b,c\n", "the column 'role' twice"),
        ("role,competency\n", "holds no roles"),
    ],
)
def test_a_file_without_the_two_columns_or_without_rows_is_refused(text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        read_roles(text.encode())


def test_importing_twice_changes_nothing_and_a_changed_file_replaces(tmp_path: Path) -> None:
    file = tmp_path / "roles.csv"
    file.write_text(SAMPLE)
    store_in(tmp_path / "data")
    data = ["--data", str(tmp_path / "data")]

    first = CliRunner().invoke(command, ["import", str(file), *data])
    again = CliRunner().invoke(command, ["import", str(file), *data])
    file.write_text(SAMPLE.replace("Gowning,2", "Gowning,1"))
    changed = CliRunner().invoke(command, ["import", str(file), *data])
    listed = CliRunner().invoke(command, ["list", *data])

    assert first.stdout == "OUTCOME  ROLE\nnew      technician\nnew      analyst\n"
    assert again.stdout == "OUTCOME    ROLE\nunchanged  technician\nunchanged  analyst\n"
    assert changed.stdout == "OUTCOME    ROLE\nupdated    technician\nunchanged  analyst\n"
    assert listed.output == (
        "ID          NAME            REQUIREMENTS  FROM  UNTIL\n"
        "technician  GMP technician  2             -     -\n"
        "analyst     QC analyst      1             -     -\n"
    )


def test_both_commands_speak_json(tmp_path: Path) -> None:
    file = tmp_path / "roles.csv"
    file.write_text("role,competency,level\na,b,1\nd,c,none\n")
    store_in(tmp_path / "data")
    data = ["--data", str(tmp_path / "data"), "--json"]

    imported = CliRunner().invoke(command, ["import", str(file), *data])
    listed = CliRunner().invoke(command, ["list", *data])

    assert json.loads(imported.stdout) == {
        "roles": {"a": "new"},
        "problems": [{"row": 3, "reason": "level must be a whole number from 1 to 999; the role d is left as it was"}],
        "unknown": ["a asks for b, which is in no published framework; a code needs the column framework beside it"],
        "notes": ["read as utf-8, comma between cells, header in row 1"],
    }
    assert json.loads(listed.stdout) == [
        {"id": "a", "name": "a", "label": "a", "requirements": 1, "valid_from": None, "valid_until": None}
    ]


def test_a_file_with_too_many_rows_is_refused_by_name_of_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrs.kernel.tables.opening.MAX_ROWS", 2)

    with pytest.raises(Refused, match="more than 2 rows"):
        read_roles(b"role,competency\na,b\na,c\na,d\n")


def test_a_file_in_which_a_quotation_is_never_closed_is_refused_for_nobody_knows_the_rows_below_it() -> None:
    with pytest.raises(Refused, match="row 3: a quotation mark is never closed"):
        read_roles(b'role,competency,label\na,b,"c"\na,d,"e\na,f,g\n')


def test_a_file_in_windows_1252_is_read_as_that(tmp_path: Path) -> None:
    (tmp_path / "roles.csv").write_bytes("role,competency,label\na,b,Zürich \N{EN DASH} Café\n".encode("cp1252"))
    store_in(tmp_path / "data")
    data = ["--data", str(tmp_path / "data")]

    imported = CliRunner().invoke(command, ["import", str(tmp_path / "roles.csv"), *data])

    tenant = open_tenant(Settings(data=tmp_path / "data"))
    (role,) = everyone(tenant.store)
    tenant.store.close()
    assert (imported.exit_code, imported.stdout) == (0, "OUTCOME  ROLE\nnew      a\n")
    assert role.requirements[0].label == "Zürich \N{EN DASH} Café"


def test_a_file_that_is_no_table_or_has_a_bad_row_ends_with_status_1(tmp_path: Path) -> None:
    picture, partly = tmp_path / "picture.png", tmp_path / "partly.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    partly.write_text("role,competency,level\nb,b,none\na,c,1\n")
    store_in(tmp_path / "data")
    data = ["--data", str(tmp_path / "data")]

    refused = CliRunner().invoke(command, ["import", str(picture), *data])
    warned = CliRunner().invoke(command, ["import", str(partly), *data])

    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: the file is a picture (PNG): send the table itself, as .xlsx or CSV\n",
    )
    assert warned.exit_code == 1
    assert warned.stdout == "OUTCOME  ROLE\nnew      a\n"
    assert warned.stderr == (
        "row 2: left out, level must be a whole number from 1 to 999; the role b is left as it was\n"
        "note: a asks for c, which is in no published framework; a code needs the column framework beside it\n"
    )


def test_what_a_role_asks_for_and_nobody_can_meet_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    rows = f"op,{URI},GOWN,3\nop,{URI},ASEP,4\nop,{URI},Z9,\ntech,,GOWN,\n"
    found, _ = read_roles(f"role,framework,competency,level\n{rows}".encode())

    told = unknown(world.store, found)

    world.close()
    assert told == [
        "op asks for level 4 of ASEP, and its framework's scale (Skills for Health tiers) ends at 3",
        "op asks for Z9, which is in no published framework",
        "tech asks for GOWN, which is in no published framework; a code needs the column framework beside it",
    ]
