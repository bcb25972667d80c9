"""Which encoding a file is read in, and which rows are left to a person because they are in another."""

from __future__ import annotations

import pytest

from tests.kernel.tables.opened import cells, opened


def read(content: bytes) -> tuple[str, list[tuple[str, str]]]:
    """The encoding, and each row's cell with the reason why it is left aside."""
    table = opened(content, "a")
    assert table.dialect
    return table.dialect.encoding, [(row["a"], row.trouble.code if row.trouble else "") for row in table.rows()]


def test_one_foreign_byte_in_utf8_costs_its_row():
    content = "a\nZoë\nAnna\nNa".encode() + b"\xef" + b"ve\n"

    assert read(content) == ("utf-8", [("Zoë", ""), ("Anna", ""), ("Na\ufffdve", "encoding")])


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_file_in_windows_1252_is_read_as_a_whole_also_where_only_its_last_letter_says_so(end):
    assert read(b"a\nAnna\nRen" + b"\xe9" + end) == ("windows-1252", [("Anna", ""), ("René", "")])


def test_a_row_of_utf8_in_a_file_of_windows_1252_is_left_to_a_person():
    content = b"a\n" + "Zoë\nRené\nJürgen\n".encode("cp1252") + "André\n".encode()

    assert read(content)[1] == [("Zoë", ""), ("René", ""), ("Jürgen", ""), ("AndrÃ©", "encoding")]


def test_words_of_another_alphabet_are_not_taken_for_western_ones():
    encoding, rows = read("a\nЛюдвик\nAnna\n".encode("windows-1251"))

    assert encoding == "windows-1252"
    assert [code for _, code in rows] == ["encoding", ""]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_known_also_in_another_script(encoding):
    assert read("a\nЛюдвик\n1\n".encode(encoding))[1] == [("Людвик", ""), ("1", "")]


def test_zero_bytes_at_the_end_are_passed_over_and_those_within_a_row_are_not():
    table = opened(b"a\n1\n2\n" + bytes(5000), "a")

    assert (table.padded, [row["a"] for row in table.rows()]) == (True, ["1", "2"])
    assert read(b"a\n1\n2\x00\x00\n")[1] == [("1", ""), ("2", "encoding")]


def test_a_file_that_ends_in_the_middle_of_a_row_says_so():
    rows = list(opened(b"a,b,c\n1,2,3\n4,5", "a b c").rows())

    assert [(row["a"], row.trouble.code if row.trouble else "") for row in rows] == [("1", ""), ("4", "cut_off")]


def test_cells_that_are_left_out_at_the_end_of_a_row_are_empty():
    assert cells(b"a,b,c\n1\n2,3,4\n", "a b c") == [{"a": "1", "b": "", "c": ""}, {"a": "2", "b": "3", "c": "4"}]
