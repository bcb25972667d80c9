"""Tables as people send them, through the commands: what must come of each file in ``faults``."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from lrs.cli import main
from tests.builders import store_in

FAULTS = Path(__file__).parent / "faults"
RULE = ["https://course.example/1", "passed", "A1", 1]
RULES_HEADER = ["activity", "verb", "competency", "level", "threshold", "trusted source"]


@pytest.fixture
def lrs(tmp_path):
    """Runs a command on a store of its own."""
    store_in(tmp_path / "data")

    def run(*words: str | Path):
        return CliRunner().invoke(main, [*map(str, words), "--data", str(tmp_path / "data")])

    return run


@pytest.fixture
def published(lrs):
    """The framework of the file with the cover sheet, published."""
    lrs("framework", "import", FAULTS / "framework-cover-sheet.xlsx", "--id", "urn:f")
    assert lrs("framework", "publish", "urn:f").exit_code == 0
    return lrs


def notes(result) -> list[str]:
    return [line.removeprefix("note: ") for line in result.stderr.splitlines() if line.startswith("note: ")]


def left_out(result) -> list[str]:
    return [line for line in result.stderr.splitlines() if line.startswith("row ") and "(warning)" not in line]


def added(result) -> list[str]:
    return [line.removeprefix("  added: ") for line in result.stdout.splitlines() if line.startswith("  added: ")]


def saved(path: Path, *rows: list[object], formats: dict[str, str] | None = None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell, form in (formats or {}).items():
        book.active[cell].number_format = form
    book.save(path)
    return path


def test_error_values_are_faults_in_any_column_and_a_number_sign_makes_no_comment(lrs):
    result = lrs("framework", "import", FAULTS / "framework-hash-cells.csv")

    assert result.exit_code == 0
    assert left_out(result) == [
        "row 3, domain: the cell shows #N/A: a formula failed there",
        "row 4, domain: the cell shows #REF!: a formula failed there",
        "row 5, statement: the cell shows #N/A: a formula failed there",
    ]
    assert "1-priority/cap/st  St" in added(result)


def test_error_values_are_faults_of_a_mapping_table_too(published):
    result = published("rules", "check", FAULTS / "rules-hash-cells.csv")

    assert result.exit_code == 1
    assert left_out(result)[:2] == [
        "row 2, activity: the cell shows #N/A: a formula failed there",
        "row 3, activity: the cell shows #REF!: a formula failed there",
    ]
    assert result.stdout.startswith("4 rules can be used\n")


@pytest.mark.parametrize("first", ["# Domain, as agreed in May", "#,,,", '"#made for the board",,,', "#! old"])
def test_comment_lines_are_counted_and_said(lrs, tmp_path, first):
    (tmp_path / "f.csv").write_text(f"{first}\nDomain,Capability,Statement,Tier\nA,B,C,1\n# more, of it\nA,B,D,1\n")

    result = lrs("framework", "import", tmp_path / "f.csv")

    assert notes(result) == [
        "read as utf-8, comma between cells, header in row 2",
        "2 comment lines (#) not read",
    ]
    assert [line.split("  ")[1] for line in added(result)] == ["A", "B", "C", "D"]


def test_words_in_another_script_have_codes_of_their_own(lrs):
    result = lrs("framework", "import", FAULTS / "framework-no-codes-cyrillic.csv")
    again = lrs("framework", "import", FAULTS / "framework-no-codes-cyrillic.csv")

    assert [line.partition("  ")[0] for line in added(result)] == [
        "практика",
        "практика/підготовка",
        "практика/підготовка/одягає-халат",
        "практика/підготовка/знімає-халат",
        "якість",
        "якість/записи",
        "якість/записи/веде-записи",
    ]
    assert left_out(result) == []
    assert "no changes" in again.stdout


def test_statements_that_begin_alike_have_codes_of_their_own_in_whatever_order_they_come(lrs, tmp_path):
    lines = (FAULTS / "framework-same-beginning.csv").read_text().splitlines()
    turned = tmp_path / "framework-same-beginning.csv"
    turned.write_text("\n".join([lines[0], lines[2], lines[1], "GMP,Docs,Keeps a logbook,1"]) + "\n")

    result = lrs("framework", "import", FAULTS / "framework-same-beginning.csv")
    later = lrs("framework", "import", turned)

    long = "gmp/docs/demonstrate-knowledge-and-understanding-of-the-principles-of-"
    assert [line.partition("  ")[0] for line in added(result)][2:] == [f"{long}1dd8b2", f"{long}708029"]
    assert added(later) == ["gmp/docs/keeps-a-logbook  Keeps a logbook"]
    assert "1 change" in later.stdout
    assert left_out(later) == []


def test_signs_that_are_lost_in_a_code_do_not_make_two_statements_one(lrs, tmp_path):
    (tmp_path / "f.csv").write_text("Domain,Capability,Statement,Tier\nA,B,pH < 7,1\nA,B,pH > 7,1\nA,B,ph > 7,1\n")

    result = lrs("framework", "import", tmp_path / "f.csv")

    assert [line.split("  ")[1] for line in added(result)] == ["A", "B", "pH < 7", "pH > 7"]
    assert len({line.split("  ")[0] for line in added(result)}) == 4
    assert [line.partition(":")[0] for line in left_out(result)] == ["row 4, statement code"]


def test_a_hidden_sheet_is_left_out_and_said(lrs):
    result = lrs("framework", "import", FAULTS / "framework-hidden-first.xlsx")

    assert notes(result) == ["read sheet F with its header in row 1", "hidden sheets are not read: Old"]
    assert [line.split("  ")[1] for line in added(result)] == ["A", "Gowning", "Puts on gown"]


def test_the_first_visible_sheet_with_known_headers_is_taken_and_said(lrs):
    result = lrs("framework", "import", FAULTS / "framework-cover-sheet.xlsx")

    assert notes(result) == [
        "read sheet F with its header in row 1",
        "sheets whose headers are not those of this table are not read: Read me",
    ]
    assert [line.split("  ")[1] for line in added(result)] == ["A", "Gowning", "Puts on gown"]


@pytest.mark.parametrize(("held", "form"), [(0.8, "0%"), (0.8, "0.0%"), (80, "General"), ("80%", "General")])
def test_a_percentage_in_a_rules_table_is_what_its_cell_shows(published, tmp_path, held, form):
    rule = [*RULE, held, "src"]
    table = saved(tmp_path / "r.xlsx", RULES_HEADER, rule, formats={"E2": form})

    checked = published("rules", "check", table)
    published("rules", "apply", table)

    assert (checked.exit_code, checked.stdout.splitlines()[0]) == (0, "1 rule can be used")
    shown = published("rules", "show", "--json")
    assert [one["threshold"] for one in json.loads(shown.stdout)["ruleset"]["rules"]] == [80.0]


@pytest.mark.parametrize(
    ("held", "form", "why"),
    [
        (0.8, "General", "threshold: '0.8' could be 0.8 % or 80 %; write 80%"),
        (0.805, "0%", "threshold: the cell shows 81% but holds more decimals: show them all, or type what it shows"),
        ("=4/5", "0%", "threshold: the cell holds a formula that was saved without its value: type the value instead"),
    ],
)
def test_a_percentage_that_leaves_doubt_is_no_threshold(published, tmp_path, held, form, why):
    rule = [*RULE, held, "src"]

    checked = published("rules", "check", saved(tmp_path / "r.xlsx", RULES_HEADER, rule, formats={"E2": form}))

    assert checked.exit_code == 1
    assert left_out(checked)[0] == f"row 2, {why}"


def test_a_merged_threshold_is_not_read_as_none(published, tmp_path):
    book = openpyxl.Workbook()
    for row in (RULES_HEADER, [*RULE, 80, "src"], ["https://course.example/2", *RULE[1:], None, "src"]):
        book.active.append(row)
    book.active.merge_cells("E2:E3")
    book.save(tmp_path / "r.xlsx")

    checked = published("rules", "check", tmp_path / "r.xlsx")

    assert checked.exit_code == 1
    assert left_out(checked)[0] == (
        "row 3, threshold: the cell is part of a merged one: unmerge it and fill in every row"
    )


def test_merged_domains_and_capabilities_mean_as_above(lrs, tmp_path):
    book = openpyxl.Workbook()
    for row in (["Domain", "Capability", "Statement"], ["A", "B", "C"], [None, None, "D"]):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    book.active.merge_cells("B2:B3")
    book.save(tmp_path / "f.xlsx")

    result = lrs("framework", "import", tmp_path / "f.xlsx")

    assert (left_out(result), [line.split("  ")[1] for line in added(result)]) == ([], ["A", "B", "C", "D"])


def test_hidden_rows_are_faults_so_that_what_is_seen_is_what_is_read(published, tmp_path):
    book = openpyxl.Workbook()
    for row in (RULES_HEADER, [*RULE, 80, "src"], ["https://course.example/2", *RULE[1:], 80, "src"]):
        book.active.append(row)
    book.active.row_dimensions[3].hidden = True
    book.save(tmp_path / "r.xlsx")

    checked = published("rules", "check", tmp_path / "r.xlsx")

    assert checked.exit_code == 1
    assert left_out(checked)[0] == "row 3: the row is hidden, by a filter or by hand: show it, or delete it"
    assert checked.stdout.startswith("1 rule can be used\n")


def test_a_code_that_the_spreadsheet_has_made_a_date_of_is_no_code(published, tmp_path):
    rule = [RULE[0], "passed", date(2026, 3, 1), 1, 80, "src"]

    checked = published("rules", "check", saved(tmp_path / "r.xlsx", RULES_HEADER, rule))

    assert left_out(checked)[0] == (
        "row 2, competency: the cell holds a date: format the column as text and type it again"
    )


def test_unknown_headers_are_each_named_once(lrs, tmp_path):
    (tmp_path / "f.csv").write_text("DOMAIN,Owner,capability_name,Full  Statement,\x1b[31mred,Owner\nA,x,B,C,y,z\n")

    result = lrs("framework", "import", tmp_path / "f.csv")

    assert notes(result) == ["headers that are not known here, so their columns are not read: Owner, [31mred"]
    assert [line.split("  ")[1] for line in added(result)] == ["A", "B", "C"]


@pytest.mark.parametrize("command", ["framework import", "rules check", "rules apply", "roles import"])
@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"<html><table>", "a web page"),
        (b"", "empty"),
        (b"colour,size\nred,4\n", "no header"),
    ],
)
def test_every_command_refuses_another_sort_of_file_by_name(lrs, tmp_path, command, content, what):
    (tmp_path / "table.csv").write_bytes(content)

    result = lrs(*command.split(), tmp_path / "table.csv")

    assert result.exit_code == 1
    assert what in result.stderr
    assert "Traceback" not in result.output
