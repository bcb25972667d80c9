"""Checklists from tables and typed lines, and their versions."""

import json

import pytest
from click.testing import CliRunner

from adapters.training_centre.checklist_table import read_checklists, typed, typed_steps
from adapters.training_centre.checklists import Checklist, ChecklistStep, checked
from lrs.cli import main
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import open_tenant

TABLE = """checklist,title,step,text,critical,pass_percent,signatures
gowning,Gowning into grade B,hands,Hands washed and dried,yes,80,2
gowning,,hood,Hood before coverall,no,,
gowning,,,Gloves over the cuffs,yes,,
hygiene,,,Nails short,,,
"""


def test_a_table_gives_checklists_with_their_steps_in_order():
    found, faults = read_checklists(TABLE.encode(), "north")

    assert faults == []
    assert found == [
        Checklist(
            "north",
            "gowning",
            "Gowning into grade B",
            (
                ChecklistStep("hands", "Hands washed and dried", critical=True),
                ChecklistStep("hood", "Hood before coverall"),
                ChecklistStep("3", "Gloves over the cuffs", critical=True),
            ),
            80,
            2,
        ),
        Checklist("north", "hygiene", "hygiene", (ChecklistStep("1", "Nails short"),)),
    ]


@pytest.mark.parametrize(
    ("change", "row", "told"),
    [
        (("hands,Hands", "hood,Hands"), 2, "The step hood is in the checklist twice"),
        (("yes,80,2", "perhaps,80,2"), 2, "critical: this word is not known here"),
        (("no,,", "no,70,"), 2, "pass_percent: the rows of one checklist say different numbers"),
        (("yes,80,2", "yes,80,3"), 2, "signed by 1 or 2 people"),
        (("Hood before coverall", ""), 3, "a step needs the name of its checklist and a text"),
        (("gowning,Gowning", "my gowning,Gowning"), 2, "no blanks"),
    ],
)
def test_a_checklist_with_a_row_that_cannot_be_used_is_left_out_whole_and_the_others_are_taken(change, row, told):
    found, faults = read_checklists(TABLE.replace(*change).encode(), "north")

    whole = ["gowning", "hygiene"] if "my gowning" in change[1] else ["hygiene"]
    assert [one.id for one in found] == whole
    assert faults[0].row == row
    assert told in faults[0].reason


def test_nothing_is_taken_where_a_row_does_not_say_of_which_checklist_it_is():
    found, faults = read_checklists(TABLE.replace("gowning,,hood", ",,hood").encode(), "north")

    assert (found, [one.row for one in faults]) == ([], [3])


def test_typed_lines_are_steps_and_an_exclamation_mark_makes_one_critical():
    steps = typed_steps("Hands washed !\n\n  Hood first\n")

    assert steps == (ChecklistStep("1", "Hands washed", critical=True), ChecklistStep("2", "Hood first"))
    assert typed_steps(typed(steps)) == steps


def test_a_checklist_without_a_step_is_refused():
    with pytest.raises(Refused, match="has 1 to 100 steps"):
        checked(Checklist("north", "empty", "Empty", ()))


def test_the_command_makes_a_version_only_where_something_changed(tmp_path, monkeypatch):
    monkeypatch.setenv("LRS_DATA", str(tmp_path / "data"))
    open_tenant(Settings(data=tmp_path / "data")).store.close()
    table = tmp_path / "checklists.csv"
    outcomes = []
    for text in (TABLE, TABLE, TABLE.replace("Nails short", "Nails short and clean")):
        table.write_text(text)
        done = CliRunner().invoke(main, ["checklists", "import", str(table), "--centre", "north", "--json"])
        assert done.exit_code == 0, done.output
        outcomes.append([(one["version"], one["outcome"]) for one in json.loads(done.stdout)["checklists"]])

    listed = CliRunner().invoke(main, ["checklists", "list", "--json"])

    assert outcomes == [
        [(1, "new version"), (1, "new version")],
        [(1, "unchanged"), (1, "unchanged")],
        [(1, "unchanged"), (2, "new version")],
    ]
    assert {one["name"]: one["version"] for one in json.loads(listed.stdout)} == {"gowning": 1, "hygiene": 2}
