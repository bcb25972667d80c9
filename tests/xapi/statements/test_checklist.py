"""Every line of the project's xAPI checklist, section 2, has a test that names its number; so none is lost."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
NAMED = re.compile(r"^def test_(?:line_)?((?:\d\d_(?:and_)?)+)", re.MULTILINE)
ROWS = re.compile(r"^def test_row_", re.MULTILINE)


def numbers_in(text):
    return {int(number) for named in NAMED.findall(text) for number in re.findall(r"\d\d", named)}


def test_each_of_the_sixty_lines_has_a_test_that_names_it():
    found = set()
    for path in TESTS.rglob("test_*.py"):
        found |= numbers_in(path.read_text())

    assert sorted(set(range(1, 61)) - found) == []


def test_each_row_of_section_1_has_a_test():
    rows = ROWS.findall((TESTS / "xapi" / "statements" / "test_versions.py").read_text())

    assert len(rows) == 14


def test_numbers_are_read_from_names():
    text = "def test_line_07_x():\ndef test_45_46_y():\ndef test_line_21_and_22_z():\n# def test_99_no():\n"

    assert numbers_in(text) == {7, 45, 46, 21, 22}
